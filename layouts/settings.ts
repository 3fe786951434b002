/** How the rows of a file were written: from its own note, from the manifest of its run, or from what the file shows. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { FileMetaData } from "hyparquet";
import type { FileSettings } from "../pipeline/dayfiles";
import { ConfigError } from "../pipeline/errors";
import { BrokenFile } from "../pipeline/io/rows";
import { LAYOUT_COLUMNS, type Layout, layoutNoteOf } from "../pipeline/layout";
import { MANIFESTS, type Manifest, parseManifest } from "../pipeline/manifest";
import { type Compression, type OutputColumn, ROW_GROUP_BYTES } from "../pipeline/parquet/schema";
import { columnsByName } from "../verify/output/columns";
import { columnsIn, footerOf } from "../verify/output/reader";
import type { Source } from "./sources";

/** A file as it lies there. */
export interface Found extends Source {
  layout: Layout;
}

const COMPRESSIONS: Partial<Record<string, Compression>> = { SNAPPY: "snappy", ZSTD: "zstd", UNCOMPRESSED: "none" };

/**
 * The manifest of each file that one names, by path from the output.
 * @param broken hears of files that are no manifests; without it they end this
 */
export function manifestsByFile(output: string, broken?: (error: BrokenFile) => void): Map<string, Manifest> {
  const folder = join(output, MANIFESTS);
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".json")) : [];
  const manifests = names.sort().flatMap((name) => {
    try {
      return [parseManifest(readFileSync(join(folder, name), "utf8"), name)];
    } catch (error) {
      if (broken === undefined || !(error instanceof BrokenFile)) throw error;
      broken(error);
      return [];
    }
  });
  manifests.sort((a, b) => (a.committed < b.committed ? -1 : 1)); // a later run has replaced files of the same name
  return new Map(manifests.flatMap((manifest) => manifest.partitions.flatMap(({ files }) => files.map(({ path }) => [path, manifest]))));
}

/** @param path the file; `below` is its name from the output */
export async function foundAt(path: string, below: string, manifests: ReadonlyMap<string, Manifest>): Promise<Found> {
  const metadata = await footerOf(path).catch((error: Error) => {
    throw new BrokenFile(`"${path}" cannot be read as Parquet (${error.message}).`);
  });
  const note = layoutNoteOf(metadata);
  const codec = metadata.row_groups[0]?.columns[0]?.meta_data?.codec;
  if (codec === undefined) throw new ConfigError(`"${path}" has no rows, so nothing says how to convert it. Remove the file.`);
  const compression = COMPRESSIONS[codec] ?? "snappy";
  if (note !== undefined) {
    const { layout, padding, historyLength, rowGroupBytes } = note;
    const settings = { columns: note.columns as OutputColumn[], historyLength, rowGroupBytes, compression };
    return { layout, length: padding === "none" ? null : historyLength, settings };
  }
  const settings = { ...(await rowSettings(path, metadata, manifests.get(below))), compression };
  return { layout: "rows", length: settings.historyLength, settings };
}

async function rowSettings(
  path: string,
  metadata: FileMetaData,
  manifest: Manifest | undefined,
): Promise<Omit<FileSettings, "compression">> {
  const columns = (manifest?.schema.map(({ holds, name }) => ({ holds, name })) ?? columnsByName(metadata)) as OutputColumn[];
  const missing = LAYOUT_COLUMNS.find((needed) => !columns.some(({ holds }) => holds === needed));
  if (missing !== undefined)
    throw new ConfigError(
      `"${path}" has no column ${missing}; converting takes ${LAYOUT_COLUMNS.join(", ")}. Build the output again with --columns=standard.`,
    );
  const { historyLength, rowGroupBytes } = manifest?.options ?? {};
  const types = columns.find(({ holds }) => holds === "action_types")!.name;
  return {
    columns,
    historyLength: typeof historyLength === "number" ? historyLength : await lengthIn(path, types),
    rowGroupBytes: typeof rowGroupBytes === "number" ? rowGroupBytes : ROW_GROUP_BYTES,
  };
}

/** Of the first history. */
async function lengthIn(path: string, name: string): Promise<number> {
  try {
    for await (const { rows, found } of columnsIn(path, [name], 100_000)) {
      const lists = found.get(name);
      if (rows > 0 && lists?.kind === "lists" && lists.offsets[1] > lists.offsets[0]) return lists.offsets[1] - lists.offsets[0];
      break;
    }
  } catch (error) {
    throw new BrokenFile(`"${path}" cannot be read as Parquet (${error instanceof Error ? error.message : error}).`);
  }
  throw new BrokenFile(`"${path}": column ${name} does not hold histories.`);
}
