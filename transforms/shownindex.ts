import { Window } from "./bounds";
import { customerHash, IdIndex, words } from "./ids";
import type { RankingBatch } from "./rankings";
import type { Rules } from "./rules";

/**
 * The customers that have a ranking, and their days: what a scan needs to leave out actions that no row can use.
 * Row c of each column is one customer.
 */
export interface Shown {
  customers: BigInt64Array;
  /** first and last epoch day of a ranking */
  firstDays: Int32Array;
  lastDays: Int32Array;
}

/** The customers of some rankings. */
export function shownOf({ customers, days }: RankingBatch): Shown {
  return mergeShown([{ customers, firstDays: days, lastDays: days }]);
}

/** The customers of any of the parts; a part may name a customer more than once. */
export function mergeShown(parts: readonly Shown[]): Shown {
  const most = parts.reduce((sum, { firstDays }) => sum + firstDays.length, 0);
  const index = new IdIndex(most);
  const first = new Int32Array(most);
  const last = new Int32Array(most);
  for (const { customers, firstDays, lastDays } of parts) {
    const ids = words(customers);
    for (let i = 0; i < firstDays.length; i++) {
      const known = index.size;
      const c = index.add(ids[2 * i], ids[2 * i + 1]);
      if (c === known || firstDays[i] < first[c]) first[c] = firstDays[i];
      if (c === known || lastDays[i] > last[c]) last[c] = lastDays[i];
    }
  }
  return { customers: index.toArray(), firstDays: first.slice(0, index.size), lastDays: last.slice(0, index.size) };
}

const NOBODY: Shown = { customers: new BigInt64Array(0), firstDays: new Int32Array(0), lastDays: new Int32Array(0) };

/** All the customers shown, from chunks that have each of them once. They come again with every group of splits, and are the same object then. */
export class Together {
  private chunks: readonly Shown[] = [];
  private last = NOBODY;

  of(chunks: readonly Shown[]): Shown {
    if (chunks.length !== this.chunks.length || chunks.some((chunk, i) => chunk !== this.chunks[i])) this.put(chunks);
    this.chunks = chunks;
    return this.last;
  }

  private put(chunks: readonly Shown[]): void {
    // in one order, whatever the order in which they arrive
    const inOrder = [...chunks].filter(({ customers }) => customers.length > 0).sort((a, b) => (a.customers[0] < b.customers[0] ? -1 : 1));
    const all = {
      customers: joinColumns(
        inOrder.map(({ customers }) => customers),
        (n) => new BigInt64Array(n),
      ),
      firstDays: joinColumns(
        inOrder.map(({ firstDays }) => firstDays),
        (n) => new Int32Array(n),
      ),
      lastDays: joinColumns(
        inOrder.map(({ lastDays }) => lastDays),
        (n) => new Int32Array(n),
      ),
    };
    if (!same(all, this.last)) this.last = all;
  }
}

function joinColumns<C extends BigInt64Array | Int32Array>(columns: readonly C[], make: (length: number) => C): C {
  const all = make(columns.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const column of columns) {
    all.set(column as never, at);
    at += column.length;
  }
  return all;
}

const same = (a: Shown, b: Shown): boolean =>
  sameColumn(a.customers, b.customers) && sameColumn(a.firstDays, b.firstDays) && sameColumn(a.lastDays, b.lastDays);

const sameColumn = (a: BigInt64Array | Int32Array, b: BigInt64Array | Int32Array): boolean => Buffer.compare(bytesOf(a), bytesOf(b)) === 0;
const bytesOf = ({ buffer, byteOffset, byteLength }: BigInt64Array | Int32Array) => new Uint8Array(buffer, byteOffset, byteLength);

/** The window of a customer without a ranking: nothing lies within it. */
export const NOT_SHOWN = 0;

/**
 * Where a customer's actions can be of use: looked up once for each action of the input, at random. So all that a look-up
 * needs lies side by side, and the few distinct windows lie apart.
 */
