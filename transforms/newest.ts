import { words } from "./ids";
import { keptFloats, keptInts } from "./kept";

/**
 * Sorts stretches of rows newest first; equal times by type, then item, both descending; rows that are equal in all three
 * keep their order. `times` moves along with `order`, the numbers of the rows in `types` and `items`.
 *
 * A stretch is spread over as many buckets of time as it has rows, and one insertion sort finishes all of them: a row
 * never moves beyond its bucket. Crowded buckets (sessions, one day's orders) are merge sorted first, so the worst case
 * is n log n. What is sorted already, such as the timelines so far, is only merged.
 */
export class NewestFirst {
  private readonly items: Int32Array;
  private buckets: Int32Array = spare.buckets;
  private spareTimes: Float64Array = spare.times;
  private spareOrder: Int32Array = spare.order;

  constructor(
    private readonly times: Float64Array,
    private readonly order: Int32Array,
    private readonly types: Uint8Array,
    items: BigInt64Array,
  ) {
    this.items = words(items);
  }

  /** Sorts the rows [from, to). */
  sort(from: number, to: number): void {
    const middle = this.runFrom(from, to);
    if (middle === to) return;
    if (2 * (middle - from) >= to - from) {
      this.sort(middle, to);
      this.merge(from, middle, to);
    } else {
      if (to - from > FEW) this.spread(from, to);
      this.insert(from, to);
    }
  }

  /** The end of the sorted rows that begin at `from`. */
  private runFrom(from: number, to: number): number {
    let i = from + 1;
    while (i < to && !this.swapped(i - 1, i)) i++;
    return Math.min(i, to);
  }

  /** Whether row a, which stands before row b, belongs after it. */
  private swapped(a: number, b: number): boolean {
    const { times, order } = this;
    return times[a] < times[b] || (times[a] === times[b] && this.after(order[a], order[b]));
  }

  /** Whether of two rows of the same time a belongs after b. */
  private after(a: number, b: number): boolean {
    const { types, items } = this;
    if (types[a] !== types[b]) return types[a] < types[b];
    const aHigh = items[2 * a + 1];
    const bHigh = items[2 * b + 1];
    return aHigh !== bHigh ? aHigh < bHigh : items[2 * a] >>> 0 < items[2 * b] >>> 0;
  }

  private insert(from: number, to: number): void {
    const { times, order } = this;
    for (let i = from + 1; i < to; i++) {
      const time = times[i];
      const row = order[i];
      let j = i - 1;
      while (j >= from && (times[j] < time || (times[j] === time && this.after(order[j], row)))) {
        times[j + 1] = times[j];
        order[j + 1] = order[j];
        j--;
      }
      times[j + 1] = time;
      order[j + 1] = row;
    }
  }

  /** Rows in order of their buckets, the newest first; crowded buckets sorted. */
  private spread(from: number, to: number): void {
    const { times, order } = this;
    const n = to - from;
    this.reserve(n);
    const { buckets, spareTimes, spareOrder } = this;
    let oldest = Infinity;
    let newest = -Infinity;
    for (let i = from; i < to; i++) {
      const time = times[i];
      spareTimes[i - from] = time;
      spareOrder[i - from] = order[i];
      if (time < oldest) oldest = time;
      if (time > newest) newest = time;
    }
    // Rounding cannot put a newer row into a later bucket: every step of the arithmetic is monotone.
    const perMicro = newest > oldest ? (n - 1) / (newest - oldest) : 0;
    buckets.fill(0, 0, n + 1);
    for (let i = 0; i < n; i++) buckets[(((newest - spareTimes[i]) * perMicro) | 0) + 1]++;
    let crowded = 0;
    for (let b = 1; b <= n; b++) {
      if (buckets[b] > FEW) crowded++;
      buckets[b] += buckets[b - 1];
    }
    for (let i = 0; i < n; i++) {
      const at = from + buckets[((newest - spareTimes[i]) * perMicro) | 0]++;
      times[at] = spareTimes[i];
      order[at] = spareOrder[i];
    }
    if (crowded > 0) this.sortCrowded(from, n);
  }

  /** By now buckets[b] is the end of bucket b. */
  private sortCrowded(from: number, n: number): void {
    const { buckets } = this;
    for (let b = 0, start = 0; b < n; b++) {
      const end = buckets[b];
      if (end - start > FEW) this.mergeSort(from + start, from + end);
      start = end;
    }
  }

  private mergeSort(from: number, to: number): void {
    if (to - from <= FEW) {
      this.insert(from, to);
      return;
    }
    const middle = (from + to) >> 1;
    this.mergeSort(from, middle);
    this.mergeSort(middle, to);
    if (this.swapped(middle - 1, middle)) this.merge(from, middle, to);
  }

  /** Two sorted neighbours become one: the second steps aside, and places are filled from the end. */
  private merge(from: number, middle: number, to: number): void {
    this.reserve(to - middle);
    const { times, order, spareTimes, spareOrder } = this;
    for (let i = middle; i < to; i++) {
      spareTimes[i - middle] = times[i];
      spareOrder[i - middle] = order[i];
    }
    let a = middle - 1;
    let b = to - middle - 1;
    for (let at = to - 1; b >= 0; at--) {
      const aLast = a >= from && (times[a] < spareTimes[b] || (times[a] === spareTimes[b] && this.after(order[a], spareOrder[b])));
      times[at] = aLast ? times[a] : spareTimes[b];
      order[at] = aLast ? order[a--] : spareOrder[b--];
    }
  }

  private reserve(n: number): void {
    if (n <= this.spareOrder.length) return;
    const room = Math.max(256, n + (n >> 2));
    const own = spareOf(room);
    if (room <= MOST_SPARE_ROWS) spare = own;
    const { buckets, times, order } = own;
    this.buckets = buckets;
    this.spareTimes = times;
    this.spareOrder = order;
  }
}

const MOST_SPARE_ROWS = 1 << 18;
const spareOf = (n: number) => ({ buckets: keptInts(n + 1), times: keptFloats(n), order: keptInts(n) });
/** A thread sorts one thing after the other. */
let spare = spareOf(0);

/** Up to so many rows, insertion sort is the quickest. */
const FEW = 24;
