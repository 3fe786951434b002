/**
 * Why rows are rejects, each as it is told, with what it means: nothing else can be told, by the types. Never with values of the row.
 * Nobody loads this to build; the reference does.
 */

/** About one column: `COLUMN: REASON`. */
export const CELL_REASONS = {
  "not a 64-bit integer": "an id that is missing, null, no integer (`1.0` and `1e3` are none), or beyond int64",
  "not a date": "a day that is no `YYYY-MM-DD` of the years 1700 to 2199",
  "not a timestamp":
    "a time that is missing, in another form than those accepted, a number without `--time-unit`, or outside of the years 1700 to 2199",
  "not the one of its folder": "the row says another value than the folder `COLUMN=VALUE` that its file is in",
  "no ranking_id": "missing, empty or no string",
  "not UTF-8": "text with half a surrogate pair, which no Parquet file can hold",
  "impressions are not JSON": "a cell of text that cannot be parsed, in a CSV or a column of strings",
  "impressions are not a list": "missing, null or something else than a list",
  "no impressions": "an empty list",
  "is_order is not a boolean": "of one of the slots; in a CSV true, false, 1 and 0 are taken",
} as const;
export type CellReason = keyof typeof CELL_REASONS;

/** About a record that could not be read as a row. */
export const RECORD_REASONS = {
  "not JSON": "a line or element that cannot be parsed",
  "not an object": "JSON of another kind: a list, a number, a string, null",
  "nested too deeply": "brackets in brackets beyond any depth that rows have",
  "not UTF-8": "bytes that are no text",
  "not CSV": "a quote in the middle of a cell, or one that does not end",
  "wrong number of cells": "more or fewer than the header of the CSV has",
} as const;
export type RecordReason = keyof typeof RECORD_REASONS;
