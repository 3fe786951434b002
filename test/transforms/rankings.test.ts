import fc from "fast-check";
import { ELEMENT_BYTES } from "../../beam/limits";
import { bytesOf } from "../../beam/spill";
import { bucketOf, words } from "../../transforms/ids";
import { concatRankings, takeRankings } from "../../transforms/rankingcolumns";
import { RankingBuilder } from "../../transforms/rankings";
import { plainRankings, type Ranking, rankingBatches, rankings } from "./plain";

const bucket = (customer: bigint, buckets: number): number => {
  const [low, high] = words(BigInt64Array.of(customer));
  return bucketOf(low, high, buckets);
};

function push(builder: RankingBuilder, given: readonly Ranking[]): void {
  for (const { customer, day, id, slots } of given) builder.push(customer, day, id, slots);
}

const taken = (builder: RankingBuilder, buckets: number) =>
  [...builder.take(buckets)].map(({ key, value }) => ({ key, rankings: plainRankings(value) }));

test("RankingBuilder gives every ranking in the batch of its customer's bucket, in the order pushed", () =>
  fc.assert(
    fc.property(rankings, fc.integer({ min: 1, max: 7 }), (given, buckets) => {
      const builder = new RankingBuilder();
      push(builder, given);
      expect(builder.length).toBe(given.length);
      const keys = Array.from({ length: buckets }, (_, key) => key);
      const expected = keys.map((key) => ({ key, rankings: given.filter(({ customer }) => bucket(customer, buckets) === key) }));
      expect(taken(builder, buckets)).toEqual(expected.filter((each) => each.rankings.length > 0));
      expect(taken(builder, buckets)).toEqual([]);
    }),
  ));

/** Each column outgrows its room on its own: many rankings, many slots, or long ids. */
test.each([
  ["many rankings of one slot and a short id", 1000, 1, "é"],
  ["few rankings of many slots", 20, 3000, "a"],
  ["few rankings with long ids", 20, 1, "é".repeat(5000)],
  ["many of everything", 1000, 20, "ranking-\u{1F600}"],
])("a builder that grows keeps all: %s", (_, count, slots, id) => {
  const given = Array.from({ length: count }, (_, i) => ({
    customer: BigInt(i),
    day: i,
    id: `${id}${i}`,
    slots: Array.from({ length: slots }, (_, s) => ({ item: BigInt(i * s), isOrder: s % 3 === 0 })),
  }));
  const builder = new RankingBuilder();
  for (let again = 0; again < 2; again++) {
    push(builder, given);
    expect(taken(builder, 1)).toEqual([{ key: 0, rankings: given }]);
  }
});

test("several gather at a time, and one that others have used before: none sees the rankings of another", () => {
  const given = (customer: bigint, n: number): Ranking[] =>
    Array.from({ length: n }, (_, i) => ({ customer, day: i, id: `${customer}-${i}`, slots: [{ item: BigInt(i), isOrder: i % 2 === 1 }] }));
  const builders = [1n, 2n, 3n].map((customer) => ({ builder: new RankingBuilder(), customer }));
  for (const size of [3, 300, 2]) {
    for (const { builder, customer } of builders) push(builder, given(customer, size));
    const batches = builders.map(({ builder }) => builder.take(1));
    for (const [i, { customer }] of builders.entries())
      expect(batches[i].map(({ value }) => plainRankings(value))).toEqual([given(customer, size)]);
  }
});

test("the memory of batches is shared, so that threads need not copy it", () => {
  const builder = new RankingBuilder();
  push(builder, [{ customer: 1n, day: 2, id: "a", slots: [{ item: 3n, isOrder: true }] }]);
  const [{ value }] = builder.take(1);
  for (const column of Object.values(value)) expect((column as Uint8Array).buffer).toBeInstanceOf(SharedArrayBuffer);
});

test("rankings are taken from the batches put together, in any order and any number of times", () =>
  fc.assert(
    fc.property(rankings, rankings, fc.array(fc.nat(19), { maxLength: 12 }), (a, b, wanted) => {
      const both = [...a, ...b];
      const batches = [a, b].flatMap((given) => rankingBatches(given));
      const rows = wanted.filter((row) => row < both.length);
      expect(plainRankings(takeRankings(concatRankings(batches), Int32Array.from(rows)))).toEqual(rows.map((row) => both[row]));
    }),
  ));

test.each([
  ["long ids", 200, 1, 100_000],
  ["many slots", 200, 10_000, 1],
])(
  "a bucket whose rankings are too large for one element is several batches, none larger than it may be: %s",
  (_, count, slots, letters) => {
    const builder = new RankingBuilder();
    const given = Array.from({ length: count }, (_, i) => ({
      customer: 1n,
      day: i,
      id: "x".repeat(letters),
      slots: Array.from({ length: slots }, (_, s) => ({ item: BigInt(s), isOrder: false })),
    }));
    push(builder, given);
    const batches = [...builder.take(1)].map(({ value }) => value);
    expect(batches.length).toBeGreaterThan(3);
    for (const batch of batches) expect(bytesOf(batch)).toBeLessThan(ELEMENT_BYTES + 1000);
    expect(batches.flatMap(({ days }) => Array.from(days))).toEqual(given.map(({ day }) => day));
  },
);
