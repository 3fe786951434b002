import { copyIds } from "./actions";
import type { Window } from "./bounds";
import type { HistoryActions } from "./joined";
import type { Timelines } from "./timelines";
import type { UsedTimesBuilder } from "./usedtimes";

/**
 * Histories as stretches of timelines: row h is [from[h], to[h]). Those that are no stretch (orders may lag behind) are
 * copied out behind the timelines.
 */
export class Histories {
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** The sum of marks from a timeline's first row up to a row is the number of histories that use the row. */
  readonly marks: Int32Array;
  /** rows of the timelines that were copied out */
  private copied = new Int32Array(0);
  private copies = 0;
  /** the current timeline: its rows, and whether their first days descend, so that every day sees a tail of them */
  private start = 0;
  private end = 0;
  private descending = true;

  constructor(
    private readonly timelines: Timelines,
    private readonly window: Window,
    most: number,
  ) {
    this.from = new Int32Array(most);
    this.to = new Int32Array(most);
    this.marks = new Int32Array(timelines.times.length);
  }

  /** The histories that follow are of customer c. */
  begin(c: number): void {
    const { starts, firsts } = this.timelines;
    this.start = starts[c];
    this.end = starts[c + 1];
    let i = this.start + 1;
    while (i < this.end && firsts[i - 1] >= firsts[i]) i++;
    this.descending = i >= this.end;
  }

  /** History h is the newest historyLength actions that the day sees. @returns whether there are any */
  find(h: number, day: number): boolean {
    return this.descending ? this.findStretch(h, day) : this.findRows(h, day);
  }

  private findStretch(h: number, day: number): boolean {
    const { firsts, times } = this.timelines;
    const from = lowerBound(this.start, this.end, (i) => firsts[i] <= day);
    const start = this.window.start(day);
    const most = Math.min(this.end, from + this.window.rules.historyLength);
    const to = lowerBound(from, most, (i) => times[i] < start);
    this.put(h, from, to);
    return to > from;
  }

  private findRows(h: number, day: number): boolean {
    const { firsts, times } = this.timelines;
    const start = this.window.start(day);
    const most = Math.min(this.window.rules.historyLength, this.end - this.start);
    this.reserve(most);
    const { copied, copies, end } = this;
    let at = copies;
    for (let i = this.start; i < end && times[i] >= start && at - copies < most; i++) if (firsts[i] <= day) copied[at++] = i;
    const n = at - copies;
    if (n > 0 && copied[at - 1] - copied[copies] >= n) this.putCopies(h, at);
    else this.put(h, copied[copies] ?? 0, n === 0 ? 0 : copied[at - 1] + 1);
    return n > 0;
  }

  private put(h: number, from: number, to: number): void {
    if (from >= to) return;
    this.from[h] = from;
    this.to[h] = to;
    this.marks[from]++;
    if (to < this.end) this.marks[to]--;
  }

  private putCopies(h: number, at: number): void {
    const rows = this.marks.length;
    this.from[h] = rows + this.copies;
    this.to[h] = rows + at;
    for (let i = this.copies; i < at; i++) {
      const row = this.copied[i];
      this.marks[row]++;
      if (row + 1 < this.end) this.marks[row + 1]--;
    }
    this.copies = at;
  }

  private reserve(n: number): void {
    if (this.copies + n <= this.copied.length) return;
    const copied = new Int32Array(Math.max(1024, 2 * (this.copies + n)));
    copied.set(this.copied);
    this.copied = copied;
  }

  /** Tells the times of history h, which is not empty. */
  tell(h: number, day: number, used: UsedTimesBuilder): void {
    const { times, types } = this.timelines;
    const n = times.length;
    if (this.from[h] < n) {
      used.add(day, times, types, this.from[h], this.to[h]);
      return;
    }
    const rows = this.copied.subarray(this.from[h] - n, this.to[h] - n);
    used.add(
      day,
      Float64Array.from(rows, (i) => times[i]),
      Uint8Array.from(rows, (i) => types[i]),
      0,
      rows.length,
    );
  }

  /** The columns that histories are stretches of. */
  actions(): HistoryActions {
    const { items, types, times } = this.timelines;
    const keepTimes = this.window.rules.keepTimes;
    if (this.copies === 0) return { items, types, times: keepTimes ? times : new Float64Array(0) };
    const n = times.length;
    const rows = this.copied.subarray(0, this.copies);
    const out = {
      items: new BigInt64Array(n + rows.length),
      types: new Uint8Array(n + rows.length),
      times: new Float64Array(keepTimes ? n + rows.length : 0),
    };
    out.items.set(items);
    copyIds(items, rows, out.items.subarray(n));
    out.types.set(types);
    for (let i = 0; i < rows.length; i++) out.types[n + i] = types[rows[i]];
    if (!keepTimes) return out;
    out.times.set(times);
    for (let i = 0; i < rows.length; i++) out.times[n + i] = times[rows[i]];
    return out;
  }
}

/** The first i of [from, to) for which something holds that holds for all behind it too; `to` if there is none. */
function lowerBound(from: number, to: number, holds: (i: number) => boolean): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
