/** One side of a comparison: Parquet files by dt, whoever wrote them, and their rows by column. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { ConfigError } from "../pipeline/errors";
import { BrokenFile } from "../pipeline/io/rows";
import { layoutNoteOf, type OutputLayout, PLAIN } from "../pipeline/layout";
import type { ArrowColumn } from "../verify/output/arrow";
import { columnsIn as batchesIn, footerOf } from "../verify/output/reader";
import { COLUMNS, type ColumnName, LISTS, SLOTS } from "./options";
import { columnsIn, namesOf, topOf } from "./schema";

export interface TableFile {
  path: string;
  /** as people are told, from the folder of the output */
  name: string;
  /** by its folder; undefined where a column has to tell */
  dt: string | undefined;
}

/** A column as files have it: its name, COLUMN.FIELD where it is a field of structs, and the top-level column that has it. */
interface Theirs {
  name: string;
  top: string;
}
export type Columns = Partial<Record<ColumnName, Theirs>>;

export interface Table {
  /** as given */
  name: string;
  /** on this machine */
  folder: string;
  files: TableFile[];
  columns: Columns;
  /** whether a row is a ranking, with its slots as lists; null where no column tells */
  isRankings: boolean | null;
  /** of an output of a build; null for a table of another program */
  layout: OutputLayout | null;
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
  const { dt: day, ...inFiles } = mapping;
  const isFolder = statSync(folder).isDirectory();
  const of = (key: string): TableFile[] =>
    isFolder ? filesBelow(folder, "", key) : [{ path: folder, name: basename(folder), dt: dtOf(folder, key) }];
  // where dt has another name, that may be a folder's or a column's
  const byName = of(day ?? "dt");
  if (byName.length === 0) throw new ConfigError(`"${name}" has no Parquet file. Give a folder of Parquet files, or one file.`);
  const isOfFolders = day === undefined || byName.every(({ dt }) => dt !== undefined);
  const files = isOfFolders ? byName : of("dt");
  return { name, folder, files, ...(await columnsOf(name, files[0], isOfFolders ? inFiles : mapping)) };
}

/** @param key the name of the folders of a dt: KEY=2025-08-16 */
function filesBelow(folder: string, below: string, key: string): TableFile[] {
  const entries = readdirSync(join(folder, below), { withFileTypes: true }).filter(({ name }) => !isHidden(name));
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const name = below === "" ? entry.name : `${below}/${entry.name}`;
      const path = join(folder, name);
      if (entry.isDirectory() || (entry.isSymbolicLink() && statSync(path).isDirectory())) return filesBelow(folder, name, key);
      return /\.(parquet|pq)$/i.test(name) ? [{ path, name, dt: dtOf(path, key) }] : [];
    });
}

/** From the folders above a file. */
function dtOf(path: string, key: string): string | undefined {
  const folder = path.split("/").findLast((part) => part.startsWith(`${key}=`));
  return folder?.slice(key.length + 1);
}

async function columnsOf(
  table: string,
  file: TableFile,
  mapping: Partial<Record<ColumnName, string>>,
): Promise<Pick<Table, "columns" | "isRankings" | "layout">> {
  const metadata = await footerOf(file.path).catch((error: Error) => {
    throw new BrokenFile(`"${file.path}" cannot be read as Parquet (${error.message}).`);
  });
  const layout = metadata.created_by?.startsWith("backstory ") ? (layoutNoteOf(metadata) ?? PLAIN) : null;
  // histories and slots in two tables are nobody else's, so nothing reads them as they are
  if (layout?.layout === "histories") return { columns: {}, isRankings: null, layout };
  const there = columnsIn(metadata);
  const given = Object.values(mapping);
  const missing = given.find((theirs) => topOf(there, theirs) === undefined);
  if (missing !== undefined)
    throw new ConfigError(`"${table}" has no column ${missing}; it has ${namesOf(there).join(", ")}. Check --columns.`);
  const taken = new Set(given.map((theirs) => topOf(there, theirs)));
  const columns: Columns = {};
  for (const name of COLUMNS) {
    const theirs = mapping[name] ?? (there.has(name) && !taken.has(name) ? name : undefined);
    if (theirs !== undefined) columns[name] = { name: theirs, top: topOf(there, theirs)! };
  }
  const slot = SLOTS.map((name) => columns[name]).find((theirs) => theirs !== undefined);
  return { columns, isRankings: slot === undefined ? null : there.get(slot.top)!.isList, layout };
}

/**
 * The rows of a file by column, valid until the next ones.
 * @throws BrokenFile, ConfigError where a column has nulls or a type that cannot be compared
 */
export async function* batchesOf({ path }: TableFile, columns: Columns): AsyncGenerator<Batch> {
  const names = Object.entries(columns) as [ColumnName, Theirs][];
  const lists = names.filter(([name]) => LISTS.includes(name)).length;
  // what is not known is how long lists are; most are of a thousand elements or fewer
  const batches = batchesIn(path, [...new Set(names.map(([, { top }]) => top))], 2000 * lists, undefined, true);
  while (true) {
    let next: IteratorResult<{ rows: number; found: Map<string, ArrowColumn | undefined> }>;
    try {
      next = await batches.next();
    } catch (error) {
      throw new BrokenFile(`"${path}" cannot be read as Parquet (${error instanceof Error ? error.message : error}).`);
    }
    if (next.done) return;
    const { rows, found } = next.value;
    yield { rows, columns: Object.fromEntries(names.map(([name, theirs]) => [name, known(path, theirs.name, found)])) };
  }
}

function known(path: string, name: string, found: ReadonlyMap<string, ArrowColumn | undefined>): ArrowColumn {
  const column = found.get(name);
  if (column !== undefined) return column;
  if (!found.has(name)) throw new ConfigError(`"${path}" has no column ${name}, which other files have. Compare files of one kind.`);
  throw new ConfigError(
    `"${path}": column ${name} has nulls, or a type that cannot be compared. Integers, booleans, strings, dates and lists of integers can, and fields of structs, as in --columns=actions=history.item.`,
  );
}
