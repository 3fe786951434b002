import type { ColumnMetaData, PageHeader, SchemaElement } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import type { Cell } from "../../transforms/cells";
import { checkEntries, type PageFormat, unpackPage } from "../io/parquetpage";
import { cellsOf, type RawValues } from "../io/parquettypes";
import { isOneRun, unpackHybrid } from "./parquetbits";
import { unsnap } from "./parquetsnappy";

/** Where in a schema a leaf stands. */
export interface LeafPlace {
  /** names from the top-level column down */
  path: string[];
  element: SchemaElement;
  maxDefinition: number;
  /** 1 within a list */
  maxRepetition: 0 | 1;
}

/**
 * A leaf column of row groups, batch by batch, into typed arrays. A batch is what has been read since `begin`: entry i of each
 * array. Whatever is not as it should be throws, anything; the careful reader will say what it is.
 */
export abstract class Leaf {
  /** entries of the batch */
  length = 0;
  /** how many of them are null, or part of something that is null or empty */
  lacking = 0;
  /** the definition level of each entry of the batch */
  depths = new Uint8Array(1 << 12);
  /** entry with which row r of the batch begins; behind the last row, where the batch ends. Only for a leaf within a list. */
  rowStarts = new Int32Array((1 << 10) + 1);

  private format: PageFormat;
  private reader = { view: new DataView(new ArrayBuffer(0)), offset: 0 };
  /** entries of the pages still to come */
  private left = 0;
  /** of the page at hand: its entries, the next of them, and the next value */
  private entries = 0;
  private entry = 0;
  private value = 0;
  /** levels of the page at hand; it has none (null) where all are the highest */
  private definitions: Int32Array | null = null;
  private unpacked = new Uint8Array(0);
  private readonly repetitionLevels = new Words();
  private readonly definitionLevels = new Words();
  private readonly toCells: (values: RawValues) => Cell[];

  constructor(readonly place: LeafPlace) {
    const { element, maxDefinition, maxRepetition } = place;
    this.format = { element, metadata: {} as ColumnMetaData, maxDefinition, maxRepetition };
    this.toCells = cellsOf(element);
  }

  /** Takes the dictionary: all of its `count` values. */
  protected abstract dictionaryPage(bytes: Uint8Array, count: number): void;
  /** Takes the `count` values of a data page, which begin at `at`. The bytes are the page's until the next one comes. */
  protected abstract dataPage(bytes: Uint8Array, at: number, count: number, encoding: string, format: PageFormat): void;
  /** Puts `count` values of the page into the batch, from entry `to` on. */
  protected abstract copy(from: number, count: number, to: number): void;
  /** Entries [from, to) of the batch have no value. */
  protected abstract lack(from: number, to: number): void;
  /** Makes room for so many entries in a batch. */
  protected abstract reserve(entries: number): void;
  /** The value of an entry as hyparquet would give it. */
  protected abstract raw(entry: number): unknown;

  /** @param chunk the column chunk, which has to stay as it is until the next one */
  open(metadata: ColumnMetaData, chunk: Uint8Array<ArrayBuffer>) {
    this.format = { ...this.format, metadata };
    this.reader = { view: new DataView(chunk.buffer, chunk.byteOffset, chunk.length), offset: 0 };
    this.left = Number(metadata.num_values);
    this.entries = this.entry = this.value = 0;
    this.definitions = null;
    this.dictionaryPage(new Uint8Array(0), 0);
  }

  /** Gives the chunk's memory back at once, which may be much and would wait for the garbage collector. */
  close() {
    const { buffer } = this.reader.view;
    this.reader = { view: new DataView(new ArrayBuffer(0)), offset: 0 };
    buffer.transfer(0);
  }

  begin() {
    this.length = this.lacking = 0;
  }

  /** True where nothing is left but bytes that nobody counts. */
  get ended(): boolean {
    return this.entry === this.entries && !this.more();
  }

  /** The cell that the careful reader makes of an entry. */
  cell(entry: number): Cell {
    return this.depths[entry] < this.place.maxDefinition ? null : this.toCells([this.raw(entry)])[0];
  }

  /** Reads the next `count` entries. */
  read(count: number) {
    for (let rest = count; rest > 0; ) {
      if (this.entry === this.entries) this.turn();
      const take = Math.min(rest, this.entries - this.entry);
      this.take(take);
      rest -= take;
    }
  }

  /** Reads the entries of the next `rows` rows. */
  readRows(rows: number) {
    if (this.rowStarts.length <= rows) this.rowStarts = new Int32Array(rows + 1);
    const { rowStarts } = this;
    let row = 0;
    for (;;) {
      if (this.entry === this.entries) {
        if (row === rows && !this.more()) break;
        this.turn();
      }
      const { entry, entries, length } = this;
      const { array: repetitions } = this.repetitionLevels;
      let at = entry;
      for (; at < entries; at++) {
        if (repetitions[at] !== 0) continue;
        if (row === rows) break;
        rowStarts[row++] = length + at - entry;
      }
      this.take(at - entry);
      if (at < entries) break;
    }
    if (rows > 0 && rowStarts[0] !== 0) throw new RangeError("a column begins within a row");
    rowStarts[rows] = this.length;
  }

  private more(): boolean {
    return this.left > 0 && this.reader.offset < this.reader.view.byteLength;
  }

  /** Puts entries of the page into the batch. */
  private take(count: number) {
    const { length: to, definitions, depths } = this;
    const { maxDefinition } = this.place;
    if (depths.length < to + count) this.depths = grown(depths, new Uint8Array(2 * (to + count)));
    this.reserve(to + count);
    if (definitions === null) {
      this.depths.fill(maxDefinition, to, to + count);
      this.copy(this.value, count, to);
      this.value += count;
    } else this.takeSome(definitions, count);
    this.length += count;
    this.entry += count;
  }

