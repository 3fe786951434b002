import type { Bytes } from "./bytes";

/**
 * Parquet's hybrid encoding of dictionary indexes (parquet-format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid").
 *
 *   run-length run   varint(count << 1), then the index in whole bytes
 *   bit-packed run   varint(groups << 1 | 1), then groups of 8 indexes of `width` bits, least significant bit first
 *
 * The row of a list must be a run of whole bytes that can stand anywhere, because it is encoded once and repeated for
 * every slot. So no bit-packed group may reach over the end of a row: where the list's length is no multiple of 8, the
 * last few are run-length runs of one.
 */

/** Array of dictionary indexes. */
export type Indexes = Int32Array | Uint8Array;

/** Bits for indexes 0 to count - 1. At least 1: width 0 is legal, but not every reader takes it. */
export function bitWidth(count: number): number {
  return Math.max(1, 32 - Math.clz32(count - 1));
}

/** Bit-packed groups of 8: indexes[from, to), then zeros up to the last group's end. */
export function packGroups(out: Bytes, indexes: Indexes, from: number, to: number, groups: number, width: number): void {
  const end = out.length + groups * width;
  out.room(groups * width + 4);
  const bytes = out.array;
  let at = out.length;
  let word = 0;
  let bits = 0; // of `word` that are in use, always fewer than 32
  for (let i = from; i < to; i++) {
    const index = indexes[i];
    word |= index << bits;
    bits += width;
    if (bits >= 32) {
      bytes[at] = word;
      bytes[at + 1] = word >>> 8;
      bytes[at + 2] = word >>> 16;
      bytes[at + 3] = word >>> 24;
      at += 4;
      bits -= 32;
      word = index >>> (width - bits); // the index's bits that did not fit; none if bits is 0
    }
  }
  for (; at < end; word >>>= 8) bytes[at++] = word;
  out.length = end;
}

function runOf(out: Bytes, count: number, index: number, width: number): void {
  out.varint(count << 1);
  out.littleEndian(index, (width + 7) >> 3);
}

/** One row of a list of `length` elements: indexes[from, from + count), then zeros. `count` is at most `length`. */
export function packRow(out: Bytes, indexes: Indexes, from: number, count: number, length: number, width: number): void {
  const groups = Math.min((count + 7) >> 3, length >> 3);
  const packed = Math.min(count, groups * 8);
  if (groups > 0) {
    out.varint((groups << 1) | 1);
    packGroups(out, indexes, from, from + packed, groups, width);
  }
  for (let i = packed; i < count; i++) runOf(out, 1, indexes[from + i], width);
  const padding = length - Math.max(count, groups * 8);
  if (padding > 0) runOf(out, padding, 0, width);
}

/** A page of a column without lists, indexes[from, to): runs of 8 or more as such, what is between them in bit-packed groups. */
export function packColumn(out: Bytes, indexes: Indexes, from: number, to: number, width: number): void {
  let start = from; // of the groups that are still to be written
  let at = from;
  while (at < to) {
    let end = at + 1;
    while (end < to && indexes[end] === indexes[at]) end++;
    if (end - at < 8) {
      at = Math.min(at + 8, to);
      continue;
    }
    packPending(out, indexes, start, at, width);
    runOf(out, end - at, indexes[at], width);
    start = at = end;
  }
  packPending(out, indexes, start, to, width);
}

function packPending(out: Bytes, indexes: Indexes, from: number, to: number, width: number): void {
  if (from === to) return;
  const groups = (to - from + 7) >> 3;
  out.varint((groups << 1) | 1);
  packGroups(out, indexes, from, to, groups, width);
}
