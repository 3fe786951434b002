import type { FileMetaData } from "hyparquet";
import { ByteWriter } from "hyparquet-writer/src/bytewriter.js";
import type { Padding } from "../layout";
import { type Bounds, Chunk, copyOf, type WrittenChunk, withPageIndex } from "./chunk";
import { beginFile, endFile } from "./footer";
import { type HistoryPages, ListPages, writeBooleans, writeColumn } from "./pages";
import { RaggedPages } from "./raggedpages";
import { DICTIONARY_VALUES, History, RowGroup } from "./rowgroup";
import { type Compression, type Content, type Leaf, leafOf, type OutputColumn, schemaOf } from "./schema";

export { prepare } from "./compression";
export type { Compression, Content, OutputColumn } from "./schema";

export interface TrainingFileOptions {
  /** elements of every list, or without padding the most of one */
  historyLength: number;
  /** what stands behind the real actions of a list: zeros unless it says otherwise */
  padding?: Padding;
  columns: readonly OutputColumn[];
  /** "zstd" needs `await prepare("zstd")` before */
  compression: Compression;
  /** decoded bytes of a row group, about: see `rowsPerGroup` */
  rowGroupBytes: number;
  /** such as "backstory version 0.1.0 (build 0)", a form that readers parse */
  createdBy: string;
  /** key-value metadata, of a file with rows */
  notes?: Record<string, string>;
  /** most distinct values of a dictionary before a row group is closed; for tests */
  dictionaryValues?: number;
}

/** Rows of a full row group. A decoded row is 12 bytes an action (int64 and int32) and about 64 bytes of other columns. */
export function rowsPerGroup(rowGroupBytes: number, historyLength: number): number {
  return Math.max(1, Math.floor(rowGroupBytes / (12 * historyLength + 64)));
}

/** Of files that are finished: the next ones need not grow theirs again. */
const spare: ByteWriter[] = [];
const MOST_SPARE_BYTES = 4 << 20;

/**
 * Writes a Parquet file of training rows in which the rows of a history are next to each other.
 * Memory is bounded by a row group; its lists are held once per history. Same calls, same bytes.
 */
export class TrainingFile {
  private readonly out = spare.pop() ?? new ByteWriter(1 << 16);
  private readonly leaves: { holds: Content; leaf: Leaf }[];
  private readonly withTimes: boolean;
  private readonly group: RowGroup;
  private readonly shared = new History();
  private readonly lists: HistoryPages;
  private ids: Uint8Array = new Uint8Array(0);
  private idStart = 0;
  private idEnd = 0;
  /** whether the row group has the shared history already, and the ranking; never the ranking alone */
  private hasHistory = false;
  private hasRanking = false;
  private rows = 0;
  private readonly groups: { rows: number; offset: number; chunks: WrittenChunk[] }[] = [];

  /** @param sink takes the file's bytes in order; an array is good until it returns */
  constructor(
    private readonly options: TrainingFileOptions,
    private readonly sink: (bytes: Uint8Array) => void,
  ) {
    const { historyLength, columns, compression, rowGroupBytes, dictionaryValues = DICTIONARY_VALUES } = options;
    this.leaves = columns.map((column) => ({ holds: column.holds, leaf: leafOf(column) }));
    this.withTimes = columns.some(({ holds }) => holds === "action_times");
    this.group = new RowGroup(rowsPerGroup(rowGroupBytes, historyLength), this.withTimes, dictionaryValues);
    this.lists = options.padding === "none" ? new RaggedPages(compression) : new ListPages(historyLength, compression);
    beginFile(this.out);
    this.pass();
  }

  /**
   * The history that the following slots share: real actions, newest first, [from, to) of the columns. The arrays are
   * looked at until the next history or the end, so they stay as they are until then.
   * @param items int64 as (lo, hi) pairs of little-endian int32, like the customer
   * @param times whole microseconds; needed only for a column that holds action_times
   */
  history(
    customerLo: number,
    customerHi: number,
    items: Int32Array,
    types: Uint8Array,
    times: Float64Array | undefined,
    from: number,
    to: number,
  ): void {
    const { historyLength } = this.options;
    if (to - from > historyLength) throw new Error(`A history has at most ${historyLength} actions here; got ${to - from}. Cut it first.`);
    if (this.withTimes && times === undefined && to > from) throw new Error("A column holds action_times; got a history without times.");
    this.shared.set(customerLo, customerHi, items, types, times, from, to);
    this.hasHistory = this.hasRanking = false;
  }

