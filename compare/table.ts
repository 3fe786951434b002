/** One side of a comparison: Parquet files by dt, whoever wrote them, and their rows by column. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { ConfigError } from "../pipeline/errors";
import { BrokenFile } from "../pipeline/io/rows";
import type { ArrowColumn } from "../verify/output/arrow";
import { columnsIn, footerOf } from "../verify/output/reader";
import { COLUMNS, type ColumnName, LISTS } from "./options";

export interface TableFile {
  path: string;
  /** as people are told, from the folder of the output */
  name: string;
  /** by its folder; undefined where a column has to tell */
  dt: string | undefined;
}

export interface Table {
  /** as given */
  name: string;
  files: TableFile[];
  /** names in files */
  columns: Partial<Record<ColumnName, string>>;
}

/** Some rows of a file. */
export interface Batch {
  rows: number;
  columns: Partial<Record<ColumnName, ArrowColumn>>;
}

const isHidden = (name: string): boolean => name.startsWith("_") || name.startsWith(".");

/**
 * @param folder an output, a partition, or a file
 * @param mapping names of columns that are not the usual ones
 * @throws ConfigError where there is no table, or a column that was named is not there
 */
export async function openTable(name: string, folder: string, mapping: Partial<Record<ColumnName, string>>): Promise<Table> {
  if (!existsSync(folder)) throw new ConfigError(`there is no output at "${name}". Give a folder of Parquet files, or one file.`);
  const files = statSync(folder).isDirectory() ? filesBelow(folder, "") : [{ path: folder, name: basename(folder), dt: dtOf(folder) }];
  if (files.length === 0) throw new ConfigError(`"${name}" has no Parquet file. Give a folder of Parquet files, or one file.`);
  return { name, files, columns: await columnsOf(name, files[0], mapping) };
}

function filesBelow(folder: string, below: string): TableFile[] {
  const entries = readdirSync(join(folder, below), { withFileTypes: true }).filter(({ name }) => !isHidden(name));
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const name = below === "" ? entry.name : `${below}/${entry.name}`;
      const path = join(folder, name);
      if (entry.isDirectory() || (entry.isSymbolicLink() && statSync(path).isDirectory())) return filesBelow(folder, name);
      return /\.(parquet|pq)$/i.test(name) ? [{ path, name, dt: dtOf(path) }] : [];
    });
}

/** From the folders above a file. */
function dtOf(path: string): string | undefined {
  const folder = path.split("/").findLast((part) => part.startsWith("dt="));
  return folder?.slice("dt=".length);
}

async function columnsOf(table: string, file: TableFile, mapping: Partial<Record<ColumnName, string>>): Promise<Table["columns"]> {
  const metadata = await footerOf(file.path).catch((error: Error) => {
    throw new BrokenFile(`"${file.path}" cannot be read as Parquet (${error.message}).`);
  });
  const { schema } = metadata;
  const there = new Set(schema.slice(1).map(({ name }) => name));
  const columns: Table["columns"] = {};
  for (const name of COLUMNS) {
    const theirs = mapping[name] ?? name;
    if (there.has(theirs)) columns[name] = theirs;
    else if (mapping[name] !== undefined)
      throw new ConfigError(`"${table}" has no column ${theirs}; it has ${[...there].join(", ")}. Check --columns.`);
  }
  return columns;
}

/**
 * The rows of a file by column, valid until the next ones.
 * @throws BrokenFile, ConfigError where a column has nulls or a type that cannot be compared
 */
export async function* batchesOf({ path }: TableFile, columns: Partial<Record<ColumnName, string>>): AsyncGenerator<Batch> {
  const names = Object.entries(columns) as [ColumnName, string][];
  const lists = names.filter(([name]) => LISTS.includes(name)).length;
  // what is not known is how long lists are; most are of a thousand elements or fewer
  const batches = columnsIn(
    path,
    names.map(([, theirs]) => theirs),
    2000 * lists,
  );
  while (true) {
    let next: IteratorResult<{ rows: number; found: Map<string, ArrowColumn | undefined> }>;
    try {
      next = await batches.next();
    } catch (error) {
      throw new BrokenFile(`"${path}" cannot be read as Parquet (${error instanceof Error ? error.message : error}).`);
    }
    if (next.done) return;
    const { rows, found } = next.value;
    yield { rows, columns: Object.fromEntries(names.map(([name, theirs]) => [name, known(path, theirs, found.get(theirs))])) };
  }
}

function known(path: string, name: string, column: ArrowColumn | undefined): ArrowColumn {
  if (column === undefined)
    throw new ConfigError(
      `"${path}": column ${name} has nulls, or a type that cannot be compared. Integers, booleans, strings, dates and lists of integers can.`,
    );
  return column;
}
