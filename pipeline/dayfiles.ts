/**
 * The files that rows of a shard and day become, by layout. Whoever writes gives histories, and after each the rankings that share it: the same
 * calls whatever the layout, so a build writes any of them at once, and a conversion writes what a build would.
 */
import type { FileKind, Layout, LayoutNote, Padding } from "./layout";
import { NOTE_KEY } from "./notekey";
import type { Compression, OutputColumn } from "./parquet/schema";
import { type Buffered, type TableColumn, TableFile } from "./parquet/table";
import { TrainingFile } from "./parquet/trainingfile";
import { CREATED_BY } from "./version";

/** How the rows of a file are written, and so how they can be written again. */
export interface FileSettings {
  columns: readonly OutputColumn[];
  historyLength: number;
  rowGroupBytes: number;
  compression: Compression;
}

/** Opens a file. @returns what takes its bytes in order; an array is good until it returns */
export type Open = (kind: FileKind) => (bytes: Uint8Array) => void;

/** What is in a file. */
export interface Content {
  kind: FileKind;
  /** as its footer tells */
  rows: number;
  /** those that it has; histories have none */
  slots: number;
}

/** A history: real actions, newest first, [from, to) of the columns; int64 as (lo, hi) pairs of little-endian int32. */
export interface HistoryAt {
  customerLo: number;
  customerHi: number;
  items: Int32Array;
  types: Uint8Array;
  /** whole microseconds; needed only for a column that holds action_times */
  times: Float64Array | undefined;
  from: number;
  to: number;
}

/** A ranking: its id is UTF-8, ids[idFrom, idTo), its slots are [from, to) of the columns. */
export interface RankingAt {
  ids: Uint8Array;
  idFrom: number;
  idTo: number;
  items: Int32Array;
  orders: Uint8Array;
  from: number;
  to: number;
}

export interface DayFiles {
  /** What the following rankings share. Its arrays are looked at until the next history or the end, so they stay as they are until then. */
  history(history: HistoryAt): void;
  /** A ranking that was given so many times. */
  ranking(ranking: RankingAt, twins: number): void;
  finish(): Content[];
}

export function dayFiles(layout: Layout, padding: Padding, settings: FileSettings, open: Open): DayFiles {
  if (layout === "rows") return new Rows(settings, padding, open("part"));
  return layout === "rankings" ? new Rankings(settings, padding, open("part")) : new Histories(settings, padding, open);
}

class Rows implements DayFiles {
  private readonly file: TrainingFile;

  constructor(settings: FileSettings, padding: Padding, write: (bytes: Uint8Array) => void) {
    const notes = padding === "none" ? { notes: notesOf("rows", padding, settings) } : {};
    this.file = new TrainingFile({ ...settings, padding, createdBy: CREATED_BY, ...notes }, write);
  }

  history({ customerLo, customerHi, items, types, times, from, to }: HistoryAt): void {
    this.file.history(customerLo, customerHi, items, types, times, from, to);
  }

  /** Rows are in one total order, so the slots of a ranking that was given twice alternate. */
  ranking({ ids, idFrom, idTo, items, orders, from, to }: RankingAt, twins: number): void {
    this.file.ranking(ids, idFrom, idTo);
    for (let s = from; s < to; s++) {
      for (let twin = 0; twin < twins; twin++) this.file.slot(s - from, items[2 * s], items[2 * s + 1], orders[s]);
    }
  }

  finish(): Content[] {
    const { rows } = this.file.finish();
    return [{ kind: "part", rows, slots: rows }];
  }
}

const value = (name: string, type: TableColumn["type"]): TableColumn => ({ name, type, shape: "value" });
const list = (name: string, type: TableColumn["type"]): TableColumn => ({ name, type, shape: "list" });
const ofHistory = (name: string, type: TableColumn["type"]): TableColumn => ({ name, type, shape: "history" });
const hasTimes = ({ columns }: FileSettings): boolean => columns.some(({ holds }) => holds === "action_times");

const historyColumns = (settings: FileSettings): TableColumn[] => [
  value("history_length", "int32"),
  ofHistory("actions", "int64"),
  ofHistory("action_types", "int32"),
  ...(hasTimes(settings) ? [ofHistory("action_times", "int64")] : []),
];

function notesOf(layout: Layout, padding: Padding, { historyLength, rowGroupBytes, columns }: FileSettings): Record<string, string> {
  const note: LayoutNote = { layout, padding, historyLength, rowGroupBytes, columns: [...columns] };
  return { [NOTE_KEY]: JSON.stringify(note) };
}

function tableOf(
  layout: Layout,
  columns: TableColumn[],
  padding: Padding,
  settings: FileSettings,
  write: (bytes: Uint8Array) => void,
): TableFile {
  const { compression, rowGroupBytes, historyLength } = settings;
  const notes = notesOf(layout, padding, settings);
  const length = padding === "none" ? null : historyLength;
  return new TableFile({ columns, historyLength: length, compression, rowGroupBytes, createdBy: CREATED_BY, notes }, write);
}

