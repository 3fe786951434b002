/**
 * int64 ids without BigInt in inner loops: a BigInt64Array holds them, and kernels look at the same memory as pairs of
 * int32 (low word at 2i, high word at 2i + 1). Every platform that runs Node is little-endian.
 */
export function words(ids: BigInt64Array): Int32Array {
  return new Int32Array(ids.buffer, ids.byteOffset, ids.length * 2);
}

/** Less than 0, 0 or more than 0 as int64 (a) is below, equal to or above int64 (b). */
export function compareWords(aLow: number, aHigh: number, bLow: number, bHigh: number): number {
  return aHigh !== bHigh ? (aHigh < bHigh ? -1 : 1) : aLow === bLow ? 0 : aLow >>> 0 < bLow >>> 0 ? -1 : 1;
}

/**
 * MurmurHash3_x86_32 (seed 0) of an id's 8 little-endian bytes, unsigned. Source: github.com/aappleby/smhasher, MurmurHash3.cpp,
 * public domain.
 */
export function customerHash(low: number, high: number): number {
  return finish(block(block(0, low), high), 8) >>> 0;
}

/** Which bucket of customers an id belongs to: its hash, modulo `buckets`. */
export function bucketOf(low: number, high: number, buckets: number): number {
  return customerHash(low, high) % buckets;
}

/** Where the rows of (customer, day) stand in their file: MurmurHash3_x86_32 (seed 1) of id (8 bytes) and epoch day (4 bytes), unsigned. */
export function orderHash(low: number, high: number, day: number): number {
  return finish(block(block(block(1, low), high), day), 12) >>> 0;
}

function block(hash: number, word: number): number {
  const k = Math.imul(word, 0xcc9e2d51);
  const h = hash ^ Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(hash: number, bytes: number): number {
  let h = hash ^ bytes;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Numbers the distinct ids of a column 0, 1, 2, … in the order of their first appearance: open addressing on typed arrays. */
export class IdIndex {
  private slots: Int32Array;
  private ids: Int32Array;
  size = 0;

  constructor(expected = 64) {
    this.slots = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(16, expected * 2))));
    this.ids = new Int32Array(this.slots.length);
  }

  /** The number of an id, a new one if it was not seen yet. */
  add(low: number, high: number): number {
    const at = this.probe(low, high);
    const found = this.slots[at];
    if (found !== 0) return found - 1;
    const index = this.size++;
    this.slots[at] = index + 1;
    this.ids[2 * index] = low;
    this.ids[2 * index + 1] = high;
    if (this.size * 2 >= this.slots.length) this.grow();
    return index;
  }

  /** The number of an id, -1 if it was never added. */
  find(low: number, high: number): number {
    return this.slots[this.probe(low, high)] - 1;
  }

  /** The ids by number, a copy. */
  toArray(): BigInt64Array {
    return new BigInt64Array(this.ids.slice(0, 2 * this.size).buffer);
  }

  private probe(low: number, high: number): number {
    const mask = this.slots.length - 1;
    let at = finish(block(block(2, low), high), 8) & mask;
    for (let found = this.slots[at]; found !== 0; found = this.slots[at]) {
      if (this.ids[2 * found - 2] === low && this.ids[2 * found - 1] === high) return at;
      at = (at + 1) & mask;
    }
    return at;
  }

  private grow(): void {
    const ids = this.ids;
    this.slots = new Int32Array(this.slots.length * 2);
    this.ids = new Int32Array(this.slots.length);
    this.ids.set(ids.subarray(0, 2 * this.size));
    for (let i = 0; i < this.size; i++) this.slots[this.probe(ids[2 * i], ids[2 * i + 1])] = i + 1;
  }
}
