import { Bytes } from "./bytes";

/**
 * What a page's bytes are put into: new bytes, and repeats of bytes just written. `SnappyBody` turns the repeats into copy
 * tokens, `PlainBody` into bytes. The format is google/snappy's format_description.txt.
 */
export interface PageBody {
  /** bytes that a reader will see */
  rawLength: number;
  clear(): void;
  /** source[from, to) */
  literal(source: Uint8Array, from: number, to: number): void;
  /** the last `length` bytes once more, `times` times */
  repeat(length: number, times: number): void;
  /** a view, good until the next change */
  view(): Uint8Array;
}

const LONGEST_COPY = 64;

/** Snappy elements without the length in front, so that bodies can be put one after another. */
export class SnappyBody implements PageBody {
  rawLength = 0;
  private readonly out = new Bytes();

  clear(): void {
    this.rawLength = 0;
    this.out.clear();
  }

  literal(source: Uint8Array, from: number, to: number): void {
    if (from === to) return;
    this.rawLength += to - from;
    literalTag(this.out, to - from);
    this.out.put(source, from, to);
  }

  repeat(length: number, times: number): void {
    let rest = length * times;
    this.rawLength += rest;
    const { out } = this;
    const offsetBytes = length < 65536 ? 2 : 4;
    out.room((Math.floor(rest / LONGEST_COPY) + 1) * (1 + offsetBytes));
    // two bytes of offset is what every usual history needs, so that case has a tight loop
    if (offsetBytes === 2) {
      const { array } = out;
      const low = length & 255;
      const high = length >>> 8;
      let at = out.length;
      for (; rest > 0; rest -= LONGEST_COPY) {
        array[at++] = ((Math.min(rest, LONGEST_COPY) - 1) << 2) | 2;
        array[at++] = low;
        array[at++] = high;
      }
      out.length = at;
      return;
    }
    for (; rest > 0; rest -= LONGEST_COPY) {
      out.byte(((Math.min(rest, LONGEST_COPY) - 1) << 2) | 3);
      out.littleEndian(length, 4);
    }
  }

  view(): Uint8Array {
    return this.out.view();
  }
}

/** The bytes as a reader sees them, for a compressor that looks at the whole page, or for none. */
export class PlainBody implements PageBody {
  private readonly out = new Bytes();

  get rawLength(): number {
    return this.out.length;
  }

  clear(): void {
    this.out.clear();
  }

  literal(source: Uint8Array, from: number, to: number): void {
    this.out.put(source, from, to);
  }

  repeat(length: number, times: number): void {
    const { out } = this;
    out.room(length * times);
    const from = out.length - length;
    for (let i = 0; i < times; i++, out.length += length) out.array.copyWithin(out.length, from, from + length);
  }

  view(): Uint8Array {
    return this.out.view();
  }
}

function literalTag(out: Bytes, length: number): void {
  const value = length - 1;
  if (value < 60) {
    out.byte(value << 2);
    return;
  }
  const width = value < 1 << 8 ? 1 : value < 1 << 16 ? 2 : 4;
  out.byte((59 + width) << 2);
  out.littleEndian(value, width);
}

const RECENT_BITS = 12;
const LONGEST_OFFSET = 65535;

/** Used within a call only, except for what is returned. */
const packed = new Bytes();
const newest = new Int32Array(1 << RECENT_BITS);

/**
 * Snappy for an array of int64: the high six bytes of a value are copied from a recent value that has the same, else the
 * high four from the value before. A general compressor finds little more in a column of ids and takes six times as long.
 *
 * @param values int64 as (lo, hi) pairs of little-endian int32
 * @returns a view, good until the next call
 */
export function snappyInt64(values: Int32Array): Uint8Array {
  const count = values.length >> 1;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const out = packed;
  out.clear();
  out.room(bytes.length + (bytes.length >> 3) + 16);
  out.varint(bytes.length);
  const recent = newest.fill(-1); // by high six bytes: the newest value
  let pending = 0; // bytes [pending, here) are still to be written as a literal
  for (let i = 0; i < count; i++) {
    const top = values[2 * i] >>> 16;
    const high = values[2 * i + 1];
    const slot = Math.imul(top ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b) >>> (32 - RECENT_BITS);
    const like = recent[slot];
    recent[slot] = i;
    let copied = 0;
    let offset = 0;
    if (like >= 0 && values[2 * like] >>> 16 === top && values[2 * like + 1] === high && (i - like) * 8 <= LONGEST_OFFSET) {
      copied = 6;
      offset = (i - like) * 8;
    } else if (i > 0 && values[2 * i - 1] === high) {
      copied = 4;
      offset = 8;
    } else continue;
    const here = 8 * i + 8 - copied;
    literalTag(out, here - pending);
    out.put(bytes, pending, here);
    copyTag(out, offset, copied);
    pending = 8 * i + 8;
  }
  if (pending < bytes.length) {
    literalTag(out, bytes.length - pending);
    out.put(bytes, pending, bytes.length);
  }
  return out.view();
}

/** A copy of 4 to 11 bytes. */
function copyTag(out: Bytes, offset: number, length: number): void {
  if (offset < 2048) {
    out.byte(1 | ((length - 4) << 2) | ((offset >>> 8) << 5));
    out.byte(offset);
  } else {
    out.byte(2 | ((length - 1) << 2));
    out.littleEndian(offset, 2);
  }
}
