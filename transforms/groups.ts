import { compareWords, IdIndex, words } from "./ids";
import { concatRankings, sharedRankingRows, takeRankings } from "./rankingcolumns";
import type { RankingBatch } from "./rankings";

/** Rankings by customer, then day, then ranking id, then content; with the first ranking of each (customer, day). */
export interface Groups {
  rankings: RankingBatch;
  /** group g is the rankings [starts[g], starts[g + 1]) */
  starts: Int32Array;
}

/** Two counting sorts, by day and by customer; only the rankings of one (customer, day) are compared byte by byte. */
export function groupRankings(batches: readonly RankingBatch[]): Groups {
  const all = concatRankings(batches);
  const n = all.days.length;
  const { ranks: dayRanks, size: days } = rankDays(all.days);
  const { ranks: customerRanks, size: customers } = rankCustomers(all.customers);
  let order = countingSort(null, dayRanks, days);
  order = countingSort(order, customerRanks, customers);
  const starts = new Int32Array(n + 1);
  let groups = 0;
  for (let r = 0; r < n; r++) {
    const a = order[r];
    const b = r === 0 ? -1 : order[r - 1];
    if (b < 0 || customerRanks[a] !== customerRanks[b] || dayRanks[a] !== dayRanks[b]) starts[groups++] = r;
  }
  starts[groups] = n;
  for (let g = 0; g < groups; g++) sortGroup(all, order, starts[g], starts[g + 1]);
  return { rankings: takeRankings(all, order), starts: starts.slice(0, groups + 1) };
}

/** The rankings of some groups, in the order given, and where each group's begin. They are output, so they are put into shared memory at once. */
export function takeGroups({ rankings, starts }: Groups, kept: Int32Array): { rankings: RankingBatch; rankingStarts: Int32Array } {
  if (kept.length === starts.length - 1 && kept.every((group, i) => group === i)) return { rankings, rankingStarts: starts };
  const rankingStarts = new Int32Array(kept.length + 1);
  for (let i = 0; i < kept.length; i++) rankingStarts[i + 1] = rankingStarts[i] + starts[kept[i] + 1] - starts[kept[i]];
  const rows = new Int32Array(rankingStarts[kept.length]);
  for (let i = 0, at = 0; i < kept.length; i++) for (let r = starts[kept[i]]; r < starts[kept[i] + 1]; r++) rows[at++] = r;
  return { rankings: takeRankings(rankings, rows, sharedRankingRows), rankingStarts };
}

/** For each value its rank among the distinct ones. */
interface Ranks {
  ranks: Int32Array;
  /** distinct values */
  size: number;
}

function rankCustomers(customers: BigInt64Array): Ranks {
  const ids = words(customers);
  const index = new IdIndex();
  const ranks = new Int32Array(customers.length);
  for (let r = 0; r < ranks.length; r++) ranks[r] = index.add(ids[2 * r], ids[2 * r + 1]);
  const sorted = words(index.toArray().sort());
  const rankOf = new Int32Array(index.size);
  for (let rank = 0; rank < index.size; rank++) rankOf[index.find(sorted[2 * rank], sorted[2 * rank + 1])] = rank;
  for (let r = 0; r < ranks.length; r++) ranks[r] = rankOf[ranks[r]];
  return { ranks, size: index.size };
}

function rankDays(days: Int32Array): Ranks {
  const index = new IdIndex();
  const ranks = new Int32Array(days.length);
  for (let r = 0; r < ranks.length; r++) ranks[r] = index.add(days[r], 0);
  const sorted = new Int32Array(index.size);
  for (let r = 0; r < ranks.length; r++) sorted[ranks[r]] = days[r];
  sorted.sort();
  const rankOf = new Int32Array(index.size);
  for (let rank = 0; rank < index.size; rank++) rankOf[index.find(sorted[rank], 0)] = rank;
  for (let r = 0; r < ranks.length; r++) ranks[r] = rankOf[ranks[r]];
  return { ranks, size: index.size };
}

/** Row numbers by rank; those of one rank in the order of `rows` (null: ascending). */
function countingSort(rows: Int32Array | null, ranks: Int32Array, size: number): Int32Array {
  const next = new Int32Array(size + 1);
  for (let r = 0; r < ranks.length; r++) next[ranks[r] + 1]++;
  for (let rank = 0; rank < size; rank++) next[rank + 1] += next[rank];
  const out = new Int32Array(ranks.length);
  for (let r = 0; r < ranks.length; r++) {
    const row = rows === null ? r : rows[r];
    out[next[ranks[row]]++] = row;
  }
  return out;
}

/** Sorts order[from, to), rankings of one customer on one day, by id, then content. */
function sortGroup(all: RankingBatch, order: Int32Array, from: number, to: number): void {
  if (to - from < 2) return;
  const items = words(all.slotItems);
  if (to - from > FEW) {
    order.subarray(from, to).sort((a, b) => compareIds(all, a, b) || compareContent(all, items, a, b));
    return;
  }
  for (let i = from + 1; i < to; i++) {
    const row = order[i];
    let j = i - 1;
    while (j >= from && (compareIds(all, order[j], row) || compareContent(all, items, order[j], row)) > 0) order[j + 1] = order[j--];
    order[j + 1] = row;
  }
}

const FEW = 16;

/** By bytes; an id that is the beginning of another comes first. */
function compareIds({ idStarts, idBytes }: RankingBatch, a: number, b: number): number {
  const aStart = idStarts[a];
  const bStart = idStarts[b];
  const aBytes = idStarts[a + 1] - aStart;
  const bBytes = idStarts[b + 1] - bStart;
  const both = Math.min(aBytes, bBytes);
  for (let i = 0; i < both; i++) {
    const order = idBytes[aStart + i] - idBytes[bStart + i];
    if (order !== 0) return order;
  }
  return aBytes - bBytes;
}

/** Slot by slot: item, then is_order; a ranking that is the beginning of another comes first. */
export function compareSlots(batch: RankingBatch, a: number, b: number): number {
  return compareContent(batch, words(batch.slotItems), a, b);
}

function compareContent({ slotStarts, slotOrders }: RankingBatch, items: Int32Array, a: number, b: number): number {
  const aSlots = slotStarts[a + 1] - slotStarts[a];
  const bSlots = slotStarts[b + 1] - slotStarts[b];
  const both = Math.min(aSlots, bSlots);
  for (let s = 0; s < both; s++) {
    const x = slotStarts[a] + s;
    const y = slotStarts[b] + s;
    const order = compareWords(items[2 * x], items[2 * x + 1], items[2 * y], items[2 * y + 1]) || slotOrders[x] - slotOrders[y];
    if (order !== 0) return order;
  }
  return aSlots - bSlots;
}
