import type { Window, WindowedActions } from "./bounds";
import { IdIndex, words } from "./ids";
import { keptBytes, keptFloats, keptIds, keptInts } from "./kept";
import { NewestFirst } from "./newest";
import { Pruner, type Rows } from "./prune";
import { EMPTY_TALLIES, TallyBuilder } from "./tallies";

/** The actions of many customers, each customer's newest first; ties by type, then item, both descending. */
export interface Timelines extends WindowedActions {
  /** distinct, ascending; unlike the other columns one row a customer */
  customers: BigInt64Array;
  /** the actions of customer c are the rows [starts[c], starts[c + 1]) of the other columns */
  starts: Int32Array;
}

/**
 * Merges batches into timelines and cuts each customer to what any day can need; what is cut is tallied, in any order.
 * @param brief whether the result's times and firsts may lie in memory that the thread's next merge takes
 */
export function mergeTimelines(batches: readonly (WindowedActions | Timelines)[], window: Window, brief = false): Timelines {
  const n = batches.reduce((sum, batch) => sum + batch.times.length, 0);
  const scratch = scratchFor(n);
  const { rows, numbers, order } = scratch;
  const { customers, starts } = byCustomer(batches, rows, numbers.subarray(0, n));
  const cut = new TallyBuilder();
  for (const batch of batches) cut.addAll(batch.tallies);
  const kept = prune(rows, customers, starts, window, cut, order);
  const k = kept.order.length;
  const times = brief ? scratch.times.subarray(0, k) : new Float64Array(k);
  sortWithin(rows, kept, times);
  const firsts = brief ? scratch.firsts.subarray(0, k) : new Int32Array(k);
  const output = gather(rows, kept.order);
  if (window.byTime) window.tellFirsts(times, output.types, 0, k, firsts);
  else for (let i = 0; i < k; i++) firsts[i] = rows.firsts[kept.order[i]];
  return {
    ...output,
    firsts,
    times,
    tallies: cut.length === 0 ? EMPTY_TALLIES : cut.take(),
    customers,
    starts: kept.starts,
  };
}

interface Grouped {
  /** distinct, ascending */
  customers: BigInt64Array;
  /** the rows of customer c are [starts[c], starts[c + 1]), in the order of the batches */
  starts: Int32Array;
}

/** What a merge needs besides its result, or for a brief one. */
interface Scratch {
  rows: Rows;
  /** of each row, in the order of the batches: its customer's number */
  numbers: Int32Array;
  order: Int32Array;
  /** of the result */
  times: Float64Array;
  firsts: Int32Array;
}

const scratchOf = (n: number): Scratch => ({
  rows: { items: keptIds(n), times: keptFloats(n), types: keptBytes(n), firsts: keptInts(n) },
  numbers: keptInts(n),
  order: keptInts(n),
  times: keptFloats(n),
  firsts: keptInts(n),
});

/** A thread's merges use the same memory one after the other. Some 40 MB at most. */
let reused = scratchOf(0);
const MOST_REUSED_ROWS = 1 << 20;

/** Columns of at least n rows, with anything in them. */
function scratchFor(n: number): Scratch {
  if (n > MOST_REUSED_ROWS) return scratchOf(n);
  if (n > reused.numbers.length) reused = scratchOf(Math.min(MOST_REUSED_ROWS, n + (n >> 2)));
  return reused;
}

/** A counting sort by customer, into `rows`. */
function byCustomer(batches: readonly (WindowedActions | Timelines)[], rows: Rows, numbers: Int32Array): Grouped {
  const index = new IdIndex();
  let at = 0;
  for (const batch of batches) {
    if ("starts" in batch) numberTimelines(batch, index, numbers, at);
    else numberRows(batch.customers, index, numbers, at);
    at += batch.times.length;
  }
  const { customers, starts, next } = layOut(index, numbers);
  at = 0;
  for (const batch of batches) {
    scatter(batch, rows, numbers, at, next);
    at += batch.times.length;
  }
  return { customers, starts };
}

