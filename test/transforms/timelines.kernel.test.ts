import fc from "fast-check";
import { applyWindow, Window, type WindowedActions } from "../../transforms/bounds";
import { DEFAULT_RULES } from "../../transforms/rules";
import { EMPTY_TALLIES } from "../../transforms/tallies";
import { mergeTimelines, type Timelines } from "../../transforms/timelines";
import { manyActions, manyRules, parted } from "./bulk";
import { actionBatch, newestFirst } from "./plain";

interface Row {
  customer: bigint;
  item: bigint;
  time: number;
  type: number;
  first: number;
}

/** The rows of a batch or of timelines, in its order. */
function rowsOf(batch: WindowedActions | Timelines, window: Window): Row[] {
  const customerOf = (i: number) =>
    "starts" in batch ? batch.customers[batch.starts.findIndex((start, c) => start <= i && i < batch.starts[c + 1])] : batch.customers[i];
  return Array.from(batch.times, (time, i) => ({
    customer: customerOf(i),
    item: batch.items[i],
    time,
    type: batch.types[i],
    first: batch.firsts[i] ?? window.first(time, batch.types[i], 0), // before a merge, times may tell it
  }));
}

function add(tallies: Map<string, number>, key: (bigint | number)[], count: number): void {
  tallies.set(key.join(), (tallies.get(key.join()) ?? 0) + count);
}

function addTallies(tallies: Map<string, number>, { tallies: { customers, types, firsts, lasts, counts } }: WindowedActions): void {
  for (let i = 0; i < counts.length; i++) add(tallies, [customers[i], types[i], firsts[i], lasts[i]], counts[i]);
}

/** Sort everything, then walk it once and count. */
function naiveMerge(batches: readonly (WindowedActions | Timelines)[], window: Window) {
  const all = batches
    .flatMap((batch) => rowsOf(batch, window))
    .sort((a, b) => {
      const order = a.customer < b.customer ? -1 : a.customer > b.customer ? 1 : 0;
      return order || newestFirst({ ...a, ownDay: 0 }, { ...b, ownDay: 0 });
    });
  const tallies = new Map<string, number>();
  for (const batch of batches) addTallies(tallies, batch);
  const seen = new Map<string, number>();
  const rows = all.filter(({ customer, first, type, time }) => {
    add(seen, [customer, first], 1);
    if (seen.get(`${customer},${first}`)! <= window.rules.historyLength) return true;
    add(tallies, [customer, type, first, window.last(time)], 1);
    return false;
  });
  return { rows, tallies };
}

function outcome(timelines: Timelines, window: Window) {
  const tallies = new Map<string, number>();
  addTallies(tallies, timelines);
  return { rows: rowsOf(timelines, window), tallies };
}

const batchesOf = (actions: Parameters<typeof actionBatch>[0], parts: number, window: Window) =>
  parted(actions, parts).map((part) => applyWindow(actionBatch(part), window));

test("mergeTimelines is equivalent to sorting all rows and keeping the newest of each first day", () =>
  fc.assert(
    fc.property(manyActions(400), manyRules, fc.integer({ min: 1, max: 5 }), (actions, rules, parts) => {
      const window = new Window(rules);
      const batches = batchesOf(actions, parts, window);
      expect(outcome(mergeTimelines(batches, window), window)).toEqual(naiveMerge(batches, window));
    }),
    { numRuns: 300 },
  ));

test("a brief merge gives what any merge gives, whatever was merged before", () =>
  fc.assert(
    fc.property(manyActions(400), manyActions(400), manyRules, (before, actions, rules) => {
      const window = new Window(rules);
      const kept = mergeTimelines(batchesOf(before, 2, window), window);
      const was = outcome(kept, window);
      mergeTimelines(batchesOf(before, 2, window), window, true);
      const batches = batchesOf(actions, 3, window);
      expect(outcome(mergeTimelines(batches, window, true), window)).toEqual(naiveMerge(batches, window));
      expect(outcome(kept, window)).toEqual(was);
    }),
    { numRuns: 200 },
  ));

test("timelines merged with timelines and batches are equivalent to all of their rows, sorted", () =>
  fc.assert(
    fc.property(manyActions(300), manyActions(60), manyActions(300), manyRules, (a, b, c, rules) => {
      const window = new Window(rules);
      const batches = [
        mergeTimelines(batchesOf(a, 2, window), window),
        ...batchesOf(b, 3, window),
        mergeTimelines(batchesOf(c, 1, window), window),
      ];
      expect(outcome(mergeTimelines(batches, window), window)).toEqual(naiveMerge(batches, window));
    }),
    { numRuns: 200 },
  ));

test("columns are as long as their rows, and nothing is left of what was cut", () =>
  fc.assert(
    fc.property(manyActions(300), manyRules, (actions, rules) => {
      const window = new Window(rules);
      const { items, types, firsts, times, starts, customers } = mergeTimelines(batchesOf(actions, 2, window), window);
      expect(new Set([items.length, types.length, firsts.length, times.length])).toEqual(new Set([starts[customers.length]]));
      expect([items, types, firsts, times, starts].map(({ byteLength, buffer }) => buffer.byteLength - byteLength)).toEqual([
        0, 0, 0, 0, 0,
      ]);
    }),
    { numRuns: 50 },
  ));

test.each(["one time", "a few times", "all but one row in a second"])("tens of thousands of rows of one customer: %s", (kind) => {
  const n = 30_000;
  const customers = new BigInt64Array(n);
  const items = BigInt64Array.from({ length: n }, (_, i) => BigInt(Math.imul(i, 0x9e3779b1)));
  const time = (i: number) => (kind === "one time" ? 5 : kind === "a few times" ? (i % 7) * 1e9 : i === 0 ? 1e15 : (i * 7919) % 1e6);
  const times = Float64Array.from({ length: n }, (_, i) => time(i));
  const none = { types: new Uint8Array(n).fill(1), firsts: new Int32Array(n), tallies: EMPTY_TALLIES };
  const window = new Window({ ...DEFAULT_RULES, historyLength: n, days: [20_000] });
  const merged = mergeTimelines([{ customers, items, times, ...none }], window);
  const expected = Array.from({ length: n }, (_, i) => i).sort((a, b) => times[b] - times[a] || (items[a] < items[b] ? 1 : -1));
  expect(merged.items).toEqual(BigInt64Array.from(expected, (i) => items[i]));
  const newest = mergeTimelines([{ customers, items, times, ...none }], new Window({ ...window.rules, historyLength: 10 }));
  expect(newest.items).toEqual(BigInt64Array.from(expected.slice(0, 10), (i) => items[i]));
});
