import type { KV } from "../beam/cogroup";
import { INPUT_BYTES } from "../beam/limits";
import { bytesOf, fits, type MaybeSpilled, type Spilled, spill } from "../beam/spill";
import { type ActionBatch, copyActions, MOST_ACTIONS } from "../transforms/actions";
import { applyWindow, Window } from "../transforms/bounds";
import { customerHash, words } from "../transforms/ids";
import { keptFloats, keptInts } from "../transforms/kept";
import type { ActionTaker } from "../transforms/normalise";
import { chunksOf, isHot } from "../transforms/recentparts";
import type { Rules } from "../transforms/rules";
import { NOT_SHOWN, type ShownIndex } from "../transforms/shownindex";
import { mergeTimelines, type Timelines } from "../transforms/timelines";

/** Actions by bucket: those of bucket b are the rows [starts[b], starts[b + 1]). One message between threads, however many buckets. */
export interface BucketedActions {
  all: ActionBatch;
  starts: Int32Array;
  /** of buckets that have a hot customer, what can be needed of them; there are no rows of these buckets then */
  merged: KV<Timelines>[];
}

/** What a scan hands on of a bucket. */
export type ScannedBatch = KV<MaybeSpilled<ActionBatch | Timelines>>;

/** As they are if there is room, else spilled bucket by bucket. */
export function keptActions(actions: BucketedActions): BucketedActions | KV<Spilled>[] {
  return fits("scanned", bytesOf(actions.all) + bytesOf(actions.merged)) ? actions : spillBatches([...slices(actions)]);
}

/**
 * Cuts actions of hot customers to what any day can need, at once: nobody has to send or hold the others, of which one customer may have half of
 * the input.
 * @param firstDay no ranking is of a day before it: all actions from before are first seen by one day then
 */
export function cutHot(actions: BucketedActions, rules: Rules, firstDay: number | undefined): BucketedActions {
  const merged: KV<Timelines>[] = [];
  for (const { key, value } of slices(actions, Number.POSITIVE_INFINITY) as Iterable<KV<ActionBatch>>) {
    if (!isHot(value, rules.historyLength)) continue;
    const window = new Window(rules, firstDay);
    const timelines = mergeTimelines([applyWindow(value, window)], window);
    if (2 * timelines.times.length >= value.times.length) continue;
    for (const { parts } of chunksOf([timelines], INPUT_BYTES)) for (const part of parts) merged.push({ key, value: part as Timelines });
  }
  return merged.length === 0 ? actions : { ...without(actions, new Set(merged.map(({ key }) => key))), merged };
}

/** The actions of the other buckets, in memory of their own. */
function without({ all, starts }: BucketedActions, buckets: Set<number>): Omit<BucketedActions, "merged"> {
  const size = (b: number) => (buckets.has(b) ? 0 : starts[b + 1] - starts[b]);
  const kept = new Int32Array(starts.length);
  for (let b = 0; b + 1 < starts.length; b++) kept[b + 1] = kept[b] + size(b);
  const out = sharedActions(kept[kept.length - 1], all.ownDays.length > 0);
  for (let b = 0; b + 1 < starts.length; b++) if (size(b) > 0) copyActions(slice(all, starts[b], starts[b + 1]), out, kept[b]);
  return { all: out, starts: kept };
}

/** Batches by bucket: as they are if there is room, else spilled. */
export function keptBatches<T extends object>(batches: KV<T>[]): KV<MaybeSpilled<T>>[] {
  return fits("scanned", bytesOf(batches)) ? batches : spillBatches(batches);
}

function spillBatches(batches: readonly KV<object>[]): KV<Spilled>[] {
  const spilled = spill(batches.map(({ value }) => value));
  return batches.map(({ key }, i) => ({ key, value: spilled[i] }));
}

/** A batch for each bucket that has any, more where one would be too large an element. */
export const batchesOf = (actions: BucketedActions | KV<Spilled>[]): Iterable<ScannedBatch> =>
  Array.isArray(actions) ? actions : slices(actions);

