import type { Cell } from "../../transforms/cells";
import type { RecordReason } from "../../transforms/reasons";

export type Format = "ndjson" | "json" | "csv" | "parquet";
export type Compression = "none" | "gzip" | "zstd";

/** The table of rankings; all others are of actions. */
export const IMPRESSIONS = "impressions";

/** One file of a table, as found. */
export interface InputFile {
  /** as opened */
  path: string;
  /** bytes on disk */
  size: number;
  format: Format;
  /** of the file as a whole; what is inside a Parquet file is Parquet's */
  compression: Compression;
  /** columns that the folders supply: { dt: "2025-08-16" } for dt=2025-08-16/ */
  partition: Record<string, string>;
  /** of an object in a bucket: the version found when the run was planned, which is the one that is read */
  generation?: string;
  /** bq:// of the table that was exported to it */
  from?: string;
}

/** A part of a file that is read on its own. Bytes for NDJSON, row groups for Parquet, everything else is one split. */
export interface Split {
  /** name of the table: "clicks" */
  table: string;
  file: InputFile;
  /** position of this split among those of its table, so that what is gathered from splits can be put in order */
  index: number;
  /** half-open: bytes [start, end) or row groups [start, end); a line belongs to the split in which it starts */
  start: number;
  end: number;
}

/**
 * Where a reader puts what it finds. `position` says where in the file: the line (from 1) counted from the start of the
 * split for text, the row (from 1) from the start of the split for Parquet, the element (from 1) for a JSON array.
 */
export interface RowSink {
  /** columns that a row may lack, so that nobody is told */
  readonly optional?: readonly string[];
  /** The wanted columns of one row, in the order in which they were asked for. The array is reused by the reader. */
  row(cells: Cell[], position: number): void;
  /** A row that could not be read as one; `reason` without any data of the row, such as "not JSON". */
  reject(reason: RecordReason, position: number): void;
  /** Names of columns the file has, told at least whenever a wanted one is missing; asked for messages only. */
  columns(names: string[]): void;
  /** Called between chunks of a few MB, so that a sink can hand on what it has gathered. */
  drain(): Promise<void>;
}

/** What a reader says at its end. */
export interface ReadEnd {
  /** lines (text), rows (Parquet) or elements (JSON array) that belong to this split, blank lines included: added to the next split's positions */
  positions: number;
}

/**
 * Reads one split.
 * @throws BrokenFile where the file as a whole is no such file (truncated gzip, not Parquet, not a JSON array)
 */
export type Reader = (split: Split, columns: readonly string[], sink: RowSink) => Promise<ReadEnd>;

/** A file that cannot be read to its end. The message names file and what is wrong; it carries no data of customers. */
export class BrokenFile extends Error {
  override name = "BrokenFile";
  /** what the command ends with */
  readonly exitCode = 3;
}
