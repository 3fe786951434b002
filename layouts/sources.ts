/** Readers of the layouts: each gives a sink what its file holds, in order. */
import type { FileSettings } from "../pipeline/dayfiles";
import { BrokenFile } from "../pipeline/io/rows";
import type { ArrowColumn, Bools, Ints, Lists, Texts } from "../verify/output/arrow";
import { columnsIn } from "../verify/output/reader";
import { type History, type Ranking, rankingsOf, type Sink, type Slots } from "./model";

type Long = Ints<BigInt64Array>;
type Short = Ints<Int32Array>;

/** Columns of some rows, by what they hold; a column that is not there, or of another type, ends the reading. */
class Batch {
  constructor(
    readonly path: string,
    readonly rows: number,
    private readonly found: Map<string, ArrowColumn | undefined>,
    private readonly nameOf: (holds: string) => string,
  ) {}

  get<C extends ArrowColumn>(holds: string, kind: C["kind"], values?: typeof BigInt64Array | typeof Int32Array): C {
    const name = this.nameOf(holds);
    const column = this.found.get(name);
    if (column === undefined || column.kind !== kind || (values !== undefined && this.rows > 0 && !isOf(column, values)))
      throw new BrokenFile(`"${this.path}": column ${name} is not there, has nulls, or is of another type than a build writes.`);
    return column as C;
  }
}

const isOf = (column: ArrowColumn, values: typeof BigInt64Array | typeof Int32Array): boolean =>
  "values" in column && (column.values instanceof values || column.values.length === 0);

async function* batches(path: string, names: Map<string, string>, elements: number): AsyncGenerator<Batch> {
  const read = columnsIn(path, [...names.values()], elements);
  while (true) {
    let next: Awaited<ReturnType<typeof read.next>>;
    try {
      next = await read.next();
    } catch (error) {
      throw new BrokenFile(`"${path}" cannot be read as Parquet (${error instanceof Error ? error.message : error}).`);
    }
    if (next.done) return;
    yield new Batch(path, next.value.rows, next.value.found, (holds) => names.get(holds) ?? holds);
  }
}

/** Rows as they come: gives histories when they change, and rankings when all slots of one id are there. */
class Grouping {
  private given: History | undefined;
  private history: History | undefined;
  private id: Buffer = Buffer.alloc(0);
  private slots: Slots = { indexes: [], items: [], orders: [] };

  constructor(
    private readonly path: string,
    private readonly sink: Sink,
  ) {}

  /** @param next is copied if it is another one */
  begin(next: History): void {
    if (this.given === next) return;
    this.given = next;
    if (this.history !== undefined && isSameHistory(this.history, next)) return;
    this.flush();
    const copy = ({ customer, count, items, types, times }: History): History => ({
      customer,
      count,
      items: items.slice(0, count),
      types: types.slice(0, count),
      times: times?.slice(0, count),
    });
    this.history = copy(next);
    this.sink.history(this.history);
  }

  slot(id: Buffer, index: number, item: bigint, order: number): void {
    if (!this.id.equals(id)) {
      this.flush();
      this.id = Buffer.from(id);
    }
    this.slots.indexes.push(index);
    this.slots.items.push(item);
    this.slots.orders.push(order);
  }

  ranking(ranking: Ranking): void {
    this.sink.ranking(ranking);
  }

  flush(): void {
    if (this.slots.indexes.length === 0) return;
    const rankings = rankingsOf(this.id, this.slots);
    if (rankings === undefined)
      throw new BrokenFile(`"${this.path}" has slots of a ranking in another order than a build writes them, which would be lost.`);
    for (const ranking of rankings) this.sink.ranking(ranking);
    this.slots = { indexes: [], items: [], orders: [] };
  }
}

function isSameHistory(a: History, b: History): boolean {
  if (a.customer !== b.customer || a.count !== b.count) return false;
  const same = (x: BigInt64Array | Int32Array, y: BigInt64Array | Int32Array) => bytesOf(x, a.count).equals(bytesOf(y, a.count));
  return same(a.items, b.items) && same(a.types, b.types) && (a.times === undefined || same(a.times, b.times!));
}

const bytesOf = (array: BigInt64Array | Int32Array, count: number): Buffer =>
  Buffer.from(array.buffer as ArrayBuffer, array.byteOffset, count * array.BYTES_PER_ELEMENT);

