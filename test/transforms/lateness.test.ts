import fc from "fast-check";
import { Calendar, DAY_MICROS, dayName } from "../../transforms/calendar";
import { addLate, comparedOf, LATE_KINDS, type LateCounts, Lateness, NO_DAY_SAID, SAME_DAY_SAID } from "../../transforms/lateness";
import { DEFAULT_RULES, DEFAULT_TABLES, type Rules } from "../../transforms/rules";
import { SOME_DAY } from "./plain";

const [CLICKS, , ORDERS] = DEFAULT_TABLES;
const hour = 3_600_000_000;

/** A row as it stands in a table: where orders have a date, the time is its midnight. */
interface Row {
  time: number;
  said: number | null;
  clock: number | null;
}

/** The definition, row by row, with days as text. */
function naive(
  rows: Row[],
  { timezone, lookbackDays, orderLagDays, daysChosen }: Rules,
  dts: [number, number],
  orders: boolean,
  folder: number | null,
): LateCounts | undefined {
  const calendar = new Calendar(timezone);
  const found: string[] = [];
  let late = 0;
  for (const { time, said, clock } of rows) {
    if (dts[0] > dts[1] || (lookbackDays !== null && time < calendar.midnight(dts[0] - lookbackDays))) continue;
    const day = calendar.dayAt(time);
    const own = orders ? day : (said ?? folder);
    const happened = orders ? (clock === null ? null : calendar.dayAt(clock)) : day;
    const differs = own !== null && happened !== null && own !== happened;
    const future = time >= calendar.midnight(dts[1] + 1) && !daysChosen;
    if (time >= calendar.midnight(dts[1])) found.push(`${future ? "after the last dt" : "after the last cutoff"}/${dayName(day)}`);
    if (differs) found.push(`time of another day/${dayName(own!)}`);
    if (differs && orders && happened! - own! > orderLagDays) found.push(`beyond the order lag/${dayName(own!)}`);
    if (differs || future) late++;
  }
  if (found.length === 0) return undefined;
  const days: LateCounts["days"] = {};
  for (const kind of LATE_KINDS) {
    const some = found.filter((each) => each.startsWith(`${kind}/`)).map((each) => each.slice(kind.length + 1));
    if (some.length > 0)
      days[kind] = Object.fromEntries([...new Set(some)].map((day) => [day, some.filter((each) => each === day).length]));
  }
  return { rows: late, days };
}

const around = fc
  .tuple(fc.integer({ min: -4, max: 4 }), fc.constantFrom(-1, 0, 0, 1, 5 * hour))
  .map(([days, plus]) => (SOME_DAY + days) * DAY_MICROS + plus);
const day = fc.integer({ min: SOME_DAY - 4, max: SOME_DAY + 4 });
const rules = fc
  .record({
    timezone: fc.constantFrom("UTC", "UTC", "Europe/Berlin", "America/Sao_Paulo", "Pacific/Kiritimati"),
    lookbackDays: fc.constantFrom(null, 1, 3, 365),
    orderLagDays: fc.constantFrom(0, 1, 2),
    daysChosen: fc.boolean(),
  })
  .map((some): Rules => ({ ...DEFAULT_RULES, ...some }));

test.each([false, true])("late rows are what a plain look at each row says, one by one or by column (orders: %s)", (orders) => {
  let seen = 0;
  fc.assert(
    fc.property(
      fc.array(fc.record({ time: around, said: fc.option(day), clock: fc.option(around) }), { maxLength: 30 }),
      rules,
      fc.tuple(day, fc.integer({ min: -1, max: 3 })).map(([first, more]): [number, number] => [first, first + more]),
      orders ? fc.constant(null) : fc.option(day),
      (drawn, rules, dts, folder) => {
        const calendar = new Calendar(rules.timezone);
        const rows = orders ? drawn.map((row) => ({ ...row, time: calendar.midnight(Math.floor(row.time / DAY_MICROS)) })) : drawn;
        const partition: Record<string, string> = folder === null ? {} : { dt: dayName(folder) };
        const make = () => new Lateness(orders ? ORDERS : CLICKS, rules, dts, partition);
        const expected = naive(rows, rules, dts, orders, folder);
        const [one, all] = [make(), make()];
        for (const { time, said, clock } of rows) one.see(time, said ?? NO_DAY_SAID, clock ?? Number.NaN);
        // a scanner says so where the texts are the same, in UTC
        const short = ({ time, said }: Row) =>
          rules.timezone === "UTC" && said === calendar.dayAt(time) ? SAME_DAY_SAID : (said ?? NO_DAY_SAID);
        const times = Float64Array.from(rows, ({ time }) => time);
        all.seeAll(
          rows.length,
          times,
          Int32Array.from(rows, short),
          Float64Array.from(rows, ({ clock }) => clock ?? Number.NaN),
        );
        for (const lateness of [one, all]) expect(addLate(lateness.counts(), undefined)).toEqual(expected);
        seen += expected?.rows ?? 0;
      },
    ),
    { numRuns: 500 },
  );
  expect(seen).toBeGreaterThan(500);
});

test("where a span of times and what all of them say prove that no row is late, none is", () => {
  let sure = 0;
  fc.assert(
    fc.property(fc.array(around, { minLength: 1, maxLength: 5 }), fc.option(day), rules, day, (times, said, rules, last) => {
      const lateness = new Lateness(CLICKS, rules, [last - 1, last], {});
      if (!lateness.isSure(Math.min(...times), Math.max(...times), said ?? NO_DAY_SAID, 0)) return;
      sure++;
      for (const time of times) lateness.see(time, said ?? NO_DAY_SAID, Number.NaN);
      expect(lateness.counts()).toBeUndefined();
    }),
    { numRuns: 500 },
  );
  expect(sure).toBeGreaterThan(20);
});

test("counts of parts add up to those of all, in one order", () => {
  const some = { rows: 2, days: { "time of another day": { "2025-03-30": 1, "2025-03-28": 1 } } };
  const other = { rows: 1, days: { "after the last dt": { "2025-04-01": 1 }, "time of another day": { "2025-03-28": 4 } } };
  const sum = { rows: 3, days: { "after the last dt": { "2025-04-01": 1 }, "time of another day": { "2025-03-28": 5, "2025-03-30": 1 } } };
  expect(JSON.stringify(addLate(some, other))).toBe(JSON.stringify(sum));
  expect(JSON.stringify(addLate(other, some))).toBe(JSON.stringify(sum));
  expect(addLate(undefined, undefined)).toBeUndefined();
});

test.each([
  ["clicks, of which nobody asks for the day", CLICKS, DEFAULT_RULES, { said: "dt", clock: null }],
  ["clicks by their own days", CLICKS, { ...DEFAULT_RULES, actionClock: "both" as const }, { said: null, clock: null }],
  ["orders by their dates", ORDERS, DEFAULT_RULES, { said: null, clock: "occurred_at" }],
  ["orders by their timestamps", ORDERS, { ...DEFAULT_RULES, orderTime: "occurred-at" as const }, { said: "order_date", clock: null }],
  ["a table whose columns are one", { ...CLICKS, dt: "click_time" }, DEFAULT_RULES, { said: null, clock: null }],
])("what is compared of %s", (_, table, rules, columns) => expect(comparedOf(table, rules)).toEqual(columns));
