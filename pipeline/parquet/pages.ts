import { Bytes } from "./bytes";
import type { Bounds, Chunk } from "./chunk";
import { compress } from "./compression";
import type { Dictionary, OrderedDictionary } from "./dictionary";
import { bitWidth, type Indexes, packColumn, packRow } from "./packing";
import type { Compression } from "./schema";
import { type PageBody, PlainBody, SnappyBody, snappyInt64 } from "./snappy";

/** Target of a page's bytes before compression. Smaller ones restart the copies more often: 64 KiB costs a third more output. */
export const PAGE_BYTES = 1 << 20;
/** Most list elements of a page, since a short history's page of 1 MiB would be tens of millions of them to a reader. */
export const PAGE_ELEMENTS = 1 << 20;
/** Most rows of a page of a column without lists. */
const PAGE_ROWS = 20_000;

export function writeDictionary(chunk: Chunk, dictionary: Dictionary, compression: Compression): void {
  const plain = dictionary.plain();
  const int64 = compression === "snappy" && dictionary.pairs?.();
  chunk.dictionary(dictionary.size, plain.length, int64 ? snappyInt64(int64) : compress(compression, plain));
}

/** Pages of a column without lists, from its rows' dictionary indexes. Returns the bounds of all. */
export function writeColumn(chunk: Chunk, dictionary: OrderedDictionary, indexes: Indexes, rows: number, compression: Compression): Bounds {
  writeDictionary(chunk, dictionary, compression);
  const width = bitWidth(dictionary.size);
  const page = new Bytes();
  const extremes = new Extremes(dictionary);
  for (let from = 0; from < rows; from += PAGE_ROWS) {
    const to = Math.min(from + PAGE_ROWS, rows);
    page.clear();
    page.byte(width);
    packColumn(page, indexes, from, to, width);
    const bounds = extremes.of(indexes, from, to);
    chunk.data({ rows: to - from, values: to - from, rawLength: page.length, parts: [compress(compression, page.view())], bounds });
  }
  return extremes.all();
}

/** Finds the bounds of pages, and of all pages together. */
class Extremes {
  private first = -1;
  private last = -1;

  constructor(private readonly dictionary: OrderedDictionary) {}

  of(indexes: Indexes, from: number, to: number): Bounds {
    const { dictionary } = this;
    let min = indexes[from];
    let max = min;
    for (let i = from + 1, previous = min; i < to; i++) {
      const index = indexes[i];
      if (index === previous) continue;
      previous = index;
      if (dictionary.before(index, min)) min = index;
      else if (dictionary.before(max, index)) max = index;
    }
    if (this.first < 0 || dictionary.before(min, this.first)) this.first = min;
    if (this.last < 0 || dictionary.before(this.last, max)) this.last = max;
    return { min: dictionary.value(min), max: dictionary.value(max) };
  }

  all(): Bounds {
    return { min: this.dictionary.value(this.first), max: this.dictionary.value(this.last) };
  }
}

/** Pages of a boolean column, eight rows a byte; 0 is false. */
export function writeBooleans(chunk: Chunk, flags: Uint8Array, rows: number, compression: Compression): Bounds {
  let trues = 0;
  for (let from = 0; from < rows; from += PAGE_ROWS) {
    const to = Math.min(from + PAGE_ROWS, rows);
    const bits = new Uint8Array((to - from + 7) >> 3);
    const here = packBits(flags, from, to, bits);
    trues += here;
    const bounds = { min: here === to - from, max: here > 0 };
    chunk.data({ rows: to - from, values: to - from, rawLength: bits.length, parts: [compress(compression, bits)], bounds });
  }
  return { min: trues === rows, max: trues > 0 };
}

/** A loop by itself: in a function that writes pages too, V8 would compile all of that with it. @returns how many are 1 */
function packBits(flags: Uint8Array, from: number, to: number, bits: Uint8Array): number {
  let trues = 0;
  for (let i = from; i < to; i++) {
    const flag = flags[i];
    trues += flag;
    bits[(i - from) >> 3] |= flag << ((i - from) & 7);
  }
  return trues;
}

/** Histories of a row group: history h has the elements [starts[h], starts[h] + counts[h]) and stands in slots[h] rows. */
export interface Histories {
  size: number;
  starts: Int32Array;
  counts: Int32Array;
  slots: Int32Array;
}

/** Writes the pages of a list column whose rows share histories. */
export interface HistoryPages {
  write(chunk: Chunk, dictionary: Dictionary, indexes: Indexes, histories: Histories): void;
}