/** Histories of a batch: real actions, with padding looked at and left out. */
function historiesOf(batch: Batch, withTimes: boolean, length: number | null): (row: number) => History {
  const customers = batch.get<Long>("customer_id", "ints", BigInt64Array).values;
  const actions = batch.get<Lists<BigInt64Array>>("actions", "lists", BigInt64Array);
  const types = batch.get<Lists<Int32Array>>("action_types", "lists", Int32Array);
  const times = withTimes ? batch.get<Lists<BigInt64Array>>("action_times", "lists", BigInt64Array) : undefined;
  const lists = [actions, types, ...(times === undefined ? [] : [times])];
  const isAsBefore = (row: number) => customers[row] === customers[row - 1] && lists.every((list) => isSameList(list, row - 1, row));
  let last: History | undefined;
  // Rows that share a history are next to each other, so most are looked at by their bytes only.
  return (row) => (last = last !== undefined && isAsBefore(row) ? last : check(row));

  function check(row: number): History {
    const items = listOf(actions, row);
    const typesOf = listOf(types, row);
    const timesOf = times === undefined ? undefined : listOf(times, row);
    const end = typesOf.indexOf(0);
    const count = end < 0 ? typesOf.length : end;
    const isPadding = (list: BigInt64Array | Int32Array | undefined): boolean => {
      if (list === undefined) return true;
      if (list.length !== typesOf.length) return false;
      for (let i = count; i < list.length; i++) if (Number(list[i]) !== 0) return false;
      return true;
    };
    if ((length !== null && typesOf.length !== length) || ![items, typesOf, timesOf].every(isPadding) || typesOf.some(isNoType))
      throw new BrokenFile(
        `"${batch.path}" has a history that no build writes: lists of different lengths, padding that is not at the end and zero, or unknown types.`,
      );
    return { customer: customers[row], count, items, types: typesOf, times: timesOf };
  }
}

function isSameList({ offsets, values }: Lists<BigInt64Array | Int32Array>, a: number, b: number): boolean {
  const count = offsets[b] - offsets[a];
  if (offsets[b + 1] - offsets[b] !== count) return false;
  return bytesOf(values.subarray(offsets[a]), count).equals(bytesOf(values.subarray(offsets[b]), count));
}

const isNoType = (type: number): boolean => type < 0 || type > 127;

const listOf = <A extends BigInt64Array | Int32Array>({ offsets, values }: Lists<A>, row: number): A =>
  values.subarray(offsets[row], offsets[row + 1]) as A;

const textOf = ({ offsets, bytes }: Texts, row: number): Buffer => bytes.subarray(offsets[row], offsets[row + 1]);
const flagOf = ({ bits, first }: Bools, row: number): number => (bits[(first + row) >> 3] >> ((first + row) & 7)) & 1;

/** What a source reads. */
export interface Source {
  settings: FileSettings;
  /** elements of each history; null for as many as there are */
  length: number | null;
}

const HISTORY = ["customer_id", "actions", "action_types"];
const SLOT = ["ranking_id", "impression_index", "item_id", "is_order"];

const hasTimes = ({ settings }: Source): boolean => settings.columns.some(({ holds }) => holds === "action_times");
const elementsIn = (source: Source): number => source.settings.historyLength * (hasTimes(source) ? 3 : 2);
const plain = (names: string[]): Map<string, string> => new Map(names.map((name) => [name, name]));
const historyNames = (source: Source): string[] => (hasTimes(source) ? [...HISTORY, "action_times"] : HISTORY);

function slotsOf(batch: Batch) {
  return {
    ids: batch.get<Texts>("ranking_id", "texts"),
    indexes: batch.get<Short>("impression_index", "ints", Int32Array).values,
    items: batch.get<Long>("item_id", "ints", BigInt64Array).values,
    orders: batch.get<Bools>("is_order", "bools"),
  };
}

