import fc from "fast-check";
import { EMPTY_TALLIES, type Tallies, TallyBuilder } from "../../transforms/tallies";
import { ids } from "./plain";

interface Tally {
  customer: bigint;
  type: number;
  first: number;
  last: number;
  count: number;
}
const tallies = fc.array(
  fc.record({
    customer: ids,
    type: fc.constantFrom(1, 2, 127),
    first: fc.integer({ min: -1, max: 2 }),
    last: fc.integer({ min: -1, max: 2 }),
    count: fc.integer({ min: 1, max: 5 }),
  }),
  { maxLength: 30 },
);

function built(given: readonly Tally[]): Tallies {
  const builder = new TallyBuilder();
  for (const { customer, type, first, last, count } of given) builder.add(BigInt64Array.of(9n, customer), 1, type, first, last, count);
  return builder.take();
}

/** Sums by everything but the count. */
function sums(given: readonly Tally[]): Map<string, number> {
  const sum = new Map<string, number>();
  for (const { customer, type, first, last, count } of given) {
    const key = [customer, type, first, last].join();
    sum.set(key, (sum.get(key) ?? 0) + count);
  }
  return sum;
}

const rows = ({ customers, types, firsts, lasts, counts }: Tallies): Tally[] =>
  Array.from(counts, (count, i) => ({ customer: customers[i], type: types[i], first: firsts[i], last: lasts[i], count }));

test("one row for each customer, type, first and last, with the sum", () =>
  fc.assert(
    fc.property(tallies, (given) => {
      const out = rows(built(given));
      expect(sums(out)).toEqual(sums(given));
      expect(out.length).toBe(sums(given).size);
    }),
  ));

test("tallies of tallies are the tallies of all", () =>
  fc.assert(
    fc.property(tallies, tallies, (a, b) => {
      const builder = new TallyBuilder();
      for (const part of [a, b]) builder.addAll(built(part));
      expect(builder.length).toBe(sums([...a, ...b]).size);
      expect(sums(rows(builder.take()))).toEqual(sums([...a, ...b]));
    }),
  ));

test("no tallies", () => {
  expect(new TallyBuilder().length).toBe(0);
  expect(new TallyBuilder().take()).toEqual(EMPTY_TALLIES);
});
