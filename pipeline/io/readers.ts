import { readCsv } from "./csv";
import { readJsonArray } from "./jsonarray";
import { readNdjson } from "./ndjson";
import { readParquet } from "./parquetin";
import type { Format, Reader } from "./rows";

const READERS: { [format in Format]: Reader } = { ndjson: readNdjson, json: readJsonArray, csv: readCsv, parquet: readParquet };

/** Reads a split by the reader of its file's format. */
export const readSplit: Reader = (split, columns, sink) => READERS[split.file.format](split, columns, sink);
