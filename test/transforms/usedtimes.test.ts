import fc from "fast-check";
import { type UsedTimes, UsedTimesBuilder } from "../../transforms/usedtimes";

interface Given {
  day: number;
  from: number;
  to: number;
}

const columns = fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.constantFrom(1, 2, 3, 127)), { minLength: 1, maxLength: 30 });
/** Timelines of several customers one behind the other, each newest first, and stretches of them. */
const cases = fc.array(columns, { minLength: 1, maxLength: 4 }).chain((timelines) => {
  const sorted = timelines.map((rows) => rows.toSorted(([a], [b]) => b - a));
  const starts = sorted.map((_, i) => sorted.slice(0, i).flat().length);
  const history = fc.nat(timelines.length - 1).chain((t) => {
    const end = starts[t] + sorted[t].length;
    const place = fc.integer({ min: starts[t], max: end });
    return fc.tuple(fc.nat(2), place, place).map(([day, a, b]): Given => ({ day, from: Math.min(a, b), to: Math.max(a, b) }));
  });
  return fc.array(history, { maxLength: 12 }).map((histories) => ({ rows: sorted.flat(), histories }));
});

const plain = ({ days, types, oldest, newest }: UsedTimes) => Array.from(days, (day, i) => [day, types[i], oldest[i], newest[i]]);

/** Every action of every history, looked at. */
function naive(rows: [time: number, type: number][], histories: readonly Given[]) {
  const used = histories.flatMap(({ day, from, to }) =>
    rows.slice(from, to).map(([time, type]) => ({ key: `${day} ${type}`, day, type, time })),
  );
  return [...Map.groupBy(used, ({ key }) => key).values()]
    .map((same) => [same[0].day, same[0].type, Math.min(...same.map(({ time }) => time)), Math.max(...same.map(({ time }) => time))])
    .sort(([day, type], [otherDay, otherType]) => day - otherDay || type - otherType);
}

test("UsedTimesBuilder is equivalent to looking at every action of every history", () =>
  fc.assert(
    fc.property(cases, ({ rows, histories }) => {
      const times = Float64Array.from(rows, ([time]) => time);
      const types = Uint8Array.from(rows, ([, type]) => type);
      const builder = new UsedTimesBuilder(types);
      for (const { day, from, to } of histories) builder.add(day, times, types, from, to);
      expect(plain(builder.take())).toEqual(naive(rows, histories));
    }),
    { numRuns: 1000 },
  ));
