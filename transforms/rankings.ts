import { ELEMENT_BYTES } from "../beam/limits";
import { byBucket, putId } from "./actions";
import { words } from "./ids";
import { rankingRows, takeRankings } from "./rankingcolumns";

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
  private batch = rankingRows(256, 4096, 4096);
  private slots = 0;
  private bytes = 0;

  push(customer: bigint | number, day: number, id: string, slots: readonly Slot[]): void {
    const idBytes = Buffer.byteLength(id);
    this.reserve(slots.length, idBytes);
    const b = this.batch;
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
    this.reserve(slots, bytes);
    const b = this.batch;
    const at = this.length++;
    const ids = words(b.customers);
    const items = words(b.slotItems);
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
  *take(buckets: number): Generator<{ key: number; value: RankingBatch }> {
    const { rows, starts } = byBucket(words(this.batch.customers), this.length, buckets);
    this.length = this.slots = this.bytes = 0;
    for (let bucket = 0; bucket < buckets; bucket++) {
      const from = starts[bucket];
      const to = starts[bucket + 1];
      for (let at = from; at < to; ) {
        const end = this.endOfBatch(rows, at, to);
        yield { key: bucket, value: takeRankings(this.batch, rows.subarray(at, end)) };
        at = end;
      }
    }
  }

  /** How far the batch goes that begins with the ranking rows[from]. */
  private endOfBatch(rows: Int32Array, from: number, to: number): number {
    const { idStarts, slotStarts } = this.batch;
    let bytes = 0;
    let at = from;
    for (; at < to; at++) {
      const row = rows[at];
      bytes += 20 + idStarts[row + 1] - idStarts[row] + 9 * (slotStarts[row + 1] - slotStarts[row]);
      if (bytes > ELEMENT_BYTES && at > from) break;
    }
    return at;
  }

  private reserve(slots: number, bytes: number): void {
    const b = this.batch;
    const rankings = b.days.length;
    if (this.length < rankings && this.slots + slots <= b.slotOrders.length && this.bytes + bytes <= b.idBytes.length) return;
    this.batch = rankingRows(
      rankings * 2,
      Math.max(b.slotOrders.length, 2 * (this.slots + slots)),
      Math.max(b.idBytes.length, 2 * (this.bytes + bytes)),
    );
    for (const name of Object.keys(b) as (keyof RankingBatch)[]) (this.batch[name] as Uint8Array).set(b[name] as Uint8Array);
  }
}