/**
 * Pages of a list column in which every row has the same number of elements. A history is encoded once and repeated for
 * its other slots. A page (data page v1) is
 *
 *   repetition levels   4 bytes of length, then of every row: one 0, length - 1 times 1
 *   definition levels   4 bytes of length, then one run of 1 over all elements, since there are no nulls and no empty lists
 *   values              the bit width, then the rows' indexes
 */
export class ListPages implements HistoryPages {
  private readonly body: PageBody;
  private readonly levels: PageBody;
  private readonly row = new Bytes();
  /** repetition levels of a row */
  private readonly rowLevels = new Bytes();
  private readonly mostRows: number;
  private rows = 0;

  constructor(
    /** elements of every row */
    private readonly length: number,
    private readonly compression: Compression,
  ) {
    this.body = bodyFor(compression);
    this.levels = bodyFor(compression);
    this.mostRows = Math.max(1, Math.floor(PAGE_ELEMENTS / length));
    levelRun(this.rowLevels, 1, 0);
    if (length > 1) levelRun(this.rowLevels, length - 1, 1);
  }

  write(chunk: Chunk, dictionary: Dictionary, indexes: Indexes, histories: Histories): void {
    writeDictionary(chunk, dictionary, this.compression);
    const width = bitWidth(dictionary.size);
    for (let h = 0; h < histories.size; h++) {
      this.row.clear();
      packRow(this.row, indexes, histories.starts[h], histories.counts[h], this.length, width);
      this.add(chunk, width, histories.slots[h]);
    }
    this.flush(chunk, width);
  }

  /** Puts the encoded row there `slots` times, over as many pages as it takes. */
  private add(chunk: Chunk, width: number, slots: number): void {
    const rowBytes = this.row.length + this.rowLevels.length;
    for (let rest = slots; rest > 0; ) {
      const room = Math.floor(PAGE_BYTES / rowBytes - this.rowsBytes / rowBytes);
      const fit = Math.min(rest, this.mostRows - this.rows, room);
      if (fit <= 0 && this.rows > 0) {
        this.flush(chunk, width);
        continue;
      }
      const rows = Math.max(1, fit); // a row larger than a page has a page of its own
      this.body.literal(this.row.array, 0, this.row.length);
      if (rows > 1) this.body.repeat(this.row.length, rows - 1);
      this.rows += rows;
      rest -= rows;
    }
  }

  /** raw bytes of the rows so far, their repetition levels included */
  private get rowsBytes(): number {
    return this.body.rawLength + this.rows * this.rowLevels.length;
  }

  private flush(chunk: Chunk, width: number): void {
    const { rows, body, levels } = this;
    if (rows === 0) return;
    const values = rows * this.length;
    this.writeLevels(values, width);
    const rawLength = levels.rawLength + body.rawLength;
    chunk.data({ rows, values, rawLength, parts: this.compressed(rawLength) });
    this.rows = 0;
    body.clear();
    levels.clear();
  }

  private writeLevels(values: number, width: number): void {
    const { levels, rowLevels, rows } = this;
    const head = new Bytes(16);
    head.littleEndian(rowLevels.length * rows, 4);
    levels.literal(head.array, 0, head.length);
    levels.literal(rowLevels.array, 0, rowLevels.length);
    if (rows > 1) levels.repeat(rowLevels.length, rows - 1);
    const definition = new Bytes(16);
    levelRun(definition, values, 1);
    head.clear();
    head.littleEndian(definition.length, 4);
    head.put(definition.view());
    head.byte(width);
    levels.literal(head.array, 0, head.length);
  }

  private compressed(rawLength: number): Uint8Array[] {
    return compressedBodies(this.compression, rawLength, [this.levels, this.body]);
  }
}

export const bodyFor = (compression: Compression): PageBody => (compression === "snappy" ? new SnappyBody() : new PlainBody());

/** A page of several bodies, one behind the other. */
export function compressedBodies(compression: Compression, rawLength: number, bodies: readonly PageBody[]): Uint8Array[] {
  const parts = bodies.map((body) => body.view());
  if (compression === "none") return parts;
  if (compression === "zstd") return [compress(compression, Buffer.concat(parts))];
  const preamble = new Bytes(8);
  preamble.varint(rawLength);
  return [preamble.view(), ...parts];
}

/** A run of a level, which is one bit wide. */
export function levelRun(out: Bytes, count: number, level: number): void {
  out.varint(count << 1);
  out.byte(level);
}
