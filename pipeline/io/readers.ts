import { readCsv } from "./csv";
import { readJsonArray } from "./jsonarray";
import { readNdjson } from "./ndjson";
import type { Format, Reader } from "./rows";

/** Parquet's decompressors take as long to load as everything else that a thread needs, so only those load them that read Parquet. */
const readParquet: Reader = (split, columns, sink) =>
  (require("./parquetin") as typeof import("./parquetin")).readParquet(split, columns, sink);

const READERS: { [format in Format]: Reader } = { ndjson: readNdjson, json: readJsonArray, csv: readCsv, parquet: readParquet };

/** Reads a split by the reader of its file's format. */
export const readSplit: Reader = (split, columns, sink) => READERS[split.file.format](split, columns, sink);
