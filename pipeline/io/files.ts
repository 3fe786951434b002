import { type Dirent, lstatSync, readdirSync, realpathSync, statSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { globSync, isDynamicPattern } from "tinyglobby";
import { ConfigError } from "../errors";
import { formatOf } from "./format";
import type { InputFile } from "./rows";

export { planSplits, textBytes } from "./splits";

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
  const [folder, pattern] = cutGlob(pathOrGlob);
  const fs = { readdirSync: entries as unknown as typeof readdirSync };
  return globSync(pattern, { cwd: folder, absolute: true, onlyFiles: false, expandDirectories: false, fs });
}

/** The folder that a glob names plainly, whose own name may begin with `_`, and the pattern below it. */
function cutGlob(glob: string): [folder: string, pattern: string] {
  const parts = glob.split("/");
  const plain = Math.max(
    0,
    parts.findIndex((part) => isDynamicPattern(part) || /[{}()\\]/.test(part)),
  );
  return [resolve(parts.slice(0, plain).join("/") + (plain > 0 ? "/" : "")), parts.slice(plain).join("/")];
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
  const found = readdirSync(folder, { withFileTypes: true }).filter((entry) => !/^[_.]/.test(entry.name));
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
  return { path, size: stats.size, ...formatOf(path), partition: partitionOf(path) };
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

/** `dt=2025-08-16` anywhere above the file, be it below the given path or part of it; the innermost of equal names counts. */
function partitionOf(path: string): Record<string, string> {
  const pairs = dirname(resolve(path))
    .split(sep)
    .map((folder) => /^([^=]+)=(.*)$/s.exec(folder))
    .filter((pair) => pair !== null)
    .map(([, key, value]) => [unescapeHive(key), unescapeHive(value)]);
  return Object.fromEntries(pairs);
}

/** Hive writes what a file name cannot hold as %XX; what is no such escape stays as it is. */
function unescapeHive(text: string): string {
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
