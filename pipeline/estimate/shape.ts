import type { Format } from "../io/rows";

/** A table of the input. */
export interface TableShape {
  name: string;
  format: Format;
  files: number;
  /** as listed */
  bytes: number;
  /** of the columns that are read; all of them but for Parquet */
  bytesRead: number;
  rows: number;
  /** whether the rows were counted, not estimated */
  counted: boolean;
}

/** How a run is cut: what can be at work at the same time. */
export interface Layout {
  rankingSplits: number;
  actionSplits: number;
  buckets: number;
  /** files of each day */
  shards: number;
}

/** What there is to do: a description of inputs and options, from a sample of the inputs or from someone who knows them. */
export interface Shape {
  impressions: TableShape;
  actions: TableShape[];
  /** days that are built */
  days: number;
  /** impression slots of these days: rows of the output, unless --drop-empty-history leaves some out */
  rows: number;
  /** customers with a ranking on one of these days */
  customers: number;
  /** pairs of a customer and a day: histories */
  customerDays: number;
  /** actions that some ranking of their customer can see */
  keptActions: number;
  /** actions of a history, the mean over rows, at most --history-length */
  meanHistory: number;
  /** of an item of an action, as columns of items are packed: see itemBytesOf */
  itemBytes: number;
  layout: Layout;
}
