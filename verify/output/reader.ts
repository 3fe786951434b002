/**
 * Output files read back: the footer by hyparquet, the rows by arrow-rs (parquet-wasm). That reader knows nothing of the encoder's
 * program, and is fast enough to look at every value of every row.
 */
import { openAsBlob, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { asyncBufferFromFile, type FileMetaData, parquetMetadataAsync } from "hyparquet";
import type { FFIStream, ReaderOptions, RecordBatch } from "parquet-wasm/node";
import type { ArrowColumn, Bools, Ints, Lists, Texts } from "./arrow";
import { columnsOf, lengthOf } from "./arrow";
import type { Column, Holds } from "./columns";
import { TYPES } from "./columns";

/** Bytes of the rows that are decoded at once. */
const BATCH_BYTES = 160 << 20;
/** Larger files do not fit into the reader's memory beside their rows, so they are read in parts. */
const MOST_BYTES = 2 ** 30;

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
 * @param historyLength so that what is decoded at once is of a bounded size
 * @throws Error where the file cannot be read
 */
export async function* batchesOf(
  path: string,
  columns: readonly Column[],
  historyLength: number,
  mostBytes = MOST_BYTES,
): AsyncGenerator<Batch> {
  const lists = columns.filter(({ holds }) => TYPES[holds].startsWith("list")).length;
  const names = columns.map(({ name }) => name);
  for await (const { rows, found } of columnsIn(path, names, lists * historyLength, mostBytes)) yield batchOf(rows, columns, found);
}

/** Some rows of a file. Columns that it lacks are not among those found; undefined stands for one with nulls, or of a type that no output has. */
export interface Columns {
  rows: number;
  found: Map<string, ArrowColumn | undefined>;
}

/**
 * The rows of a file, in order, by columns of these names. They are valid until the next ones.
 * @param elements of all lists of a row, so that what is decoded at once is of a bounded size
 * @param nullLists whether lists that are null are empty ones
 * @throws Error where the file cannot be read
 */
export async function* columnsIn(
  path: string,
  names: readonly string[],
  elements: number,
  mostBytes = MOST_BYTES,
  nullLists = false,
): AsyncGenerator<Columns> {
  const { row_groups: groups } = await footerOf(path);
  const limit = Math.max(1, Math.floor(BATCH_BYTES / (100 + 8 * elements)));
  if (statSync(path).size > mostBytes) return yield* streamed(path, names, limit, nullLists);
  const bytes = await readFile(path);
  for (const [group, { num_rows }] of groups.entries())
    for (let offset = 0; offset < num_rows; offset += limit) yield* rowsOf(bytes, names, { rowGroups: [group], offset, limit }, nullLists);
}

/**
 * Some rows of a file. All is done at once: where the reader panics, as it does on some bytes that are no Parquet, what waits for
 * it would wait for ever. After a panic its memory is not to be trusted, so the next file gets a fresh one.
 */
function* rowsOf(bytes: Buffer, columns: readonly string[], range: ReaderOptions, nullLists: boolean): Generator<Columns> {
  const wasm = reader();
  let arrays: FFIStream;
  try {
    const options = { ...range, batchSize: range.limit, columns: [...columns] };
    arrays = wasm.readParquet(bytes, options).intoFFI();
  } catch (error) {
    if ((error as Error).name !== "RuntimeError") throw error;
    loaded = undefined;
    throw new Error("a page is corrupt");
  }
  try {
    for (const address of arrays.arrayAddrs()) {
      const memory = wasm.wasmMemory().buffer as ArrayBuffer;
      yield { rows: lengthOf(memory, address), found: columnsOf(memory, address, arrays.schemaAddr(), nullLists) };
    }
  } finally {
    arrays.free();
  }
}

/** Rows of a large file. What is corrupt in it may end the process, as any error that nobody waits for does. */
async function* streamed(path: string, columns: readonly string[], limit: number, nullLists: boolean): AsyncGenerator<Columns> {
  const wasm = reader();
  const file = await wasm.ParquetFile.fromFile(await openAsBlob(path));
  const options = { batchSize: Math.min(8192, limit), columns: [...columns] };
  for await (const record of await file.stream(options)) {
    const array = (record as RecordBatch).intoFFI();
    const memory = wasm.wasmMemory().buffer as ArrayBuffer;
    yield { rows: lengthOf(memory, array.arrayAddr()), found: columnsOf(memory, array.arrayAddr(), array.schemaAddr(), nullLists) };
    array.free();
  }
  file.free();
}

type Reader = typeof import("parquet-wasm/node");
let loaded: Reader | undefined;

/** Loaded where it is needed, since compiling it takes long. */
function reader(): Reader {
  if (loaded === undefined) {
    delete require.cache[require.resolve("parquet-wasm/node")];
    loaded = require("parquet-wasm/node") as Reader;
  }
  return loaded;
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
