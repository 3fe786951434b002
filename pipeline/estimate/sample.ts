/** A table's rows from pieces all over it, and how many it has: all of a small one, so that nothing is estimated there. */
import type { Cell } from "../../transforms/cells";
import { unpackHead } from "../io/format";
import { inParallel } from "../io/parallel";
import type { InputFile, RowSink, Split } from "../io/rows";
import { CHUNK_BYTES, openBytes } from "../io/text";

/** Bytes that are read of a text, at most about; less is read as a whole. */
const SAMPLE_BYTES = 8 << 20;
const PIECE_BYTES = 256 << 10;
const PIECES = SAMPLE_BYTES / PIECE_BYTES;
/** Files that are looked into where they can be read from the front only, and footers that are read. */
const FILES = 16;
/** Row groups of which the first rows are read, and how often a reader lets its sink drain until there are enough of them. */
const ROW_GROUPS = 8;
const GROUP_CHUNKS = 4;
/** Read of a file from the front. */
const FRONT_CHUNKS = 8;
const AT_ONCE = 4;

/** Takes rows; a reason where it cannot. */
export interface Taker {
  /** the columns that are wanted */
  readonly columns: readonly string[];
  row(cells: readonly Cell[], file: InputFile): void;
  reject(reason: string): void;
  /** names of columns, told where a wanted one is missing */
  found(names: readonly string[]): void;
}

export interface Sampled {
  /** rows that were taken or rejected */
  sampled: number;
  /** rows of the table */
  rows: number;
  /** whether `rows` was counted */
  counted: boolean;
  /** bytes of the columns that a run reads */
  bytesRead: number;
}

const NOTHING: Sampled = { sampled: 0, rows: 0, counted: true, bytesRead: 0 };

/** @throws BrokenFile where a file that is looked into is broken */
export async function sampleTable(files: readonly InputFile[], taker: Taker): Promise<Sampled> {
  const kinds = Map.groupBy(
    files.filter(({ size }) => size > 0),
    ({ format, compression }) => `${format} ${compression}`,
  );
  let all = NOTHING;
  for (const [kind, of] of kinds) all = plus(all, await sampleKind(kind, of, taker));
  return all;
}

const plus = (a: Sampled, b: Sampled): Sampled => ({
  sampled: a.sampled + b.sampled,
  rows: a.rows + b.rows,
  counted: a.counted && b.counted,
  bytesRead: a.bytesRead + b.bytesRead,
});

async function sampleKind(kind: string, files: readonly InputFile[], taker: Taker): Promise<Sampled> {
  if (kind === "parquet none") return sampleParquet(files, taker);
  const bytes = sizeOf(files);
  const whole = kind.endsWith(" none") ? bytes <= SAMPLE_BYTES : bytes <= SAMPLE_BYTES / 8;
  const rowsPerByte = whole
    ? await readAll(files, taker)
    : kind === "ndjson none"
      ? await readPieces(files, taker, linesOf)
      : kind === "csv none"
        ? await readPieces(files, taker, recordsOf)
        : await readFronts(files, taker);
  return { sampled: rowsPerByte.rows, rows: (rowsPerByte.rows / rowsPerByte.bytes) * bytes, counted: whole, bytesRead: bytes };
}

const sizeOf = (files: readonly InputFile[]): number => files.reduce((sum, { size }) => sum + size, 0);

/** Rows found in so many bytes of files as they are listed. */
interface Found {
  rows: number;
  bytes: number;
}

/** Counts what it hands on; can stop its reader. */
class Sink implements RowSink {
  rows = 0;
  private chunks = 0;

  constructor(
    private readonly file: InputFile,
    private readonly taker: Taker,
    private readonly mostChunks = Number.POSITIVE_INFINITY,
  ) {}

  row(cells: Cell[]): void {
    this.rows++;
    this.taker.row(cells, this.file);
  }

  reject(reason: string): void {
    this.rows++;
    this.taker.reject(reason);
  }

  columns(names: string[]): void {
    this.taker.found(names);
  }

  async drain(): Promise<void> {
    if (++this.chunks >= this.mostChunks) throw new Enough();
  }
}

class Enough extends Error {}

/** Reads a split into a sink. @returns whether it was read to its end */
async function readInto(sink: Sink, split: Split, taker: Taker): Promise<boolean> {
  const { readSplit } = await import("../io/readers.js");
  try {
    await readSplit(split, taker.columns, sink);
    return true;
  } catch (error) {
    if (error instanceof Enough) return false;
    throw error;
  }
}

const splitOf = (file: InputFile, start: number, end: number): Split => ({ table: "", file, index: 0, start, end });

async function readAll(files: readonly InputFile[], taker: Taker): Promise<Found> {
  let rows = 0;
  for (const file of files) {
    const sink = new Sink(file, taker);
    await readInto(sink, splitOf(file, 0, file.compression === "none" ? file.size : Number.MAX_SAFE_INTEGER), taker);
    rows += sink.rows;
  }
  return { rows, bytes: sizeOf(files) };
}