/** The numbers of the rows' customers, from numbers[at] on. */
function numberRows(customers: BigInt64Array, index: IdIndex, numbers: Int32Array, at: number): void {
  const ids = words(customers);
  for (let i = 0; i < customers.length; i++) {
    const same = i > 0 && ids[2 * i] === ids[2 * i - 2] && ids[2 * i + 1] === ids[2 * i - 1];
    numbers[at + i] = same ? numbers[at + i - 1] : index.add(ids[2 * i], ids[2 * i + 1]);
  }
}

function numberTimelines({ customers, starts }: Timelines, index: IdIndex, numbers: Int32Array, at: number): void {
  const ids = words(customers);
  for (let c = 0; c < customers.length; c++) {
    const number = index.add(ids[2 * c], ids[2 * c + 1]);
    for (let i = starts[c]; i < starts[c + 1]; i++) numbers[at + i] = number;
  }
}

/** Customers in order, where their rows begin, and the same by number. */
function layOut(index: IdIndex, numbers: Int32Array): { customers: BigInt64Array; starts: Int32Array; next: Int32Array } {
  const counts = new Int32Array(index.size);
  for (let i = 0; i < numbers.length; i++) counts[numbers[i]]++;
  const customers = index.toArray().sort();
  const ids = words(customers);
  const starts = new Int32Array(customers.length + 1);
  const next = new Int32Array(customers.length);
  for (let c = 0; c < customers.length; c++) {
    const number = index.find(ids[2 * c], ids[2 * c + 1]);
    next[number] = starts[c];
    starts[c + 1] = starts[c] + counts[number];
  }
  return { customers, starts, next };
}

function scatter(batch: WindowedActions, rows: Rows, numbers: Int32Array, from: number, next: Int32Array): void {
  const { times, types, firsts } = batch;
  const ids = words(batch.items);
  const outIds = words(rows.items);
  const { times: outTimes, types: outTypes, firsts: outFirsts } = rows;
  const told = firsts.length > 0;
  for (let i = 0; i < times.length; i++) {
    const to = next[numbers[from + i]]++;
    outIds[2 * to] = ids[2 * i];
    outIds[2 * to + 1] = ids[2 * i + 1];
    outTimes[to] = times[i];
    outTypes[to] = types[i];
    if (told) outFirsts[to] = firsts[i];
  }
}

/** Rows that stay: those of customer c are order[starts[c]], …, order[starts[c + 1] - 1]. */
interface Kept {
  order: Int32Array;
  starts: Int32Array;
}

/** Of the rows of a customer with the same first day, the newest historyLength stay; their numbers go to `order`. */
function prune(rows: Rows, customers: BigInt64Array, starts: Int32Array, window: Window, cut: TallyBuilder, order: Int32Array): Kept {
  const pruner = new Pruner(rows, window, cut);
  const ids = words(customers);
  const keptStarts = new Int32Array(starts.length);
  let k = 0;
  for (let c = 0; c < customers.length; c++) {
    const from = starts[c];
    const to = starts[c + 1];
    if (to - from > window.rules.historyLength) {
      if (window.byTime) window.tellFirsts(rows.times, rows.types, from, to, rows.firsts);
      k = pruner.prune(from, to, ids[2 * c], ids[2 * c + 1], order, k);
    } else for (let row = from; row < to; row++) order[k++] = row;
    keptStarts[c + 1] = k;
  }
  return { order: order.subarray(0, k), starts: keptStarts };
}

/** Brings each customer's rows into order, newest first, and their times to `times`. */
function sortWithin(rows: Rows, { order, starts }: Kept, times: Float64Array): void {
  for (let i = 0; i < order.length; i++) times[i] = rows.times[order[i]];
  const newest = new NewestFirst(times, order, rows.types, rows.items);
  for (let c = 0; c + 1 < starts.length; c++) newest.sort(starts[c], starts[c + 1]);
}

/** Items and types are output: in memory that threads share from the start, they need no copy later. */
function gather(rows: Rows, order: Int32Array): Pick<Rows, "items" | "types"> {
  const n = order.length;
  const items = new BigInt64Array(new SharedArrayBuffer(8 * n));
  const types = new Uint8Array(new SharedArrayBuffer(n));
  const from = words(rows.items);
  const to = words(items);
  for (let i = 0; i < n; i++) {
    const row = order[i];
    to[2 * i] = from[2 * row];
    to[2 * i + 1] = from[2 * row + 1];
    types[i] = rows.types[row];
  }
  return { items, types };
}
