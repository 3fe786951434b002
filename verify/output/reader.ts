/**
 * Output files read back: the footer by hyparquet, the rows by arrow-rs (parquet-wasm). That reader knows nothing of the encoder's
 * program, and is fast enough to look at every value of every row.
 */
import { openAsBlob } from "node:fs";
import { asyncBufferFromFile, type FileMetaData, parquetMetadataAsync } from "hyparquet";
import type { ArrowColumn, Bools, Ints, Lists, Texts } from "./arrow";
import { columnsOf } from "./arrow";
import type { Column, Holds } from "./columns";
import { TYPES } from "./columns";

/** Bytes of a batch, decoded. */
const BATCH_BYTES = 48 << 20;

/** Rows by column; columns that a file lacks are undefined. Valid until the next batch. */
export interface Batch {
  rows: number;
  ranking_id?: Texts;
  customer_id?: Ints<BigInt64Array>;
  impression_index?: Ints<Int32Array>;
  item_id?: Ints<BigInt64Array>;
  is_order?: Bools;
  impressions?: Ints<BigInt64Array>;
  actions?: Lists<BigInt64Array>;
  action_types?: Lists<Int32Array>;
  history_length?: Ints<Int32Array>;
  action_times?: Lists<BigInt64Array>;
}

/** @throws Error where the file has no footer that can be read */
export async function footerOf(path: string): Promise<FileMetaData> {
  return parquetMetadataAsync(await asyncBufferFromFile(path), { geoparquet: false });
}

/**
 * The rows of a file, in order.
 * @param columns those to read
 * @param historyLength so that a batch is of a bounded size
 * @throws Error where the file cannot be read
 */
export async function* batchesOf(path: string, columns: readonly Column[], historyLength: number): AsyncGenerator<Batch> {
  const { ParquetFile, wasmMemory } = await import("parquet-wasm/node");
  const file = await ParquetFile.fromFile(await openAsBlob(path));
  try {
    const lists = columns.filter(({ holds }) => TYPES[holds].startsWith("list")).length;
    const batchSize = Math.max(1, Math.min(8192, Math.floor(BATCH_BYTES / (100 + 8 * lists * historyLength))));
    const stream = await file.stream({ batchSize, columns: columns.map(({ name }) => name) });
    for await (const record of stream) {
      const rows: number = record.numRows;
      const ffi = record.intoFFI();
      try {
        const found = columnsOf(wasmMemory().buffer as ArrayBuffer, ffi.arrayAddr(), ffi.schemaAddr());
        yield batchOf(rows, columns, found);
      } finally {
        ffi.free();
      }
    }
  } finally {
    file.free();
  }
}

function batchOf(rows: number, columns: readonly Column[], found: Map<string, ArrowColumn | undefined>): Batch {
  const batch: Batch = { rows };
  for (const { name, holds } of columns) {
    const column = found.get(name);
    if (column === undefined) throw new Error(`column ${name} has nulls or another type`);
    (batch as unknown as Record<Holds, ArrowColumn>)[holds] = column;
  }
  return batch;
}
