/**
 * A Parquet file of the layouts that are not rows: columns of values, of lists of any length, and of histories, which several rows
 * next to each other may share. A padded history is encoded once for all of its rows.
 */
import type { FileMetaData, ParquetType, SchemaElement } from "hyparquet";
import { ByteWriter } from "hyparquet-writer/src/bytewriter.js";
import { grown } from "./bytes";
import { Chunk, copyOf, type WrittenChunk, withPageIndex } from "./chunk";
import { type Dictionary, IntDictionary, TypeDictionary } from "./dictionary";
import { beginFile, endFile } from "./footer";
import type { Indexes } from "./packing";
import { type Histories, ListPages, writeBooleans, writeColumn } from "./pages";
import { writeRagged } from "./ragged";
import type { Compression, Leaf } from "./schema";
import { StringDictionary } from "./strings";

export type Type = "int64" | "int32" | "string" | "boolean";
export interface TableColumn {
  name: string;
  type: Type;
  /** value: one a row; list: any number a row; history: those of the history that was given last, which rows share */
  shape: "value" | "list" | "history";
  /** a column before this one that has the same values: nothing is put here */
  sameAs?: string;
}

export interface TableOptions {
  columns: readonly TableColumn[];
  /** elements of every history, with zeros behind the real ones; null: no padding */
  historyLength: number | null;
  compression: Compression;
  /** decoded, about */
  rowGroupBytes: number;
  createdBy: string;
  /** key-value metadata */
  notes: Record<string, string>;
}

const PHYSICAL: Record<Type, ParquetType> = { int64: "INT64", int32: "INT32", boolean: "BOOLEAN", string: "BYTE_ARRAY" };
const BYTES: Record<Type, number> = { int64: 8, int32: 4, boolean: 1, string: 40 };
/** Most distinct values of a column in a row group. */
const MOST_VALUES = 1 << 20;

/** A column of the row group at hand. Of a list, row r has the elements [starts[r], starts[r] + counts[r]); of a history likewise, by history. */
export class Buffered {
  readonly ints: IntDictionary;
  readonly texts = new StringDictionary();
  /** of histories' types, which are small and few */
  readonly codes = new TypeDictionary();
  indexes: Int32Array = new Int32Array(1024);
  narrow: Uint8Array = new Uint8Array(1024);
  flags: Uint8Array = new Uint8Array(1024);
  size = 0;
  readonly lists: Histories = { size: 0, starts: new Int32Array(64), counts: new Int32Array(64), slots: new Int32Array(64) };

  constructor(readonly column: TableColumn) {
    this.ints = new IntDictionary(column.type === "int32" ? 32 : 64);
    this.clear();
  }

  clear(): void {
    this.size = this.lists.size = 0;
    this.ints.clear();
    this.texts.clear();
    this.codes.clear();
    if (this.column.shape !== "value") this.ints.index(0, 0); // padding is index 0, and no dictionary is empty
  }

  int(lo: number, hi: number): void {
    this.put(this.ints.index(lo, hi));
  }

  /** Pairs (lo, hi) of items, [from, to). */
  intsOf(items: Int32Array, from: number, to: number): void {
    this.indexes = grown(this.indexes, this.size + to - from);
    this.ints.indexAll(items, from, to, this.indexes, this.size);
    this.size += to - from;
  }

  /** Types of actions, [from, to). */
  codesOf(types: Uint8Array, from: number, to: number): void {
    this.narrow = grown(this.narrow, this.size + to - from);
    this.codes.indexAll(types, from, to, this.narrow, this.size);
    this.size += to - from;
  }

  /** The value that was put last, in this row group. */
  again(): void {
    this.put(this.indexes[this.size - 1]);
  }

  text(bytes: Uint8Array, from: number, to: number): void {
    this.put(this.texts.index(bytes, from, to));
  }

  flag(flag: number): void {
    if (this.size === this.flags.length) this.flags = grown(this.flags, this.size + 1);
    this.flags[this.size++] = flag;
  }

  /** The next list has the `count` elements put last, and stands in `slots` rows so far. */
  list(count: number, slots: number): void {
    const { lists } = this;
    const i = lists.size++;
    if (i === lists.starts.length) {
      lists.starts = grown(lists.starts, i + 1);
      lists.counts = grown(lists.counts, i + 1);
      lists.slots = grown(lists.slots, i + 1);
    }
    lists.starts[i] = this.size - count;
    lists.counts[i] = count;
    lists.slots[i] = slots;
  }

  get distinct(): number {
    return Math.max(this.ints.size, this.texts.size);
  }

  private put(index: number): void {
    if (this.size === this.indexes.length) this.indexes = grown(this.indexes, this.size + 1);
    this.indexes[this.size++] = index;
  }
}

/** A column of a row group as it lies in the file. */
interface Written {
  chunk: WrittenChunk;
  bytes: Uint8Array;
  offset: number;
}

/** Memory is bounded by a row group. Same calls, same bytes. */
export class TableFile {
  /** in order of the options: a row's values are put here before `row` is called */
  readonly columns: Buffered[];
  private readonly out = new ByteWriter(1 << 16);
  private readonly pages: ListPages | null;
  private readonly groups: { rows: number; offset: number; chunks: WrittenChunk[] }[] = [];
  /** decoded bytes of a row without the elements of its lists, and of an element of each list */
  private readonly valueBytes: number;
  private readonly elementBytes: number;
  private rowsOfGroup = 0;
  private bytesOfGroup = 0;
  private rows = 0;

