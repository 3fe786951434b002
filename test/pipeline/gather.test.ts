import fc from "fast-check";
import { load } from "../../beam/spill";
import { ActionGather, batchesOf, cutHot } from "../../pipeline/gather";
import type { ActionBatch } from "../../transforms/actions";
import { applyWindow, Window } from "../../transforms/bounds";
import { bucketOf, words } from "../../transforms/ids";
import { DEFAULT_RULES } from "../../transforms/rules";
import { mergeShown, type Shown, ShownIndex, shownOf } from "../../transforms/shownindex";
import { mergeTimelines } from "../../transforms/timelines";
import { slowTest } from "../suite";
import { type Action, actions, daysOf, type Ranking, rankingBatches, rankings, rules } from "../transforms/plain";

jest.setTimeout(30_000);

const TYPE = 9;

const shownIn = (given: readonly Ranking[]): Shown => mergeShown(rankingBatches(given).map(shownOf));

/** Scanned columns, with rows behind the last that are nobody's. */
function addAll(gather: ActionGather, given: readonly Action[]): void {
  const padded = [...given, { customer: 1n, item: 1n, time: 1, ownDay: 1 }];
  const column = (of: (action: Omit<Action, "type">) => bigint) => words(BigInt64Array.from(padded, of)) as Int32Array;
  gather.add(
    column(({ customer }) => customer),
    column(({ item }) => item),
    Float64Array.from(padded, ({ time }) => time),
    Int32Array.from(padded, ({ ownDay }) => ownDay),
    given.length,
  );
}

const plain = ({ customers, items, times, types, ownDays }: ActionBatch) =>
  Array.from(customers, (customer, i) => ({ customer, item: items[i], time: times[i], type: types[i], ownDay: ownDays[i] }));

const taken = (gather: ActionGather, buckets: number) =>
  [...batchesOf(gather.take(buckets))].map(({ key, value }) => ({ key, rows: plain(load(value) as ActionBatch) }));

/** The same by filters: for each bucket that has any, its rows in the order in which they came. */
function bucketed(given: readonly Action[], buckets: number, keepOwnDays: boolean) {
  const bucket = ({ customer }: Action) => {
    const [low, high] = words(BigInt64Array.of(customer));
    return bucketOf(low, high, buckets);
  };
  return Array.from({ length: buckets }, (_, key) => ({ key, rows: given.filter((action) => bucket(action) === key) }))
    .filter(({ rows }) => rows.length > 0)
    .map(({ key, rows }) => ({
      key,
      rows: rows.map((row) => ({ ...row, type: TYPE, ownDay: keepOwnDays ? row.ownDay : undefined })),
    }));
}

function windowOf(index: ShownIndex, customer: bigint): number {
  const window = new Int32Array(1);
  index.findAll(words(BigInt64Array.of(customer)), 1, window, new Int32Array(1));
  return window[0];
}

const parts = fc.array(fc.tuple(actions(20), fc.boolean()), { maxLength: 5 });

test("without knowing who was shown: every row, in its bucket, in its order; empty afterwards", () =>
  fc.assert(
    fc.property(parts, fc.integer({ min: 1, max: 7 }), fc.boolean(), (some, buckets, keepOwnDays) => {
      const gather = new ActionGather(TYPE, null, keepOwnDays);
      for (const [given, oneByOne] of some) {
        if (oneByOne) for (const { customer, item, time, ownDay } of given) gather.push(customer, item, time, 1, ownDay);
        else addAll(gather, given);
      }
      const all = some.flatMap(([given]) => given);
      expect(gather.length).toBe(all.length);
      expect(taken(gather, buckets)).toEqual(bucketed(all, buckets, keepOwnDays));
      expect([gather.length, gather.neverShown, gather.outside, taken(gather, buckets)]).toEqual([0, 0, 0, []]);
    }),
    { numRuns: 200 },
  ));

test("knowing it: the rows that some ranking of their customer may use; the others are counted", () =>
  fc.assert(
    fc.property(parts, rankings, rules, fc.integer({ min: 1, max: 7 }), fc.boolean(), (some, shown, ruled, buckets, keepOwnDays) => {
      const customers = shownIn(shown);
      const index = new ShownIndex(customers, { ...ruled, days: daysOf(shown) });
      const gather = new ActionGather(TYPE, index, keepOwnDays);
      const kept: Action[] = [];
      let neverShown = 0;
      let outside = 0;
      for (const [given, oneByOne] of some) {
        if (oneByOne) for (const { customer, item, time, ownDay } of given) gather.push(customer, item, time, 1, ownDay);
        else addAll(gather, given);
        for (const action of given) {
          const window = windowOf(index, action.customer);
          if (!customers.customers.includes(action.customer)) neverShown++;
          else if (action.time < index.earliest[window] || action.time >= index.latest[window]) outside++;
          else kept.push(action);
        }
      }
      expect([gather.length, gather.neverShown, gather.outside]).toEqual([kept.length, neverShown, outside]);
      expect(taken(gather, buckets)).toEqual(bucketed(kept, buckets, keepOwnDays));
    }),
    { numRuns: 300 },
  ));

test("numbers are ids too, and nobody was shown anything if there is no ranking", () => {
  const gather = new ActionGather(TYPE, null, true);
  gather.push(-1, 2 ** 52, 5, 1, 3);
  expect(taken(gather, 1)).toEqual([{ key: 0, rows: [{ customer: -1n, item: 2n ** 52n, time: 5, type: TYPE, ownDay: 3 }] }]);
  const none = new ActionGather(TYPE, new ShownIndex(shownIn([]), DEFAULT_RULES), true);
  none.push(-1, 2, 5, 1, 3);
  expect([none.length, none.neverShown, none.outside]).toEqual([0, 1, 0]);
});

