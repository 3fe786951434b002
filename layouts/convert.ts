/** `backstory convert`: an output in another layout. It is written aside and renamed, or uploaded, at the end, so that half of one is never seen. */
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { constants } from "node:os";
import { basename, dirname, join, resolve, sep } from "node:path";
import { ConfigError } from "../pipeline/errors";
import { isRemote } from "../pipeline/io/remote";
import { checkFolder } from "../pipeline/targets";
import { plural, thousands } from "../pipeline/thousands";
import { Copies, isPublished } from "../verify/copies";
import type { ConvertOptions } from "./options";
import { manifestsByFile } from "./settings";
import { convertTree, partitionsBelow, SUCCESS } from "./tree";
import { hasObjects, upload } from "./upload";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

export interface Converted {
  partitions: number;
  files: number;
  /** of the files */
  bytes: number;
}

/** @throws ConfigError before anything is written, BrokenFile where a file is not what a build writes */
export async function convert(output: string, options: ConvertOptions): Promise<Converted> {
  const { layout, padding, to, tempDir } = options;
  const copies = new Copies(tempDir);
  const aside = isRemote(to) ? undefined : join(dirname(resolve(to)), `.${basename(resolve(to))}-${randomUUID()}`);
  const remove = () => {
    copies.remove();
    if (aside !== undefined) rmSync(aside, { recursive: true, force: true });
  };
  const interrupted = (signal: NodeJS.Signals) => {
    remove();
    process.exit(128 + constants.signals[signal]);
  };
  for (const signal of SIGNALS) process.once(signal, interrupted);
  try {
    await check(output, options);
    const from = await copies.output(output, (below) => isPublished(below, () => true));
    const partitions = partitionsOf(from, output);
    const manifests = manifestsByFile(from);
    const made = aside ?? copies.fresh(to);
    mkdirSync(dirname(made), { recursive: true });
    const files = [
      ...(await convertTree({ from, to: made, wanted: { layout, padding }, manifests, strict: true }, partitions)).values(),
    ].flat();
    if (!(await publish(made, to))) throw notEmpty(to);
    return { partitions: partitions.length, files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
  } finally {
    for (const signal of SIGNALS) process.removeListener(signal, interrupted);
    remove();
  }
}

/** Takes the place of an empty folder, but not of one that has got files meanwhile. @returns false then */
async function publish(made: string, to: string): Promise<boolean> {
  if (isRemote(to)) return upload(made, to);
  try {
    renameSync(made, resolve(to));
    return true;
  } catch (error) {
    if (!["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    return false;
  }
}

const notEmpty = (to: string): ConfigError =>
  new ConfigError(`--to must be a new or an empty folder; "${to}" has files. Choose another name, or remove them.`);

/** Names of the folders dt=..., each finished. @param output as it was given */
function partitionsOf(folder: string, output: string): string[] {
  const names = partitionsBelow(folder);
  // a run whose rows were all left out has neither rows nor partitions
  if (names.length === 0 && !existsSync(join(folder, SUCCESS)))
    throw new ConfigError(`"${output}" has no partitions dt=YYYY-MM-DD. Give the --output of a build.`);
  const open = names.find((name) => !existsSync(join(folder, name, SUCCESS)));
  if (open !== undefined)
    throw new ConfigError(
      `"${output}/${open}" has no _SUCCESS: its run did not come to its end. Finish it by backstory clean ${output}, or build it again.`,
    );
  return names;
}

async function check(output: string, { to, tempDir }: ConvertOptions): Promise<void> {
  if (tempDir !== undefined) checkFolder("--temp-dir", tempDir);
  if (!isRemote(output) && (!existsSync(output) || !statSync(output).isDirectory()))
    throw new ConfigError(`there is no output folder at "${output}". Give the --output of a build.`);
  if (isRemote(to)) {
    if (await hasObjects(to)) throw notEmpty(to);
  } else {
    checkFolder("--to", to);
    checkFolder("--to", dirname(resolve(to)));
    if (existsSync(to) && readdirSync(to).length > 0) throw notEmpty(to);
  }
  const [from, target] = [placeOf(output), placeOf(to)];
  if (target.startsWith(from) || from.startsWith(target))
    throw new ConfigError(`--to is within the output, or the other way round; got "${to}". Choose a folder apart from it.`);
}

/** With a slash at its end, so that one that begins with another is within it. */
function placeOf(path: string): string {
  if (isRemote(path)) return `${path.replace(/\/*$/, "")}/`;
  return `${existsSync(path) ? realpathSync(path) : resolve(path)}${sep}`;
}

export async function convertAndTell(output: string, options: ConvertOptions): Promise<void> {
  const { partitions, files, bytes } = await convert(output, options);
  if (!options.quiet)
    console.log(
      `${options.to}: ${options.layout}, ${plural(partitions, "partition")}, ${plural(files, "file")}, ${thousands(bytes)} bytes`,
    );
}
