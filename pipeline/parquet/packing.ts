import { type Bytes, grown } from "./bytes";

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

/** Where groups are put together: a word at a time, since in the bytes behind it no word would begin where words do. */
let words = new Int32Array(1024);
let bytesOfWords = new Uint8Array(words.buffer);
let widened = new Int32Array(1024);

/** Bit-packed groups of 8: indexes[from, to), then zeros up to the last group's end. */
export function packGroups(out: Bytes, indexes: Indexes, from: number, to: number, groups: number, width: number): void {
  const bytes = groups * width;
  if (bytes > 4 * (words.length - 1)) {
    words = new Int32Array(bytes);
    bytesOfWords = new Uint8Array(words.buffer);
  }
  const packed = indexes instanceof Uint8Array ? packNarrow(indexes, from, to, width) : packWide(indexes, from, to, width);
  if (4 * packed < bytes) bytesOfWords.fill(0, 4 * packed, bytes);
  out.put(bytesOfWords, 0, bytes);
}

/** @returns how many words there are */
function packWide(indexes: Int32Array, from: number, to: number, width: number): number {
  const out = words;
  let at = 0;
  let word = 0;
  let bits = 0; // of `word` that are in use, always fewer than 32
  let i = from;
  // two indexes that fit a word are put in at once
  for (const end = width <= 16 ? to - 1 : from; i < end; i += 2) {
    const pair = indexes[i] | (indexes[i + 1] << width);
    word |= pair << bits;
    bits += 2 * width;
    if (bits >= 32) {
      out[at++] = word;
      bits -= 32;
      word = (pair >>> (2 * width - bits - 1)) >>> 1; // the pair's bits that did not fit; a shift by 32 would be none
    }
  }
  for (; i < to; i++) {
    const index = indexes[i];
    word |= index << bits;
    bits += width;
    if (bits >= 32) {
      out[at++] = word;
      bits -= 32;
      word = index >>> (width - bits); // none if bits is 0
    }
  }
  out[at] = word;
  return at + 1;
}

/** Action types mostly take two bits, so there are four to a byte. */
function packNarrow(indexes: Uint8Array, from: number, to: number, width: number): number {
  if (width !== 2) {
    widened = grown(widened, to - from);
    widened.set(indexes.subarray(from, to));
    return packWide(widened, 0, to - from, width);
  }
  const out = bytesOfWords;
  let at = 0;
  let i = from;
  for (; i + 3 < to; i += 4) out[at++] = indexes[i] | (indexes[i + 1] << 2) | (indexes[i + 2] << 4) | (indexes[i + 3] << 6);
  out.fill(0, at, at + 4);
  for (let bits = 0; i < to; i++, bits += 2) out[at] |= indexes[i] << bits;
  return (at + 4) >> 2;
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
  for (let at = runFrom(indexes, start, to); at < to; at = runFrom(indexes, start, to)) {
    const end = runEnd(indexes, at, to);
    packPending(out, indexes, start, at, width);
    runOf(out, end - at, indexes[at], width);
    start = end;
  }
  packPending(out, indexes, start, to, width);
}

/** Where the first run begins that may stand behind whole groups of 8; `to` if none does. */
function runFrom(indexes: Indexes, from: number, to: number): number {
  for (let at = from; at + 8 <= to; at += 8) if (runEnd(indexes, at, at + 8) === at + 8) return at;
  return to;
}

/** Where the run that begins at `at` ends. */
function runEnd(indexes: Indexes, at: number, to: number): number {
  const index = indexes[at];
  let end = at + 1;
  while (end < to && indexes[end] === index) end++;
  return end;
}

function packPending(out: Bytes, indexes: Indexes, from: number, to: number, width: number): void {
  if (from === to) return;
  const groups = (to - from + 7) >> 3;
  out.varint((groups << 1) | 1);
  packGroups(out, indexes, from, to, groups, width);
}
