import type { KV } from "../beam/cogroup";
import { bytesOf, fits, type MaybeSpilled, type Spilled, spill } from "../beam/spill";
import { type ActionBatch, byBucket } from "../transforms/actions";
import type { ActionTaker } from "../transforms/normalise";
import type { ShownIndex } from "../transforms/shownindex";

/** Actions by bucket: those of bucket b are the rows [starts[b], starts[b + 1]). One message between threads, however many buckets. */
export interface BucketedActions {
  all: ActionBatch;
  starts: Int32Array;
}

/** As they are if there is room, else spilled bucket by bucket. */
export function keptActions(actions: BucketedActions): BucketedActions | KV<Spilled>[] {
  return fits("scanned", bytesOf(actions.all)) ? actions : spillBatches([...slices(actions)]);
}

/** Batches by bucket: as they are if there is room, else spilled. */
export function keptBatches<T extends object>(batches: KV<T>[]): KV<MaybeSpilled<T>>[] {
  return fits("scanned", bytesOf(batches)) ? batches : spillBatches(batches);
}

function spillBatches(batches: readonly KV<object>[]): KV<Spilled>[] {
  const spilled = spill(batches.map(({ value }) => value));
  return batches.map(({ key }, i) => ({ key, value: spilled[i] }));
}

/** One batch for each bucket that has any. */
export const batchesOf = (actions: BucketedActions | KV<Spilled>[]): Iterable<KV<MaybeSpilled<ActionBatch>>> =>
  Array.isArray(actions) ? actions : slices(actions);

/** The batches share their memory. */
function* slices({ all, starts }: BucketedActions): Generator<KV<ActionBatch>> {
  for (let key = 0; key + 1 < starts.length; key++) {
    if (starts[key + 1] > starts[key]) yield { key, value: slice(all, starts[key], starts[key + 1]) };
  }
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

  private rows = new Int32Array(0);
  private found = new Int32Array(0);
  private customers = new Int32Array(2 * FIRST_ROWS);
  private items = new Int32Array(2 * FIRST_ROWS);
  private times = new Float64Array(FIRST_ROWS);
  private ownDays = new Int32Array(FIRST_ROWS);

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
    this.reserve(n);
    const rows = this.useful(customers, times, n);
    const { customers: toCustomers, items: toItems, times: toTimes, ownDays: toOwnDays } = this;
    let k = this.length;
    for (let j = 0; j < rows; j++, k++) {
      const i = this.rows[j];
      toCustomers[2 * k] = customers[2 * i];
      toCustomers[2 * k + 1] = customers[2 * i + 1];
      toItems[2 * k] = items[2 * i];
      toItems[2 * k + 1] = items[2 * i + 1];
      toTimes[k] = times[i];
      toOwnDays[k] = ownDays[i];
    }
    this.length = k;
  }

  /** Puts the numbers of the rows that some ranking may use into `rows`, counting the others. @returns how many they are */
  private useful(customers: Int32Array, times: Float64Array, n: number): number {
    const { shown } = this;
    if (this.rows.length < n) this.rows = new Int32Array(n);
    const { rows } = this;
    if (shown === null) {
      for (let i = 0; i < n; i++) rows[i] = i;
      return n;
    }
    if (this.found.length < n) this.found = new Int32Array(n);
    const { found } = this;
    const { earliest, latest } = shown;
    shown.findAll(customers, n, found);
    let k = 0;
    let never = 0;
    for (let i = 0; i < n; i++) {
      const c = found[i];
      if (c < 0) never++;
      else if (times[i] >= earliest[c] && times[i] < latest[c]) rows[k++] = i;
    }
    this.neverShown += never;
    this.outside += n - never - k;
    return k;
  }

  /** What was gathered, in the order of buckets; empty afterwards. */
  take(buckets: number): BucketedActions {
    const { rows, starts } = byBucket(this.customers, this.length, buckets);
    const all = this.pick(rows);
    this.length = 0;
    return { all, starts };
  }

  private pick(rows: Int32Array): ActionBatch {
    const n = rows.length;
    const { customers, items, times, ownDays } = this;
    const out = sharedActions(n, this.keepOwnDays);
    const toCustomers = new Int32Array(out.customers.buffer);
    const toItems = new Int32Array(out.items.buffer);
    for (let i = 0; i < n; i++) {
      const row = rows[i];
      toCustomers[2 * i] = customers[2 * row];
      toCustomers[2 * i + 1] = customers[2 * row + 1];
      toItems[2 * i] = items[2 * row];
      toItems[2 * i + 1] = items[2 * row + 1];
      out.times[i] = times[row];
    }
    if (this.keepOwnDays) for (let i = 0; i < n; i++) out.ownDays[i] = ownDays[rows[i]];
    out.types.fill(this.type);
    return out;
  }

  private reserve(n: number): void {
    const rows = this.times.length;
    if (this.length + n <= rows) return;
    const more = Math.max(2 * rows, this.length + n);
    this.customers = grown(this.customers, new Int32Array(2 * more));
    this.items = grown(this.items, new Int32Array(2 * more));
    this.times = grown(this.times, new Float64Array(more));
    this.ownDays = grown(this.ownDays, new Int32Array(more));
  }
}

const FIRST_ROWS = 1 << 16;
const ids = new BigInt64Array(1);
const idWords = new Int32Array(ids.buffer);
const one = { customers: new Int32Array(2), items: new Int32Array(2), times: new Float64Array(1), ownDays: new Int32Array(1) };

/** Shared memory goes from thread to thread without being copied, and any number of batches may look at it. */
function sharedActions(n: number, keepOwnDays: boolean): ActionBatch {
  const memory = (bytes: number) => new SharedArrayBuffer(bytes);
  return {
    customers: new BigInt64Array(memory(8 * n)),
    items: new BigInt64Array(memory(8 * n)),
    times: new Float64Array(memory(8 * n)),
    types: new Uint8Array(memory(n)),
    ownDays: new Int32Array(memory(keepOwnDays ? 4 * n : 0)),
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

function grown<Column extends Int32Array | Float64Array>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}
