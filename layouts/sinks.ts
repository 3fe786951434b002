/** Writers of the layouts. */
import type { LayoutNote } from "../pipeline/layout";
import { NOTE_KEY } from "../pipeline/layout";
import type { Compression, OutputColumn } from "../pipeline/parquet/schema";
import { TrainingFile } from "../pipeline/parquet/trainingfile";
import { CREATED_BY } from "../pipeline/version";
import { words } from "../transforms/ids";
import { type History, type Ranking, type Sink, Twins } from "./model";
import { type Buffered, type TableColumn, TableFile } from "./table";

/** How the rows of a file are written, and so how they can be written again. */
export interface FileSettings {
  columns: OutputColumn[];
  historyLength: number;
  rowGroupBytes: number;
  compression: Compression;
}

export type Write = (bytes: Uint8Array) => void;
export type Padding = LayoutNote["padding"];

export class RowsSink implements Sink {
  private readonly file: TrainingFile;
  private readonly withTimes: boolean;
  private readonly twins = new Twins((ranking, count) => this.write(ranking, count));

  constructor(settings: FileSettings, write: Write) {
    this.file = new TrainingFile({ ...settings, createdBy: CREATED_BY }, write);
    this.withTimes = settings.columns.some(({ holds }) => holds === "action_times");
  }

  history({ customer, count, items, types, times }: History): void {
    this.twins.flush();
    const [lo, hi] = halves(customer);
    // copies: the file looks at them until the next history
    const real = items.slice(0, count);
    const floats = this.withTimes && times !== undefined ? Float64Array.from(times.subarray(0, count), Number) : undefined;
    this.file.history(lo, hi, words(real), Uint8Array.from(types.subarray(0, count)), floats, 0, count);
  }

  ranking(ranking: Ranking): void {
    this.twins.add(ranking);
  }

  private write({ id, items, orders }: Ranking, twins: number): void {
    this.file.ranking(id, 0, id.length);
    for (let slot = 0; slot < items.length; slot++) {
      const [lo, hi] = halves(items[slot]);
      for (let twin = 0; twin < twins; twin++) this.file.slot(slot, lo, hi, orders[slot]);
    }
  }

  finish(): void {
    this.twins.flush();
    this.file.finish();
  }
}

const value = (name: string, type: TableColumn["type"]): TableColumn => ({ name, type, shape: "value" });

const historyColumns = ({ columns }: FileSettings): TableColumn[] => [
  value("history_length", "int32"),
  { name: "actions", type: "int64", shape: "history" },
  { name: "action_types", type: "int32", shape: "history" },
  ...(columns.some(({ holds }) => holds === "action_times")
    ? [{ name: "action_times", type: "int64", shape: "history" } satisfies TableColumn]
    : []),
];

function tableOf(layout: LayoutNote["layout"], columns: TableColumn[], padding: Padding, settings: FileSettings, write: Write): TableFile {
  const { compression, rowGroupBytes, historyLength } = settings;
  const note: LayoutNote = { layout, padding, historyLength, rowGroupBytes, columns: settings.columns };
  const notes = { [NOTE_KEY]: JSON.stringify(note) };
  const length = padding === "none" ? null : historyLength;
  return new TableFile({ columns, historyLength: length, compression, rowGroupBytes, createdBy: CREATED_BY, notes }, write);
}

const elementsOf = (padding: Padding, { historyLength }: FileSettings, count: number): number =>
  padding === "none" ? count : historyLength;

function putHistory([actions, types, times]: Buffered[], history: History): void {
  const { count } = history;
  const put = (to: Buffered, values: BigInt64Array) => {
    const halves = words(values.subarray(0, count));
    for (let i = 0; i < count; i++) to.int(halves[2 * i], halves[2 * i + 1]);
    to.list(count, 0);
  };
  put(actions, history.items);
  for (let i = 0; i < count; i++) types.int(history.types[i], 0);
  types.list(count, 0);
  if (times !== undefined) put(times, history.times!);
}

