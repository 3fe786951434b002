import { ELEMENT_BYTES } from "../beam/limits";
import { bytesOf } from "../beam/spill";
import { byBucket, putId } from "./actions";
import { words } from "./ids";
import { sharedRankingRows, takeRankings } from "./rankingcolumns";

/** Rankings in any order, by column. */
export interface RankingBatch {
  customers: BigInt64Array;
  /** epoch day of the ranking's dt */
  days: Int32Array;
  /** ranking ids as UTF-8: those of ranking r are idBytes[idStarts[r] … idStarts[r + 1]) */
  idStarts: Int32Array;
  idBytes: Uint8Array;
  /** slots of ranking r are [slotStarts[r] … slotStarts[r + 1]) of the slot columns, in the order shown */
  slotStarts: Int32Array;
  slotItems: BigInt64Array;
  /** 1 where the impression was ordered */
  slotOrders: Uint8Array;
}

/** Rankings with ids as (low, high) pairs of int32. */
export interface RankingWords extends Omit<RankingBatch, "customers" | "slotItems"> {
  customers: Int32Array;
  slotItems: Int32Array;
}

/** One slot of a ranking as read. */
export interface Slot {
  item: bigint | number;
  isOrder: boolean;
}

/** Gathers rankings one by one. */
export class RankingBuilder {
  length = 0;
  private slots = 0;
  private bytes = 0;
  /** held only while there are any rankings */
  private columns: Columns | undefined;

  push(customer: bigint | number, day: number, id: string, slots: readonly Slot[]): void {
    const idBytes = Buffer.byteLength(id);
    const b = this.reserve(slots.length, idBytes).batch;
    const r = this.length++;
    putId(b.customers, r, customer);
    b.days[r] = day;
    Buffer.from(b.idBytes.buffer, b.idBytes.byteOffset).write(id, this.bytes);
    b.idStarts[r + 1] = this.bytes += idBytes;
    for (const slot of slots) {
      putId(b.slotItems, this.slots, slot.item);
      b.slotOrders[this.slots++] = slot.isOrder ? 1 : 0;
    }
    b.slotStarts[r + 1] = this.slots;
  }

  /** Takes ranking r of another batch, whose ids are given as words. */
  add(from: RankingWords, r: number): void {
    const slots = from.slotStarts[r + 1] - from.slotStarts[r];
    const bytes = from.idStarts[r + 1] - from.idStarts[r];
    const { batch: b, ids, items } = this.reserve(slots, bytes);
    const at = this.length++;
    ids[2 * at] = from.customers[2 * r];
    ids[2 * at + 1] = from.customers[2 * r + 1];
    b.days[at] = from.days[r];
    for (let i = 0; i < bytes; i++) b.idBytes[this.bytes + i] = from.idBytes[from.idStarts[r] + i];
    b.idStarts[at + 1] = this.bytes += bytes;
    for (let slot = from.slotStarts[r]; slot < from.slotStarts[r + 1]; slot++) {
      items[2 * this.slots] = from.slotItems[2 * slot];
      items[2 * this.slots + 1] = from.slotItems[2 * slot + 1];
      b.slotOrders[this.slots++] = from.slotOrders[slot];
    }
    b.slotStarts[at + 1] = this.slots;
  }

  /**
   * What was gathered, by bucket of customers: a batch for each that has any, more where one would be too large an element. The builder is empty
   * afterwards.
   */
  take(buckets: number): { key: number; value: RankingBatch }[] {
    if (this.columns === undefined) return [];
    const { batch, ids } = this.columns;
    const { rows, starts } = byBucket(ids, this.length, buckets);
    const batches: { key: number; value: RankingBatch }[] = [];
    for (let key = 0; key < buckets; key++) {
      const to = starts[key + 1];
      for (let at = starts[key]; at < to; ) {
        const end = endOfBatch(batch, rows, at, to);
        batches.push({ key, value: takeRankings(batch, rows.subarray(at, end), sharedRankingRows) });
        at = end;
      }
    }
    if (bytesOf(batch) <= SPARE_BYTES) spare = this.columns;
    this.columns = undefined;
    this.length = this.slots = this.bytes = 0;
    return batches;
  }

  /** Makes room for one ranking more. */
  private reserve(slots: number, bytes: number): Columns {
    if (this.columns === undefined) {
      this.columns = spare ?? new Columns(sharedRankingRows(256, 4096, 4096));
      spare = undefined;
    }
    const { batch } = this.columns;
    const enough = this.length < batch.days.length && this.slots + slots <= batch.slotOrders.length;
    if (!enough || this.bytes + bytes > batch.idBytes.length) this.columns = this.grown(batch, slots, bytes);
    return this.columns;
  }

  private grown(batch: RankingBatch, slots: number, bytes: number): Columns {
    const longer = sharedRankingRows(
      batch.days.length * 2,
      Math.max(batch.slotOrders.length, 2 * (this.slots + slots)),
      Math.max(batch.idBytes.length, 2 * (this.bytes + bytes)),
    );
    for (const name of Object.keys(batch) as (keyof RankingBatch)[]) (longer[name] as Uint8Array).set(batch[name] as Uint8Array);
    return new Columns(longer);
  }
}

/** Columns to gather in; in shared memory, as kept.ts says why. */
class Columns {
  readonly ids: Int32Array;
  readonly items: Int32Array;

  constructor(readonly batch: RankingBatch) {
    this.ids = words(batch.customers);
    this.items = words(batch.slotItems);
  }
}

/** Columns that nobody holds: a thread scans one split at a time, and fresh memory has to be cleared. Larger ones are not kept. */
let spare: Columns | undefined;
const SPARE_BYTES = 1 << 24;

/** How far the batch goes that begins with the ranking rows[from]. */
function endOfBatch({ idStarts, slotStarts }: RankingBatch, rows: Int32Array, from: number, to: number): number {
  let bytes = 0;
  let at = from;
  for (; at < to; at++) {
    const row = rows[at];
    bytes += 20 + idStarts[row + 1] - idStarts[row] + 9 * (slotStarts[row + 1] - slotStarts[row]);
    if (bytes > ELEMENT_BYTES && at > from) break;
  }
  return at;
}
