/** `backstory convert`: an output in another layout. It is written aside and renamed at the end, so that half of one is never seen. */
import { randomUUID } from "node:crypto";
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { constants } from "node:os";
import { basename, dirname, join, resolve, sep } from "node:path";
import { ConfigError } from "../pipeline/errors";
import { isRemote } from "../pipeline/io/remote";
import { BrokenFile } from "../pipeline/io/rows";
import { LAYOUT_FILE } from "../pipeline/layout";
import { MANIFESTS, type Manifest } from "../pipeline/manifest";
import { prepare } from "../pipeline/parquet/compression";
import { checkFolder } from "../pipeline/targets";
import type { Sink } from "./model";
import type { ConvertOptions } from "./options";
import { type Found, foundAt, manifestsByFile } from "./settings";
import { HistoriesSink, RankingsSink, RowsSink, type Write } from "./sinks";
import { readHistories, readRankings, readRows } from "./sources";

const SUCCESS = "_SUCCESS";
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

export interface Converted {
  partitions: number;
  files: number;
  /** of the files */
  bytes: number;
}

/** @throws ConfigError before anything is written, BrokenFile where a file is not what a build writes */
export async function convert(output: string, options: ConvertOptions): Promise<Converted> {
  const partitions = partitionsOf(output);
  check(output, options);
  const manifests = manifestsByFile(output);
  const target = resolve(options.to);
  mkdirSync(dirname(target), { recursive: true });
  const aside = join(dirname(target), `.${basename(target)}-${randomUUID()}`);
  const interrupted = (signal: NodeJS.Signals) => {
    rmSync(aside, { recursive: true, force: true });
    process.exit(128 + constants.signals[signal]);
  };
  for (const signal of SIGNALS) process.once(signal, interrupted);
  try {
    const converted = { partitions: partitions.length, files: 0, bytes: 0 };
    for (const partition of partitions) await convertPartition(output, partition, aside, options, manifests, converted);
    for (const name of [MANIFESTS, SUCCESS])
      if (existsSync(join(output, name))) cpSync(join(output, name), join(aside, name), { recursive: true });
    if (options.layout !== "rows")
      writeFileSync(join(aside, LAYOUT_FILE), `${JSON.stringify({ layout: options.layout, padding: options.padding })}\n`);
    publish(aside, options.to);
    return converted;
  } finally {
    for (const signal of SIGNALS) process.removeListener(signal, interrupted);
    rmSync(aside, { recursive: true, force: true });
  }
}

