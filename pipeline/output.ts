/** An output as found on disk, read back: which files it has, and their rows by number. */
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import {
  type AsyncBuffer,
  asyncBufferFromFile,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from "hyparquet";
import { compressors } from "hyparquet-compressors";
import type { Copies } from "../verify/copies";
import { ConfigError, listening } from "./errors";
import { isRemote, remoteFile, remoteFind } from "./io/remote";
import { BrokenFile } from "./io/rows";
import { layoutNoteOf } from "./layout";

export interface OutputFile {
  path: string;
  /** from the folder; "?" for a file outside of one */
  dt: string;
  /** of an object in a bucket: what is read */
  object?: { size: number; generation?: string };
}

export interface OutputRows {
  /** rows in the file */
  count: number;
  /** half-open ranges of rows that are read as fast together as in part */
  groups: { start: number; end: number }[];
  /** Rows [start, end) as objects, int64 as bigint. Only their row groups are read, and where the file has an index, their pages. */
  read(start: number, end: number): Promise<Record<string, unknown>[]>;
}

const isHidden = (name: string) => name.startsWith("_") || name.startsWith(".");

function dtOf(path: string): string {
  const name = basename(dirname(resolve(path)));
  return name.startsWith("dt=") ? name.slice(3) : "?";
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !isHidden(name));
  const found = await Promise.all(
    entries.map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return entry.name.startsWith("dt=") ? filesBelow(path) : [];
      return entry.name.endsWith(".parquet") ? [path] : [];
    }),
  );
  return found.flat();
}

/**
 * The Parquet files of an output folder, of one partition folder, or the one file, in order of path, which is that of dt.
 * @throws ConfigError where nothing is found
 */
export async function outputFiles(path: string): Promise<OutputFile[]> {
  if (isRemote(path)) return remoteOutputFiles(path);
  const found = await stat(path).catch(() => undefined);
  if (!found)
    throw new ConfigError(`there is no output at "${path}". Give an output folder, a partition folder (dt=...) or a Parquet file.`);
  const paths = found.isDirectory() ? (await filesBelow(path)).sort() : [path];
  if (paths.length === 0) throw new ConfigError(`"${path}" has no Parquet file in folders dt=.... Is it the --output of a finished build?`);
  return withoutSlots(paths.map((each) => ({ path: each, dt: dtOf(each) })));
}

async function remoteOutputFiles(uri: string): Promise<OutputFile[]> {
  const objects = await remoteFind().findObjects(uri, "the output");
  const partition = /\/dt=[^/]*$/.test(uri.replace(/\/*$/, ""));
  const files = objects.filter(({ path }) => path === uri || (path.endsWith(".parquet") && (partition || dtOf(path) !== "?")));
  if (files.length === 0) throw new ConfigError(`"${uri}" has no Parquet file in folders dt=.... Is it the --output of a finished build?`);
  return withoutSlots(files.map(({ path, size, generation }) => ({ path, dt: dtOf(path), object: { size, generation } })));
}

/** Of the layout histories: slots are read with the histories that they point to. */
function withoutSlots(files: OutputFile[]): OutputFile[] {
  const paths = new Set(files.map(({ path }) => path));
  return files.filter(({ path }) => !/\/slots-[^/]*$/.test(path) || !paths.has(path.replace(/\/slots-(?=[^/]*$)/, "/histories-")));
}

async function metadataOf(path: string, file: AsyncBuffer): Promise<FileMetaData> {
  return parquetMetadataAsync(file).catch((error: Error) => {
    throw new BrokenFile(`"${path}" cannot be read as Parquet (${error.message}).`);
  });
}

function rowGroups(metadata: FileMetaData): { start: number; end: number }[] {
  let end = 0;
  return metadata.row_groups.map(({ num_rows }) => ({ start: end, end: (end += Number(num_rows)) }));
}

/** Opens files of an output, one after the other. Those of another layout are made rows, in a folder for temporary files, until `close`. */
export class OutputReader {
  private copies: Copies | undefined;

  /**
   * Opens a file for reading some of its columns.
   * @throws BrokenFile where the file is no Parquet file, ConfigError where it lacks one of the columns
   */
  async open(file: OutputFile, columns: string[]): Promise<OutputRows> {
    const opened = await openFile(file);
    if (layoutNoteOf(opened.metadata) === undefined) return rowsOf(opened, columns);
    const { path } = file; // which is what people know
    return rowsOf({ ...(await openFile(await this.asRows(file))), path }, columns);
  }

  /** One at a time: the one before goes. */
  private async asRows({ path, dt, object }: OutputFile): Promise<OutputFile> {
    this.close();
    const { Copies } = await import("../verify/copies.js");
    this.copies = new Copies();
    if (object === undefined) return { path: await this.copies.rows(path), dt };
    const twin = path.replace(/\/(histories|slots)-(?=[^/]*$)/, (_, kind) => (kind === "slots" ? "/histories-" : "/slots-"));
    const copy = await this.copies.object(path);
    if (twin !== path) await this.copies.object(twin);
    return { path: await this.copies.rows(copy), dt };
  }

  close(): void {
    this.copies?.remove();
    this.copies = undefined;
  }
}

interface Opened {
  path: string;
  file: AsyncBuffer;
  metadata: FileMetaData;
}

async function openFile({ path, object }: OutputFile): Promise<Opened> {
  const file = object === undefined ? await asyncBufferFromFile(path) : new (remoteFile().RemoteFile)({ path, ...object }, object.size);
  return { path, file, metadata: await metadataOf(path, file) };
}

function rowsOf({ path, file, metadata }: Opened, columns: string[]): OutputRows {
  const names = parquetSchema(metadata).children.map(({ element }) => element.name);
  const missing = columns.find((name) => !names.includes(name));
  if (missing) throw new ConfigError(`"${path}" has no column ${missing}; it has ${names.join(", ")}. Is it an output of a build?`);
  return {
    count: Number(metadata.num_rows),
    groups: rowGroups(metadata),
    read: (rowStart, rowEnd) =>
      legible(path, columns, () => parquetReadObjects({ file, metadata, columns, rowStart, rowEnd, compressors, useOffsetIndex: true })),
  };
}

type ParquetRow = Awaited<ReturnType<typeof parquetReadObjects>>[number];

/** What hyparquet makes of broken pages is an error, or rows that lack something. */
async function legible(path: string, columns: readonly string[], read: () => Promise<ParquetRow[]>): Promise<ParquetRow[]> {
  const broken = (what: string) => new BrokenFile(`"${path}" cannot be read as Parquet (${what}).`);
  // a code that begins with ERR_ is Node's own, of an argument that no page could have asked for
  const isOther = (error: Error) => "exitCode" in error || ("code" in error && !String(error.code).startsWith("ERR_"));
  const rows = await listening(read).catch((error: Error) => {
    throw isOther(error) ? error : broken(error.message);
  });
  for (const row of rows)
    for (const column of columns) if (row[column] === undefined) throw broken(`a row has no ${column}, since a page is missing or broken`);
  return rows;
}