/** The batches share their memory. */
function* slices({ all, starts, merged }: BucketedActions, most = MOST_ACTIONS): Generator<KV<ActionBatch | Timelines>> {
  for (let key = 0; key + 1 < starts.length; key++) {
    for (let from = starts[key]; from < starts[key + 1]; from += most)
      yield { key, value: slice(all, from, Math.min(starts[key + 1], from + most)) };
  }
  yield* merged;
}

/**
 * Actions of one table as they are scanned, without those that no ranking can use: of customers never shown, or outside of
 * every window of their customer. What is left out is counted.
 */
export class ActionGather implements ActionTaker {
  /** actions of customers who have no ranking */
  neverShown = 0;
  /** actions that no day of their customer sees */
  outside = 0;
  length = 0;

  /** held only while there are any rows */
  private rows: Rows | undefined;

  /** @param shown null where it is not known who was shown: nothing is left out then */
  constructor(
    private readonly type: number,
    private readonly shown: ShownIndex | null,
    private readonly keepOwnDays: boolean,
  ) {}

  push(customer: bigint | number, item: bigint | number, time: number, _type: number, ownDay: number): void {
    const { customers, items, times, ownDays } = one;
    ids[0] = BigInt(customer);
    customers[0] = idWords[0];
    customers[1] = idWords[1];
    ids[0] = BigInt(item);
    items[0] = idWords[0];
    items[1] = idWords[1];
    times[0] = time;
    ownDays[0] = ownDay;
    this.add(customers, items, times, ownDays, 1);
  }

  /** Takes the first n rows of scanned columns. */
  add(customers: Int32Array, items: Int32Array, times: Float64Array, ownDays: Int32Array, n: number): void {
    const to = this.reserve(n);
    const { hashes, useful } = scratchFor(n);
    const count = this.choose(customers, times, n);
    const from = this.length;
    for (let j = 0; j < count; j++) {
      const i = useful[j];
      const k = from + j;
      to.customers[2 * k] = customers[2 * i];
      to.customers[2 * k + 1] = customers[2 * i + 1];
      to.items[2 * k] = items[2 * i];
      to.items[2 * k + 1] = items[2 * i + 1];
      to.times[k] = times[i];
      to.hashes[k] = hashes[i];
    }
    if (this.keepOwnDays) for (let j = 0; j < count; j++) to.ownDays[from + j] = ownDays[useful[j]];
    this.length = from + count;
  }

  /**
   * Puts the numbers of the rows that some ranking may use into `useful`, counting the others, and their customers' hashes into
   * `hashes`. @returns how many they are
   */
  private choose(customers: Int32Array, times: Float64Array, n: number): number {
    const { hashes, windows, useful } = scratch;
    const { shown } = this;
    if (shown === null) {
      for (let i = 0; i < n; i++) {
        useful[i] = i;
        hashes[i] = customerHash(customers[2 * i], customers[2 * i + 1]);
      }
      return n;
    }
    shown.findAll(customers, n, windows, hashes);
    const { earliest, latest } = shown;
    let k = 0;
    let never = 0;
    for (let i = 0; i < n; i++) {
      const window = windows[i];
      // sums instead of branches, which could not be foretold
      never += +(window === NOT_SHOWN);
      useful[k] = i;
      k += +(times[i] >= earliest[window]) & +(times[i] < latest[window]);
    }
    this.neverShown += never;
    this.outside += n - never - k;
    return k;
  }

  /** What was gathered, in the order of buckets; empty afterwards. */
  take(buckets: number): BucketedActions {
    const n = this.length;
    const rows = this.reserve(0);
    const starts = new Int32Array(buckets + 1);
    const places = rows.hashes;
    for (let i = 0; i < n; i++) {
      places[i] = (places[i] >>> 0) % buckets;
      starts[places[i] + 1]++;
    }
    for (let b = 0; b < buckets; b++) starts[b + 1] += starts[b];
    const next = starts.slice();
    for (let i = 0; i < n; i++) places[i] = next[places[i]]++;
    const all = this.scatter(rows, places);
    this.length = 0;
    this.rows = undefined;
    if (rows.capacity <= SPARE_ROWS) spare = rows;
    return { all, starts, merged: [] };
  }