slowTest("more rows than fit at first, taken twice: the first batches stay as they were", () => {
  const gather = new ActionGather(TYPE, null, false);
  const many = Array.from({ length: 40_000 }, (_, i) => ({ customer: BigInt(i % 11), item: BigInt(i), time: i, type: TYPE, ownDay: 0 }));
  for (let i = 0; i < 5; i++) addAll(gather, many);
  const first = gather.take(3);
  addAll(gather, many.toReversed());
  const second = taken(gather, 3);
  expect(first.all.times.length).toBe(200_000);
  const times = [0, 1, 2].map((bucket) =>
    [...batchesOf(first)].flatMap(({ key, value }) => (key === bucket ? [...load(value).times] : [])),
  );
  expect(times).toEqual(bucketed(Array(5).fill(many).flat(), 3, false).map(({ rows }) => rows.map(({ time }) => time)));
  expect(second).toEqual(bucketed(many.toReversed(), 3, false));
});

test("several gather at a time, and one that others have used before: none sees the rows of another", () => {
  const given = (customer: bigint, n: number) =>
    Array.from({ length: n }, (_, i) => ({ customer, item: BigInt(i), time: i, type: TYPE, ownDay: i }));
  const gathers = [1n, 2n, 3n].map((customer) => ({ gather: new ActionGather(TYPE, null, true), customer }));
  for (const size of [3, 300, 2]) {
    for (const { gather, customer } of gathers) addAll(gather, given(customer, size));
    const batches = gathers.map(({ gather }) => gather.take(1));
    for (const [i, { customer }] of gathers.entries())
      expect([...batchesOf(batches[i])].map(({ value }) => plain(load(value) as ActionBatch))).toEqual([given(customer, size)]);
  }
});

test("the memory of batches is shared, so that threads need not copy it", () => {
  const gather = new ActionGather(TYPE, null, true);
  gather.push(1, 2, 3, 1, 4);
  const { all } = gather.take(1);
  for (const column of Object.values(all)) expect((column as Uint8Array).buffer).toBeInstanceOf(SharedArrayBuffer);
});

test("cutHot: a bucket with a hot customer becomes timelines, of what any day can need; the others stay as they are", () => {
  const rules = { ...DEFAULT_RULES, historyLength: 4, days: [20_000], lookbackDays: null };
  const day = 86_400e6;
  const rows = Array.from({ length: 40_000 }, (_, i) => ({
    customer: i % 4 === 0 ? BigInt(i) : 7n,
    item: BigInt(i),
    time: 19_990 * day + i,
    type: TYPE,
    ownDay: 0,
  }));
  const gather = (given: typeof rows) => {
    const all = new ActionGather(TYPE, null, true);
    addAll(all, given);
    return all.take(5);
  };
  const before = [...batchesOf(gather(rows))];
  const [hot] = words(BigInt64Array.of(7n));
  const bucket = bucketOf(hot, 0, 5);
  const after = [...batchesOf(cutHot(gather(rows), rules, undefined))];
  const cold = before.filter(({ key }) => key !== bucket);
  expect(after.slice(0, -1).map(({ key, value }) => [key, plain(load(value) as ActionBatch)])).toEqual(
    cold.map(({ key, value }) => [key, plain(load(value) as ActionBatch)]),
  );
  const { key, value } = after.at(-1)!;
  const window = new Window(rules);
  const whole = before.filter((each) => each.key === bucket).map((each) => applyWindow(load(each.value) as ActionBatch, window));
  expect([key, value]).toEqual([bucket, mergeTimelines(whole, window)]);
  const calm = rows.map((row) => ({ ...row, customer: row.item }));
  expect(cutHot(gather(calm), rules, undefined).merged).toEqual([]);
});

test("cutHot: where the days of the run are not known, all that is before its first ranking counts as one day", () => {
  const rules = { ...DEFAULT_RULES, historyLength: 4, days: null, lookbackDays: null };
  const day = 86_400e6;
  const N = 40_000;
  const gather = () => {
    const all = new ActionGather(TYPE, null, true);
    addAll(
      all,
      Array.from({ length: N }, (_, i) => ({
        customer: 7n,
        item: BigInt(i),
        time: (19_000 + (i % 1000)) * day,
        type: TYPE,
        ownDay: 0,
      })),
    );
    return all.take(5);
  };
  const rowsOf = (firstDay: number | undefined) =>
    cutHot(gather(), rules, firstDay).merged.reduce((sum, { value }) => sum + value.times.length, 0);
  // the newest four of the days up to 19 990, and of each day behind it
  expect([rowsOf(undefined), rowsOf(19_991)]).toEqual([4 * 1000, 4 * (1 + 9)]);
});

test("a bucket of many rows is handed on in batches of which none is too large an element", () => {
  const gather = new ActionGather(TYPE, null, false);
  const many = Array.from({ length: 70_000 }, (_, i) => ({ customer: 1n, item: BigInt(i), time: i, type: TYPE, ownDay: 0 }));
  for (let i = 0; i < 2; i++) addAll(gather, many);
  expect([...batchesOf(gather.take(1))].map(({ value }) => load(value).times.length)).toEqual([65_536, 65_536, 8_928]);
});