export class ShownIndex {
  /** Open addressing: (low, high, window, customerHash), free where the window is NOT_SHOWN. */
  private readonly entries: Int32Array;
  private readonly shift: number;
  /** no ranking of a customer with window w sees an action before earliest[w] or from latest[w] on: microseconds */
  readonly earliest: Float64Array;
  readonly latest: Float64Array;
  /** no ranking at all sees an action before `first` or from `end` on */
  readonly first: number;
  readonly end: number;

  constructor({ customers, firstDays, lastDays }: Shown, rules: Rules) {
    const bits = Math.max(4, Math.ceil(Math.log2(customers.length * 2)));
    this.entries = new Int32Array(4 * 2 ** bits);
    this.shift = 32 - bits;
    const windows = new Windows(rules);
    const ids = words(customers);
    for (let c = 0; c < customers.length; c++) this.add(ids[2 * c], ids[2 * c + 1], windows.numberOf(firstDays[c], lastDays[c]));
    this.earliest = Float64Array.from(windows.earliest);
    this.latest = Float64Array.from(windows.latest);
    this.first = this.earliest.reduce((a, b) => Math.min(a, b));
    this.end = this.latest.reduce((a, b) => Math.max(a, b));
  }

  private add(low: number, high: number, window: number): void {
    const { entries } = this;
    let at = (placeHash(low, high) >>> this.shift) * 4;
    while (entries[at + 2] !== NOT_SHOWN) at = (at + 4) & (entries.length - 1);
    entries[at] = low;
    entries[at + 1] = high;
    entries[at + 2] = window;
    entries[at + 3] = customerHash(low, high);
  }

  /**
   * For the first n customers, (low, high) pairs: windows[i] = the window of customer i, NOT_SHOWN if they have no ranking,
   * hashes[i] = the customerHash of one who has.
   */
  findAll(customers: Int32Array, n: number, windows: Int32Array, hashes: Int32Array): void {
    const { entries, shift } = this;
    const mask = entries.length - 1;
    // A loop that only loads: the processor waits for the memory of many look-ups at a time, and not again below.
    for (let i = 0; i < n; i++) {
      const at = (placeHash(customers[2 * i], customers[2 * i + 1]) >>> shift) << 2;
      hashes[i] = at;
      windows[i] = entries[at + 2];
    }
    for (let i = 0; i < n; i++) {
      const low = customers[2 * i];
      const high = customers[2 * i + 1];
      let at = hashes[i];
      let window = windows[i];
      while (window !== NOT_SHOWN && (entries[at] !== low || entries[at + 1] !== high)) {
        at = (at + 4) & mask;
        window = entries[at + 2];
      }
      windows[i] = window;
      hashes[i] = entries[at + 3];
    }
  }
}

/** Cheaper than customerHash; its upper bits are the better ones. */
function placeHash(low: number, high: number): number {
  const h = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b);
  return Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
}

/** The distinct windows of customers, numbered from NOT_SHOWN + 1 on. */
class Windows {
  readonly earliest = [Infinity];
  readonly latest = [-Infinity];
  /** by last day, then by first day: few, and asked for once for each customer */
  private readonly numbers = new Map<number, Map<number, number>>();
  private readonly start: (day: number) => number;
  private readonly cutoff: (day: number) => number;

  constructor(rules: Rules) {
    const window = new Window(rules);
    this.start = memo((day) => window.start(day));
    // With the action clock dt alone an action's time says nothing about the cutoff.
    this.cutoff = rules.actionClock === "dt" ? () => Infinity : memo((day) => window.midnight(day));
  }

  numberOf(first: number, last: number): number {
    let numbers = this.numbers.get(last);
    if (numbers === undefined) this.numbers.set(last, (numbers = new Map()));
    let number = numbers.get(first);
    if (number === undefined) {
      numbers.set(first, (number = this.earliest.length));
      this.earliest.push(this.start(first));
      this.latest.push(this.cutoff(last));
    }
    return number;
  }
}

/** A midnight takes a search in the zone's table; there are few days and many customers. */
function memo(of: (day: number) => number): (day: number) => number {
  const known = new Map<number, number>();
  return (day) => {
    let value = known.get(day);
    if (value === undefined) known.set(day, (value = of(day)));
    return value;
  };
}
