import { bucketOf, words } from "./ids";

/** Actions in any order, by column: row i of every column is one action. */
export interface ActionBatch {
  customers: BigInt64Array;
  items: BigInt64Array;
  /** whole microseconds since the epoch */
  times: Float64Array;
  /** action type codes, 1 to 127 */
  types: Uint8Array;
  /** epoch day of the action's own dt (order_date for orders); 0 where the action clock does not ask for it */
  ownDays: Int32Array;
}

/** Of a batch: half of an element's bytes, so that what was gathered before has room for one more. */
export const MOST_ACTIONS = 1 << 16;

/** Gathers actions row by row into a batch. */
export class ActionBuilder {
  length = 0;
  private batch = actionColumns(1024);

  push(customer: bigint | number, item: bigint | number, time: number, type: number, ownDay: number): void {
    if (this.length === this.batch.times.length) this.batch = copyActions(this.batch, actionColumns(this.length * 2));
    const { customers, items, times, types, ownDays } = this.batch;
    const i = this.length++;
    putId(customers, i, customer);
    putId(items, i, item);
    times[i] = time;
    types[i] = type;
    ownDays[i] = ownDay;
  }

  /**
   * What was gathered, by bucket of customers: a batch for each that has any, more where one would be too large an element. The builder is empty
   * afterwards.
   */
  *take(buckets: number): Generator<{ key: number; value: ActionBatch }> {
    const { rows, starts } = byBucket(words(this.batch.customers), this.length, buckets);
    this.length = 0;
    for (let bucket = 0; bucket < buckets; bucket++) {
      const from = starts[bucket];
      const to = starts[bucket + 1];
      for (let at = from; at < to; at += MOST_ACTIONS)
        yield { key: bucket, value: pickActions(this.batch, rows.subarray(at, Math.min(to, at + MOST_ACTIONS))) };
    }
  }
}

/** Row numbers grouped by the bucket of their customer, given as (low, high) pairs: those of bucket b are rows[starts[b] … starts[b + 1]), in their old order. */
export function byBucket(customers: Int32Array, length: number, buckets: number): { rows: Int32Array; starts: Int32Array } {
  const bucket = new Int32Array(length);
  const starts = new Int32Array(buckets + 1);
  for (let i = 0; i < length; i++) {
    bucket[i] = bucketOf(customers[2 * i], customers[2 * i + 1], buckets);
    starts[bucket[i] + 1]++;
  }
  for (let b = 0; b < buckets; b++) starts[b + 1] += starts[b];
  const next = starts.slice();
  const rows = new Int32Array(length);
  for (let i = 0; i < length; i++) rows[next[bucket[i]]++] = i;
  return { rows, starts };
}

export function putId(ids: BigInt64Array, i: number, id: bigint | number): void {
  ids[i] = typeof id === "bigint" ? id : BigInt(id);
}

function actionColumns(length: number): ActionBatch {
  return {
    customers: new BigInt64Array(length),
    items: new BigInt64Array(length),
    times: new Float64Array(length),
    types: new Uint8Array(length),
    ownDays: new Int32Array(length),
  };
}

/** Copies all rows, to the rows from `at` on. @returns to */
export function copyActions(from: ActionBatch, to: ActionBatch, at = 0): ActionBatch {
  to.customers.set(from.customers, at);
  to.items.set(from.items, at);
  to.times.set(from.times, at);
  to.types.set(from.types, at);
  if (to.ownDays.length > 0) to.ownDays.set(from.ownDays, at);
  return to;
}

function pickActions(from: ActionBatch, rows: Int32Array): ActionBatch {
  const to = actionColumns(rows.length);
  copyIds(from.customers, rows, to.customers);
  copyIds(from.items, rows, to.items);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    to.times[i] = from.times[row];
    to.types[i] = from.types[row];
    to.ownDays[i] = from.ownDays[row];
  }
  return to;
}

/** to[i] = from[rows[i]], for ids. */
export function copyIds(from: BigInt64Array, rows: Int32Array, to: BigInt64Array): void {
  const source = words(from);
  const target = words(to);
  for (let i = 0; i < rows.length; i++) {
    target[2 * i] = source[2 * rows[i]];
    target[2 * i + 1] = source[2 * rows[i] + 1];
  }
}