  /** @param sink takes the file's bytes in order; an array is good until it returns */
  constructor(
    private readonly options: TableOptions,
    private readonly sink: (bytes: Uint8Array) => void,
  ) {
    const { historyLength, compression } = options;
    this.columns = options.columns.map((column) => new Buffered(column));
    this.pages = historyLength === null ? null : new ListPages(historyLength, compression);
    const bytesOf = (some: readonly TableColumn[]) => some.reduce((sum, { type }) => sum + BYTES[type], 0);
    this.valueBytes = bytesOf(options.columns.filter(({ shape }) => shape === "value"));
    this.elementBytes = bytesOf(options.columns.filter(({ shape }) => shape !== "value"));
    beginFile(this.out);
    this.pass();
  }

  /**
   * Whether a row would be too much for the row group at hand. If so that is written, and histories have to be given again.
   * @param elements of all lists of the row
   */
  makeRoom(elements: number): boolean {
    const { rowsOfGroup, bytesOfGroup, options, columns } = this;
    if (rowsOfGroup === 0) return false;
    const isFull = bytesOfGroup + this.bytesOf(elements) > options.rowGroupBytes;
    if (!isFull && columns.every(({ distinct }) => distinct + elements + 1 <= MOST_VALUES)) return false;
    this.endRowGroup();
    return true;
  }

  /** Ends a row, whose values have been put. */
  row(elements: number): void {
    this.rowsOfGroup++;
    this.bytesOfGroup += this.bytesOf(elements);
    for (const { column, lists } of this.columns) if (column.shape === "history") lists.slots[lists.size - 1]++;
  }

  private bytesOf(elements: number): number {
    return this.valueBytes + this.elementBytes * elements;
  }

  finish(): { rows: number; bytes: number } {
    if (this.rowsOfGroup > 0) this.endRowGroup();
    const { out, rows } = this;
    const { createdBy, notes, columns } = this.options;
    const row_groups = this.groups.map((group) => withPageIndex(this.out, group));
    const metadata: FileMetaData = {
      version: 2,
      created_by: createdBy,
      schema: [{ name: "schema", num_children: columns.length }, ...columns.flatMap(elementsOf)],
      num_rows: BigInt(rows),
      row_groups,
      key_value_metadata: Object.entries(notes).map(([key, value]) => ({ key, value })),
      metadata_length: 0, // not written
    };
    endFile(out, metadata);
    this.pass();
    return { rows, bytes: out.offset };
  }

  private endRowGroup(): void {
    const offset = this.out.offset;
    const written = new Map<string, Written>();
    const chunks = this.columns.map((column) => this.writeColumn(column, written));
    this.groups.push({ rows: this.rowsOfGroup, offset, chunks });
    this.rows += this.rowsOfGroup;
    this.rowsOfGroup = this.bytesOfGroup = 0;
    for (const column of this.columns) column.clear();
  }

  /** @param written columns of this row group that are there again */
  private writeColumn(buffered: Buffered, written: Map<string, Written>): WrittenChunk {
    const { out } = this;
    const { name, sameAs } = buffered.column;
    const start = out.offset;
    const same = sameAs === undefined ? undefined : written.get(sameAs);
    if (same !== undefined) {
      this.sink(same.bytes);
      out.offset += same.bytes.length;
      return copyOf(same.chunk, leafOf(buffered.column), start - same.offset);
    }
    const chunk = this.writeChunk(buffered);
    if (this.columns.some(({ column }) => column.sameAs === name))
      written.set(name, { chunk, bytes: out.getBytes().slice(), offset: start });
    this.pass();
    return chunk;
  }

  private writeChunk(buffered: Buffered): WrittenChunk {
    const { column, ints, texts, codes, indexes, narrow, flags, lists } = buffered;
    const { compression } = this.options;
    const chunk = new Chunk(this.out, leafOf(column), compression);
    const rows = this.rowsOfGroup;
    const dictionary = column.type === "string" ? texts : ints;
    const history: [Dictionary, Indexes] = column.type === "int32" ? [codes, narrow] : [ints, indexes];
    const bounds = (() => {
      if (column.shape === "value")
        return column.type === "boolean"
          ? writeBooleans(chunk, flags, rows, compression)
          : writeColumn(chunk, dictionary, indexes, rows, compression);
      if (column.shape === "history" && this.pages !== null) return void this.pages.write(chunk, ...history, lists);
      const [some, of]: [Dictionary, Indexes] = column.shape === "history" ? history : [dictionary, indexes];
      return void writeRagged(chunk, column.type === "boolean" ? { flags } : { dictionary: some, indexes: of }, lists, compression);
    })();
    return chunk.end(bounds);
  }

  private pass(): void {
    this.sink(this.out.getBytes());
    this.out.index = 0;
  }
}

function elementsOf({ name, type, shape }: TableColumn): SchemaElement[] {
  const text = type === "string" ? ({ converted_type: "UTF8", logical_type: { type: "STRING" } } as const) : {};
  const value = { type: PHYSICAL[type], repetition_type: "REQUIRED", ...text } as const;
  if (shape === "value") return [{ name, ...value }];
  return [
    { name, repetition_type: "REQUIRED", num_children: 1, converted_type: "LIST", logical_type: { type: "LIST" } },
    { name: "list", repetition_type: "REPEATED", num_children: 1 },
    { name: "element", ...value },
  ];
}

function leafOf(column: TableColumn): Leaf {
  const elements = elementsOf(column);
  return { path: elements.map(({ name }) => name), type: PHYSICAL[column.type], element: elements.at(-1)! };
}
