import type { Window, WindowedActions } from "./bounds";
import { compareWords, IdIndex, words } from "./ids";
import { EMPTY_TALLIES, type Tallies, TallyBuilder } from "./tallies";

/** The actions of many customers, each customer's newest first; ties by type, then item, both descending. */
export interface Timelines extends WindowedActions {
  /** distinct, ascending; unlike the other columns one row a customer */
  customers: BigInt64Array;
  /** the actions of customer c are the rows [starts[c], starts[c + 1]) of the other columns */
  starts: Int32Array;
}

/** Merges batches into timelines and cuts each customer to what any day can need; what is cut is tallied. */
export function mergeTimelines(batches: readonly (WindowedActions | Timelines)[], window: Window): Timelines {
  const all = concat(batches);
  const { customers, starts, rows } = byCustomer(all);
  sortWithin(all, starts, rows);
  const cut = new TallyBuilder();
  for (const batch of batches) cut.addAll(batch.tallies);
  const kept = prune(all, { customers, starts, rows }, window, cut);
  return gather(all, kept, customers, cut.length === 0 ? EMPTY_TALLIES : cut.take());
}

/** All rows of all batches in a row, customers spelled out for each. */
function concat(batches: readonly (WindowedActions | Timelines)[]): WindowedActions {
  const n = batches.reduce((sum, batch) => sum + batch.times.length, 0);
  const all = actionRows(n);
  let at = 0;
  for (const batch of batches) {
    if ("starts" in batch) spell(batch, all.customers, at);
    else all.customers.set(batch.customers, at);
    all.items.set(batch.items, at);
    all.times.set(batch.times, at);
    all.types.set(batch.types, at);
    all.firsts.set(batch.firsts, at);
    at += batch.times.length;
  }
  return all;
}

function spell({ customers, starts }: Timelines, out: BigInt64Array, at: number): void {
  for (let c = 0; c < customers.length; c++) out.fill(customers[c], at + starts[c], at + starts[c + 1]);
}

/** Row numbers grouped by customer, customers ascending. */
interface Grouped {
  customers: BigInt64Array;
  starts: Int32Array;
  rows: Int32Array;
}

function byCustomer(all: WindowedActions): Grouped {
  const n = all.times.length;
  const ids = words(all.customers);
  const index = new IdIndex();
  const customer = new Int32Array(n);
  for (let i = 0; i < n; i++) customer[i] = index.add(ids[2 * i], ids[2 * i + 1]);
  const customers = index.toArray().sort();
  const sorted = words(customers);
  const rank = new Int32Array(customers.length);
  for (let c = 0; c < customers.length; c++) rank[index.find(sorted[2 * c], sorted[2 * c + 1])] = c;
  const starts = new Int32Array(customers.length + 1);
  for (let i = 0; i < n; i++) starts[rank[customer[i]] + 1]++;
  for (let c = 0; c < customers.length; c++) starts[c + 1] += starts[c];
  const next = starts.slice();
  const rows = new Int32Array(n);
  for (let i = 0; i < n; i++) rows[next[rank[customer[i]]]++] = i;
  return { customers, starts, rows };
}

/** Sorts the rows of each customer newest first; equal times by type, then item, both descending. */
function sortWithin({ times, types, items }: WindowedActions, starts: Int32Array, rows: Int32Array): void {
  const ids = words(items);
  const newestFirst = (a: number, b: number): number =>
    times[b] - times[a] || types[b] - types[a] || compareWords(ids[2 * b], ids[2 * b + 1], ids[2 * a], ids[2 * a + 1]);
  for (let c = 0; c + 1 < starts.length; c++) rows.subarray(starts[c], starts[c + 1]).sort(newestFirst);
}

/** The rows to keep: of those with the same first day, the newest historyLength. */
function prune(
  all: WindowedActions,
  { customers, starts, rows }: Grouped,
  window: Window,
  cut: TallyBuilder,
): { rows: Int32Array; starts: Int32Array } {
  const limit = window.rules.historyLength;
  const keptStarts = new Int32Array(starts.length);
  let k = 0;
  for (let c = 0; c < customers.length; c++) {
    const few = starts[c + 1] - starts[c] <= limit;
    const seen = new Map<number, number>();
    for (let i = starts[c]; i < starts[c + 1]; i++) {
      const row = rows[i];
      const first = all.firsts[row];
      const before = few ? 0 : (seen.get(first) ?? 0);
      if (before < limit) rows[k++] = row;
      else cut.add(customers, c, all.types[row], first, window.last(all.times[row]), 1);
      if (!few) seen.set(first, before + 1);
    }
    keptStarts[c + 1] = k;
  }
  return { rows: rows.subarray(0, k), starts: keptStarts };
}

function gather(
  all: WindowedActions,
  { rows, starts }: { rows: Int32Array; starts: Int32Array },
  customers: BigInt64Array,
  tallies: Tallies,
): Timelines {
  const out = actionRows(rows.length);
  const from = words(all.items);
  const to = words(out.items);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    to[2 * i] = from[2 * row];
    to[2 * i + 1] = from[2 * row + 1];
    out.times[i] = all.times[row];
    out.types[i] = all.types[row];
    out.firsts[i] = all.firsts[row];
  }
  return { items: out.items, times: out.times, types: out.types, firsts: out.firsts, tallies, customers, starts };
}

function actionRows(n: number): WindowedActions {
  return {
    customers: new BigInt64Array(n),
    items: new BigInt64Array(n),
    times: new Float64Array(n),
    types: new Uint8Array(n),
    firsts: new Int32Array(n),
    tallies: EMPTY_TALLIES,
  };
}