export class RankingsSink implements Sink {
  private readonly file: TableFile;
  private current: History | undefined;
  /** whether the row group has the current history already */
  private hasHistory = false;

  constructor(
    private readonly settings: FileSettings,
    private readonly padding: Padding,
    write: Write,
  ) {
    const list = (name: string, type: TableColumn["type"]): TableColumn => ({ name, type, shape: "list" });
    const columns = [
      value("ranking_id", "string"),
      value("customer_id", "int64"),
      list("item_id", "int64"),
      list("is_order", "boolean"),
      list("impressions", "int64"),
      ...historyColumns(settings),
    ];
    this.file = tableOf("rankings", columns, padding, settings, write);
  }

  history(history: History): void {
    this.current = history;
    this.hasHistory = false;
  }

  ranking({ id, items, orders }: Ranking): void {
    const history = this.current!;
    const [ids, customers, itemIds, isOrder, impressions, lengths, ...lists] = this.file.columns;
    const elements = elementsOf(this.padding, this.settings, history.count) + items.length;
    if (this.file.makeRoom(elements)) this.hasHistory = false;
    if (!this.hasHistory) putHistory(lists, history);
    this.hasHistory = true;
    ids.text(id, 0, id.length);
    customers.int(...halves(history.customer));
    for (const to of [itemIds, impressions]) {
      for (const item of items) to.int(...halves(item));
      to.list(items.length, 1);
    }
    for (const order of orders) isOrder.flag(order);
    isOrder.list(orders.length, 1);
    lengths.int(history.count, 0);
    this.file.row(elements);
  }

  finish(): void {
    this.file.finish();
  }
}

export class HistoriesSink implements Sink {
  private readonly histories: TableFile;
  private readonly slots: TableFile;
  private customer = 0n;
  private row = -1;
  private readonly twins = new Twins((ranking, count) => this.write(ranking, count));

  constructor(
    private readonly settings: FileSettings,
    private readonly padding: Padding,
    write: { histories: Write; slots: Write },
  ) {
    const histories = [value("history_row", "int32"), value("customer_id", "int64"), ...historyColumns(settings)];
    this.histories = tableOf("histories", histories, padding, settings, write.histories);
    const slots = [
      value("ranking_id", "string"),
      value("customer_id", "int64"),
      value("impression_index", "int32"),
      value("item_id", "int64"),
      value("is_order", "boolean"),
      value("impressions", "int64"),
      value("history_row", "int32"),
    ];
    this.slots = tableOf("histories", slots, padding, settings, write.slots);
  }

  history(history: History): void {
    this.twins.flush();
    this.customer = history.customer;
    this.row++;
    const elements = elementsOf(this.padding, this.settings, history.count);
    this.histories.makeRoom(elements);
    const [rows, customers, lengths, ...lists] = this.histories.columns;
    putHistory(lists, history);
    rows.int(this.row, 0);
    customers.int(...halves(history.customer));
    lengths.int(history.count, 0);
    this.histories.row(elements);
  }

  ranking(ranking: Ranking): void {
    this.twins.add(ranking);
  }

  private write({ id, items, orders }: Ranking, twins: number): void {
    for (let slot = 0; slot < items.length; slot++) for (let twin = 0; twin < twins; twin++) this.slot(id, slot, items[slot], orders[slot]);
  }

  private slot(id: Uint8Array, index: number, item: bigint, order: number): void {
    this.slots.makeRoom(0);
    const [ids, customers, indexes, itemIds, isOrder, impressions, rows] = this.slots.columns;
    ids.text(id, 0, id.length);
    customers.int(...halves(this.customer));
    indexes.int(index, 0);
    itemIds.int(...halves(item));
    isOrder.flag(order);
    impressions.int(...halves(item));
    rows.int(this.row, 0);
    this.slots.row(0);
  }

  finish(): void {
    this.twins.flush();
    this.histories.finish();
    this.slots.finish();
  }
}

const halves = (id: bigint): [lo: number, hi: number] => [Number(BigInt.asIntN(32, id)), Number(id >> 32n)];
