import fc from "fast-check";
import { ActionBuilder, byBucket, copyIds } from "../../transforms/actions";
import { bucketOf, words } from "../../transforms/ids";
import { type Action, actions, ids } from "./plain";

const bucket = (customer: bigint, buckets: number): number => {
  const [low, high] = words(BigInt64Array.of(customer));
  return bucketOf(low, high, buckets);
};

function taken(builder: ActionBuilder, buckets: number): { key: number; actions: Action[] }[] {
  return [...builder.take(buckets)].map(({ key, value: { customers, items, times, types, ownDays } }) => ({
    key,
    actions: Array.from(times, (time, i) => ({ customer: customers[i], item: items[i], time, type: types[i], ownDay: ownDays[i] })),
  }));
}

const numberOrBigint = (id: bigint): bigint | number => (Number.isSafeInteger(Number(id)) ? Number(id) : id);

test("ActionBuilder gives every action in the batch of its customer's bucket, in the order pushed", () =>
  fc.assert(
    fc.property(actions(), fc.integer({ min: 1, max: 7 }), (given, buckets) => {
      const builder = new ActionBuilder();
      for (const { customer, item, time, type, ownDay } of given)
        builder.push(numberOrBigint(customer), numberOrBigint(item), time, type, ownDay);
      expect(builder.length).toBe(given.length);
      const keys = Array.from({ length: buckets }, (_, key) => key);
      const expected = keys.map((key) => ({ key, actions: given.filter(({ customer }) => bucket(customer, buckets) === key) }));
      expect(taken(builder, buckets)).toEqual(expected.filter((each) => each.actions.length > 0));
      expect(builder.length).toBe(0);
      expect(taken(builder, buckets)).toEqual([]);
    }),
  ));

test("a builder that grew and was emptied starts anew", () => {
  const builder = new ActionBuilder();
  const action = (i: number): Action => ({ customer: BigInt(i), item: BigInt(-i), time: i, type: 1 + (i % 3), ownDay: i });
  for (const count of [5000, 3]) {
    const given = Array.from({ length: count }, (_, i) => action(i));
    for (const { customer, item, time, type, ownDay } of given) builder.push(customer, item, time, type, ownDay);
    expect(taken(builder, 1)).toEqual([{ key: 0, actions: given }]);
  }
});

test("what was taken does not change when the builder is filled again", () => {
  const builder = new ActionBuilder();
  builder.push(1, 1, 1, 1, 1);
  const [{ value }] = [...builder.take(1)];
  builder.push(2, 2, 2, 2, 2);
  expect(value.customers).toEqual(BigInt64Array.of(1n));
});

test("byBucket groups the rows of each bucket in their old order", () =>
  fc.assert(
    fc.property(fc.array(ids, { maxLength: 30 }), fc.integer({ min: 1, max: 5 }), fc.nat(5), (customers, buckets, beyond) => {
      const column = BigInt64Array.from([...customers, ...Array<bigint>(beyond).fill(99n)]);
      const { rows, starts } = byBucket(words(column), customers.length, buckets);
      expect(starts.length).toBe(buckets + 1);
      for (let b = 0; b < buckets; b++) {
        const expected = customers.flatMap((customer, row) => (bucket(customer, buckets) === b ? [row] : []));
        expect([...rows.subarray(starts[b], starts[b + 1])]).toEqual(expected);
      }
    }),
  ));

test("copyIds picks whole ids", () => {
  const to = new BigInt64Array(3);
  copyIds(BigInt64Array.of(1n, 2n ** 63n - 1n, -(2n ** 63n)), Int32Array.of(2, 0, 1), to);
  expect([...to]).toEqual([-(2n ** 63n), 1n, 2n ** 63n - 1n]);
});
