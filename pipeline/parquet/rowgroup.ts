import { grown } from "./bytes";
import { type Dictionary, IntDictionary, TimeDictionary, TypeDictionary } from "./dictionary";
import type { Indexes } from "./packing";
import type { Histories } from "./pages";
import { StringDictionary } from "./strings";

/** Most values of a row group's dictionary: 8 MiB of int64. */
export const DICTIONARY_VALUES = 1 << 20;
/** Most bytes of a row group's ranking_ids, for each of those values: 16 MiB in all. */
const ID_BYTES_PER_VALUE = 16;

/** Rows that a row group has room for at first. */
const FIRST_ROWS = 1024;

/** A column without lists: its dictionary, and of each row the index in it. */
export class Scalars<D extends Dictionary> {
  indexes = new Int32Array(FIRST_ROWS);

  constructor(readonly dictionary: D) {}
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

/** The history that the next slots share: elements [from, to) of someone's arrays, which are read once per row group. */
export class History {
  customerLo = 0;
  customerHi = 0;
  from = 0;
  count = -1;
  /** int64 as (lo, hi) pairs */
  items: Int32Array = new Int32Array(0);
  types: Uint8Array = new Uint8Array(0);
  times: Float64Array | undefined;

  set(
    customerLo: number,
    customerHi: number,
    items: Int32Array,
    types: Uint8Array,
    times: Float64Array | undefined,
    from: number,
    to: number,
  ): void {
    this.customerLo = customerLo;
    this.customerHi = customerHi;
    this.from = from;
    this.count = to - from;
    this.items = items;
    this.types = types;
    this.times = times;
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
  orders = new Uint8Array(FIRST_ROWS);
  readonly actions = new Elements(new IntDictionary(64), new Int32Array(1024));
  readonly types = new Elements(new TypeDictionary(), new Uint8Array(1024));
  readonly times = new Elements(new TimeDictionary(), new Int32Array(1024));
  readonly histories: Histories = { size: 0, starts: new Int32Array(64), counts: new Int32Array(64), slots: new Int32Array(64) };
  private elements = 0;
  private customer = 0;
  private length = 0;
  private rankingId = 0;

  constructor(
    private readonly mostRows: number,
    private readonly withTimes: boolean,
    private readonly mostValues: number,
  ) {
    this.clear();
  }

  clear(): void {
    this.rows = this.elements = this.histories.size = 0;
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

  add({ customerLo, customerHi, items, types, times, from, count }: History): void {
    const { elements } = this;
    const to = from + count;
    this.begin(elements, count);
    this.elements += count;
    this.actions.room(this.elements);
    this.actions.dictionary.indexAll(items, from, to, this.actions.indexes, elements);
    this.types.room(this.elements);
    this.types.dictionary.indexAll(types, from, to, this.types.indexes, elements);
    this.customer = this.customers.dictionary.index(customerLo, customerHi);
    this.length = this.lengths.dictionary.index(count, 0);
    if (!this.withTimes || times === undefined) return;
    this.times.room(this.elements);
    this.times.dictionary.indexAll(times, from, to, this.times.indexes, elements);
  }

  private begin(start: number, count: number): void {
    const { histories } = this;
    const h = histories.size++;
    if (h === histories.starts.length) {
      histories.starts = grown(histories.starts, h + 1);
      histories.counts = grown(histories.counts, h + 1);
      histories.slots = grown(histories.slots, h + 1);
    }
    histories.starts[h] = start;
    histories.counts[h] = count;
    histories.slots[h] = 0;
  }

  /** The ranking that the next rows are of: UTF-8, ids[from, to). */
  ranking(ids: Uint8Array, from: number, to: number): void {
    this.rankingId = this.rankingIds.dictionary.index(ids, from, to);
  }

  /** One row of the ranking and of the history that were added last. */
  row(impressionIndex: number, itemLo: number, itemHi: number, isOrder: number): void {
    const row = this.rows++;
    if (row === this.orders.length) this.growRows();
    const { histories, impressionIndexes, items } = this;
    this.rankingIds.indexes[row] = this.rankingId;
    this.customers.indexes[row] = this.customer;
    this.lengths.indexes[row] = this.length;
    impressionIndexes.indexes[row] = impressionIndexes.dictionary.index(impressionIndex, impressionIndex >> 31);
    items.indexes[row] = items.dictionary.index(itemLo, itemHi);
    this.orders[row] = isOrder === 0 ? 0 : 1;
    histories.slots[histories.size - 1]++;
  }

  private growRows(): void {
    const rows = 2 * this.orders.length;
    const { rankingIds, customers, lengths, impressionIndexes, items } = this;
    for (const column of [rankingIds, customers, lengths, impressionIndexes, items]) column.indexes = grown(column.indexes, rows);
    this.orders = grown(this.orders, rows);
  }
}