  private takeSome(definitions: Int32Array, count: number) {
    const { maxDefinition } = this.place;
    const shift = this.length - this.entry;
    const end = this.entry + count;
    for (let from = this.entry, to: number; from < end; from = to) {
      const there = definitions[from] === maxDefinition;
      for (to = from; to < end && (definitions[to] === maxDefinition) === there; to++) this.depths[to + shift] = definitions[to];
      if (there) {
        this.copy(this.value, to - from, from + shift);
        this.value += to - from;
      } else {
        this.lack(from + shift, to + shift);
        this.lacking += to - from;
      }
    }
  }

  /** Turns to the next page that has entries. */
  private turn() {
    const { reader } = this;
    while (this.entry === this.entries) {
      if (!this.more()) throw new RangeError("a column has fewer values than rows");
      const header = parquetHeader(reader);
      const size = header.compressed_page_size;
      if (!(size >= 0 && size <= reader.view.byteLength - reader.offset)) throw new RangeError("a page is cut");
      const packed = new Uint8Array(reader.view.buffer, reader.view.byteOffset + reader.offset, size);
      reader.offset += size;
      if (header.type === "DICTIONARY_PAGE")
        this.dictionaryPage(this.unpack(packed, header.uncompressed_page_size), header.dictionary_page_header!.num_values);
      else if (header.data_page_header) this.turnV1(packed, header);
      else if (header.data_page_header_v2) this.turnV2(packed, header);
      else throw new RangeError("a page is of no known kind");
    }
  }

  private unpack(packed: Uint8Array, size: number): Uint8Array {
    const { metadata } = this.format;
    // Of a page that did not pack, long literals are copied by one call each; where there is more to do, WebAssembly is faster.
    if (metadata.codec !== "SNAPPY" || !(packed.length > 0.95 * size)) return unpackPage(packed, size, metadata);
    if (this.unpacked.length < size) this.unpacked = new Uint8Array(Math.max(size, 2 * this.unpacked.length));
    const out = this.unpacked.subarray(0, size);
    unsnap(packed, out);
    return out;
  }

  private turnV1(packed: Uint8Array, header: PageHeader) {
    const { num_values: entries, encoding, ...levels } = header.data_page_header!;
    checkEntries(entries, this.format);
    const bytes = this.unpack(packed, header.uncompressed_page_size);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    const { maxRepetition, maxDefinition } = this.place;
    if (maxRepetition > 0) {
      if (levels.repetition_level_encoding !== "RLE") throw new RangeError("levels are not RLE");
      const end = at + 4 + view.getUint32(at, true);
      this.readRepetitions(bytes, view, at + 4, end, entries);
      at = end;
    }
    let there = entries;
    if (maxDefinition > 0) {
      if (levels.definition_level_encoding !== "RLE") throw new RangeError("levels are not RLE");
      const end = at + 4 + view.getUint32(at, true);
      there = this.readDefinitions(bytes, view, at + 4, end, entries);
      at = end;
    }
    this.turned(entries);
    this.dataPage(bytes, at, there, encoding, this.format);
  }

  private turnV2(packed: Uint8Array, header: PageHeader) {
    const { num_values: entries, encoding, ...v2 } = header.data_page_header_v2!;
    checkEntries(entries, this.format);
    const view = new DataView(packed.buffer, packed.byteOffset, packed.length);
    const first = v2.repetition_levels_byte_length;
    const second = first + v2.definition_levels_byte_length;
    if (this.place.maxRepetition > 0) this.readRepetitions(packed, view, 0, first, entries);
    const there = this.place.maxDefinition > 0 ? this.readDefinitions(packed, view, first, second, entries) : entries;
    const rest = packed.subarray(second);
    const bytes = v2.is_compressed === false ? rest : this.unpack(rest, header.uncompressed_page_size - second);
    this.turned(entries);
    this.dataPage(bytes, 0, there, encoding, this.format);
  }

  private turned(entries: number) {
    this.left -= entries;
    this.entries = entries;
    this.entry = this.value = 0;
  }

  private readRepetitions(bytes: Uint8Array, view: DataView, start: number, end: number, entries: number) {
    const out = this.repetitionLevels.of(entries);
    if (unpackHybrid(bytes, view, start, end, 1, entries, out) > 1) throw new RangeError("a level is too high");
  }

  /** @returns how many entries have a value */
  private readDefinitions(bytes: Uint8Array, view: DataView, start: number, end: number, entries: number): number {
    const { maxDefinition } = this.place;
    if (end > bytes.length) throw new RangeError("levels are cut");
    this.definitions = null;
    if (isOneRun(bytes, start, end, maxDefinition, entries)) return entries;
    const levels = this.definitionLevels.of(entries);
    if (unpackHybrid(bytes, view, start, end, 32 - Math.clz32(maxDefinition), entries, levels) > maxDefinition)
      throw new RangeError("a level is too high");
    let there = 0;
    for (let k = 0; k < entries; k++) if (levels[k] === maxDefinition) there++;
    if (there < entries) this.definitions = levels;
    return there;
  }
}

/** Memory for integers that is used again. */
export class Words {
  array = new Int32Array(0);

  /** At least `length` of them, of any value. */
  of(length: number): Int32Array {
    if (this.array.length < length) this.array = new Int32Array(Math.max(length, 2 * this.array.length));
    return this.array;
  }
}

export function grown<Column extends Int32Array | Uint8Array>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}
