/** Checks, before a run begins, that it can write where it is to write, and that it does not write over what it reads. */
import { randomUUID } from "node:crypto";
import { accessSync, constants, existsSync, mkdirSync, readdirSync, realpathSync, rmdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";
import { ConfigError, isDiskFull } from "./errors";
import { parseUri } from "./gcs/uri";
import { isRemote } from "./io/remote";
import type { InputFile } from "./io/rows";

export interface Targets {
  output: string;
  rejects?: string;
  metricsJson?: string;
  report?: string;
  tempDir?: string;
}

/** A table's path as given, and the files found there. */
export interface Input {
  name: string;
  path: string;
  files: readonly InputFile[];
}

/** @throws ConfigError */
export function checkTargets({ output, rejects, metricsJson, report, tempDir }: Targets, inputs: readonly Input[]): void {
  if (isRemote(output)) parseUri(output, "--output");
  else checkFolder("--output", output);
  if (tempDir !== undefined) checkFolder("--temp-dir", tempDir);
  for (const entry of !isRemote(output) && existsSync(output) ? readdirSync(output, { withFileTypes: true }) : [])
    if (entry.name.startsWith("dt=") && entry.isFile())
      throw new ConfigError(`${join(output, entry.name)} is a file where a partition belongs. Remove it, or choose another --output.`);
  for (const input of inputs) checkApart(output, input);
  checkFile("--rejects", rejects, inputs);
  checkFile("--metrics-json", metricsJson, inputs);
  checkFile("--report", report, inputs);
  const files = Object.entries({ "--rejects": rejects, "--metrics-json": metricsJson, "--report": report }).filter(
    ([, path]) => path !== undefined,
  );
  for (const [i, [flag, path]] of files.entries()) {
    const twin = files.slice(0, i).find(([, other]) => real(other!) === real(path!));
    if (twin !== undefined) throw new ConfigError(`${twin[0]} and ${flag} are the same file, ${path}. Give each its own.`);
  }
}

/** What systems take, in bytes: of a name, and of a path, less what is put below it. */
const NAME_BYTES = 255;
const PATH_BYTES = 3800;
/** What is written aside has a longer name for a while: by two dots and a UUID. */
const ASIDE_BYTES = 38;

function checkLength(flag: string, path: string, most = NAME_BYTES): void {
  if (Buffer.byteLength(path) <= PATH_BYTES && path.split(sep).every((name) => Buffer.byteLength(name) <= most)) return;
  throw new ConfigError(
    `${flag} is longer than ${PATH_BYTES} bytes, or has a name of more than ${most}; got "${path.slice(0, 60)}...". Choose a shorter one.`,
  );
}

/** A folder to write to, there or to be made. */
export function checkFolder(flag: string, path: string): void {
  if (/^[a-z][a-z0-9]+:\/\//i.test(path)) throw new ConfigError(`${flag} must be a folder on this machine; got "${path}". Give a path.`);
  checkLength(flag, path);
  const found = nearest(path);
  if (!statSync(found).isDirectory()) {
    const what = found === resolve(path) ? "is a file" : `has a file on its way, ${found}`;
    throw new ConfigError(`${flag} must be a folder; "${path}" ${what}. Choose another name.`);
  }
  checkWritable(flag, path, found);
  checkFolders(flag, path, found);
}

/**
 * Whether a folder can be made in `found`: in /proc none can, though it looks as if, and Node would try for ever to make one with those that it is in.
 */
function checkFolders(flag: string, path: string, found: string): void {
  const probe = join(found, `.backstory-${randomUUID()}`);
  try {
    mkdirSync(probe);
    rmdirSync(probe);
  } catch (error) {
    if (isDiskFull(error)) return; // said in other words, and later there may be room
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError(
      `${flag} cannot be written to (no folder can be made in ${found}: ${code}); got "${path}". Choose another place.`,
    );
  }
}

/** A file to write to, there or to be made, that is none of the inputs. */
export function checkFile(flag: string, path: string | undefined, inputs: readonly Input[]): void {
  if (path === undefined) return;
  if (isRemote(path)) checkObject(flag, path);
  else checkPlace(flag, path);
  const target = real(path);
  const input = inputs.find(({ files }) => files.some((file) => real(file.path) === target));
  if (input !== undefined) throw new ConfigError(`${flag} is one of the files of ${input.name}, "${path}". Choose another name.`);
}

/** A file on this machine. */
function checkPlace(flag: string, path: string): void {
  checkLength(flag, basename(path), NAME_BYTES - ASIDE_BYTES);
  if (existsSync(path) && statSync(path).isDirectory())
    throw new ConfigError(`${flag} must be a file; "${path}" is a folder. Add a file name.`);
  else if (existsSync(path)) checkWritable(flag, path, path);
  else checkFolder(flag, dirname(path));
}

function checkObject(flag: string, uri: string): void {
  if (/(^|\/)$/.test(parseUri(uri, flag).name)) throw new ConfigError(`${flag} must be a file; "${uri}" is a folder. Add a file name.`);
}

/** Partitions would replace files of the inputs, or be read as inputs the next time. */
function checkApart(output: string, { name, path, files }: Input): void {
  const partitions = `${real(output).replace(/\/$/, "")}${sep}dt=`;
  const within = isRemote(path)
    ? isWithin(output, path)
    : existsSync(path) && statSync(path).isDirectory() && `${real(output)}${sep}`.startsWith(`${real(path)}${sep}`);
  if (within || files.some((file) => real(file.path).startsWith(partitions)))
    throw new ConfigError(`--output is among the files of ${name}; got "${output}". Choose a folder apart from the inputs.`);
}

function checkWritable(flag: string, path: string, found: string): void {
  try {
    accessSync(found, statSync(found).isDirectory() ? constants.W_OK | constants.X_OK : constants.W_OK);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === "EROFS" ? "the disk is read-only" : "no permission";
    throw new ConfigError(`${flag} cannot be written to (${why}); got "${path}". Choose another place, or change its permissions.`);
  }
}

/** The path itself, or what exists of the way to it. */
function nearest(path: string): string {
  let found = resolve(path);
  while (!existsSync(found)) found = dirname(found);
  return found;
}

/** Whether an output is in a bucket's folder that is an input. */
const isWithin = (output: string, input: string): boolean => `${output}/`.startsWith(`${input.replace(/\/*$/, "")}/`);

/** Without links, also where the end of the path is still to be made. */
function real(path: string): string {
  if (isRemote(path)) return path;
  const found = nearest(path);
  const rest = resolve(path).slice(found.length);
  return realpathSync(found) + rest;
}
