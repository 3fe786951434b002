import { type ActionBatch, copyIds } from "./actions";
import { Calendar, END_DAY } from "./calendar";
import { keptInts } from "./kept";
import { ORDER, type Rules } from "./rules";
import { EMPTY_TALLIES, type Tallies, TallyBuilder } from "./tallies";

/**
 * Actions with the first day that sees them. An action is seen by the days [first, last] and no other: both bounds grow
 * with the day, since cutoffs and lookback starts do. `last` follows from the time alone and is worked out where needed.
 */
export interface WindowedActions {
  customers: BigInt64Array;
  items: BigInt64Array;
  times: Float64Array;
  types: Uint8Array;
  /**
   * the first epoch day for which the action is before the cutoff. Before actions are merged it is left out where the action clock is `time`: there it
   * follows from time and type, and is told without a search once they are in order
   */
  firsts: Int32Array;
  /** actions left out, counted by customer and by the days that would have seen them */
  tallies: Tallies;
}

/** The first day of an action that no day sees. */
export const NEVER = END_DAY * 2;

/**
 * Cutoff and lookback of SPEC.md's rule as bounds on days. Where the days of the run are known, the bounds are days of
 * the run; where not, every day counts, which is exact for any set of days.
 */
export class Window {
  private readonly calendar: Calendar;
  private readonly days: readonly number[] | null;
  /** of each day of the run: its cutoff for orders, for everything else, and the start of its lookback */
  private readonly orderCutoffs: Float64Array;
  private readonly cutoffs: Float64Array;
  private readonly starts: Float64Array;
  /** whether times and types tell first days */
  readonly byTime: boolean;

  /** @param from no day of the run is before it, be the days known or not; where they are known it says nothing new */
  constructor(
    readonly rules: Rules,
    private readonly from = -Infinity,
  ) {
    this.byTime = rules.actionClock === "time";
    this.calendar = new Calendar(rules.timezone);
    this.days = rules.days;
    const midnights = (minus: number) => Float64Array.from(rules.days ?? [], (day) => this.calendar.midnight(day - minus));
    this.cutoffs = midnights(0);
    this.orderCutoffs = midnights(rules.orderLagDays);
    this.starts = rules.lookbackDays === null ? new Float64Array(this.cutoffs.length).fill(-Infinity) : midnights(rules.lookbackDays);
  }

  /** The first day that is late enough to see an action, NEVER if the run has none. */
  first(time: number, type: number, ownDay: number): number {
    const { actionClock, orderLagDays } = this.rules;
    if (this.days === null) {
      const byTime = actionClock === "dt" ? -Infinity : this.calendar.dayAt(time);
      const before = Math.max(byTime, actionClock === "time" ? -Infinity : ownDay);
      return Math.max(this.from, before + 1 + (type === ORDER ? orderLagDays : 0));
    }
    const at = this.placeOfFirst(this.days, time, type, ownDay);
    return at < this.days.length ? this.days[at] : NEVER;
  }

  /** The first day that sees an action, NEVER if none does. */
  firstToSee(time: number, type: number, ownDay: number): number {
    const { days, starts } = this;
    if (days === null) {
      const first = this.first(time, type, ownDay);
      return first <= this.last(time) ? first : NEVER;
    }
    const at = this.placeOfFirst(days, time, type, ownDay);
    return at < days.length && starts[at] <= time ? days[at] : NEVER;
  }

  /** By time: the first days of the actions [from, to), which some day sees. Quickest where times that follow each other lie close together. */
  tellFirsts(times: Float64Array, types: Uint8Array, from: number, to: number, firsts: Int32Array): void {
    const { days, cutoffs, orderCutoffs } = this;
    if (days === null) {
      for (let i = from; i < to; i++) firsts[i] = this.first(times[i], types[i], 0);
      return;
    }
    let at = 0;
    let orderAt = 0;
    for (let i = from; i < to; i++) {
      if (types[i] === ORDER) firsts[i] = days[(orderAt = nearby(orderCutoffs, orderAt, times[i]))];
      else firsts[i] = days[(at = nearby(cutoffs, at, times[i]))];
    }
  }

  /** By time: whether a few comparisons tell that each of the actions is seen by some day. */
  surelySees({ times, types }: Pick<ActionBatch, "times" | "types">): boolean {
    const { days, starts } = this;
    const { lookbackDays, orderLagDays } = this.rules;
    if (times.length === 0) return true;
    if (days === null)
      return (lookbackDays === null || lookbackDays > orderLagDays) && (this.from === -Infinity || this.last(lowest(times)) >= this.from);
    const cutoffs = this.cutoffsOf(types.includes(ORDER) ? ORDER : 0);
    for (let i = 1; i < days.length; i++) if (starts[i] > cutoffs[i - 1]) return false; // days apart: there is time between them that none sees
    return lowest(times) >= starts[0] && highest(times) < cutoffs[cutoffs.length - 1];
  }

