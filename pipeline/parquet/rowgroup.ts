import { grown } from "./bytes";
import { type Dictionary, IntDictionary, TimeDictionary, TypeDictionary } from "./dictionary";
import type { Indexes } from "./packing";
import type { Histories } from "./pages";
import { StringDictionary } from "./strings";

/** Most values of a row group's dictionary: 8 MiB of int64. */
export const DICTIONARY_VALUES = 1 << 20;
/** Most bytes of a row group's ranking_ids, for each of those values: 16 MiB in all. */
const ID_BYTES_PER_VALUE = 16;

/** A column without lists: its dictionary, and of each row the index in it. */
export class Scalars<D extends Dictionary> {
  indexes = new Int32Array(1024);

  constructor(readonly dictionary: D) {}

  set(row: number, index: number): void {
    if (row >= this.indexes.length) this.indexes = grown(this.indexes, row + 1);
    this.indexes[row] = index;
  }
}

/** A list column: its dictionary, and of each history the indexes of its real elements, one history behind the other. */
export class Elements<D extends Dictionary, I extends Indexes> {
  constructor(
    readonly dictionary: D,
    public indexes: I,
  ) {}

  room(length: number): void {
    this.indexes = grown(this.indexes, length);
  }
}

/** The history that the next slots share: a copy, since whoever gave it may use their arrays again. */
export class History {
  customerLo = 0;
  customerHi = 0;
  count = -1;
  items = new Int32Array(0);
  types = new Uint8Array(0);
  /** microseconds as (lo, hi) pairs */
  times = new Int32Array(0);

  set(customer: bigint, items: Int32Array, types: Uint8Array, times: Float64Array | undefined, from: number, to: number): void {
    const count = to - from;
    this.customerLo = Number(BigInt.asIntN(32, customer));
    this.customerHi = Number(customer >> 32n);
    this.count = count;
    this.items = grown(this.items, 2 * count);
    this.items.set(items.subarray(2 * from, 2 * to));
    this.types = grown(this.types, count);
    this.types.set(types.subarray(from, to));
    if (times) this.setTimes(times, from, count);
  }

  private setTimes(times: Float64Array, from: number, count: number): void {
    const pairs = (this.times = grown(this.times, 2 * count));
    for (let i = 0; i < count; i++) {
      const high = Math.floor(times[from + i] / 2 ** 32);
      pairs[2 * i] = times[from + i] - high * 2 ** 32;
      pairs[2 * i + 1] = high;
    }
  }
}

/** The rows of one row group as dictionary indexes. Lists are held once per history, and `clear` keeps the memory. */
export class RowGroup {
  rows = 0;
  readonly rankingIds = new Scalars(new StringDictionary());
  readonly customers = new Scalars(new IntDictionary(64));
  readonly impressionIndexes = new Scalars(new IntDictionary(32));
  readonly items = new Scalars(new IntDictionary(64));
  readonly lengths = new Scalars(new IntDictionary(32));
  orders = new Uint8Array(1024);
  readonly actions = new Elements(new IntDictionary(64), new Int32Array(1024));
  readonly types = new Elements(new TypeDictionary(), new Uint8Array(1024));
  readonly times = new Elements(new TimeDictionary(), new Int32Array(1024));
  readonly histories: Histories = { size: 0, starts: new Int32Array(64), counts: new Int32Array(64), slots: new Int32Array(64) };
  private elements = 0;
  private customer = 0;
  private length = 0;
  private rankingId = -1;

  constructor(
    private readonly mostRows: number,
    private readonly withTimes: boolean,
    private readonly mostValues: number,
  ) {
    this.clear();
  }

  clear(): void {
    this.rows = this.elements = this.histories.size = 0;
    this.rankingId = -1;
    const { rankingIds, customers, impressionIndexes, items, lengths, actions, types, times } = this;
    for (const { dictionary } of [rankingIds, customers, impressionIndexes, items, lengths, actions, types, times]) dictionary.clear();
    actions.dictionary.index(0, 0); // padding is index 0 of every list
  }

  /** Whether the row group ends before this row. A dictionary never gets too large: the next row group begins instead. */
  isFull(history: History, isNew: boolean, idBytes: number): boolean {
    if (this.rows === 0) return false;
    if (this.rows >= this.mostRows || this.items.dictionary.size >= this.mostValues) return true;
    if (this.rankingIds.dictionary.byteLength + 4 + idBytes > ID_BYTES_PER_VALUE * this.mostValues) return true;
    if (!isNew) return false;
    // as if none of the history's values were known already: exact would need a second look-up
    const values = Math.max(this.actions.dictionary.size, this.times.dictionary.size) + history.count;
    return values > this.mostValues;
  }

  add(history: History): void {
    const { histories, elements } = this;
    const { count } = history;
    const h = histories.size++;
    histories.starts = grown(histories.starts, h + 1);
    histories.counts = grown(histories.counts, h + 1);
    histories.slots = grown(histories.slots, h + 1);
    histories.starts[h] = elements;
    histories.counts[h] = count;
    histories.slots[h] = 0;
    this.elements += count;
    this.actions.room(this.elements);
    this.actions.dictionary.indexAll(history.items, 0, count, this.actions.indexes, elements);
    this.types.room(this.elements);
    this.types.dictionary.indexAll(history.types, 0, count, this.types.indexes, elements);
    this.customer = this.customers.dictionary.index(history.customerLo, history.customerHi);
    this.length = this.lengths.dictionary.index(count, 0);
    if (!this.withTimes) return;
    this.times.room(this.elements);
    this.times.dictionary.indexAll(history.times, 0, count, this.times.indexes, elements);
  }

  /** One row of the history that was added last. */
  row(ids: Uint8Array, idStart: number, idEnd: number, impressionIndex: number, itemLo: number, itemHi: number, isOrder: number): void {
    const row = this.rows++;
    const { rankingIds, histories } = this;
    // the slots of a ranking follow each other, so that its id is mostly the one before
    if (this.rankingId < 0 || !rankingIds.dictionary.equals(this.rankingId, ids, idStart, idEnd)) {
      this.rankingId = rankingIds.dictionary.index(ids, idStart, idEnd);
    }
    rankingIds.set(row, this.rankingId);
    this.customers.set(row, this.customer);
    this.lengths.set(row, this.length);
    this.impressionIndexes.set(row, this.impressionIndexes.dictionary.index(impressionIndex, impressionIndex >> 31));
    this.items.set(row, this.items.dictionary.index(itemLo, itemHi));
    this.orders = grown(this.orders, row + 1);
    this.orders[row] = isOrder === 0 ? 0 : 1;
    histories.slots[histories.size - 1]++;
  }
}
