import type { Batch } from "./reader";

/** A row of an output; fields whose columns it lacks are undefined. */
export interface OutputRow {
  /** in its file, from 1 */
  row: number;
  ranking?: string;
  customer?: bigint;
  index?: number;
  item?: bigint;
  isOrder?: boolean;
  impressions?: bigint;
  historyLength?: number;
}

/** The history of a row, as views that hold until the next batch. */
export interface OutputHistory {
  items?: BigInt64Array;
  types?: Int32Array;
  times?: BigInt64Array;
  /** false where it is the same as that of the row before, of the same customer */
  fresh: boolean;
}

/** Takes rows out of batches, one by one. */
export class Rows {
  private count = 0;
  private customer: bigint | undefined;
  private lists: Buffer[] | undefined;

  each(batch: Batch, take: (row: OutputRow, history: OutputHistory) => void): void {
    for (let i = 0; i < batch.rows; i++) {
      const row = rowAt(batch, i, ++this.count);
      const history = historyAt(batch, i);
      const lists = [history.items, history.types, history.times].flatMap((list) => (list === undefined ? [] : [bytesOf(list)]));
      const before = this.customer === row.customer ? this.lists : undefined;
      history.fresh = before === undefined || lists.some((list, k) => Buffer.compare(list, before[k]) !== 0);
      this.customer = row.customer;
      this.lists = lists;
      take(row, history);
    }
    // the memory of a batch goes with it
    this.lists = this.lists?.map((list) => Buffer.from(list));
  }
}

export const bytesOf = ({ buffer, byteOffset, byteLength }: BigInt64Array | Int32Array): Buffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);

function rowAt(batch: Batch, i: number, row: number): OutputRow {
  const { ranking_id: ids, is_order: orders } = batch;
  return {
    row,
    ranking: ids?.bytes.toString("utf8", ids.offsets[i], ids.offsets[i + 1]),
    customer: batch.customer_id?.values[i],
    index: batch.impression_index?.values[i],
    item: batch.item_id?.values[i],
    isOrder: orders && ((orders.bits[(orders.first + i) >> 3] >> ((orders.first + i) & 7)) & 1) === 1,
    impressions: batch.impressions?.values[i],
    historyLength: batch.history_length?.values[i],
  };
}

function historyAt({ actions, action_types: types, action_times: times }: Batch, i: number): OutputHistory {
  return {
    items: actions?.values.subarray(actions.offsets[i], actions.offsets[i + 1]),
    types: types?.values.subarray(types.offsets[i], types.offsets[i + 1]),
    times: times?.values.subarray(times.offsets[i], times.offsets[i + 1]),
    fresh: true,
  };
}