  /** The ranking that the following slots are of. Its id is UTF-8: bytes [idStart, idEnd) of ids, which stay as they are until the next. */
  ranking(ids: Uint8Array, idStart: number, idEnd: number): void {
    this.ids = ids;
    this.idStart = idStart;
    this.idEnd = idEnd;
    this.hasRanking = false;
  }

  /** One row. item as (lo, hi). */
  slot(impressionIndex: number, itemLo: number, itemHi: number, isOrder: number): void {
    const { group } = this;
    if (group.isFull(this.shared, !this.hasHistory, this.idEnd - this.idStart)) this.endRowGroup();
    if (!this.hasRanking) this.begin();
    group.row(impressionIndex, itemLo, itemHi, isOrder);
  }

  /** Tells the row group what the next row shares with those behind it. */
  private begin(): void {
    if (this.shared.count < 0) throw new Error("A slot needs a history; got a slot before any. Call history() first.");
    if (!this.hasHistory) this.group.add(this.shared);
    this.group.ranking(this.ids, this.idStart, this.idEnd);
    this.hasHistory = this.hasRanking = true;
  }

  /** Writes what is left and the footer. */
  finish(): { rows: number; bytes: number; rowGroups: number } {
    if (this.group.rows > 0) this.endRowGroup();
    const { out, groups, rows } = this;
    const { notes } = this.options;
    const row_groups = groups.map((group) => withPageIndex(this.out, group)); // stands before the footer
    const metadata: FileMetaData = {
      version: 2,
      created_by: this.options.createdBy,
      schema: schemaOf(this.options.columns),
      num_rows: BigInt(rows),
      row_groups,
      ...(notes === undefined || groups.length === 0 ? {} : { key_value_metadata: entriesOf(notes) }),
      metadata_length: 0, // not written
    };
    endFile(out, metadata);
    this.pass();
    const bytes = out.offset;
    out.offset = 0;
    if (out.buffer.byteLength <= MOST_SPARE_BYTES) spare.push(out);
    return { rows, bytes, rowGroups: groups.length };
  }

  private endRowGroup(): void {
    const { group, out } = this;
    const offset = out.offset;
    let items: { chunk: WrittenChunk; bytes: Uint8Array; offset: number } | undefined; // two columns hold them
    const chunks = this.leaves.map(({ holds, leaf }) => {
      const start = out.offset;
      const content = holds === "impressions" ? "item_id" : holds;
      if (content === "item_id" && items) {
        this.sink(items.bytes);
        out.offset += items.bytes.length;
        return copyOf(items.chunk, leaf, start - items.offset);
      }
      const chunk = this.writeChunk(content, leaf);
      if (content === "item_id") items = { chunk, bytes: out.getBytes().slice(), offset: start };
      this.pass();
      return chunk;
    });
    this.groups.push({ rows: group.rows, offset, chunks });
    this.rows += group.rows;
    group.clear();
    this.hasHistory = this.hasRanking = false;
  }

  private writeChunk(content: Content, leaf: Leaf): WrittenChunk {
    const { group, lists } = this;
    const { compression } = this.options;
    const chunk = new Chunk(this.out, leaf, compression);
    const bounds = ((): Bounds | undefined => {
      switch (content) {
        case "actions":
          return void lists.write(chunk, group.actions.dictionary, group.actions.indexes, group.histories);
        case "action_types":
          return void lists.write(chunk, group.types.dictionary, group.types.indexes, group.histories);
        case "action_times":
          return void lists.write(chunk, group.times.dictionary, group.times.indexes, group.histories);
        case "is_order":
          return writeBooleans(chunk, group.orders, group.rows, compression);
        default: {
          const { dictionary, indexes } = this.scalars(content);
          return writeColumn(chunk, dictionary, indexes, group.rows, compression);
        }
      }
    })();
    return chunk.end(bounds);
  }

  private scalars(content: Content) {
    const { group } = this;
    switch (content) {
      case "ranking_id":
        return group.rankingIds;
      case "customer_id":
        return group.customers;
      case "impression_index":
        return group.impressionIndexes;
      case "history_length":
        return group.lengths;
      default:
        return group.items;
    }
  }

  /** Hands on what has been written. */
  private pass(): void {
    this.sink(this.out.getBytes());
    this.out.index = 0;
  }
}

const entriesOf = (notes: Record<string, string>) => Object.entries(notes).map(([key, value]) => ({ key, value }));
