/** `backstory convert`: an output in another layout. It is written aside and renamed at the end, so that half of one is never seen. */
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { constants } from "node:os";
import { basename, dirname, join, resolve, sep } from "node:path";
import { ConfigError } from "../pipeline/errors";
import { isRemote } from "../pipeline/io/remote";
import { checkFolder } from "../pipeline/targets";
import type { ConvertOptions } from "./options";
import { manifestsByFile } from "./settings";
import { convertTree, partitionsBelow, SUCCESS } from "./tree";

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
    const { layout, padding } = options;
    const made = await convertTree({ from: output, to: aside, wanted: { layout, padding }, manifests, strict: true }, partitions);
    publish(aside, options.to);
    const files = [...made.values()].flat();
    return { partitions: partitions.length, files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
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
  const names = partitionsBelow(output);
  // a run whose rows were all left out has neither rows nor partitions
  if (names.length === 0 && !existsSync(join(output, SUCCESS)))
    throw new ConfigError(`"${output}" has no partitions dt=YYYY-MM-DD. Give the --output of a build.`);
  const open = names.find((name) => !existsSync(join(output, name, SUCCESS)));
  if (open !== undefined)
    throw new ConfigError(
      `"${join(output, open)}" has no _SUCCESS: its run did not come to its end. Finish it by backstory clean ${output}, or build it again.`,
    );
  return names;
}

function check(output: string, { to }: ConvertOptions): void {
  checkFolder("--to", to);
  checkFolder("--to", dirname(resolve(to)));
  if (existsSync(to) && readdirSync(to).length > 0) throw notEmpty(to);
  const [from, target] = [realpathSync(output), existsSync(to) ? realpathSync(to) : resolve(to)];
  if (`${target}${sep}`.startsWith(`${from}${sep}`) || `${from}${sep}`.startsWith(`${target}${sep}`))
    throw new ConfigError(`--to is within the output, or the other way round; got "${to}". Choose a folder apart from it.`);
}

export async function convertAndTell(output: string, options: ConvertOptions): Promise<void> {
  const { partitions, files, bytes } = await convert(output, options);
  if (!options.quiet)
    console.log(`${options.to}: ${options.layout}, ${partitions} partitions, ${files} files, ${bytes.toLocaleString("en")} bytes`);
}