/** To the columns of its lists. */
function putHistory([actions, types, times]: readonly Buffered[], history: HistoryAt): void {
  const { from, to } = history;
  const count = to - from;
  actions.intsOf(history.items, from, to);
  actions.list(count, 0);
  types.codesOf(history.types, from, to);
  types.list(count, 0);
  if (times === undefined) return;
  if (history.times === undefined && count > 0) throw new Error("A column holds action_times; got a history without times.");
  for (let i = from; i < to; i++) {
    const hi = Math.floor(history.times![i] / 2 ** 32);
    times.int((history.times![i] - hi * 2 ** 32) | 0, hi);
  }
  times.list(count, 0);
}

/** Before the first history. */
const NOBODY: HistoryAt = {
  customerLo: 0,
  customerHi: 0,
  items: new Int32Array(0),
  types: new Uint8Array(0),
  times: undefined,
  from: 0,
  to: 0,
};

class Rankings implements DayFiles {
  private readonly file: TableFile;
  private readonly lists: Buffered[];
  private shared = NOBODY;
  /** whether the row group has the history already */
  private hasHistory = false;
  private slots = 0;

  constructor(
    private readonly settings: FileSettings,
    private readonly padding: Padding,
    write: (bytes: Uint8Array) => void,
  ) {
    const columns = [
      value("ranking_id", "string"),
      value("customer_id", "int64"),
      list("item_id", "int64"),
      list("is_order", "boolean"),
      { ...list("impressions", "int64"), sameAs: "item_id" },
      ...historyColumns(settings),
    ];
    this.file = tableOf("rankings", columns, padding, settings, write);
    this.lists = this.file.columns.filter(({ column }) => column.shape === "history");
  }

  history(history: HistoryAt): void {
    this.shared = history;
    this.hasHistory = false;
  }

  ranking(ranking: RankingAt, twins: number): void {
    for (let twin = 0; twin < twins; twin++) this.row(ranking);
  }

  private row({ ids, idFrom, idTo, items, orders, from, to }: RankingAt): void {
    const { file, shared } = this;
    const count = shared.to - shared.from;
    const [id, customer, itemIds, isOrder, _impressions, lengths] = file.columns;
    const elements = (this.padding === "none" ? count : this.settings.historyLength) + to - from;
    if (file.makeRoom(elements)) this.hasHistory = false;
    if (!this.hasHistory) putHistory(this.lists, shared);
    this.hasHistory = true;
    id.text(ids, idFrom, idTo);
    customer.int(shared.customerLo, shared.customerHi);
    itemIds.intsOf(items, from, to);
    itemIds.list(to - from, 1);
    for (let s = from; s < to; s++) isOrder.flag(orders[s]);
    isOrder.list(to - from, 1);
    lengths.int(count, 0);
    file.row(elements);
    this.slots += to - from;
  }

  finish(): Content[] {
    return [{ kind: "part", rows: this.file.finish().rows, slots: this.slots }];
  }
}

class Histories implements DayFiles {
  private readonly histories: TableFile;
  private readonly lists: Buffered[];
  private readonly slots: TableFile;
  private shared = NOBODY;
  private row = -1;

  constructor(
    private readonly settings: FileSettings,
    private readonly padding: Padding,
    open: Open,
  ) {
    const histories = [value("history_row", "int32"), value("customer_id", "int64"), ...historyColumns(settings)];
    this.histories = tableOf("histories", histories, padding, settings, open("histories"));
    this.lists = this.histories.columns.filter(({ column }) => column.shape === "history");
    const slots = [
      value("ranking_id", "string"),
      value("customer_id", "int64"),
      value("impression_index", "int32"),
      value("item_id", "int64"),
      value("is_order", "boolean"),
      { ...value("impressions", "int64"), sameAs: "item_id" },
      value("history_row", "int32"),
    ];
    this.slots = tableOf("histories", slots, padding, settings, open("slots"));
  }

  history(history: HistoryAt): void {
    const { histories } = this;
    const [rows, customers, lengths] = histories.columns;
    const count = history.to - history.from;
    const elements = this.padding === "none" ? count : this.settings.historyLength;
    histories.makeRoom(elements);
    putHistory(this.lists, history);
    rows.int(++this.row, 0);
    customers.int(history.customerLo, history.customerHi);
    lengths.int(count, 0);
    this.shared = history;
    histories.row(elements);
  }

  /** In the order of rows: the slots of a ranking that was given twice alternate. */
  ranking({ ids, idFrom, idTo, items, orders, from, to }: RankingAt, twins: number): void {
    const { slots, shared, row } = this;
    const [id, customer, indexes, itemIds, isOrder, _impressions, rows] = slots.columns;
    let isFirst = true;
    for (let s = from; s < to; s++)
      for (let twin = 0; twin < twins; twin++) {
        if (slots.makeRoom(0) || isFirst) {
          id.text(ids, idFrom, idTo);
          customer.int(shared.customerLo, shared.customerHi);
          rows.int(row, 0);
        } else for (const column of [id, customer, rows]) column.again();
        isFirst = false;
        indexes.int(s - from, 0);
        itemIds.int(items[2 * s], items[2 * s + 1]);
        isOrder.flag(orders[s]);
        slots.row(0);
      }
  }

  finish(): Content[] {
    const slots = this.slots.finish().rows;
    return [
      { kind: "histories", rows: this.histories.finish().rows, slots: 0 },
      { kind: "slots", rows: slots, slots },
    ];
  }
}
