import type { Window, WindowedActions } from "./bounds";
import { IdIndex, words } from "./ids";
import { Lasts } from "./lasts";
import type { TallyBuilder } from "./tallies";

/** Rows of actions whose customers are told by where they stand. */
export type Rows = Pick<WindowedActions, "items" | "times" | "types" | "firsts">;

/**
 * Keeps, of one customer's rows with the same first day, the newest historyLength, and tallies the rest. Rows are selected,
 * not sorted: of a customer with millions of actions, most are looked at a few times and never put in order.
 */
export class Pruner {
  private readonly items: Int32Array;
  private readonly limit: number;
  private readonly lasts: Lasts;
  /** of the customer's rows: first days by number, rows grouped by them with their times, and which rows are cut */
  private days = new Int32Array(0);
  private order = new Int32Array(0);
  private times = new Float64Array(0);
  private isCut = new Uint8Array(0);
  private counts = new Int32Array(512);
  private random = 1;

  constructor(
    private readonly rows: Rows,
    window: Window,
    private readonly cut: TallyBuilder,
  ) {
    this.items = words(rows.items);
    this.limit = window.rules.historyLength;
    this.lasts = new Lasts(window);
  }

  /**
   * Writes the numbers of those rows of [from, to) that stay to kept[at], …, in their old order.
   * @param low, high the customer's id
   * @returns the end of what was written
   */
  prune(from: number, to: number, low: number, high: number, kept: Int32Array, at: number): number {
    let k = at;
    if (this.allStay(from, to)) {
      for (let row = from; row < to; row++) kept[k++] = row;
      return k;
    }
    const counts = this.numberDays(from, to);
    const ends = this.groupByDay(from, to, counts);
    this.isCut.fill(0, 0, to - from);
    for (let day = 0, start = 0; day < ends.length; day++) {
      if (ends[day] - start > this.limit) {
        this.select(start, ends[day]);
        this.tally(start + this.limit, ends[day], from, low, high);
      }
      start = ends[day];
    }
    for (let row = from; row < to; row++) if (this.isCut[row - from] === 0) kept[k++] = row;
    return k;
  }

  /** Whether no first day has more than `limit` rows, as far as counting them by day tells, which is most often so. */
  private allStay(from: number, to: number): boolean {
    const { firsts } = this.rows;
    let lowest = firsts[from];
    let highest = lowest;
    for (let row = from + 1; row < to; row++) {
      const day = firsts[row];
      if (day < lowest) lowest = day;
      else if (day > highest) highest = day;
    }
    if (highest - lowest >= 8 * (to - from)) return false; // counting would take longer than it saves
    if (highest - lowest >= this.counts.length) this.counts = new Int32Array(2 * (highest - lowest + 1));
    const { counts, limit } = this;
    counts.fill(0, 0, highest - lowest + 1);
    for (let row = from; row < to; row++) if (++counts[firsts[row] - lowest] > limit) return false;
    return true;
  }

  /** Numbers the first days of the rows. @returns how many rows each has */
  private numberDays(from: number, to: number): Int32Array {
    if (to - from > this.days.length) this.reserve(to - from);
    const { firsts } = this.rows;
    const index = new IdIndex();
    let counts = new Int32Array(64);
    let day = 0;
    for (let row = from; row < to; row++) {
      if (row === from || firsts[row] !== firsts[row - 1]) day = index.add(firsts[row], 0);
      if (day === counts.length) counts = twice(counts);
      counts[day]++;
      this.days[row - from] = day;
    }
    return counts.subarray(0, index.size);
  }

  /** A counting sort. @returns where each day's rows end */
  private groupByDay(from: number, to: number, counts: Int32Array): Int32Array {
    const { days, order, times } = this;
    const next = new Int32Array(counts.length);
    for (let day = 1; day < counts.length; day++) next[day] = next[day - 1] + counts[day - 1];
    for (let row = from; row < to; row++) {
      const i = next[days[row - from]]++;
      order[i] = row;
      times[i] = this.rows.times[row];
    }
    return next;
  }

  /** Moves the newest `limit` of the grouped rows [start, end) to their front. Hoare's quickselect, with random pivots. */
  private select(start: number, end: number): void {
    const { times, order } = this;
    const last = start + this.limit - 1;
    let low = start;
    let high = end - 1;
    while (low < high) {
      const pivot = this.pivot(low, high, last);
      const time = times[pivot];
      const row = order[pivot];
      let i = low;
      let j = high;
      while (i <= j) {
        while (times[i] > time || (times[i] === time && this.before(order[i], row))) i++;
        while (times[j] < time || (times[j] === time && this.before(row, order[j]))) j--;
        if (i <= j) this.swap(i++, j--);
      }
      if (last < j) high = j;
      else if (last >= i) low = i;
      else return;
    }
  }

  /** A random row, or the newest of some if few are to be kept of many: most rows are then compared once. */
  private pivot(low: number, high: number, last: number): number {
    const { times, order } = this;
    let pivot = low + (this.nextRandom() % (high - low + 1));
    for (let more = (high - low) / (last - low + 1); more > 4; more /= 4) {
      const other = low + (this.nextRandom() % (high - low + 1));
      if (times[other] > times[pivot] || (times[other] === times[pivot] && this.before(order[other], order[pivot]))) pivot = other;
    }
    return pivot;
  }

  private swap(i: number, j: number): void {
    const { times, order } = this;
    const time = times[i];
    times[i] = times[j];
    times[j] = time;
    const row = order[i];
    order[i] = order[j];
    order[j] = row;
  }

  /** Whether of two rows of the same time a stands before b: type, then item, both descending, then the row's number. */
  private before(a: number, b: number): boolean {
    const { items } = this;
    const { types } = this.rows;
    if (types[a] !== types[b]) return types[a] > types[b];
    const aHigh = items[2 * a + 1];
    const bHigh = items[2 * b + 1];
    if (aHigh !== bHigh) return aHigh > bHigh;
    const aLow = items[2 * a] >>> 0;
    const bLow = items[2 * b] >>> 0;
    return aLow !== bLow ? aLow > bLow : a < b;
  }

  private tally(start: number, end: number, from: number, low: number, high: number): void {
    const { order, times, isCut } = this;
    const { types, firsts } = this.rows;
    for (let i = start; i < end; i++) {
      const row = order[i];
      isCut[row - from] = 1;
      this.cut.addWords(low, high, types[row], firsts[row], this.lasts.of(times[i]), 1);
    }
  }

  /** xorshift32 (Marsaglia, 2003): the same in every run, and no order that data happens to have makes it slow. */
  private nextRandom(): number {
    let x = this.random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.random = x;
    return x >>> 0;
  }

  private reserve(n: number): void {
    const room = n + (n >> 2);
    this.days = new Int32Array(room);
    this.order = new Int32Array(room);
    this.times = new Float64Array(room);
    this.isCut = new Uint8Array(room);
  }
}

function twice(counts: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const more = new Int32Array(2 * counts.length);
  more.set(counts);
  return more;
}
