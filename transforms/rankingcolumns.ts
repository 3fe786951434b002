import { words } from "./ids";
import type { RankingBatch } from "./rankings";

/** All rankings in one batch, in the order of the batches. */
export function concatRankings(batches: readonly RankingBatch[]): RankingBatch {
  if (batches.length === 1) return batches[0];
  const sum = (size: (batch: RankingBatch) => number) => batches.reduce((total, batch) => total + size(batch), 0);
  const all = rankingRows(
    sum(({ days }) => days.length),
    sum(({ slotStarts, days }) => slotStarts[days.length]),
    sum(({ idStarts, days }) => idStarts[days.length]),
  );
  let r = 0;
  for (const { customers, days, idStarts, idBytes, slotStarts, slotItems, slotOrders } of batches) {
    const slot = all.slotStarts[r];
    const byte = all.idStarts[r];
    all.customers.set(customers, r);
    all.days.set(days, r);
    all.idBytes.set(idBytes.subarray(0, idStarts[days.length]), byte);
    all.slotItems.set(slotItems.subarray(0, slotStarts[days.length]), slot);
    all.slotOrders.set(slotOrders.subarray(0, slotStarts[days.length]), slot);
    for (let i = 1; i <= days.length; i++) {
      all.slotStarts[r + i] = slot + slotStarts[i];
      all.idStarts[r + i] = byte + idStarts[i];
    }
    r += days.length;
  }
  return all;
}

/** The rankings rows[0], rows[1], … of a batch. @param make makes the columns that they are put into */
export function takeRankings(from: RankingBatch, rows: Int32Array, make = rankingRows): RankingBatch {
  let slots = 0;
  let bytes = 0;
  for (let i = 0; i < rows.length; i++) {
    slots += from.slotStarts[rows[i] + 1] - from.slotStarts[rows[i]];
    bytes += from.idStarts[rows[i] + 1] - from.idStarts[rows[i]];
  }
  const to = make(rows.length, slots, bytes);
  takeHeads(from, rows, to);
  takeSlots(from, rows, to);
  return to;
}

function takeHeads(from: RankingBatch, rows: Int32Array, to: RankingBatch): void {
  const { days, idStarts, idBytes } = from;
  const { days: toDays, idStarts: toStarts, idBytes: toBytes } = to;
  const ids = words(from.customers);
  const toIds = words(to.customers);
  for (let i = 0, at = 0; i < rows.length; i++) {
    const row = rows[i];
    toIds[2 * i] = ids[2 * row];
    toIds[2 * i + 1] = ids[2 * row + 1];
    toDays[i] = days[row];
    for (let b = idStarts[row]; b < idStarts[row + 1]; b++) toBytes[at++] = idBytes[b];
    toStarts[i + 1] = at;
  }
}

function takeSlots(from: RankingBatch, rows: Int32Array, to: RankingBatch): void {
  const { slotStarts, slotOrders } = from;
  const { slotStarts: toStarts, slotOrders: toOrders } = to;
  const items = words(from.slotItems);
  const toItems = words(to.slotItems);
  for (let i = 0, at = 0; i < rows.length; i++) {
    const row = rows[i];
    for (let s = slotStarts[row]; s < slotStarts[row + 1]; s++) {
      toItems[2 * at] = items[2 * s];
      toItems[2 * at + 1] = items[2 * s + 1];
      toOrders[at++] = slotOrders[s];
    }
    toStarts[i + 1] = at;
  }
}

/** The rankings [from, to) of a batch; columns without offsets are views. */
export function sliceRankings(
  { customers, days, idStarts, idBytes, slotStarts, slotItems, slotOrders }: RankingBatch,
  from: number,
  to: number,
): RankingBatch {
  const [firstByte, endByte] = [idStarts[from], idStarts[to]];
  const [firstSlot, endSlot] = [slotStarts[from], slotStarts[to]];
  return {
    customers: customers.subarray(from, to),
    days: days.subarray(from, to),
    idStarts: idStarts.subarray(from, to + 1).map((byte) => byte - firstByte),
    idBytes: idBytes.subarray(firstByte, endByte),
    slotStarts: slotStarts.subarray(from, to + 1).map((slot) => slot - firstSlot),
    slotItems: slotItems.subarray(firstSlot, endSlot),
    slotOrders: slotOrders.subarray(firstSlot, endSlot),
  };
}

/** Empty columns for so many rankings, slots and bytes of ids. */
export function rankingRows(rankings: number, slots: number, bytes: number): RankingBatch {
  return {
    customers: new BigInt64Array(rankings),
    days: new Int32Array(rankings),
    idStarts: new Int32Array(rankings + 1),
    idBytes: new Uint8Array(bytes),
    slotStarts: new Int32Array(rankings + 1),
    slotItems: new BigInt64Array(slots),
    slotOrders: new Uint8Array(slots),
  };
}

/** The same in one piece of shared memory: they go from thread to thread without being copied. */
export function sharedRankingRows(rankings: number, slots: number, bytes: number): RankingBatch {
  const memory = new SharedArrayBuffer(8 * (rankings + slots) + 4 * (3 * rankings + 2) + bytes + slots);
  let at = 0;
  const next = (size: number) => (at += size) - size;
  return {
    customers: new BigInt64Array(memory, next(8 * rankings), rankings),
    slotItems: new BigInt64Array(memory, next(8 * slots), slots),
    days: new Int32Array(memory, next(4 * rankings), rankings),
    idStarts: new Int32Array(memory, next(4 * (rankings + 1)), rankings + 1),
    slotStarts: new Int32Array(memory, next(4 * (rankings + 1)), rankings + 1),
    idBytes: new Uint8Array(memory, next(bytes), bytes),
    slotOrders: new Uint8Array(memory, next(slots), slots),
  };
}
