import { words } from "./ids";

/**
 * Actions that are counted instead of kept: so many of a customer and a type, seen by the days [first, last].
 * With them the ledger can still tell, once the customer's days are known, why an action was not used.
 */
export interface Tallies {
  customers: BigInt64Array;
  types: Uint8Array;
  firsts: Int32Array;
  lasts: Int32Array;
  counts: Float64Array;
}

export const EMPTY_TALLIES: Tallies = tallyColumns(0);

/**
 * Adds up tallies, one row for each (customer, type, first, last), in the order of their first appearance. A cell is five
 * int32: the customer's two words, type, first, last; cells are found by open addressing.
 */
export class TallyBuilder {
  length = 0;
  private slots = new Int32Array(0);
  private cells = new Int32Array(0);
  private counts = new Float64Array(0);
  /** the cell that was added to before: often the next one's too */
  private latest = 0;
  private column = EMPTY_TALLIES.customers;
  private ids = words(this.column);

  /** Adds `count` actions of customers[row]. */
  add(customers: BigInt64Array, row: number, type: number, first: number, last: number, count: number): void {
    if (customers !== this.column) {
      this.column = customers;
      this.ids = words(customers);
    }
    this.addWords(this.ids[2 * row], this.ids[2 * row + 1], type, first, last, count);
  }

  /** Adds `count` actions of the customer whose id has these words. */
  addWords(low: number, high: number, type: number, first: number, last: number, count: number): void {
    if (!this.is(this.latest, low, high, type, first, last)) this.latest = this.find(low, high, type, first, last);
    this.counts[this.latest] += count;
  }

  addAll({ customers, types, firsts, lasts, counts }: Tallies): void {
    const ids = words(customers);
    for (let i = 0; i < counts.length; i++) this.addWords(ids[2 * i], ids[2 * i + 1], types[i], firsts[i], lasts[i], counts[i]);
  }

  take(): Tallies {
    const out = tallyColumns(this.length);
    const ids = words(out.customers);
    for (let i = 0; i < this.length; i++) {
      const cell = CELL * i;
      ids[2 * i] = this.cells[cell];
      ids[2 * i + 1] = this.cells[cell + 1];
      out.types[i] = this.cells[cell + 2];
      out.firsts[i] = this.cells[cell + 3];
      out.lasts[i] = this.cells[cell + 4];
      out.counts[i] = this.counts[i];
    }
    return out;
  }

  private is(i: number, low: number, high: number, type: number, first: number, last: number): boolean {
    const { cells } = this;
    const cell = CELL * i;
    return (
      i < this.length &&
      cells[cell] === low &&
      cells[cell + 1] === high &&
      cells[cell + 2] === type &&
      cells[cell + 3] === first &&
      cells[cell + 4] === last
    );
  }

  /** The number of a cell, a new one if there was none. */
  private find(low: number, high: number, type: number, first: number, last: number): number {
    if (2 * this.length >= this.slots.length) this.grow();
    const mask = this.slots.length - 1;
    let at = hash(low, high, type, first, last) & mask;
    for (let found = this.slots[at]; found !== 0; found = this.slots[at]) {
      if (this.is(found - 1, low, high, type, first, last)) return found - 1;
      at = (at + 1) & mask;
    }
    const i = this.length++;
    this.slots[at] = i + 1;
    const cell = CELL * i;
    this.cells[cell] = low;
    this.cells[cell + 1] = high;
    this.cells[cell + 2] = type;
    this.cells[cell + 3] = first;
    this.cells[cell + 4] = last;
    return i;
  }

  private grow(): void {
    const { cells, counts } = this;
    const slots = new Int32Array(Math.max(32, 2 * this.slots.length));
    this.cells = new Int32Array((CELL * slots.length) / 2);
    this.cells.set(cells);
    this.counts = new Float64Array(slots.length / 2);
    this.counts.set(counts);
    for (let i = 0; i < this.length; i++) {
      const cell = CELL * i;
      let at = hash(cells[cell], cells[cell + 1], cells[cell + 2], cells[cell + 3], cells[cell + 4]) & (slots.length - 1);
      while (slots[at] !== 0) at = (at + 1) & (slots.length - 1);
      slots[at] = i + 1;
    }
    this.slots = slots;
  }
}

const CELL = 5;

/** Every word multiplied and rotated in, then mixed: the rounds and constants of MurmurHash3 (see ids.ts). */
function hash(low: number, high: number, type: number, first: number, last: number): number {
  let h = round(round(round(round(type, low), high), first), last);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function round(h: number, word: number): number {
  const k = Math.imul(word, 0xcc9e2d51);
  const x = h ^ Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  return Math.imul((x << 13) | (x >>> 19), 5) + 0xe6546b64;
}

function tallyColumns(length: number): Tallies {
  return {
    customers: new BigInt64Array(length),
    types: new Uint8Array(length),
    firsts: new Int32Array(length),
    lasts: new Int32Array(length),
    counts: new Float64Array(length),
  };
}
