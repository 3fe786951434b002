import fc from "fast-check";
import { addLedger, type Ledger, noCounts, PLACES, place, SumLedgers, type TableCounts, unbalanced } from "../../transforms/ledger";

const counts = <Key extends string>(...keys: Key[]) =>
  fc.dictionary(fc.constantFrom(...keys), fc.integer({ min: 1, max: 9 })) as fc.Arbitrary<Partial<Record<Key, number>>>;
const DAYS = ["2025-01-31", "2025-08-15", "2025-08-16"];
const otherDays = fc.tuple(fc.nat(2), fc.nat(2)).map(([a, b]) => ({ oldest: DAYS[Math.min(a, b)], newest: DAYS[Math.max(a, b)] }));
const plain: fc.Arbitrary<TableCounts> = fc.record({
  rows: fc.nat(99),
  places: counts(...PLACES),
  reasons: counts("not JSON", "dt: not a date") as fc.Arbitrary<Record<string, number>>,
  lacking: counts("dt", "item_id") as fc.Arbitrary<Record<string, number>>,
  columns: fc.uniqueArray(fc.constantFrom("a", "b", "c")),
  zeroItems: fc.nat(3),
});
const table = fc.oneof(
  plain,
  fc.tuple(plain, otherDays).map(([counts, otherDays]): TableCounts => ({ ...counts, otherDays })),
);
const ledgers: fc.Arbitrary<Ledger[]> = fc.array(
  fc.dictionary(fc.constantFrom("clicks", "impressions"), table, { noNullPrototype: true }),
  { maxLength: 6 },
);

/** Adds up by going through every number of every ledger. */
function naiveSum(given: readonly Ledger[]): Ledger {
  const sum: Ledger = {};
  const add = (to: Record<string, number>, from: Record<string, number | undefined>) => {
    for (const name of Object.keys(from)) to[name] = (to[name] ?? 0) + from[name]!;
  };
  for (const ledger of given) {
    for (const name of Object.keys(ledger)) {
      const to = (sum[name] ??= noCounts());
      to.rows += ledger[name].rows;
      to.zeroItems += ledger[name].zeroItems;
      add(to.places as Record<string, number>, ledger[name].places);
      add(to.reasons, ledger[name].reasons);
      add(to.lacking, ledger[name].lacking);
      if (ledger[name].otherDays !== undefined) {
        const days = [...Object.values(to.otherDays ?? {}), ...Object.values(ledger[name].otherDays)].sort();
        to.otherDays = { oldest: days[0], newest: days.at(-1)! };
      }
      for (const column of ledger[name].columns) if (!to.columns.includes(column)) to.columns.push(column);
    }
  }
  for (const { columns } of Object.values(sum)) columns.sort();
  return sum;
}

const fn = new SumLedgers();
const accumulated = (given: readonly Ledger[]): Ledger =>
  structuredClone(given).reduce((sum, ledger) => fn.addInput(sum, ledger), fn.createAccumulator());

test("the sum of ledgers is the sum of each of their counts, however they are bracketed", () =>
  fc.assert(
    fc.property(ledgers, ledgers, (a, b) => {
      const whole = naiveSum([...a, ...b]);
      expect(fn.extractOutput(accumulated([...a, ...b]))).toEqual(whole);
      expect(fn.extractOutput(fn.mergeAccumulators([accumulated(a), accumulated(b)]))).toEqual(whole);
      expect(fn.extractOutput(fn.mergeAccumulators([accumulated(b), fn.createAccumulator(), accumulated(a)]))).toEqual(whole);
    }),
  ));

test("merging leaves the accumulators as they were", () =>
  fc.assert(
    fc.property(ledgers, ledgers, (a, b) => {
      const parts = [accumulated(a), accumulated(b)];
      const before = structuredClone(parts);
      fn.addInput(fn.mergeAccumulators(parts), { clicks: { ...noCounts(), rows: 1, reasons: { "not JSON": 1 } } });
      expect(parts).toEqual(before);
    }),
  ));

test("names of columns are kept up to a bound, the same ones in any order", () => {
  const wide = (from: number): Ledger => ({
    clicks: { ...noCounts(), columns: Array.from({ length: 40 }, (_, i) => `c${String(from + i).padStart(3, "0")}`) },
  });
  const sum = accumulated([wide(0), wide(40)]);
  expect(sum.clicks.columns.length).toBe(50);
  expect(sum).toEqual(accumulated([wide(40), wide(0)]));
});

test("place adds, and a place of nobody is not named", () => {
  const ledger: Ledger = {};
  place(ledger, "clicks", "used", 0);
  expect(ledger).toEqual({});
  place(ledger, "clicks", "used", 2);
  place(ledger, "clicks", "used", 3);
  expect(ledger).toEqual({ clicks: { ...noCounts(), places: { used: 5 } } });
});

test("a table is unbalanced when its rows do not all end in one place", () =>
  fc.assert(
    fc.property(table, (given) => {
      const placed = Object.values(given.places).reduce((sum, n) => sum + n, 0);
      expect(unbalanced({ clicks: { ...given, rows: placed } })).toEqual([]);
      for (const off of [-1, 1]) {
        const told = unbalanced({ impressions: noCounts(), clicks: { ...given, rows: placed + off } });
        expect(told).toEqual([expect.stringContaining(`clicks: ${placed + off} rows read`)]);
      }
    }),
  ));

test("addLedger gives back what it added to", () => {
  const to: Ledger = {};
  expect(addLedger(to, { a: noCounts() })).toBe(to);
});
