import { randomUUID } from "node:crypto";
import { createWriteStream, existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { finished } from "node:stream/promises";
import { type Ledger, MOST_EXAMPLES, type RejectExample } from "../transforms/tablecounts";
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

async function write(path: string, extents: readonly SplitExtent[]): Promise<void> {
  const out = createWriteStream(path);
  for (const { extent, before } of inFiles(extents)) {
    for (const line of extent.rejects === null ? [] : (await textOf(extent.rejects)).trimEnd().split("\n")) {
      const { position, reason } = JSON.parse(line);
      out.write(`${JSON.stringify({ table: extent.table, file: extent.path, position: before + position, reason })}\n`);
    }
  }
  out.end();
  await finished(out);
}

/** Splits in the order of tables and files, with the positions of their file that are before them: those within a split become ones within its file. */
function* inFiles(extents: readonly SplitExtent[]): Generator<{ extent: SplitExtent; before: number }> {
  let before = 0;
  let last: SplitExtent | undefined;
  for (const extent of extents.toSorted((a, b) => (a.table < b.table ? -1 : a.table > b.table ? 1 : a.index - b.index))) {
    // one file may be read as two tables
    if (extent.path !== last?.path || extent.table !== last.table) before = 0;
    last = extent;
    yield { extent, before };
    before += extent.positions;
  }
}

/**
 * The ledger with places of the first rejects of each reason of a table. They are the first of the files, however these are split and whoever reads
 * them; by place alone, since a manifest goes where customers' data may not.
 */
export function withExamples(ledger: Ledger, extents: readonly SplitExtent[]): Ledger {
  const found = new Map<string, Map<string, RejectExample[]>>();
  for (const { extent, before } of inFiles(extents)) {
    for (const [reason, positions] of Object.entries(extent.examples)) {
      const reasons = found.get(extent.table) ?? new Map<string, RejectExample[]>();
      found.set(extent.table, reasons);
      const known = reasons.get(reason) ?? [];
      const more = positions.map((position) => ({ reason, file: extent.path, position: before + position }));
      reasons.set(reason, [...known, ...more].slice(0, MOST_EXAMPLES));
    }
  }
  const examplesOf = (table: string): RejectExample[] | undefined => {
    const reasons = found.get(table);
    return reasons && [...reasons.keys()].sort().flatMap((reason) => reasons.get(reason)!);
  };
  return Object.fromEntries(
    Object.entries(ledger).map(([table, counts]) => {
      const examples = examplesOf(table);
      return [table, examples === undefined ? counts : { ...counts, examples }];
    }),
  );
}
