/** Small builds, and outputs that were tampered with. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, type SchemaElement } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { parquetWriteBuffer } from "hyparquet-writer";
import { parseFlags } from "../../pipeline/flags";
import { MANIFESTS } from "../../pipeline/manifest";
import { BuildOptions } from "../../pipeline/options";
import { build } from "../../pipeline/run";
import { VerifyOptions } from "../../verify/options";
import { type Report, verify } from "../../verify/verify";
import type { Options } from "../cases";

export const TABLES = ["impressions", "clicks", "add_to_carts", "previous_orders"] as const;
export type Table = (typeof TABLES)[number];
/** Files of each table: name, relative to the table's folder, to content. */
export type Inputs = Partial<Record<Table, Record<string, string | Uint8Array>>>;

/** Writes inputs below a folder. @returns the flags that name them */
export function writeInputs(folder: string, inputs: Inputs): string[] {
  const place = mkdtempSync(join(folder, "in-"));
  return TABLES.map((table) => {
    mkdirSync(join(place, table), { recursive: true });
    const files: Record<string, string | Uint8Array> = inputs[table] ?? { "all.ndjson": "" };
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(place, table, name)), { recursive: true });
      writeFileSync(join(place, table, name), content);
    }
    return `--${table.replaceAll("_", "-")}=${join(place, table)}`;
  });
}

export const flagsOf = (options: Options): string[] =>
  Object.entries(options).map(([name, value]) => (value === true ? `--${name}` : `--${name}=${value}`));

/** Builds what flags say, into a folder. */
export async function buildTo(output: string, flags: readonly string[]) {
  return build(parseFlags(BuildOptions, [...flags, `--output=${output}`, "--max-rejects=100%"], 0).options);
}

/** Makes an output one of a program that writes no manifest, so that rows have to speak for themselves. */
export function forget(output: string): void {
  rmSync(join(output, MANIFESTS), { recursive: true, force: true });
  for (const name of readdirSync(output, { recursive: true, encoding: "utf8" }))
    if (basename(name) === "_SUCCESS") writeFileSync(join(output, name), "");
}

export async function verified(output: string, flags: readonly string[] = []): Promise<Report> {
  return verify(output, parseFlags(VerifyOptions, flags, 0).options);
}

export type Row = Record<string, unknown>;

export interface ParquetFile {
  schema: SchemaElement[];
  rows: Row[];
}

/** A file of an output, as rows that can be changed. */
export async function readFile(path: string): Promise<ParquetFile> {
  const file = await asyncBufferFromFile(path);
  const { schema } = await parquetMetadataAsync(file);
  const rows = await parquetReadObjects({ file, compressors });
  return { schema, rows: rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)]))) };
}

const plain = (value: unknown) => (ArrayBuffer.isView(value) ? Array.from(value as unknown as ArrayLike<unknown>) : value);

/** Writes rows in the place of a file, with the same schema unless another one is given. */
export function writeFile(path: string, { schema, rows }: ParquetFile): void {
  const columns = schema.slice(1).filter((_, i, all) => !isWithin(all, i));
  const columnData = columns.map(({ name }) => ({ name, data: rows.map((row) => row[name]) }));
  writeFileSync(path, Buffer.from(parquetWriteBuffer({ schema, columnData: columnData as never })));
}

/** Elements below a list follow it: its repeated group and the element within. */
const isWithin = (all: SchemaElement[], i: number): boolean =>
  all[i].repetition_type === "REPEATED" || all[i - 1]?.repetition_type === "REPEATED";
