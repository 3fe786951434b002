/** A value of a raw file, whatever its format. Integers are exact: a number where that is safe, else a bigint; other numbers are NaN. */
export type Cell = string | number | bigint | boolean | null | undefined | Instant | Day | Cell[] | { [name: string]: Cell };

/** A time that its file has a type for. */
export class Instant {
  constructor(
    readonly micros: bigint,
    /** it is what a clock on the wall shows, not an instant */
    readonly wall: boolean,
  ) {}
}

/** A day that its file has a type for, as an epoch day. */
export class Day {
  constructor(readonly day: number) {}
}

/** A row by column, or why it is none. */
export type RawRow = { position: number; cells: { [column: string]: Cell } } | { position: number; fault: string };

/** One input file. */
export interface RawFile {
  /** where it is read */
  path: string;
  /** what it is called: its path as given, or its object's */
  name: string;
  /** of an object in a bucket */
  generation?: string;
  size: number;
  format: "ndjson" | "json" | "csv" | "parquet";
  packed: "none" | "gzip" | "zstd";
  /** columns that folders such as dt=2025-08-16 supply */
  folders: Record<string, string>;
}
