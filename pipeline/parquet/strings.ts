import { Bytes, grown } from "./bytes";
import type { OrderedDictionary } from "./dictionary";

/** Strings as UTF-8 bytes, each behind its length in four bytes, which is PLAIN already. */
export class StringDictionary implements OrderedDictionary {
  size = 0;
  private readonly data = new Bytes(1 << 14);
  /** where string i begins in `data`, behind its length */
  private starts = new Int32Array(1 << 10);
  /** 1 + index, or 0 for free */
  private table = new Int32Array(2 << 10);

  clear(): void {
    this.size = 0;
    this.data.clear();
    this.table.fill(0);
  }

  /** bytes of all strings with their lengths */
  get byteLength(): number {
    return this.data.length;
  }

  /** The index of bytes[from, to), which is entered if it is new. */
  index(bytes: Uint8Array, from: number, to: number): number {
    const wrap = this.table.length - 1;
    let slot = hashOfBytes(bytes, from, to) & wrap;
    for (; this.table[slot] !== 0; slot = (slot + 1) & wrap) {
      if (this.equals(this.table[slot] - 1, bytes, from, to)) return this.table[slot] - 1;
    }
    this.table[slot] = this.size + 1;
    return this.enter(bytes, from, to);
  }

  equals(i: number, bytes: Uint8Array, from: number, to: number): boolean {
    const start = this.starts[i];
    if (this.endOf(i) - start !== to - from) return false;
    const { array } = this.data;
    for (let k = from, at = start; k < to; k++, at++) if (array[at] !== bytes[k]) return false;
    return true;
  }

  private endOf(i: number): number {
    return i + 1 < this.size ? this.starts[i + 1] - 4 : this.data.length;
  }

  private enter(bytes: Uint8Array, from: number, to: number): number {
    this.data.littleEndian(to - from, 4);
    this.starts[this.size] = this.data.length;
    this.data.put(bytes, from, to);
    const index = this.size++;
    if (this.size * 2 >= this.table.length) this.grow();
    return index;
  }

  private grow(): void {
    this.starts = grown(this.starts, this.starts.length + 1);
    this.table = new Int32Array(this.table.length * 2);
    const wrap = this.table.length - 1;
    for (let i = 0; i < this.size; i++) {
      let slot = hashOfBytes(this.data.array, this.starts[i], this.endOf(i)) & wrap;
      while (this.table[slot] !== 0) slot = (slot + 1) & wrap;
      this.table[slot] = i + 1;
    }
  }

  /** By bytes; a string that is the beginning of another comes first. */
  before(i: number, j: number): boolean {
    const { array } = this.data;
    const a = this.starts[i];
    const b = this.starts[j];
    const aBytes = this.endOf(i) - a;
    const bBytes = this.endOf(j) - b;
    const both = Math.min(aBytes, bBytes);
    for (let k = 0; k < both; k++) if (array[a + k] !== array[b + k]) return array[a + k] < array[b + k];
    return aBytes < bBytes;
  }

  value(i: number): Uint8Array {
    return this.data.array.slice(this.starts[i], this.endOf(i));
  }

  plain(): Uint8Array {
    return this.data.view();
  }
}

/** FNV-1a, with its low bits mixed once more. */
function hashOfBytes(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  return hash ^ (hash >>> 15);
}
