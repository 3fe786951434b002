/**
 * Bytes that grow. Any call that makes room may replace `array`, so read it afresh after one.
 * Only the first `length` bytes mean anything.
 */
export class Bytes {
  array: Uint8Array;
  length = 0;

  constructor(capacity = 1024) {
    this.array = new Uint8Array(capacity);
  }

  clear(): void {
    this.length = 0;
  }

  /** Makes room for `count` bytes more. */
  room(count: number): void {
    this.array = grown(this.array, this.length + count);
  }

  byte(value: number): void {
    this.room(1);
    this.array[this.length++] = value;
  }

  /** `width` bytes, least significant first. */
  littleEndian(value: number, width: number): void {
    this.room(width);
    for (let shift = 0; shift < 8 * width; shift += 8) this.array[this.length++] = value >>> shift;
  }

  /** Seven bits a byte, least significant first; the high bit says that more follow. `value` is taken as unsigned 32 bits. */
  varint(value: number): void {
    this.room(5);
    let rest = value >>> 0;
    for (; rest > 127; rest >>>= 7) this.array[this.length++] = (rest & 127) | 128;
    this.array[this.length++] = rest;
  }

  /** Appends source[from, to). */
  put(source: Uint8Array, from = 0, to = source.length): void {
    const count = to - from;
    this.room(count);
    // a call of `set` costs about as much as 30 turns of the loop
    if (count < 32) for (let i = from, at = this.length; i < to; i++, at++) this.array[at] = source[i];
    else this.array.set(from === 0 && to === source.length ? source : source.subarray(from, to), this.length);
    this.length += count;
  }

  /** What has been written: a view, good until the next change. */
  view(): Uint8Array {
    return this.array.subarray(0, this.length);
  }
}

/** The array itself, or if it is too short a longer copy, at least twice as long so that growing stays cheap. */
export function grown<A extends Int32Array | Uint8Array>(array: A, length: number): A {
  if (length <= array.length) return array;
  const longer = new (array.constructor as new (length: number) => A)(Math.max(length, array.length * 2));
  longer.set(array as never);
  return longer;
}
