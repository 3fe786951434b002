import { type Dirent, lstatSync, readdirSync, realpathSync, statSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { globSync, isDynamicPattern } from "tinyglobby";
import { ConfigError } from "../errors";
import { refuseOtherServices } from "../gcs/uri";
import { formatOf } from "./format";
import { byBytes, cutGlob, isHidden, partitionOf } from "./globs";
import { isRemote, remoteFind } from "./remote";
import type { InputFile } from "./rows";

export { planSplits, textBytes } from "./splits";

/** The files of a table, on this machine or in a bucket. @throws ConfigError if there is none, or one cannot be opened */
export async function findInputs(path: string, table: string): Promise<InputFile[]> {
  refuseOtherServices(path, table);
  return isRemote(path) ? remoteFind().findObjects(path, table) : findFiles(path, table);
}

/**
 * The files of a table, in byte order of their paths: one file, all files of a folder and the folders within, or what a glob
 * matches (a folder that it matches is taken whole). Names that begin with `_` or `.` are passed over below the given path.
 * @throws ConfigError if there is none, or one cannot be opened
 */
export function findFiles(pathOrGlob: string, table: string): InputFile[] {
  const paths = whileOpening(pathOrGlob, table, () => new Set(startingPaths(pathOrGlob, table).flatMap(filesIn)));
  if (paths.size === 0) {
    throw new ConfigError(`No file of ${table} in "${pathOrGlob}"; names that begin with "_" or "." do not count. Check the path.`);
  }
  return [...paths].sort(byBytes).map((path) => whileOpening(path, table, () => inputFile(path, table)));
}

function startingPaths(pathOrGlob: string, table: string): string[] {
  if (exists(pathOrGlob)) return [pathOrGlob];
  if (!isDynamicPattern(pathOrGlob)) throw new ConfigError(`No such file, folder or glob for ${table}: "${pathOrGlob}". Check the path.`);
  const { plain, pattern } = cutGlob(pathOrGlob);
  const folder = resolve(plain.map((name) => `${name}/`).join(""));
  const fs = { readdirSync: entries as unknown as typeof readdirSync };
  return globSync(pattern, { cwd: folder, absolute: true, onlyFiles: false, expandDirectories: false, fs });
}

/** True for a broken link too, which is worth a message of its own. */
function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function filesIn(path: string): string[] {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path];
  return entries(path).flatMap((entry) => filesIn(join(path, entry.name)));
}

/** What counts in a folder. Links stand for what they link to; those that lead back up to a folder above are left out. */
function entries(folder: string): Dirent[] {
  const found = readdirSync(folder, { withFileTypes: true }).filter((entry) => !isHidden(entry.name));
  return found.flatMap((entry) => (entry.isSymbolicLink() ? follow(entry, folder) : [entry]));
}

/** A link to nowhere passes for a file here, so that opening it fails instead of its being left out silently. */
function follow(link: Dirent, folder: string): Dirent[] {
  const path = join(folder, link.name);
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (isFolder && (realpathSync(folder) + sep).startsWith(realpathSync(path) + sep)) return [];
  return [Object.assign(Object.create(link), { isSymbolicLink: () => false, isDirectory: () => isFolder, isFile: () => !isFolder })];
}

function inputFile(path: string, table: string): InputFile {
  const stats = statSync(path);
  if (!stats.isFile()) throw new ConfigError(`"${path}" of ${table} is neither file nor folder. Give a file.`);
  return { path, size: stats.size, ...formatOf(path), partition: partitionOf(dirname(resolve(path)).split(sep)) };
}

/** What the file system objects to is for the user to mend. */
function whileOpening<T>(path: string, table: string, look: () => T): T {
  try {
    return look();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const why = code === "ENOENT" || code === "ELOOP" ? "is a link to nowhere" : `cannot be opened (${code})`;
    throw new ConfigError(`"${path}" of ${table} ${why}. Mend or remove it.`);
  }
}
