import fc from "fast-check";
import { TallyBuilder } from "../../transforms/tallies";
import { CUSTOMERS } from "./bulk";

/** One number holds a tally: its digits are customer, type, first and last. Thousands differ. */
const tallies = fc.array(fc.tuple(fc.nat(6 * 4 * 20 * 20 - 1), fc.integer({ min: 1, max: 3 })), { maxLength: 3000, size: "max" });
const spell = (n: number) => ({
  customer: CUSTOMERS[n % 6],
  type: 1 + (Math.floor(n / 6) % 4),
  first: 20_000 + (Math.floor(n / 24) % 20),
  last: -10 + Math.floor(n / 480),
});

/** A Map keeps the order of first appearance. */
function naive(given: readonly (readonly [number, number])[]) {
  const sums = new Map<number, number>();
  for (const [n, count] of given) sums.set(n, (sums.get(n) ?? 0) + count);
  return [...sums].map(([n, count]) => ({ ...spell(n), count }));
}

const rowsOf = (builder: TallyBuilder) => {
  const { customers, types, firsts, lasts, counts } = builder.take();
  return Array.from(counts, (count, i) => ({ customer: customers[i], type: types[i], first: firsts[i], last: lasts[i], count }));
};

function built(given: readonly (readonly [number, number])[]): TallyBuilder {
  const builder = new TallyBuilder();
  for (const [n, count] of given) {
    const { customer, type, first, last } = spell(n);
    builder.add(BigInt64Array.of(0n, customer), 1, type, first, last, count);
  }
  return builder;
}

test("a TallyBuilder is equivalent to a Map, in the order of first appearance", () =>
  fc.assert(
    fc.property(tallies, (given) => {
      const builder = built(given);
      expect(rowsOf(builder)).toEqual(naive(given));
      expect(builder.length).toBe(naive(given).length);
    }),
    { numRuns: 50 },
  ));

test("addAll of many parts is equivalent to adding everything", () =>
  fc.assert(
    fc.property(fc.array(tallies, { maxLength: 5 }), (parts) => {
      const builder = new TallyBuilder();
      for (const part of parts) builder.addAll(built(part).take());
      expect(rowsOf(builder)).toEqual(naive(parts.flat()));
    }),
    { numRuns: 30 },
  ));
