/** Runs that have only their last step: files as writers leave them, and what is told of them. */
import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Report } from "../../pipeline/gathered";
import type { OutputLayout } from "../../pipeline/layout";
import { parseManifest, parseMarker } from "../../pipeline/manifest";
import { attemptsOf, type Place } from "../../pipeline/partitions";
import type { PublishOptions } from "../../pipeline/publishrun";
import { Disk, type Storage } from "../../pipeline/storage";
import type { WrittenFile } from "../../pipeline/writeday";

/** A run: so many shards of some days. */
export interface Run {
  run: string;
  dts: string[];
  layout?: OutputLayout;
  shards: number;
  writeMode?: PublishOptions["writeMode"];
  /** --dates, where it is not just the days that have rows */
  dates?: string[];
  /** runs that were published when it began */
  seen?: string[];
}

const ROWS = 3;
const AUGUST = Date.UTC(2025, 7, 1) * 1000;

/** The bytes of a file follow from its run, day and shard, as those of a real one follow from data and options. */
export const contentOf = (run: string, dt: string, shard: number): string => `${run} ${dt} ${shard}\n`.repeat(1 + shard);
export const sha256 = (text: string | Buffer): string => createHash("sha256").update(text).digest("hex");

export const placeAt = (output: string, storage: Storage = new Disk(), patienceMs = 50): Place => ({ storage, output, patienceMs });

const ROWS_LAYOUT: OutputLayout = { layout: "rows", padding: "zeros" };

export function optionsOf(
  { run, dts, shards, writeMode = "overwrite", dates = dts, seen = [], layout = ROWS_LAYOUT }: Run,
  output: string,
): PublishOptions {
  return {
    output,
    runId: run,
    writeMode,
    dates,
    layout,
    shards,
    rejects: null,
    limits: { maxRejects: { count: 0 }, required: { impressions: [] } },
    maxPositions: 10,
    unread: 0,
    origin: { options: {}, schema: [], inputs: [], seen },
    window: { timezone: "UTC", lookbackDays: 365, orderLagDays: 0, orderTime: "order-date", actionClock: "time" },
  };
}

/** What writers do, each time under names of their own, and what is told. */
export function written({ run, dts, shards }: Run, output: string): Report[] {
  const attempts = attemptsOf(output, run);
  mkdirSync(attempts, { recursive: true });
  const files = dts.flatMap((dt) =>
    Array.from({ length: shards }, (_, shard): WrittenFile => {
      const content = contentOf(run, dt, shard);
      const attempt = join(attempts, `dt=${dt}-${shard}-${randomUUID()}.parquet`);
      writeFileSync(attempt, content);
      return { dt, shard, kind: "part", attempt, rows: ROWS, slots: ROWS, bytes: content.length, sha256: sha256(content) };
    }),
  );
  const rows = ROWS * files.length;
  const day = { rows: ROWS * shards, customers: 1, emptyRows: 0, used: { 1: { oldest: AUGUST, newest: AUGUST + 5 } } };
  const counts = { rows, places: { used: rows }, reasons: {}, lacking: {}, columns: [], zeroItems: 0 };
  const metrics = {
    maxPositions: 10,
    types: {},
    positions: [],
    lengths: {},
    historyLengths: {},
    days: Object.fromEntries(dts.map((dt) => [dt, day])),
  };
  return [{ start: true }, ...files.map((file) => ({ file })), { ledger: { impressions: counts } }, { metrics }];
}

/** The names of parts in a partition, with the hashes of their bytes. */
function partsIn(folder: string): Record<string, string> {
  const names = readdirSync(folder).filter((name) => name.endsWith(".parquet"));
  return Object.fromEntries(names.map((name) => [name, sha256(readFileSync(join(folder, name)))]));
}

/**
 * Reads as those do who wait for `_SUCCESS`, at any time. Complains of a partition that has one and is not just what the manifests of its
 * runs say, and of one that has none though the output has. @returns the runs of each partition that is whole
 */
export function readAsUser(output: string): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  const top = textOf(join(output, "_SUCCESS"));
  const names = existsSync(output) ? readdirSync(output) : [];
  for (const name of names.filter((name) => name.startsWith("dt="))) {
    const folder = join(output, name);
    const success = textOf(join(folder, "_SUCCESS"));
    if (success === undefined) {
      const unfinished = top !== undefined && existsSync(folder) && textOf(join(output, "_SUCCESS")) === top;
      if (unfinished && textOf(join(folder, "_SUCCESS")) === undefined) throw new Error(`${name} has no _SUCCESS, and the output has`);
      continue;
    }
    const { parts, complaint, runs } = look(output, name, success);
    // what changed while it was looked at says nothing
    if (textOf(join(folder, "_SUCCESS")) !== success) continue;
    if (complaint !== undefined) throw new Error(`${name}: ${complaint}; it has ${JSON.stringify(parts)}`);
    found[name.slice(3)] = runs;
  }
  return found;
}

function look(output: string, name: string, success: string): { parts: Record<string, string>; runs: string[]; complaint?: string } {
  let parts: Record<string, string> = {};
  let runs: string[] = [];
  try {
    parts = partsIn(join(output, name));
    runs = parseMarker(success)!.runs;
    const files = runs.flatMap((run) => {
      const path = join(output, "_manifests", `${run}.json`);
      return parseManifest(readFileSync(path, "utf8"), path).partitions.filter(({ dt }) => `dt=${dt}` === name)[0].files;
    });
    const expected = Object.fromEntries(files.map(({ path, sha256 }) => [path.slice(name.length + 1), sha256]));
    const wrong = JSON.stringify(Object.entries(parts).sort()) !== JSON.stringify(Object.entries(expected).sort());
    return { parts, runs, complaint: wrong ? `runs ${runs} wrote ${JSON.stringify(expected)}` : undefined };
  } catch (error) {
    return { parts, runs, complaint: String(error) };
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
