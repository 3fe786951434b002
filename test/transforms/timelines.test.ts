import fc from "fast-check";
import { Window } from "../../transforms/bounds";
import { DEFAULT_RULES } from "../../transforms/rules";
import { mergeTimelines } from "../../transforms/timelines";
import { type Action, actions, newestFirst, SOME_DAY } from "./plain";
import { batchesOf, runRules as given, plainTimelines as plain, settleTwins, talliesOf } from "./runs";

jest.setTimeout(30_000);

const parts = fc.array(actions(15), { maxLength: 6 });
const merged = (some: readonly (readonly Action[])[], window: Window) => mergeTimelines(batchesOf(some, window), window);

type Seen = Action & { first: number };

/** What applyWindow keeps, as objects. */
function seen(batch: readonly Action[], window: Window): Seen[] {
  return batch
    .map((action) => ({ ...action, first: window.first(action.time, action.type, action.ownDay) }))
    .filter(({ first, time }) => first <= window.last(time));
}

/** Of each customer, and of those actions that the same day is the first to see, the newest historyLength; customers ascending. */
function naiveRecent(batch: readonly Action[], window: Window) {
  const byCustomer = Object.groupBy(seen(batch, window), ({ customer }) => String(customer));
  return Object.values(byCustomer)
    .map((own) => {
      const byFirst = Object.values(Object.groupBy(own!, ({ first }) => first));
      return byFirst.flatMap((same) => same!.sort(newestFirst).slice(0, window.rules.historyLength)).sort(newestFirst);
    })
    .sort(([a], [b]) => (a.customer < b.customer ? -1 : 1))
    .map((kept) => ({
      customer: kept[0].customer,
      actions: settleTwins(kept.map(({ item, time, type, first }) => ({ item, time, type, first }))),
    }));
}

test("of the actions that the same day is the first to see, each customer keeps the newest historyLength", () =>
  fc.assert(
    fc.property(actions(), given, (all, some) => {
      expect(plain(merged([all], new Window(some)))).toEqual(naiveRecent(all, new Window(some)));
    }),
    { numRuns: 300 },
  ));

test("timelines stay as they are when others are merged after them", () =>
  fc.assert(
    fc.property(parts, parts, given, (some, others, rules) => {
      const window = new Window(rules);
      const timelines = merged(some, window);
      const before = plain(timelines);
      merged(others, window);
      expect(plain(timelines)).toEqual(before);
    }),
  ));

/** Many of one customer: all over the place, bunched, or at a handful of times, and partly in order already. */
const crowds = fc
  .tuple(fc.integer({ min: 100, max: 400 }), fc.constantFrom(3, 1e3, 1e6, 5 * 86_400e6), fc.nat(400), fc.noShrink(fc.integer()))
  .map(([count, width, sorted, seed]) => {
    const random = (i: number, n: number): number => Math.abs(Math.imul(seed ^ Math.imul(i, 0x9e3779b1), 0x85ebca6b)) % n;
    const crowd = Array.from({ length: count }, (_, i): Action => {
      const time = SOME_DAY * 86_400e6 + Math.floor((random(i, 10_007) / 10_007) * width);
      return { customer: 1n, item: BigInt(random(i + 7, 5)), time, type: 1 + random(i + 3, 3), ownDay: SOME_DAY + random(i, 2) };
    });
    return [...crowd.slice(0, sorted).sort(newestFirst), ...crowd.slice(sorted)];
  });

test("many actions of one customer are sorted and cut like few", () =>
  fc.assert(
    fc.property(crowds, given, fc.constantFrom(1, 7, 50, 1000), (all, some, historyLength) => {
      const window = new Window({ ...some, historyLength });
      expect(plain(merged([all.slice(0, 99), all.slice(99)], window))).toEqual(naiveRecent(all, window));
    }),
    { numRuns: 60 },
  ));

test("every action is kept or tallied", () =>
  fc.assert(
    fc.property(parts, given, (some, ruled) => {
      const window = new Window(ruled);
      const { times, tallies } = mergeTimelines(batchesOf(some, window), window);
      expect(times.length + tallies.counts.reduce((sum, n) => sum + n, 0)).toBe(some.flat().length);
    }),
  ));

test("what is cut is tallied with the days that would have seen it", () => {
  const window = new Window({ ...DEFAULT_RULES, historyLength: 1, lookbackDays: 3 });
  const at = (hours: number): Action => ({ customer: 7n, item: 1n, time: SOME_DAY * 86_400e6 + hours * 3600e6, type: 2, ownDay: 0 });
  const timelines = mergeTimelines(batchesOf([[at(1), at(2)], [at(3)]], window), window);
  expect(plain(timelines)).toHaveLength(1);
  expect(talliesOf(timelines)).toEqual([`7,2,${SOME_DAY + 1},${SOME_DAY + 3}: 2`]);
});

/** Types and items of actions at one time, in their order. */
const TIED = [
  [3, -5n],
  [2, 2n ** 63n - 1n],
  [2, 2n ** 53n + 1n],
  [2, 2n ** 53n],
  [2, 2n ** 32n - 1n],
  [2, 2n ** 31n],
  [2, 0n],
  [2, -1n],
  [2, -(2n ** 63n)],
  [1, 9n],
] as const;
const tied = ([type, item]: (typeof TIED)[number]): Action => ({ customer: 1n, item, time: SOME_DAY * 86_400e6, type, ownDay: 0 });

test("equal times: higher type first, then higher item, as int64", () => {
  const [{ actions: got }] = plain(merged([TIED.map(tied).reverse()], new Window(DEFAULT_RULES)));
  expect(got.map(({ type, item }) => [type, item])).toEqual(TIED);
});

test("the cut goes through equal times in the same order", () =>
  fc.assert(
    fc.property(
      fc.shuffledSubarray([...TIED], { minLength: TIED.length }),
      fc.integer({ min: 1, max: TIED.length }),
      (shuffled, historyLength) => {
        const window = new Window({ ...DEFAULT_RULES, historyLength });
        const [{ actions: got }] = plain(merged([shuffled.map(tied)], window));
        expect(got.map(({ type, item }) => [type, item])).toEqual(TIED.slice(0, historyLength));
      },
    ),
  ));

test("duplicates stay", () => {
  const window = new Window(DEFAULT_RULES);
  const action: Action = { customer: 1n, item: 5n, time: SOME_DAY * 86_400e6, type: 1, ownDay: 0 };
  expect(plain(mergeTimelines(batchesOf([[action, action], [action]], window), window))[0].actions).toHaveLength(3);
});
