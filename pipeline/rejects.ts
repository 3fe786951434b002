import { randomUUID } from "node:crypto";
import { createWriteStream, existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { finished } from "node:stream/promises";
import { isRemote, remoteObjects } from "./io/remote";
import type { SplitExtent } from "./scansplit";

/**
 * Writes all rejects in the order of tables and files. They are written aside and then renamed, so that two who do it do not write into
 * each other; what is no plain file (/dev/stdout) is written to.
 */
export async function tellRejects(path: string, extents: SplitExtent[]): Promise<void> {
  if (isRemote(path)) return sendRejects(path, extents);
  mkdirSync(dirname(path), { recursive: true });
  if (existsSync(path) && !statSync(path).isFile()) return write(path, extents);
  const target = existsSync(path) ? realpathSync(path) : path;
  const aside = join(dirname(target), `.${basename(target)}.${randomUUID()}`);
  try {
    await write(aside, extents);
    renameSync(aside, target);
  } finally {
    rmSync(aside, { force: true });
  }
}

/** To a bucket, by way of a file on this machine. */
async function sendRejects(uri: string, extents: SplitExtent[]): Promise<void> {
  const aside = join(tmpdir(), `backstory-rejects-${randomUUID()}`);
  try {
    await write(aside, extents);
    await remoteObjects().replaceFile(uri, aside, statSync(aside).size);
  } finally {
    rmSync(aside, { force: true });
  }
}

const textOf = async (path: string): Promise<string> => (isRemote(path) ? remoteObjects().readText(path) : readFileSync(path, "utf8"));

/** Positions within a split become positions within its file. */
async function write(path: string, extents: SplitExtent[]): Promise<void> {
  extents.sort((a, b) => (a.table < b.table ? -1 : a.table > b.table ? 1 : a.index - b.index));
  const out = createWriteStream(path);
  let before = 0;
  let last: SplitExtent | undefined;
  for (const extent of extents) {
    // one file may be read as two tables
    if (extent.path !== last?.path || extent.table !== last.table) before = 0;
    last = extent;
    for (const line of extent.rejects === null ? [] : (await textOf(extent.rejects)).trimEnd().split("\n")) {
      const { position, reason } = JSON.parse(line);
      out.write(`${JSON.stringify({ table: extent.table, file: extent.path, position: before + position, reason })}\n`);
    }
    before += extent.positions;
  }
  out.end();
  await finished(out);
}
