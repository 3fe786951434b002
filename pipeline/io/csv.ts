import { isUtf8 } from "node:buffer";
import type { Cell } from "../../transforms/cells";
import type { RecordReason } from "../../transforms/reasons";
import { ConfigError } from "../errors";
import { CsvRecord } from "./csvrecord";
import { BrokenFile, type ReadEnd, type RowSink, type Split } from "./rows";
import { Window } from "./window";

/** An opening quote without its other half takes the rest of the file for one cell; it is not to take the memory too. */
export const MAX_CSV_RECORD_BYTES = 64 << 20;

/**
 * CSV as RFC 4180 has it, with a header: quotes, doubled quotes, line breaks in quotes, LF or CRLF. All cells are text. A
 * record's position is the line on which it begins, the header being line 1; empty lines are passed over.
 *
 * Written by hand, since csv-parse is made of strings and stops at the first bad record, while here a bad record is counted and
 * the next one read, invalid UTF-8 is told from valid, and columns that nobody wants are never made into strings.
 *
 * @throws BrokenFile where there is no legible header or a record is longer than 64 MB
 * @throws ConfigError where the header has a wanted name twice
 */
export async function readCsv(split: Split, columns: readonly string[], sink: RowSink): Promise<ReadEnd> {
  const { file } = split;
  if (file.size === 0) return { positions: 0 };
  const window = await Window.open(file, 0, MAX_CSV_RECORD_BYTES);
  try {
    await window.skipBom();
    const table = new CsvTable(file.path, columns, sink);
    for (let last = false; ; ) {
      const used = table.read(window.bytes, window.start, window.end, last);
      window.start = used;
      if (last) return { positions: table.lines };
      await sink.drain();
      last = !(await window.more());
    }
  } finally {
    await window.close();
  }
}

/** The careful reader of records, and of the header before them. */
export class CsvTable {
  /** lines gone past */
  lines = 0;
  private readonly record = new CsvRecord();
  private readonly cells: Cell[];
  /** names of the columns; undefined as long as the header has not come */
  names: string[] | undefined;
  /** where in a record each column is, -1 if nowhere */
  private places: number[] = [];

  constructor(
    private readonly path: string,
    private readonly columns: readonly string[],
    private readonly sink: RowSink,
  ) {
    this.cells = columns.map(() => undefined);
  }

  /** Reads all records that are complete, or only as far as the header. @returns where the next one begins */
  read(bytes: Buffer, start: number, end: number, last: boolean, headerOnly = false): number {
    for (let at = start; ; ) {
      const next = at < end ? this.record.scan(bytes, at, end, last) : -1;
      if (next < 0) return at;
      if (!this.record.isBlank()) {
        if (this.names === undefined) this.header(bytes, at, next);
        else this.row(bytes, at, next);
      }
      this.lines += this.record.lines;
      at = next;
      if (headerOnly && this.names !== undefined) return at;
    }
  }

  private header(bytes: Buffer, start: number, end: number) {
    const { record } = this;
    if (record.malformed) throw new BrokenFile(`"${this.path}": the CSV header has a stray or an unfinished quote.`);
    if (!isUtf8(bytes.subarray(start, end))) throw new BrokenFile(`"${this.path}": the CSV header is not UTF-8.`);
    const names = Array.from({ length: record.width }, (_, place) => record.text(bytes, place));
    const twice = this.columns.find((column) => names.indexOf(column) !== names.lastIndexOf(column));
    if (twice !== undefined)
      throw new ConfigError(`"${this.path}": the CSV header has the column "${twice}" twice. Rename one of the two.`);
    this.names = names;
    this.places = this.columns.map((column) => names.indexOf(column));
    if (this.places.includes(-1)) this.sink.columns(names);
  }

  private row(bytes: Buffer, start: number, end: number) {
    const { record, places, cells } = this;
    const fault = this.fault(bytes, start, end);
    if (fault !== undefined) return this.sink.reject(fault, this.lines + 1);
    for (let k = 0; k < places.length; k++) if (places[k] >= 0) cells[k] = record.text(bytes, places[k]);
    this.sink.row(cells, this.lines + 1);
  }

  private fault(bytes: Buffer, start: number, end: number): RecordReason | undefined {
    if (this.record.malformed) return "not CSV";
    if (this.record.bits & 0x80 && !isUtf8(bytes.subarray(start, end))) return "not UTF-8";
    if (this.record.width !== this.names?.length) return "wrong number of cells";
    return undefined;
  }
}
