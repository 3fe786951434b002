import {
  copyFileSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { finished } from "node:stream/promises";
import type { AsyncDoFn } from "../beam/async";
import { requireForSerialization } from "../beam/sdk";
import { stages } from "../beam/stages";
import { addLedger, type Ledger, PLACES, type TableCounts, unbalanced } from "../transforms/ledger";
import { Metrics, type MetricsReport, type MetricsState } from "../transforms/metrics";
import { PublishError } from "./errors";
import { judge, type Limits } from "./judge";
import { attemptsOf, outcomeFile, partsOf, refuseExisting } from "./partitions";
import type { SplitExtent } from "./scansplit";
import type { WrittenFile } from "./writeday";

/** What the last step gathers, one field at a time. */
export type Report = { start: true } | { file: WrittenFile } | { ledger: Ledger } | { extents: SplitExtent } | { metrics: MetricsState };

/** Where and how a run is published. */
export interface PublishOptions {
  output: string;
  runId: string;
  writeMode: "overwrite" | "append" | "error";
  /** days whose partitions this run is about even if they have no rows, as YYYY-MM-DD: those of --dates */
  dates: string[];
  shards: number;
  /** where rejected rows are told, null for nowhere */
  rejects: string | null;
  limits: Limits;
  maxPositions: number;
  /** files of impressions that were left out, since their folder is of a day outside of --dates */
  unread: number;
}

/** What came of a run, as the publishing step leaves it for whoever started the run. */
export interface Outcome {
  runId: string;
  exitCode: number;
  /** why nothing was published */
  error?: string;
  warnings: string[];
  rows: number;
  files: { path: string; rows: number; bytes: number; sha256: string }[];
  /** partitions of --dates that now have no rows */
  emptied: string[];
  /** files of impressions that were left out, since their folder is of a day outside of --dates */
  unread: number;
  ledger: Ledger;
  quality: MetricsReport;
}

/**
 * The last step: checks the ledger and the limits, then moves this run's files to where readers look. It publishes what it was
 * told of and nothing else, so that what a repeated or lost attempt left lying about is never seen.
 */
export class Publish implements AsyncDoFn<{ key: number; value: Iterable<Report> }, Outcome> {
  constructor(readonly options: PublishOptions) {}

  process({ value }: { key: number; value: Iterable<Report> }, emit: (outcome: Outcome) => Promise<void>): Promise<void> {
    return stages.during("publish", async () => emit(await this.publish(value)));
  }

  private async publish(value: Iterable<Report>): Promise<Outcome> {
    const { output, runId } = this.options;
    const gathered = gather(value, this.options.maxPositions);
    const outcome = await this.outcomeOf(gathered);
    // first, so that a full disk says so before anything of an earlier run is touched
    mkdirSync(attemptsOf(output, runId), { recursive: true });
    writeFileSync(outcomeFile(output, runId), JSON.stringify(outcome));
    if (outcome.error !== undefined) throw new PublishError(outcome.error, outcome.exitCode);
    move(gathered.files, this.options);
    return outcome;
  }

  private async outcomeOf({ files, ledger, extents, metrics }: Gathered): Promise<Outcome> {
    const { options } = this;
    const outcome: Outcome = {
      runId: options.runId,
      exitCode: 0,
      warnings: [],
      rows: files.reduce((sum, { rows }) => sum + rows, 0),
      files: [],
      emptied: [],
      unread: options.unread,
      ledger: inOrder(ledger, Object.keys(options.limits.required)),
      quality: metrics.report(),
    };
    if (options.rejects !== null) await tellRejects(options.rejects, extents);
    const lost = unbalanced(ledger);
    if (lost.length > 0)
      return {
        ...outcome,
        exitCode: 1,
        error: `the ledger does not balance, so rows were lost or doubled (${lost.join("; ")}). This is a bug; nothing was published.`,
      };
    const { error, exitCode, warnings } = judge(ledger, options.limits);
    outcome.warnings.push(...warnings);
    if (error !== undefined) return { ...outcome, exitCode, error };
    if (options.writeMode === "error") refuseExisting(new Set(files.map(({ dt }) => dt)), options.output);
    return { ...outcome, files: files.map((file) => published(file, options)), emptied: emptied(files, options) };
  }
}

/** Tables in the order in which they were declared, places in that of the rule, the rest by name: no figure depends on who counted first. */
function inOrder(ledger: Ledger, tables: string[]): Ledger {
  const named = <Value>(counts: Partial<Record<string, Value>>, names: readonly string[]) =>
    Object.fromEntries(names.flatMap((name) => (counts[name] === undefined ? [] : [[name, counts[name]]])));
  const sorted = (counts: Record<string, number>) => named(counts, Object.keys(counts).sort());
  const all = Object.entries(ledger).map(([table, counts]): [string, TableCounts] => [
    table,
    { ...counts, places: named(counts.places, PLACES), reasons: sorted(counts.reasons), lacking: sorted(counts.lacking) },
  ]);
  return named(Object.fromEntries(all), tables) as Ledger;
}

interface Gathered {
  files: WrittenFile[];
  ledger: Ledger;
  extents: SplitExtent[];
  metrics: Metrics;
}

function gather(reports: Iterable<Report>, maxPositions: number): Gathered {
  const gathered: Gathered = { files: [], ledger: {}, extents: [], metrics: new Metrics(maxPositions) };
  for (const report of reports) {
    if ("file" in report) gathered.files.push(report.file);
    else if ("ledger" in report) addLedger(gathered.ledger, report.ledger);
    else if ("extents" in report) gathered.extents.push(report.extents);
    else if ("metrics" in report) gathered.metrics.merge(Metrics.fromJSON(report.metrics));
  }
  gathered.files.sort((a, b) => (a.dt < b.dt ? -1 : a.dt > b.dt ? 1 : a.shard - b.shard));
  return gathered;
}

/** Writes all rejects in the order of tables and files; positions within a split become positions within its file. */
async function tellRejects(path: string, extents: SplitExtent[]): Promise<void> {
  extents.sort((a, b) => (a.table < b.table ? -1 : a.table > b.table ? 1 : a.index - b.index));
  mkdirSync(dirname(path), { recursive: true });
  const out = createWriteStream(path);
  let before = 0;
  let last: SplitExtent | undefined;
  for (const extent of extents) {
    // one file may be read as two tables
    if (extent.path !== last?.path || extent.table !== last.table) before = 0;
    last = extent;
    for (const line of extent.rejects === null ? [] : readFileSync(extent.rejects, "utf8").trimEnd().split("\n")) {
      const { position, reason } = JSON.parse(line);
      out.write(`${JSON.stringify({ table: extent.table, file: extent.path, position: before + position, reason })}\n`);
    }
    before += extent.positions;
  }
  out.end();
  await finished(out);
}

/** A file as it will be known. */
function published({ dt, shard, rows, bytes, sha256 }: WrittenFile, options: PublishOptions): Outcome["files"][number] {
  return { path: `dt=${dt}/${partName(shard, options)}`, rows, bytes, sha256 };
}

/** Partitions of --dates that have files of an earlier run and none of this one. */
function emptied(files: readonly WrittenFile[], { writeMode, dates, output }: PublishOptions): string[] {
  if (writeMode !== "overwrite") return [];
  return dates.filter((dt) => !files.some((file) => file.dt === dt) && partsOf(join(output, `dt=${dt}`)).length > 0);
}

/**
 * Moves the files of a run in, partition by partition. A partition's `_SUCCESS` goes first and comes last, so whoever
 * waits for it never reads half of two runs.
 */
function move(files: WrittenFile[], options: PublishOptions): void {
  const { output, writeMode, dates } = options;
  const partitions = Map.groupBy(files, ({ dt }) => dt);
  for (const dt of partitions.keys()) mkdirSync(join(output, `dt=${dt}`), { recursive: true });
  rmSync(join(output, "_SUCCESS"), { force: true });
  for (const [dt, written] of partitions) movePartition(dt, written, options);
  if (writeMode === "overwrite") for (const dt of dates) if (!partitions.has(dt)) emptyPartition(dt, options);
  writeFileSync(join(output, "_SUCCESS"), "");
}

/** New files take the place of old ones of the same name at once; only then do the other old ones go. */
function movePartition(dt: string, written: WrittenFile[], options: PublishOptions): void {
  const folder = join(options.output, `dt=${dt}`);
  rmSync(join(folder, "_SUCCESS"), { force: true });
  const names = new Set(written.map(({ shard }) => partName(shard, options)));
  for (const { shard, attempt } of written) moveFile(attempt, join(folder, partName(shard, options)));
  if (options.writeMode === "overwrite") for (const part of partsOf(folder)) if (!names.has(part)) rmSync(join(folder, part));
  writeFileSync(join(folder, "_SUCCESS"), "");
}

function emptyPartition(dt: string, { output }: PublishOptions): void {
  const folder = join(output, `dt=${dt}`);
  rmSync(join(folder, "_SUCCESS"), { force: true });
  for (const part of partsOf(folder)) rmSync(join(folder, part));
  if (existsSync(folder) && readdirSync(folder).length === 0) rmSync(folder, { recursive: true });
}

function partName(shard: number, { shards, writeMode, runId }: PublishOptions): string {
  const part = `${String(shard).padStart(5, "0")}-of-${String(shards).padStart(5, "0")}`;
  return writeMode === "append" ? `part-${runId}-${part}.parquet` : `part-${part}.parquet`;
}

/** A rename, or a copy where the attempts lie on another file system (a mounted partition folder). */
function moveFile(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    const copy = join(dirname(to), `.${basename(to)}`);
    try {
      copyFileSync(from, copy);
      renameSync(copy, to);
    } finally {
      rmSync(copy, { force: true });
    }
    rmSync(from);
  }
}

requireForSerialization("backstory/pipeline/publish", exports);
