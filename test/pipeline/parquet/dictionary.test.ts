import fc from "fast-check";
import { IntDictionary, TimeDictionary, TypeDictionary } from "../../../pipeline/parquet/dictionary";
import { anyId, numbered } from "./rows";

/** n ids from `first` on, `step` apart, that come round after 3500 */
const stepping = (first: bigint, step: bigint, n: number) =>
  Array.from({ length: n }, (_, i) => BigInt.asIntN(64, first + step * BigInt(i % 3500)));

const manyIds = fc.oneof(
  fc.array(anyId, { maxLength: 60 }),
  // more than the table holds at first, close together or alike in the low word
  fc.tuple(anyId, fc.constantFrom(1n, 2n ** 32n), fc.integer({ min: 1000, max: 5000 })).map(([first, step, n]) => stepping(first, step, n)),
);

test("IntDictionary numbers int64 as a Map does, again and again", () =>
  fc.assert(
    fc.property(fc.array(manyIds, { maxLength: 4 }), (rounds) => {
      const dictionary = new IntDictionary(64);
      for (const ids of rounds) {
        dictionary.clear();
        const items = BigInt64Array.from([7n, ...ids]);
        const indexes = new Int32Array(ids.length + 1);
        dictionary.indexAll(new Int32Array(items.buffer), 1, items.length, indexes, 1);
        const expected = numbered(ids);
        expect([...indexes.subarray(1)]).toEqual(expected.indexes);
        expect(dictionary.size).toBe(expected.distinct.length);
        expect(dictionary.plain()).toEqual(new Uint8Array(BigInt64Array.from(expected.distinct).buffer));
        expected.distinct.slice(0, 50).forEach((id, i) => {
          expect(dictionary.value(i)).toBe(id);
        });
      }
    }),
    { numRuns: 40 },
  ));

test("IntDictionary orders as int64", () =>
  fc.assert(
    fc.property(anyId, anyId, (a, b) => {
      const dictionary = new IntDictionary(64);
      const [i, j] = [a, b].map((id) => dictionary.index(Number(BigInt.asIntN(32, id)), Number(id >> 32n)));
      expect(dictionary.before(i, j)).toBe(a < b);
    }),
  ));

test("IntDictionary of 32 bits writes four bytes a value", () => {
  const dictionary = new IntDictionary(32);
  for (const value of [5, -1, 5, 2 ** 31 - 1]) dictionary.index(value, value >> 31);
  expect(dictionary.plain()).toEqual(new Uint8Array(Int32Array.of(5, -1, 2 ** 31 - 1).buffer));
  expect(dictionary.value(1)).toBe(-1);
  expect(dictionary.before(1, 0)).toBe(true);
});

/** microseconds as they can be: whole, before or after 1970, and each exact as a number */
const anyTime = fc.oneof(
  fc.integer({ min: -5, max: 5 }),
  fc.integer({ min: -(2 ** 53) + 1, max: 2 ** 53 - 1 }),
  fc.constantFrom(2 ** 31, 2 ** 32, -(2 ** 32)),
);

test("TimeDictionary: a time's index leads to it, and times in order are kept once", () =>
  fc.assert(
    fc.property(fc.array(fc.array(anyTime), { maxLength: 4 }), fc.array(fc.array(anyTime), { maxLength: 3 }), (earlier, histories) => {
      const dictionary = new TimeDictionary();
      const indexAll = (times: number[]) => {
        const indexes = new Int32Array(times.length + 1);
        dictionary.indexAll(Float64Array.from([7, ...times]), 1, 1 + times.length, indexes, 1);
        return [...indexes.subarray(1)];
      };
      earlier.forEach(indexAll);
      dictionary.clear();
      const descending = histories.map((times) => times.toSorted((a, b) => b - a));
      const indexes = descending.map(indexAll);
      const values = new BigInt64Array(dictionary.plain().slice().buffer);
      expect(indexes.map((row) => row.map((i) => values[i]))).toEqual(descending.map((times) => times.map(BigInt)));
      expect(values[0]).toBe(0n);
      expect(values.length).toBeLessThanOrEqual(1 + descending.reduce((sum, times) => sum + new Set(times).size, 0));
    }),
  ));

test("TypeDictionary numbers type codes as a Map does that begins with 0", () =>
  fc.assert(
    fc.property(fc.array(fc.array(fc.integer({ min: 0, max: 127 })), { maxLength: 3 }), (rounds) => {
      const dictionary = new TypeDictionary();
      for (const codes of rounds) {
        dictionary.clear();
        const indexes = new Uint8Array(codes.length);
        dictionary.indexAll(Uint8Array.from([9, ...codes]), 1, 1 + codes.length, indexes, 0);
        const expected = numbered([0, ...codes]);
        expect([...indexes]).toEqual(expected.indexes.slice(1));
        expect(dictionary.plain()).toEqual(new Uint8Array(Int32Array.from(expected.distinct).buffer));
      }
    }),
  ));
