import { grown } from "./bytes";

/**
 * The values of a column in a row group, in order of first appearance. A value's place is its index.
 * `clear` keeps the memory, so that the next row group costs no allocation.
 */
export interface Dictionary {
  readonly size: number;
  /** all values in Parquet's PLAIN encoding: a view, good until the next change */
  plain(): Uint8Array;
  /** the same as (lo, hi) pairs, where that is what PLAIN is */
  pairs?(): Int32Array | undefined;
  clear(): void;
}

/** A dictionary of a column that has statistics. */
export interface OrderedDictionary extends Dictionary {
  /** whether value i comes before value j in the order of the statistics */
  before(i: number, j: number): boolean;
  /** value i as the statistics take it: a copy, which outlives `clear` */
  value(i: number): bigint | number | Uint8Array;
}

const HIGHEST_MARK = 2 ** 30;

/** Integers of 64 or 32 bits, looked up in a hash table with open addressing, since a Map of bigint takes 20 times as long. */
export class IntDictionary implements OrderedDictionary {
  size = 0;
  /** (lo, hi) pairs: on a little-endian machine this is PLAIN int64 */
  private values = new Int32Array(2 << 10);
  /** mark + index of the value, or anything below `mark` for free: raising `mark` empties the table */
  private table = new Int32Array(2 << 10).fill(-1);
  private mark = 0;

  constructor(private readonly bits: 32 | 64) {}

  clear(): void {
    this.mark += this.size;
    this.size = 0;
    if (this.mark < HIGHEST_MARK) return;
    this.table.fill(-1);
    this.mark = 0;
  }

  /** The index of a value, which is entered if it is new. */
  index(lo: number, hi: number): number {
    const { table, values, mark } = this;
    const wrap = table.length - 1;
    let slot = hashOf(lo, hi) & wrap;
    for (let entry: number; (entry = table[slot] - mark) >= 0; slot = (slot + 1) & wrap) {
      if (values[2 * entry] === lo && values[2 * entry + 1] === hi) return entry;
    }
    table[slot] = mark + this.size;
    return this.enter(lo, hi);
  }

  /** Indexes of the (lo, hi) pairs items[2 * from, 2 * to), to indexes[at...]. */
  indexAll(items: Int32Array, from: number, to: number, indexes: Int32Array, at: number): void {
    for (let i = from, k = at; i < to; i++, k++) indexes[k] = this.index(items[2 * i], items[2 * i + 1]);
  }

  private enter(lo: number, hi: number): number {
    const index = this.size++;
    this.values[2 * index] = lo;
    this.values[2 * index + 1] = hi;
    if (this.size * 2 >= this.table.length) this.grow();
    return index;
  }

  /** Keeps the table at most half full. */
  private grow(): void {
    const { size } = this;
    const values = (this.values = grown(this.values, this.values.length + 1));
    this.table = new Int32Array(this.table.length * 2).fill(-1);
    this.mark = 0;
    const wrap = this.table.length - 1;
    for (let i = 0; i < size; i++) {
      let slot = hashOf(values[2 * i], values[2 * i + 1]) & wrap;
      while (this.table[slot] >= 0) slot = (slot + 1) & wrap;
      this.table[slot] = i;
    }
  }

  before(i: number, j: number): boolean {
    const { values } = this;
    const high = values[2 * i + 1] - values[2 * j + 1];
    return high !== 0 ? high < 0 : values[2 * i] >>> 0 < values[2 * j] >>> 0;
  }

  value(i: number): bigint | number {
    const lo = this.values[2 * i];
    return this.bits === 32 ? lo : (BigInt(this.values[2 * i + 1]) << 32n) | BigInt(lo >>> 0);
  }

  pairs(): Int32Array | undefined {
    return this.bits === 64 ? this.values.subarray(0, 2 * this.size) : undefined;
  }

  plain(): Uint8Array {
    if (this.bits === 64) return new Uint8Array(this.values.buffer, 0, 8 * this.size);
    return new Uint8Array(Int32Array.from({ length: this.size }, (_, i) => this.values[2 * i]).buffer);
  }
}

/** Both halves in every bit of the result that the table may use (the mixing is MurmurHash3's finaliser, shortened). */
function hashOf(lo: number, hi: number): number {
  let hash = Math.imul(lo ^ Math.imul(hi, 0x9e3779b1), 0x85ebca6b);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 13);
}

/**
 * Times of actions, in microseconds: mostly distinct, so that a hash table would cost much and find little. Only a value
 * equal to the one before is taken as the same, which finds the repeats within a history, since that is in order of time.
 */
export class TimeDictionary implements Dictionary {
  size = 1;
  /** (lo, hi) pairs; index 0 is 0, the padding */
  private values = new Int32Array(2 << 10);

  clear(): void {
    this.size = 1;
  }

  /** Indexes of times[from, to), to indexes[at...]. */
  indexAll(times: Float64Array, from: number, to: number, indexes: Int32Array, at: number): void {
    this.values = grown(this.values, 2 * (this.size + to - from));
    const { values } = this;
    let last = this.size - 1;
    for (let i = from, k = at; i < to; i++, k++) {
      const hi = Math.floor(times[i] / 2 ** 32);
      const lo = (times[i] - hi * 2 ** 32) | 0;
      if (values[2 * last] !== lo || values[2 * last + 1] !== hi) {
        last++;
        values[2 * last] = lo;
        values[2 * last + 1] = hi;
      }
      indexes[k] = last;
    }
    this.size = last + 1;
  }

  pairs(): Int32Array {
    return this.values.subarray(0, 2 * this.size);
  }

  plain(): Uint8Array {
    return new Uint8Array(this.values.buffer, 0, 8 * this.size);
  }
}

/** Type codes, 0 to 127, written as int32. Code 0, the padding, is always index 0. */
export class TypeDictionary implements Dictionary {
  private readonly codes = [0];
  /** by code: its index, or 0 for a code not seen */
  private readonly indexes = new Uint8Array(256);

  get size(): number {
    return this.codes.length;
  }

  clear(): void {
    this.codes.length = 1;
    this.indexes.fill(0);
  }

  /** Indexes of types[from, to), to indexes[at...]. */
  indexAll(types: Uint8Array, from: number, to: number, indexes: Uint8Array, at: number): void {
    const known = this.indexes;
    for (let i = from, k = at; i < to; i++, k++) {
      const code = types[i];
      let index = known[code];
      if (index === 0 && code !== 0) index = known[code] = this.codes.push(code) - 1;
      indexes[k] = index;
    }
  }

  plain(): Uint8Array {
    return new Uint8Array(Int32Array.from(this.codes).buffer);
  }
}