export async function readRows(path: string, source: Source, sink: Sink): Promise<void> {
  const wanted = new Set<string>([...historyNames(source), ...SLOT]);
  const { columns } = source.settings;
  const extra = ["impressions", "history_length"].filter((holds) => columns.some((column) => column.holds === holds));
  const names = new Map(columns.filter(({ holds }) => wanted.has(holds) || extra.includes(holds)).map(({ holds, name }) => [holds, name]));
  const grouping = new Grouping(path, sink);
  for await (const batch of batches(path, names, elementsIn(source))) {
    const historyOf = historiesOf(batch, hasTimes(source), source.length);
    const { ids, indexes, items, orders } = slotsOf(batch);
    const impressions = extra.includes("impressions") ? batch.get<Long>("impressions", "ints", BigInt64Array).values : items;
    const lengths = extra.includes("history_length") ? batch.get<Short>("history_length", "ints", Int32Array).values : undefined;
    for (let row = 0; row < batch.rows; row++) {
      const history = historyOf(row);
      if (impressions[row] !== items[row] || (lengths !== undefined && lengths[row] !== history.count))
        throw new BrokenFile(`"${path}" has impressions that are not item_id, or a history_length that is not that of its history.`);
      grouping.begin(history);
      grouping.slot(textOf(ids, row), indexes[row], items[row], flagOf(orders, row));
    }
  }
  grouping.flush();
}

export async function readRankings(path: string, source: Source, sink: Sink): Promise<void> {
  const names = plain([...historyNames(source), "ranking_id", "item_id", "is_order"]);
  const grouping = new Grouping(path, sink);
  for await (const batch of batches(path, names, elementsIn(source))) {
    const historyOf = historiesOf(batch, hasTimes(source), source.length);
    const ids = batch.get<Texts>("ranking_id", "texts");
    const items = batch.get<Lists<BigInt64Array>>("item_id", "lists", BigInt64Array);
    const orders = batch.get<Lists<Int32Array>>("is_order", "lists", Int32Array);
    for (let row = 0; row < batch.rows; row++) {
      grouping.begin(historyOf(row));
      const ranking = { id: Buffer.from(textOf(ids, row)), items: [...listOf(items, row)], orders: [...listOf(orders, row)] };
      if (ranking.items.length === 0 || ranking.items.length !== ranking.orders.length)
        throw new BrokenFile(`"${path}" has a ranking whose lists are empty or of different lengths.`);
      grouping.ranking(ranking);
    }
  }
}

/** The slots of a file, which are few bytes each, are in memory while its histories are read: the reader holds one file at a time. */
export async function readHistories(path: string, slotsPath: string, source: Source, sink: Sink): Promise<void> {
  const slots = await readSlots(slotsPath);
  const grouping = new Grouping(slotsPath, sink);
  let at = 0;
  let history = 0;
  for await (const batch of batches(path, plain(historyNames(source)), elementsIn(source))) {
    const historyOf = historiesOf(batch, hasTimes(source), source.length);
    for (let row = 0; row < batch.rows; row++, history++) {
      const real = historyOf(row);
      grouping.begin(real);
      for (; slots[at]?.history === history; at++) {
        const { id, customer, index, item, order } = slots[at];
        if (customer !== real.customer) throw notFitting(path, slotsPath);
        grouping.slot(id, index, item, order);
      }
    }
  }
  if (at < slots.length) throw notFitting(path, slotsPath);
  grouping.flush();
}

const notFitting = (path: string, slots: string): BrokenFile =>
  new BrokenFile(`"${slots}" does not fit its histories, "${path}": a history_row is out of order, or is of another customer.`);

interface Slot {
  id: Buffer;
  customer: bigint;
  index: number;
  item: bigint;
  order: number;
  history: number;
}

async function readSlots(path: string): Promise<Slot[]> {
  const slots: Slot[] = [];
  for await (const batch of batches(path, plain([...SLOT, "customer_id", "history_row"]), 0)) {
    const { ids, indexes, items, orders } = slotsOf(batch);
    const customers = batch.get<Long>("customer_id", "ints", BigInt64Array).values;
    const rows = batch.get<Short>("history_row", "ints", Int32Array).values;
    for (let row = 0; row < batch.rows; row++) {
      const last = slots.at(-1)?.id;
      const text = textOf(ids, row);
      const id = last?.equals(text) ? last : Buffer.from(text);
      slots.push({ id, customer: customers[row], index: indexes[row], item: items[row], order: flagOf(orders, row), history: rows[row] });
    }
  }
  return slots;
}
