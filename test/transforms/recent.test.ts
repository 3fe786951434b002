import fc from "fast-check";
import { load } from "../../beam/spill";
import { applyWindow, Window } from "../../transforms/bounds";
import { type Accumulator, GatherHot, RecentActions } from "../../transforms/recent";
import { DEFAULT_RULES, type Rules } from "../../transforms/rules";
import { TallyBuilder } from "../../transforms/tallies";
import { mergeTimelines, type Timelines } from "../../transforms/timelines";
import { slowTest } from "../suite";
import { type Action, actionBatch, actions, SOME_DAY } from "./plain";
import { batchesOf, runRules as given, plainTimelines as plain, settled, talliesOf } from "./runs";

jest.setTimeout(30_000);

const outcome = (timelines: Timelines) => ({ timelines: plain(timelines), tallies: talliesOf(timelines) });

/** Everything in one batch and one merge. */
function whole(parts: readonly (readonly Action[])[], some: Rules) {
  const window = new Window(some);
  return outcome(mergeTimelines(batchesOf([parts.flat()], window), window));
}

/** Merges accumulators two by two in the order that the picks say. */
function mergeTree(fn: RecentActions, leaves: Accumulator[], picks: readonly number[]): Accumulator {
  const rest = leaves.length === 0 ? [fn.createAccumulator()] : [...leaves];
  for (let i = 0; rest.length > 1; i++) {
    const pick = (n: number) => rest.splice((picks[(2 * i + n) % Math.max(1, picks.length)] ?? 0) % rest.length, 1)[0];
    rest.push(fn.mergeAccumulators([pick(0), pick(1)]));
  }
  return rest[0];
}

const parts = fc.array(actions(15), { maxLength: 6 });

test("RecentActions: however actions are split into batches and merged, in whatever order, the result is that of one batch", () =>
  fc.assert(
    fc.property(parts, given, fc.array(fc.nat(20)), fc.integer({ min: 1, max: 3 }), (some, ruled, picks, perLeaf) => {
      const fn = new RecentActions(ruled);
      const batches = batchesOf(some, new Window(ruled));
      const leaves: Accumulator[] = [];
      for (let i = 0; i < batches.length; i += perLeaf)
        leaves.push(batches.slice(i, i + perLeaf).reduce((sum, batch) => fn.addInput(sum, batch), fn.createAccumulator()));
      expect(outcome(settled(fn, mergeTree(fn, leaves, picks), ruled))).toEqual(whole(some, ruled));
    }),
    { numRuns: 300 },
  ));

test("RecentActions: timelines merge like the batches they are made of", () =>
  fc.assert(
    fc.property(parts, actions(15), given, (some, more, ruled) => {
      const window = new Window(ruled);
      const fn = new RecentActions(ruled);
      const sorted = some.map((part) => mergeTimelines(batchesOf([part], window), window));
      const accumulators = sorted.map((each): Accumulator => ({ sorted: each, pending: [], pendingRows: 0 }));
      const merged = fn.addInput(fn.mergeAccumulators(accumulators), batchesOf([more], window)[0]);
      expect(outcome(settled(fn, merged, ruled))).toEqual(whole([...some, more], ruled));
    }),
    { numRuns: 200 },
  ));

slowTest("bounded: at most historyLength actions for each first day, however many come, also within the accumulator", () => {
  const historyLength = 5;
  const ruled: Rules = { ...DEFAULT_RULES, historyLength, days: [SOME_DAY, SOME_DAY + 2] };
  const window = new Window(ruled);
  const fn = new RecentActions(ruled);
  let accumulator = fn.createAccumulator();
  let most = 0;
  for (let batch = 0; batch < 16; batch++) {
    const many = Array.from({ length: 40_000 }, (_, i): Action => {
      const time = (SOME_DAY - 3) * 86_400e6 + ((i * 7919 + batch) % 432_000) * 1e6;
      return { customer: BigInt(i % 3), item: BigInt(i), time, type: 1, ownDay: 0 };
    });
    accumulator = fn.addInput(accumulator, applyWindow(actionBatch(many), window));
    most = Math.max(most, accumulator.pendingRows + (accumulator.sorted === null ? 0 : load(accumulator.sorted).times.length));
  }
  expect(most).toBeLessThan(310_000);
  const { customers, starts, times } = settled(fn, accumulator, ruled);
  expect(customers.length).toBe(3);
  expect(times.length).toBeLessThanOrEqual(3 * 2 * historyLength);
  for (let c = 0; c < 3; c++) expect(starts[c + 1] - starts[c]).toBe(2 * historyLength);
});

/** Two customers in turns with someone else's action now and then, in batches of which some are small. */
test("GatherHot: what a bundle gives merges to the same; of hot customers it is little, and comes at the end", () => {
  const ruled: Rules = { ...DEFAULT_RULES, historyLength: 5, days: [SOME_DAY, SOME_DAY + 2], lookbackDays: null };
  const window = new Window(ruled);
  const rows = (n: number) =>
    Array.from({ length: n }, (_, i): Action => {
      const customer = i % 10 === 0 ? BigInt(i) : 1n;
      return { customer, item: BigInt(i), time: (SOME_DAY - 3) * 86_400e6 + ((i * 7919) % 432_000) * 1e6, type: 1, ownDay: 0 };
    });
  const batches = batchesOf([rows(40_000), rows(100), rows(30_000)], window);
  const step = new GatherHot(ruled);
  step.startBundle();
  const passed = batches.flatMap((value) => [...step.process({ key: 3, value })]);
  expect(passed).toEqual([{ key: 3, value: batches[1] }]);
  const late = [...step.finishBundle()].map(({ value }) => value);
  expect(late.map(({ key }) => key)).toEqual(late.map(() => 3));
  const parts = [...passed, ...late].map(({ value }) => load(value) as Timelines);
  expect(outcome(mergeTimelines(parts, window))).toEqual(outcome(mergeTimelines(batches, window)));
  expect(parts.reduce((sum, { times }) => sum + times.length, 0)).toBeLessThan(8000);
  expect([...step.finishBundle()]).toEqual([]);
});

test("nothing gives empty timelines", () => {
  const fn = new RecentActions(DEFAULT_RULES);
  const { customers, starts, times } = settled(fn, fn.createAccumulator(), DEFAULT_RULES);
  expect([customers.length, [...starts], times.length]).toEqual([0, [0], 0]);
});

test("batches of tallies alone are merged too", () => {
  const fn = new RecentActions(DEFAULT_RULES);
  const builder = new TallyBuilder();
  builder.add(BigInt64Array.of(1n), 0, 1, 5, 6, 2);
  const none = applyWindow(actionBatch([]), new Window(DEFAULT_RULES));
  const batch = { ...none, tallies: builder.take() };
  const merged = fn.mergeAccumulators([fn.addInput(fn.createAccumulator(), batch), fn.addInput(fn.createAccumulator(), batch)]);
  expect(talliesOf(settled(fn, merged, DEFAULT_RULES))).toEqual(["1,1,5,6: 4"]);
});