  private cutoffsOf(type: number): Float64Array {
    return type === ORDER ? this.orderCutoffs : this.cutoffs;
  }

  private placeOfFirst(days: readonly number[], time: number, type: number, ownDay: number): number {
    const { actionClock, orderLagDays } = this.rules;
    const byTime = actionClock === "dt" ? 0 : above(this.cutoffsOf(type), time);
    return actionClock === "time" ? byTime : Math.max(byTime, above(days, type === ORDER ? ownDay + orderLagDays : ownDay));
  }

  /** The last day whose lookback reaches back to an action; before every day of the run if it has none. */
  last(time: number): number {
    const { lookbackDays } = this.rules;
    if (lookbackDays === null) return NEVER - 1;
    if (this.days === null) return this.calendar.dayAt(time) + lookbackDays;
    const at = above(this.starts, time) - 1;
    return at < 0 ? -NEVER : this.days[at];
  }

  /** The instant at which a day begins. */
  midnight(day: number): number {
    return this.calendar.midnight(day);
  }

  /** The start of a day's lookback. */
  start(day: number): number {
    return this.rules.lookbackDays === null ? -Infinity : this.calendar.midnight(day - this.rules.lookbackDays);
  }
}

/** The number of values, ascending, that are at most x. */
function above(values: ArrayLike<number>, x: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}

const LEFT_OUT = new Int32Array(0);

function lowest(values: Float64Array): number {
  let low = Infinity;
  for (let i = 0; i < values.length; i++) if (values[i] < low) low = values[i];
  return low;
}

function highest(values: Float64Array): number {
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) if (values[i] > high) high = values[i];
  return high;
}

/** The number of values, ascending, that are at most x, from a guess. */
function nearby(values: Float64Array, guess: number, x: number): number {
  let at = guess;
  while (at < values.length && values[at] <= x) at++;
  while (at > 0 && values[at - 1] > x) at--;
  return at;
}

/** Counts instead of keeping actions that no day sees; finds the first day that sees an action, where its time does not tell it. */
export function applyWindow(batch: ActionBatch, window: Window): WindowedActions {
  const { customers, items, times, types, ownDays } = batch;
  const n = times.length;
  if (window.byTime && window.surelySees(batch)) return { customers, items, times, types, firsts: LEFT_OUT, tallies: EMPTY_TALLIES };
  const firsts = firstsFor(n);
  const kept = numbersFor(n);
  const dropped = new TallyBuilder();
  let k = 0;
  for (let i = 0; i < n; i++) {
    const first = window.firstToSee(times[i], types[i], ownDays[i]);
    if (first !== NEVER) {
      firsts[k] = first;
      kept[k++] = i;
    } else dropped.add(customers, i, types[i], NEVER, NEVER, 1);
  }
  const all = k === n ? { customers, items, times, types } : pick(batch, kept.subarray(0, k));
  const some = k === n ? firsts : firsts.slice(0, k);
  return { ...all, firsts: window.byTime ? LEFT_OUT : some, tallies: dropped.length === 0 ? EMPTY_TALLIES : dropped.take() };
}

/** Batches are many and small: their first days share pieces of memory, which go from thread to thread without being copied. */
let piece = keptInts(0);
let taken = 0;
const PIECE = 1 << 16;

function firstsFor(n: number): Int32Array {
  if (taken + n > piece.length) {
    piece = keptInts(Math.max(PIECE, n));
    taken = 0;
  }
  return piece.subarray(taken, (taken += n));
}

/** Used within a call only. */
let numbers = keptInts(0);

function numbersFor(n: number): Int32Array {
  if (n > PIECE) return new Int32Array(n);
  if (numbers.length === 0) numbers = keptInts(PIECE);
  return numbers;
}

function pick(batch: ActionBatch, rows: Int32Array): Omit<WindowedActions, "firsts" | "tallies"> {
  const customers = new BigInt64Array(rows.length);
  const items = new BigInt64Array(rows.length);
  const times = new Float64Array(rows.length);
  const types = new Uint8Array(rows.length);
  copyIds(batch.customers, rows, customers);
  copyIds(batch.items, rows, items);
  // a loop: with TypedArray.from and a function all of this takes four times as long
  for (let i = 0; i < rows.length; i++) {
    times[i] = batch.times[rows[i]];
    types[i] = batch.types[rows[i]];
  }
  return { customers, items, times, types };
}
