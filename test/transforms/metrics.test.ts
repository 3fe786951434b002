import fc from "fast-check";
import { Metrics, type MetricsReport } from "../../transforms/metrics";

interface History {
  /** type codes, 0 for padding, as many as the history has positions */
  types: number[];
  rows: number;
  dt: string;
  customers: number;
}

const MAX_POSITIONS = 4;

const histories = fc.array(
  fc.record({
    types: fc
      .tuple(fc.array(fc.constantFrom(1, 2, 3, 4, 127), { maxLength: 6 }), fc.nat(3))
      .map(([real, padding]) => [...real, ...Array<number>(padding).fill(0)]),
    rows: fc.integer({ min: 1, max: 15 }),
    dt: fc.constantFrom("2025-08-03", "2025-08-04", "2025-08-05"),
    customers: fc.constantFrom(0, 1),
  }),
  { maxLength: 12 },
);

function metricsOf(given: History[]): Metrics {
  const metrics = new Metrics(MAX_POSITIONS);
  for (const { types, rows, dt, customers } of given) metrics.add(types, 0, types.length, types.length, rows, dt, customers);
  return metrics;
}

const ratio = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
const tally = (keys: (string | number)[]) =>
  Object.fromEntries([...new Set(keys)].map((key) => [key, keys.filter((k) => k === key).length]));

/** The definitions word for word: every slot a row, every position a number, everything counted by looking at all. */
function naive(given: History[]): MetricsReport {
  const rows = given.flatMap(({ types, rows, dt }) => Array.from({ length: rows }, () => ({ types, dt })));
  const all = rows.flatMap(({ types }) => types);
  const real = all.filter((type) => type !== 0);
  const codes = [...new Set([1, 2, 3, ...real])].sort((a, b) => a - b);
  const shares = (of: number[], types: number[]) =>
    Object.fromEntries(types.map((t) => [t, ratio(of.filter((x) => x === t).length, of.length)]));
  const lengths = rows.map(({ types }) => types.filter((type) => type !== 0).length);
  const dts = [...new Set(given.map(({ dt }) => dt))].sort();
  const longest = Math.max(0, ...rows.map(({ types }) => types.length));
  return {
    rows: rows.length,
    zero_history_pct: ratio(lengths.filter((length) => length === 0).length, rows.length),
    avg_history_length: ratio(real.length, rows.length),
    action_type_distribution: shares(all, [0, ...codes]),
    real_action_type_distribution: shares(real, codes),
    rows_by_dt: tally(rows.map(({ dt }) => dt)),
    customers_by_dt: Object.fromEntries(dts.map((dt) => [dt, given.filter((h) => h.dt === dt).reduce((n, h) => n + h.customers, 0)])),
    sequence_length_distribution: tally(lengths),
    action_type_frequency_by_position: Array.from({ length: Math.min(MAX_POSITIONS, longest) }, (_, position) =>
      Object.fromEntries([0, ...codes].map((t) => [t, rows.filter(({ types }) => types[position] === t).length])),
    ),
  };
}

test("Metrics report what counting every position of every row reports", () =>
  fc.assert(fc.property(histories, (given) => expect(metricsOf(given).report()).toEqual(naive(given)))));

test("merged parts are the whole, wherever they are cut and however they are bracketed", () =>
  fc.assert(
    fc.property(histories, histories, histories, (a, b, c) => {
      const whole = metricsOf([...a, ...b, ...c]).report();
      expect(metricsOf(a).merge(metricsOf(b)).merge(metricsOf(c)).report()).toEqual(whole);
      expect(
        metricsOf(a)
          .merge(metricsOf(b).merge(metricsOf(c)))
          .report(),
      ).toEqual(whole);
      expect(metricsOf(c).merge(metricsOf(a)).merge(metricsOf(b)).report()).toEqual(whole);
    }),
  ));

test("merging leaves the other half as it was, and later additions do not reach it", () =>
  fc.assert(
    fc.property(histories, histories, (a, b) => {
      const half = metricsOf(b);
      const before = JSON.stringify(half);
      metricsOf(a).merge(half).add([1, 2], 0, 2, 2, 5, "2025-08-03");
      expect(JSON.stringify(half)).toBe(before);
    }),
  ));

test("Metrics travel as JSON", () =>
  fc.assert(
    fc.property(histories, (given) => {
      const metrics = metricsOf(given);
      const arrived = Metrics.fromJSON(JSON.parse(JSON.stringify(metrics)));
      expect(arrived.report()).toEqual(metrics.report());
      expect(arrived.merge(metricsOf(given)).report()).toEqual(metricsOf([...given, ...given]).report());
    }),
  ));

test("a message that has left does not change any more", () => {
  const metrics = metricsOf([{ types: [1, 2], rows: 1, dt: "2025-08-03", customers: 1 }]);
  const message = metrics.toJSON();
  const before = JSON.stringify(message);
  const arrived = Metrics.fromJSON(message);
  for (const each of [metrics, arrived]) each.add([1, 3], 0, 2, 2, 5, "2025-08-03");
  expect(JSON.stringify(message)).toBe(before);
});

test("padding told by historyLength counts like padding among the types", () =>
  fc.assert(
    fc.property(histories, (given) => {
      const metrics = new Metrics(MAX_POSITIONS);
      for (const { types, rows, dt, customers } of given) {
        const real = types.filter((type) => type !== 0);
        metrics.add(Uint8Array.from([9, ...real, 9]), 1, 1 + real.length, types.length, rows, dt, customers);
      }
      expect(metrics.report()).toEqual(metricsOf(given).report());
    }),
  ));

test("no rows give zeros, not NaN", () => {
  expect(new Metrics().report()).toEqual(naive([]));
});

test.each([-1, 128, 1.5e9])("type code %p is refused", (type) => {
  expect(() => new Metrics().add([type], 0, 1, 1, 1, "2025-08-03")).toThrow("an action type must be 0 to 127");
});

test("metrics of different maxPositions do not merge", () => {
  expect(() => new Metrics(3).merge(new Metrics(4))).toThrow("do not merge");
});
