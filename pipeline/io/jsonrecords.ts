import { JsonRows } from "./json";
import type { RowSink } from "./rows";

/** names of columns told to the sink; a message needs a few of them only */
const MAX_NAMES = 1000;

/** JSON texts, be they lines or elements of an array, to rows and rejects. Positions count from 1; blank texts count and are no rows. */
export class JsonRecords {
  count = 0;
  private readonly rows: JsonRows;
  private toldColumns = false;

  /** places of the columns that no folder supplies */
  private readonly needed: number[];

  /** @param partition columns that the folders supply: a row need not have them */
  constructor(
    columns: readonly string[],
    readonly sink: RowSink,
    partition: Readonly<Record<string, string>>,
  ) {
    this.rows = new JsonRows(columns);
    this.needed = columns.flatMap((column, place) => (Object.hasOwn(partition, column) || sink.optional?.includes(column) ? [] : [place]));
  }

  read(bytes: Buffer, start: number, end: number) {
    this.count++;
    const fault = this.rows.read(bytes, start, end);
    if (fault !== undefined) {
      if (!isBlank(bytes, start, end)) this.sink.reject(fault, this.count);
      return;
    }
    if (!this.toldColumns && this.needed.some((place) => this.rows.cells[place] === undefined))
      this.tell(bytes.toString("utf8", start, end));
    this.sink.row(this.rows.cells, this.count);
  }

  /** Once is enough: rows of one file seldom differ in their columns. */
  private tell(row: string) {
    this.toldColumns = true;
    this.sink.columns(Object.keys(JSON.parse(row)).slice(0, MAX_NAMES));
  }
}

function isBlank(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] !== 0x20 && bytes[at] !== 0x09) return false;
  return true;
}