/** Pieces that lie as far from each other as they can, in all files as in one text. */
async function readPieces(
  files: readonly InputFile[],
  taker: Taker,
  read: (file: InputFile, start: number, end: number, taker: Taker) => Promise<Found>,
): Promise<Found> {
  const step = sizeOf(files) / PIECES;
  const pieces: [InputFile, number][] = [];
  let before = 0;
  for (const file of files) {
    for (let at = Math.ceil(before / step); at * step < before + file.size; at++) pieces.push([file, Math.floor(at * step - before)]);
    before += file.size;
  }
  const found = await inParallel(pieces, AT_ONCE, ([file, start]) => read(file, start, Math.min(file.size, start + PIECE_BYTES), taker));
  return { rows: found.reduce((sum, { rows }) => sum + rows, 0), bytes: found.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** A line is of the piece in which it begins. */
async function linesOf(file: InputFile, start: number, end: number, taker: Taker): Promise<Found> {
  const sink = new Sink(file, taker);
  await readInto(sink, splitOf(file, start, end), taker);
  return { rows: sink.rows, bytes: end - start };
}

const LF = 0x0a;
/** More than any header has. */
const HEADER_BYTES = 64 << 10;

/** From the first line end in a piece to the last: a line end within quotes costs a record, which an estimate can do without. */
async function recordsOf(file: InputFile, start: number, end: number, taker: Taker): Promise<Found> {
  const { CsvTable } = await import("../io/csv.js");
  const sink = new Sink(file, taker);
  const table = new CsvTable(file.path, taker.columns, sink);
  const head = await bytesOf(file, 0, Math.min(file.size, HEADER_BYTES));
  const bom = head.length >= 3 && head.readUIntBE(0, 3) === 0xefbbbf ? 3 : 0;
  const behind = table.read(head, bom, head.length, head.length === file.size, true);
  const piece = await bytesOf(file, start, end);
  const from = start === 0 ? behind : piece.indexOf(LF) + 1;
  const to = piece.lastIndexOf(LF) + 1;
  if (to > from) table.read(piece, from, to, false);
  return { rows: sink.rows, bytes: Math.max(0, to - from) };
}

async function bytesOf(file: InputFile, start: number, end: number): Promise<Buffer> {
  const source = await openBytes(file, start, end);
  // a scanner may look at what lies behind
  const bytes = Buffer.alloc(end - start);
  try {
    for (let at = 0; at < bytes.length; ) {
      const count = await source.fill(bytes, at);
      if (count === 0) return bytes.subarray(0, at);
      at += count;
    }
    return bytes;
  } finally {
    await source.close();
  }
}

/** So many of them, as far from each other as can be. */
const spread = <T>(all: readonly T[], most: number): T[] =>
  all.length <= most ? [...all] : Array.from({ length: most }, (_, k) => all[Math.floor(((k + 0.5) * all.length) / most)]);

/** What can only be read from the front: JSON arrays, and what is compressed as a whole. */
async function readFronts(files: readonly InputFile[], taker: Taker): Promise<Found> {
  const all: Found = { rows: 0, bytes: 0 };
  for (const file of spread(files, FILES)) {
    const sink = new Sink(file, taker, FRONT_CHUNKS);
    const ended = await readInto(sink, splitOf(file, 0, Number.MAX_SAFE_INTEGER), taker);
    all.rows += sink.rows;
    all.bytes += ended ? file.size : (FRONT_CHUNKS * CHUNK_BYTES) / (await unpackedShare(file));
  }
  return all;
}

/** Bytes of text for each byte of a file, by its beginning. */
async function unpackedShare(file: InputFile): Promise<number> {
  if (file.compression === "none") return 1;
  const head = await bytesOf({ ...file, compression: "none" }, 0, Math.min(file.size, 4 * CHUNK_BYTES));
  return Math.max(1, unpackHead(head, file.compression).length / head.length);
}

/** Rows as footers say, of some files; and the first rows of some row groups. */
async function sampleParquet(files: readonly InputFile[], taker: Taker): Promise<Sampled> {
  const { ParquetFile } = await import("../io/parquetfile.js");
  const looked = spread(files, FILES);
  const footers = await inParallel(looked, AT_ONCE, async (file) => {
    const parquet = await ParquetFile.open(file);
    await parquet.close();
    return parquet.metadata.row_groups;
  });
  const rows = footers.flat().reduce((sum, { num_rows }) => sum + Number(num_rows), 0);
  const wanted = footers.flat().reduce((sum, group) => sum + wantedBytes(group.columns, taker.columns), 0);
  const share = sizeOf(files) / sizeOf(looked);
  const groups = footers.flatMap((each, k) => each.map((_, group): [InputFile, number] => [looked[k], group]));
  let sampled = 0;
  for (const [file, group] of spread(groups, ROW_GROUPS)) {
    const sink = new Sink(file, taker, GROUP_CHUNKS);
    await readInto(sink, splitOf(file, group, group + 1), taker);
    sampled += sink.rows;
  }
  return { sampled, rows: rows * share, counted: looked.length === files.length, bytesRead: wanted * share };
}

interface Column {
  meta_data?: { path_in_schema: string[]; total_compressed_size: bigint };
}

const wantedBytes = (columns: readonly Column[], wanted: readonly string[]): number =>
  columns.reduce(
    (sum, { meta_data: column }) =>
      column !== undefined && wanted.includes(column.path_in_schema[0]) ? sum + Number(column.total_compressed_size) : sum,
    0,
  );