  /** @param places where each row goes */
  private scatter(rows: Rows, places: Int32Array): ActionBatch {
    const n = this.length;
    const out = sharedActions(n, this.keepOwnDays);
    // column by column: memory is written in few places at a time
    scatterPairs(rows.customers, places, n, words(out.customers));
    scatterPairs(rows.items, places, n, words(out.items));
    for (let i = 0; i < n; i++) out.times[places[i]] = rows.times[i];
    if (this.keepOwnDays) for (let i = 0; i < n; i++) out.ownDays[places[i]] = rows.ownDays[i];
    out.types.fill(this.type);
    return out;
  }

  /** Makes room for n rows more. */
  private reserve(n: number): Rows {
    if (this.rows === undefined) {
      this.rows = spare ?? new Rows(SPARE_ROWS);
      spare = undefined;
    }
    const { capacity } = this.rows;
    if (this.length + n > capacity) this.rows = new Rows(Math.max(2 * capacity, this.length + n), this.rows);
    return this.rows;
  }
}

function scatterPairs(from: Int32Array, places: Int32Array, n: number, to: Int32Array): void {
  for (let i = 0; i < n; i++) {
    const place = places[i];
    to[2 * place] = from[2 * i];
    to[2 * place + 1] = from[2 * i + 1];
  }
}

/** Columns to gather in. */
class Rows {
  readonly customers: Int32Array;
  readonly items: Int32Array;
  readonly times: Float64Array;
  readonly ownDays: Int32Array;
  /** of the customers */
  readonly hashes: Int32Array;

  /** @param from rows to begin with */
  constructor(
    readonly capacity: number,
    from?: Rows,
  ) {
    this.customers = keptInts(2 * capacity);
    this.items = keptInts(2 * capacity);
    this.times = keptFloats(capacity);
    this.ownDays = keptInts(capacity);
    this.hashes = keptInts(capacity);
    if (from === undefined) return;
    this.customers.set(from.customers);
    this.items.set(from.items);
    this.times.set(from.times);
    this.ownDays.set(from.ownDays);
    this.hashes.set(from.hashes);
  }
}

/** Rows to begin with, of memory that is only taken as it is written to. Larger columns are not kept: a thread has better uses for the memory. */
const SPARE_ROWS = 1 << 18;
/** Columns that nobody holds: a thread scans one split at a time. */
let spare: Rows | undefined;

/** Used within a call only. */
let scratch = { hashes: new Int32Array(0), windows: new Int32Array(0), useful: new Int32Array(0) };

function scratchFor(n: number) {
  if (scratch.hashes.length < n) scratch = { hashes: new Int32Array(n), windows: new Int32Array(n), useful: new Int32Array(n) };
  return scratch;
}

const ids = new BigInt64Array(1);
const idWords = words(ids);
const one = { customers: new Int32Array(2), items: new Int32Array(2), times: new Float64Array(1), ownDays: new Int32Array(1) };

/** One piece of shared memory for all: it goes from thread to thread without being copied, and any number of batches may look at it. */
function sharedActions(n: number, keepOwnDays: boolean): ActionBatch {
  const memory = new SharedArrayBuffer((keepOwnDays ? 29 : 25) * n);
  return {
    customers: new BigInt64Array(memory, 0, n),
    items: new BigInt64Array(memory, 8 * n, n),
    times: new Float64Array(memory, 16 * n, n),
    ownDays: new Int32Array(memory, 24 * n, keepOwnDays ? n : 0),
    types: new Uint8Array(memory, (keepOwnDays ? 28 : 24) * n, n),
  };
}

function slice({ customers, items, times, types, ownDays }: ActionBatch, from: number, to: number): ActionBatch {
  return {
    customers: customers.subarray(from, to),
    items: items.subarray(from, to),
    times: times.subarray(from, to),
    types: types.subarray(from, to),
    ownDays: ownDays.length === 0 ? ownDays : ownDays.subarray(from, to),
  };
}
