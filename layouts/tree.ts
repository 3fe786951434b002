/** A folder of output files in another layout: files, markers, and manifests that tell of the new files. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Open } from "../pipeline/dayfiles";
import { ConfigError } from "../pipeline/errors";
import { HashedFile } from "../pipeline/hashedfile";
import { BrokenFile } from "../pipeline/io/rows";
import { LAYOUT_FILE, layoutText, type OutputLayout } from "../pipeline/layout";
import { MANIFESTS, type Manifest, type ManifestFile } from "../pipeline/manifest";
import { prepare } from "../pipeline/parquet/compression";
import { sha256 } from "../verify/output/found";
import type { Sink } from "./model";
import { type Found, foundAt } from "./settings";
import { FileSink } from "./sinks";
import { readHistories, readRankings, readRows } from "./sources";

export const SUCCESS = "_SUCCESS";

/** Names of the folders dt=..., in order. */
export const partitionsBelow = (output: string): string[] =>
  readdirSync(output)
    .filter((name) => name.startsWith("dt=") && statSync(join(output, name)).isDirectory())
    .sort();

export interface Converting {
  /** folder of an output */
  from: string;
  /** it is made */
  to: string;
  wanted: OutputLayout;
  /** of files, by path from the output */
  manifests: ReadonlyMap<string, Manifest>;
  /** refuses files that are not those that their run has published, whose manifest would speak for others then */
  strict?: boolean;
  /** hears of files that cannot be read, which are left out; without it they end the conversion */
  broken?: ((path: string, error: BrokenFile) => void) | undefined;
}

/** New files by the path of the one that they are of, from the output. */
export type Made = Map<string, ManifestFile[]>;

/** @throws BrokenFile, ConfigError where a file is not what a build writes */
export async function convertTree(converting: Converting, partitions: readonly string[]): Promise<Made> {
  const { from, to, wanted } = converting;
  const made: Made = new Map();
  mkdirSync(to, { recursive: true });
  for (const partition of partitions) await convertPartition(converting, partition, made);
  convertManifests(converting, made);
  if (existsSync(join(from, SUCCESS))) cpSync(join(from, SUCCESS), join(to, SUCCESS));
  const text = layoutText(wanted);
  if (text !== undefined) writeFileSync(join(to, LAYOUT_FILE), text);
  return made;
}

async function convertPartition(converting: Converting, partition: string, made: Made): Promise<void> {
  const [folder, to] = [join(converting.from, partition), join(converting.to, partition)];
  mkdirSync(to, { recursive: true });
  const names = readdirSync(folder).filter((name) => name.endsWith(".parquet") && !/^[._]/.test(name));
  for (const name of names.sort()) {
    const below = `${partition}/${name}`;
    try {
      made.set(below, name.startsWith("slots-") ? withHistories(folder, name) : await convertFile(converting, partition, name));
      if (converting.strict) await refuseOthers(converting, below);
    } catch (error) {
      if (converting.broken === undefined || !("exitCode" in (error as BrokenFile))) throw error;
      converting.broken(below, error as BrokenFile);
    }
  }
  if (existsSync(join(folder, SUCCESS))) cpSync(join(folder, SUCCESS), join(to, SUCCESS));
}

async function refuseOthers({ from, manifests }: Converting, below: string): Promise<void> {
  const manifest = manifests.get(below);
  const file = manifest?.partitions.flatMap(({ files }) => files).find(({ path }) => path === below);
  if (file !== undefined && (await sha256(join(from, below))) !== file.sha256)
    throw new BrokenFile(`"${join(from, below)}" is not the file that run ${manifest!.run} has published, by its SHA-256.`);
}

/** Slots are converted with their histories. */
function withHistories(folder: string, name: string): [] {
  mustBeThere(folder, `histories-${restOf(folder, name)}`, name);
  return [];
}

/** One file, with the one beside it. @returns what has become of it */
export async function convertFile({ from, to, wanted, manifests }: Converting, partition: string, name: string): Promise<ManifestFile[]> {
  const folder = join(from, partition);
  const rest = restOf(folder, name);
  const found = await foundAt(join(folder, name), `${partition}/${name}`, manifests);
  await prepare(found.settings.compression);
  const files: HashedFile[] = [];
  try {
    const sink = new FileSink(wanted.layout, wanted.padding, found.settings, newFiles(join(to, partition), rest, files));
    await read(folder, name, rest, found, sink);
    return sink
      .finish()
      .map((rows, i) => ({ path: `${partition}/${basename(files[i].path)}`, rows, bytes: files[i].bytes, sha256: files[i].sha256() }));
  } catch (error) {
    for (const file of files) rmSync(file.path); // half of a file is none
    throw error;
  } finally {
    for (const file of files) file.close();
  }
}

const newFiles =
  (folder: string, rest: string, files: HashedFile[]): Open =>
  (kind) => {
    const file = new HashedFile(join(folder, `${kind}-${rest}`));
    files.push(file);
    return (bytes) => file.write(bytes);
  };

/** The name of a file without what its layout puts before it. */
function restOf(folder: string, name: string): string {
  const rest = /^(?:part|histories|slots)-(.+)$/.exec(name)?.[1];
  if (rest === undefined)
    throw new ConfigError(`"${join(folder, name)}" is no file of a build or a conversion (part-*.parquet). Take it out of the output.`);
  return rest;
}

async function read(folder: string, name: string, rest: string, found: Found, sink: Sink): Promise<void> {
  const path = join(folder, name);
  if (found.layout === "rows") return readRows(path, found, sink);
  if (found.layout === "rankings") return readRankings(path, found, sink);
  mustBeThere(folder, `slots-${rest}`, name);
  return readHistories(path, join(folder, `slots-${rest}`), found, sink);
}

function mustBeThere(folder: string, name: string, twin: string): void {
  if (!existsSync(join(folder, name))) throw new BrokenFile(`"${join(folder, twin)}" wants "${name}" beside it, which is not there.`);
}

/** What runs say of themselves is as before, but for the files that there are now, and their layout. */
function convertManifests({ from, to, wanted, manifests }: Converting, made: Made): void {
  const folder = join(from, MANIFESTS);
  if (!existsSync(folder)) return;
  mkdirSync(join(to, MANIFESTS));
  const known = new Set([...manifests.values()].map(({ run }) => run));
  for (const name of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
    const text = readFileSync(join(folder, name), "utf8");
    const run = basename(name, ".json");
    writeFileSync(
      join(to, MANIFESTS, name),
      known.has(run) ? converted(text, wanted, (path) => manifests.get(path)?.run === run, made) : text,
    );
  }
}

/** @param isTheirs whether the run of the manifest has written the file that there is now */
function converted(text: string, { layout, padding }: OutputLayout, isTheirs: (path: string) => boolean, made: Made): string {
  const manifest = JSON.parse(text) as Manifest; // as it stands, so that what is not changed is the same to the byte
  for (const partition of manifest.partitions) {
    const files = partition.files.flatMap((file) => (isTheirs(file.path) ? (made.get(file.path) ?? [file]) : [file]));
    partition.files = files.sort((a, b) => (a.path < b.path ? -1 : 1));
  }
  manifest.bytes = manifest.partitions.reduce((sum, { files }) => files.reduce((all, { bytes }) => all + bytes, sum), 0);
  Object.assign(manifest.options, { layout, padding });
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