/** Takes the place of an empty folder, but not of one that has got files meanwhile. */
function publish(aside: string, to: string): void {
  try {
    renameSync(aside, resolve(to));
  } catch (error) {
    if (!["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    throw notEmpty(to);
  }
}

const notEmpty = (to: string): ConfigError =>
  new ConfigError(`--to must be a new or an empty folder; "${to}" has files. Choose another name, or remove them.`);

/** Names of the folders dt=..., each finished. */
function partitionsOf(output: string): string[] {
  if (isRemote(output)) throw new ConfigError(`convert reads outputs on this machine; got "${output}". Copy it here first.`);
  if (!existsSync(output) || !statSync(output).isDirectory())
    throw new ConfigError(`there is no output folder at "${output}". Give the --output of a build.`);
  const names = readdirSync(output).filter((name) => name.startsWith("dt=") && statSync(join(output, name)).isDirectory());
  if (names.length === 0) throw new ConfigError(`"${output}" has no partitions dt=YYYY-MM-DD. Give the --output of a build.`);
  const open = names.find((name) => !existsSync(join(output, name, SUCCESS)));
  if (open !== undefined)
    throw new ConfigError(
      `"${join(output, open)}" has no _SUCCESS: its run did not come to its end. Finish it by backstory clean ${output}, or build it again.`,
    );
  return names.sort();
}

function check(output: string, { to, layout, padding }: ConvertOptions): void {
  if (layout === "rows" && padding === "none")
    throw new ConfigError(
      `--padding=none is for rankings and histories; got --layout=rows, whose histories are always padded. Leave it out.`,
    );
  checkFolder("--to", to);
  checkFolder("--to", dirname(resolve(to)));
  if (existsSync(to) && readdirSync(to).length > 0) throw notEmpty(to);
  const [from, target] = [realpathSync(output), existsSync(to) ? realpathSync(to) : resolve(to)];
  if (`${target}${sep}`.startsWith(`${from}${sep}`) || `${from}${sep}`.startsWith(`${target}${sep}`))
    throw new ConfigError(`--to is within the output, or the other way round; got "${to}". Choose a folder apart from it.`);
}

async function convertPartition(
  output: string,
  partition: string,
  aside: string,
  options: ConvertOptions,
  manifests: Map<string, Manifest>,
  converted: Converted,
): Promise<void> {
  const folder = join(output, partition);
  const to = join(aside, partition);
  mkdirSync(to, { recursive: true });
  const names = readdirSync(folder).filter((name) => name.endsWith(".parquet") && !/^[._]/.test(name));
  for (const name of names.sort()) {
    if (name.startsWith("slots-")) {
      mustBeThere(folder, `histories-${name.slice("slots-".length)}`, name);
      continue;
    }
    const found = await foundAt(join(folder, name), `${partition}/${name}`, manifests);
    await prepare(found.settings.compression);
    const { sink, end } = open(to, restOf(folder, name), found, options);
    try {
      await read(folder, name, found, sink);
      sink.finish();
    } finally {
      for (const bytes of end()) {
        converted.files++;
        converted.bytes += bytes;
      }
    }
  }
  cpSync(join(folder, SUCCESS), join(to, SUCCESS));
}

/** The name of a file without what its layout puts before it. */
function restOf(folder: string, name: string): string {
  const rest = /^(?:part|histories)-(.+)$/.exec(name)?.[1];
  if (rest === undefined)
    throw new ConfigError(`"${join(folder, name)}" is no file of a build or a conversion (part-*.parquet). Take it out of the output.`);
  return rest;
}

async function read(folder: string, name: string, found: Found, sink: Sink): Promise<void> {
  const path = join(folder, name);
  if (found.layout === "rows") return readRows(path, found, sink);
  if (found.layout === "rankings") return readRankings(path, found, sink);
  const slots = `slots-${restOf(folder, name)}`;
  mustBeThere(folder, slots, name);
  return readHistories(path, join(folder, slots), found, sink);
}

function mustBeThere(folder: string, name: string, twin: string): void {
  if (!existsSync(join(folder, name))) throw new BrokenFile(`"${join(folder, twin)}" wants "${name}" beside it, which is not there.`);
}

/** A sink to new files. `end` closes them. */
function open(to: string, rest: string, { settings }: Found, { layout, padding }: ConvertOptions): { sink: Sink; end: () => number[] } {
  const files: { fd: number; bytes: number }[] = [];
  const file = (name: string): Write => {
    const written = { fd: openSync(join(to, name), "wx"), bytes: 0 };
    files.push(written);
    return (bytes) => {
      for (let at = 0; at < bytes.length; ) at += writeSync(written.fd, bytes, at);
      written.bytes += bytes.length;
    };
  };
  const end = () =>
    files.map(({ fd, bytes }) => {
      closeSync(fd);
      return bytes;
    });
  if (layout === "rows") return { sink: new RowsSink(settings, file(`part-${rest}`)), end };
  if (layout === "rankings") return { sink: new RankingsSink(settings, padding, file(`part-${rest}`)), end };
  return { sink: new HistoriesSink(settings, padding, { histories: file(`histories-${rest}`), slots: file(`slots-${rest}`) }), end };
}

export async function convertAndTell(output: string, options: ConvertOptions): Promise<void> {
  const { partitions, files, bytes } = await convert(output, options);
  if (!options.quiet)
    console.log(`${options.to}: ${options.layout}, ${partitions} partitions, ${files} files, ${bytes.toLocaleString("en")} bytes`);
}
