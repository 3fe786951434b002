import { type FileHandle, open } from "node:fs/promises";
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetSchema, type RowGroup } from "hyparquet";
import { isRemote, remoteFile } from "./remote";
import { BrokenFile, type InputFile } from "./rows";
import { readWhole } from "./text";

/** An open Parquet file. One that is compressed as a whole (.parquet.gz) has to be in memory as a whole. */
export class ParquetFile {
  private constructor(
    readonly metadata: FileMetaData,
    private readonly bytes: Bytes,
  ) {}

  /** @throws BrokenFile */
  static async open(file: InputFile): Promise<ParquetFile> {
    const bytes = await openFile(file);
    try {
      return new ParquetFile(await metadataOf(file, bytes), bytes);
    } catch (error) {
      await bytes.close();
      throw error;
    }
  }

  slice(start: number, end: number): Promise<ArrayBuffer> {
    return this.bytes.slice(start, end);
  }

  close(): Promise<void> {
    return this.bytes.close();
  }
}

/** Bytes of each row group on disk, all columns together. */
export async function rowGroupBytes(file: InputFile): Promise<number[]> {
  const parquet = await ParquetFile.open(file);
  await parquet.close();
  return parquet.metadata.row_groups.map((group) =>
    group.columns.reduce((sum, column) => sum + Number(column.meta_data?.total_compressed_size ?? 0), 0),
  );
}

interface Bytes extends AsyncBuffer {
  slice(start: number, end?: number): Promise<ArrayBuffer>;
  /** tells two states of a file apart */
  version: string;
  close(): Promise<void>;
}

async function openFile(file: InputFile): Promise<Bytes> {
  if (file.compression !== "none") return new MemoryBytes(await readWhole(file));
  return isRemote(file.path) ? new (remoteFile().RemoteFile)(file, file.size) : DiskBytes.open(file.path);
}

class DiskBytes implements Bytes {
  private constructor(
    private readonly handle: FileHandle,
    readonly byteLength: number,
    readonly version: string,
  ) {}

  static async open(path: string) {
    const handle = await open(path);
    const { ino, size, mtimeMs } = await handle.stat();
    return new DiskBytes(handle, size, `${ino} ${size} ${mtimeMs}`);
  }

  async slice(start: number, end = this.byteLength): Promise<ArrayBuffer> {
    if (start < 0 || end > this.byteLength || start > end) throw new RangeError("a column lies outside the file");
    const bytes = new Uint8Array(end - start);
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await this.handle.read(bytes, at, bytes.length - at, start + at);
      if (bytesRead === 0) throw new RangeError("the file has become shorter while it was read");
      at += bytesRead;
    }
    return bytes.buffer;
  }

  close() {
    return this.handle.close();
  }
}

class MemoryBytes implements Bytes {
  readonly byteLength: number;
  readonly version: string;

  constructor(private readonly bytes: Buffer) {
    this.byteLength = bytes.length;
    this.version = `${bytes.length}`;
  }

  async slice(start: number, end = this.byteLength): Promise<ArrayBuffer> {
    if (start < 0 || end > this.byteLength || start > end) throw new RangeError("a column lies outside the file");
    return new Uint8Array(this.bytes.subarray(start, end)).buffer;
  }

  async close() {}
}

/** The footer read last: a file of many row groups is many splits, and its footer may be long. */
let recent: { key: string; metadata: FileMetaData } | undefined;

async function metadataOf(file: InputFile, bytes: Bytes): Promise<FileMetaData> {
  const key = `${file.path} ${bytes.version}`;
  if (recent?.key !== key) recent = { key, metadata: await readMetadata(file, bytes) };
  return recent.metadata;
}

/** Statistics of times as the integers that they are: a Date would keep milliseconds only. */
const same = <T>(value: T): T => value;
const AS_STORED = {
  timestampFromMilliseconds: same<bigint>,
  timestampFromMicroseconds: same<bigint>,
  timestampFromNanoseconds: same<bigint>,
  dateFromDays: same<number>,
};

async function readMetadata(file: InputFile, bytes: Bytes): Promise<FileMetaData> {
  const magic = bytes.byteLength < 12 ? "" : Buffer.from(await bytes.slice(bytes.byteLength - 4)).toString("latin1");
  if (magic === "PARE") throw new BrokenFile(`"${file.path}" is an encrypted Parquet file, which cannot be read.`);
  if (magic !== "PAR1") throw new BrokenFile(`"${file.path}" is no Parquet file, or is cut: it does not end in "PAR1".`);
  try {
    const metadata = await parquetMetadataAsync(bytes, { geoparquet: false, parsers: AS_STORED });
    if (!metadata.row_groups.every(isSound)) throw new RangeError("a row group lacks what it needs");
    parquetSchema(metadata);
    checkRows(metadata, bytes.byteLength);
    return metadata;
  } catch (error) {
    if (hasExitCode(error)) throw error;
    throw new BrokenFile(`"${file.path}": its Parquet footer is corrupt (${(error as Error).message}).`);
  }
}

/** hyparquet takes over what a footer says, of whatever type. */
function isSound({ num_rows, columns }: RowGroup): boolean {
  const isCount = (value: unknown) => typeof value === "bigint" && value >= 0n;
  return (
    isCount(num_rows) &&
    columns.every(
      ({ meta_data: column }) =>
        column === undefined ||
        ([column.num_values, column.total_compressed_size, column.data_page_offset, column.dictionary_page_offset ?? 0n].every(isCount) &&
          column.codec !== undefined &&
          column.type !== undefined),
    )
  );
}

/** Where all values are the same a byte may stand for many rows; but rows that no byte stands for would be gone through for ever. */
const ROWS_A_BYTE = 100_000;

function checkRows({ row_groups }: FileMetaData, fileBytes: number): void {
  const rows = row_groups.reduce((sum, { num_rows }) => sum + num_rows, 0n);
  if (rows > BigInt(ROWS_A_BYTE) * BigInt(fileBytes)) throw new RangeError(`${rows} rows are more than ${fileBytes} bytes can hold`);
}

/** Whether an error has words of its own for people: a bucket's. */
const hasExitCode = (error: unknown): boolean => (error as { exitCode?: number }).exitCode !== undefined;
