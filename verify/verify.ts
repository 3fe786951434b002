/** `backstory verify`: whether an output is what a run published, and what the rule makes of its inputs. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { FileMetaData } from "hyparquet";
import { ConfigError } from "../pipeline/errors";
import type { Manifest } from "../pipeline/manifest";
import { Copies, isPublished } from "./copies";
import { type Finding, Findings } from "./findings";
import { date } from "./inputs/values";
import type { VerifyOptions } from "./options";
import { checkFiles } from "./output/agree";
import { checkCertificate, Seen } from "./output/certificate";
import { type Column, columnsByName, schemaFound, schemaOf } from "./output/columns";
import { type FoundOutput, type FoundPartition, findOutput } from "./output/found";
import { HistoryCheck } from "./output/histories";
import { checkLayout } from "./output/layout";
import { OrderCheck } from "./output/order";
import { batchesOf, footerOf } from "./output/reader";
import { Rows } from "./output/rows";
import { type Inputs, prepare, type Recompute, type Recount } from "./recompute/run";
import { inputsOf, rangeOf, type Settings, settingsOf } from "./settings";
import { Zone } from "./zone";

export interface Report {
  output: string;
  /** all that was found, whether told or not */
  differences: number;
  /** by kind */
  counts: Record<string, number>;
  findings: Finding[];
  warnings: string[];
  /** what was not checked, and why */
  unchecked: string[];
  checked: { partitions: number; files: number; rows: number; bytes: number; runs: CheckedRun[] };
}

export interface CheckedRun {
  /** null: of no manifest */
  run: string | null;
  /** customers recomputed, and whether they are all; null: none */
  customers: number | null;
  all: boolean;
  /** rows of theirs */
  rows: number;
}

/** The files of an output that one run wrote. */
interface Job {
  run: string | null;
  manifest: Manifest | null;
  settings: Settings;
  zone: Zone;
  /** null: not known, so taken from the first file */
  columns: Column[] | null;
  historyLength: number | null;
  files: { partition: FoundPartition; path: string; rows: number | null }[];
}

/** @throws ConfigError, and BrokenFile where an input cannot be read */
export async function verify(folder: string, options: VerifyOptions): Promise<Report> {
  const copies = new Copies(options.tempDir);
  try {
    return await new Verification(folder, options, copies).run();
  } finally {
    copies.remove();
  }
}

class Verification {
  private readonly findings: Findings;
  private readonly checked: Report["checked"] = { partitions: 0, files: 0, rows: 0, bytes: 0, runs: [] };
  private readonly isWanted: (day: number) => boolean;
  /** by the name of a partition; what is no day is to be told of */
  private readonly isWantedDt = (dt: string): boolean => !isDay(dt) || this.isWanted(date(dt));

  /** where it lies on this machine */
  private folder: string;

  constructor(
    private readonly path: string,
    private readonly options: VerifyOptions,
    private readonly copies: Copies,
  ) {
    this.folder = path;
    this.findings = new Findings(options.maxFindings);
    const range = options.dates === undefined ? null : rangeOf(options.dates);
    this.isWanted = (day) => range === null || (range[0] <= day && day <= range[1]);
  }

  async run(): Promise<Report> {
    this.folder = await this.copies.output(this.path, (below) => isPublished(below, this.isWantedDt));
    const output = findOutput(this.folder, this.isWanted, this.findings);
    this.refuseNone(output);
    this.checked.partitions = output.partitions.length;
    await checkFiles(output, this.isWanted, this.findings);
    const rows = await this.asRows(output);
    for (const job of this.jobs(rows)) await this.runJob(job, rows);
    if (rows !== output) this.tellOf(output);
    const { findings } = this;
    return {
      output: this.path,
      differences: findings.total,
      counts: Object.fromEntries(findings.counts),
      findings: findings.kept.map(({ values, ...finding }) => (this.options.showValues && values ? { ...finding, values } : finding)),
      warnings: findings.warnings,
      unchecked: [...findings.unchecked],
      checked: this.checked,
    };
  }

  /**
   * That a day nobody has built has no difference would let go on whoever waits for it. A day that was built may have no rows; without a
   * manifest `--dates` are the days that were built.
   */
  private refuseNone({ partitions, manifests }: FoundOutput): void {
    const { dates } = this.options;
    if (dates === undefined || partitions.length > 0 || manifests.size === 0) return;
    const [from, to] = rangeOf(dates);
    const isOfThese = ({ partitions, emptied, options }: Manifest) => {
      const [first, last] = typeof options.dates === "string" ? rangeOf(options.dates) : [Infinity, -Infinity];
      return (
        partitions.length === 0 || [...partitions, ...emptied].some(({ dt }) => this.isWanted(date(dt))) || (first <= to && from <= last)
      );
    };
    if ([...manifests.values()].some(isOfThese)) return;
    throw new ConfigError(`"${this.path}" has no partition of ${dates}, and no run that was to build one. Check --dates and the path.`);
  }

  /** The output, or what its rows are, in a folder of their own: that they are those of its files follows from how they are made. */
  private async asRows(output: FoundOutput): Promise<FoundOutput> {
    const { findings, copies } = this;
    const other = await checkLayout(output, findings);
    if (other === null) return output;
    const broken = (file: string, { message }: Error) =>
      findings.add("broken file", message.replaceAll(output.folder, this.path), { dt: file.slice("dt=".length).split("/")[0], file });
    this.folder = await copies.rows(this.folder, broken, this.isWantedDt);
    // what is to be said of folders and manifests was said of those that the output has
    return findOutput(this.folder, this.isWanted, new Findings(0));
  }

  /** Of files as they are, not as rows were made of them. */
  private tellOf({ partitions }: FoundOutput): void {
    const files = partitions.flatMap((partition) => partition.files);
    this.checked.files = files.length;
    this.checked.bytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
    if (this.findings.kept.some(({ row }) => row !== undefined))
      this.findings.warnings.push("files and rows are told as they are once the output is converted to the layout rows.");
  }

  /** One for each run that has files here, and one for the files of no manifest. */
  private jobs(output: FoundOutput): Job[] {
    const named = new Set<string>();
    const jobs: Job[] = [];
    for (const [run, manifest] of output.manifests) {
      const files: Job["files"] = [];
      for (const partition of output.partitions.filter(({ runs }) => runs?.includes(run))) {
        for (const { path, rows } of manifest.partitions.find(({ dt }) => dt === partition.dt)?.files ?? []) {
          named.add(path);
          if (partition.files.some((file) => file.path === path)) files.push({ partition, path, rows });
        }
      }
      if (files.length > 0 || answers(output, manifest)) jobs.push(this.job(run, manifest, files));
    }
    const rest = output.partitions.flatMap((partition) =>
      partition.files.filter(({ path }) => !named.has(path)).map(({ path }) => ({ partition, path, rows: null })),
    );
    if (rest.length > 0 || jobs.length === 0) jobs.push(this.job(null, null, rest));
    return jobs;
  }

  private job(run: string | null, manifest: Manifest | null, files: Job["files"]): Job {
    const settings = settingsOf(manifest?.options ?? {}, this.options, manifest === null ? "the flags" : `the manifest of ${run}`);
    const isKnown = manifest !== null || settings.impressions !== null;
    const columns =
      manifest?.schema.map(({ name, holds }) => ({ name, holds }) as Column) ??
      (isKnown || this.options.columns !== undefined ? settings.columns : null);
    const historyLength = isKnown || this.options.historyLength !== undefined ? settings.rules.historyLength : null;
    return { run, manifest, settings, zone: new Zone(settings.rules.timezone), columns, historyLength, files };
  }

  private async runJob(job: Job, output: FoundOutput): Promise<void> {
    const { manifest, settings } = job;
    if (manifest === null) this.findings.unchecked.add("hashes, sizes and certificates: there is no manifest");
    const readable = await this.readFooters(job);
    const recompute = await this.recompute(job, output, readable);
    const seen = new Map<number, Seen>();
    for (const file of readable) await this.readRows(job, file, recompute, seen);
    const recount = recompute?.finish() ?? null;
    this.checked.runs.push({
      run: job.run,
      customers: recount?.customers ?? null,
      all: recount !== null && !recount.isPart,
      rows: recompute?.rows ?? 0,
    });
    if (manifest === null) return;
    this.checkCertificates(job, output, seen, recount);
    if (recount !== null && this.options.sample === "all") this.checkLedger(manifest, recount);
    if (manifest.versions.tz !== process.versions.tz)
      this.findings.warnings.push(
        `run ${job.run} had time zone rules ${manifest.versions.tz}; these are ${process.versions.tz} (${settings.rules.timezone}).`,
      );
  }

  /** Checks what the ends of files say; @returns those whose rows can be read */
  private async readFooters(job: Job): Promise<Job["files"]> {
    const read: { file: Job["files"][number]; footer: FileMetaData }[] = [];
    for (const file of job.files) {
      try {
        read.push({ file, footer: await footerOf(join(this.folder, file.path)) });
      } catch (error) {
        this.findings.add("broken file", `it cannot be read as Parquet (${messageOf(error)})`, { dt: file.partition.dt, file: file.path });
      }
    }
    job.columns ??= mostCommon(read.map(({ footer }) => columnsByName(footer))) ?? [];
    return read.filter(({ file, footer }) => this.checkFooter(job.columns!, file, footer)).map(({ file }) => file);
  }

  /** @returns whether the rows can be read */
  private checkFooter(
    columns: readonly Column[],
    { partition: { dt }, path, rows: promised }: Job["files"][number],
    footer: FileMetaData,
  ): boolean {
    const where = { dt, file: path };
    const [expected, found] = [schemaOf(columns), schemaFound(footer)];
    const at = [...expected, undefined].findIndex((line, i) => line !== found[i]);
    if (at >= 0) {
      this.findings.add("wrong schema", `the schema has "${found[at] ?? "no more"}" where "${expected[at] ?? "no more"}" belongs`, where);
      return false;
    }
    const rows = Number(footer.num_rows);
    const sum = footer.row_groups.reduce((total, group) => total + Number(group.num_rows), 0);
    if (sum !== rows) this.findings.add("wrong row count", `the footer says ${rows} rows, its row groups have ${sum}`, where);
    if (promised !== null && promised !== rows)
      this.findings.add("wrong row count", `the file has ${rows} rows, the manifest says ${promised}`, where);
    return true;
  }

  private async recompute(job: Job, output: FoundOutput, files: Job["files"]): Promise<Recompute | null> {
    const { settings, columns } = job;
    const { sample } = this.options;
    const skip = (why: string): null => {
      this.findings.unchecked.add(`histories against the inputs: ${why}`);
      return null;
    };
    if (sample === 0) return skip("--sample=0");
    if (settings.impressions === null) return skip("no inputs are named");
    if (columns !== null && !columns.some(({ holds }) => holds === "customer_id")) return skip("the files have no customer_id");
    const inputs = await this.inputs(job);
    if (inputs === null) return skip(`the inputs of run ${job.run} are gone`);
    const isSame = job.manifest === null || this.compareInputs(job.manifest, inputs);
    return prepare(
      {
        rules: settings.rules,
        zone: job.zone,
        inputs,
        range: settings.range,
        trainDays: settings.trainDays,
        answersFor: (day) => this.isWanted(day) && answersFor(job, output, isSame, day),
        sample: sample === "all" ? null : sample,
        seed: this.options.seed,
      },
      { columns: columns ?? [], customers: (take) => this.eachCustomer(files, columns ?? [], take) },
      this.findings,
    );
  }

  /** Null where a manifest names inputs that are no longer there; what the user names must be there. */
  private async inputs({ manifest, settings }: Job): Promise<Inputs | null> {
    try {
      return await inputsOf(settings, this.copies);
    } catch (error) {
      if (!(error instanceof ConfigError) || manifest === null || this.options.impressions !== undefined) throw error;
      this.findings.warnings.push(error.message);
      return null;
    }
  }

  /** Whether the inputs are those of the run, as far as sizes and times tell. */
  private compareInputs(manifest: Manifest, inputs: Inputs): boolean {
    const found = new Map([...inputs.impressions, ...inputs.tables.flatMap(({ files }) => files)].map((file) => [file.name, file]));
    const changed = manifest.inputs.filter(({ path, size, mtime, generation }) => {
      if (generation !== undefined) return found.get(path)?.size !== size || found.get(path)?.generation !== generation;
      const stats = existsSync(path) ? statSync(path, { bigint: true }) : undefined;
      return stats === undefined || Number(stats.size) !== size || (mtime !== undefined && !isSameTime(stats.mtimeNs, mtime));
    });
    for (const { path } of changed)
      this.findings.warnings.push(`the input ${path} has changed since run ${manifest.run}; what follows may come of that.`);
    const known = new Set(manifest.inputs.map(({ path }) => path));
    const added = [...found.keys()].filter((path) => !known.has(path));
    if (manifest.unread === 0 && added.length > 0)
      this.findings.warnings.push(
        `the inputs have ${added.length} files that run ${manifest.run} did not read; what follows may come of that.`,
      );
    return changed.length === 0 && (added.length === 0 || manifest.unread > 0);
  }

  private async eachCustomer(files: Job["files"], columns: readonly Column[], take: (customer: bigint) => void): Promise<void> {
    const only = columns.filter(({ holds }) => holds === "customer_id");
    for (const { path } of files) {
      try {
        for await (const { customer_id: ids } of batchesOf(join(this.folder, path), only, 0)) for (const id of ids!.values) take(id);
      } catch {
        // told when its rows are read
      }
    }
  }

  private async readRows(job: Job, file: Job["files"][number], recompute: Recompute | null, seen: Map<number, Seen>): Promise<void> {
    const { partition, path } = file;
    const { day, dt } = partition;
    const columns = job.columns!;
    const tables = job.manifest === null && job.settings.impressions === null ? null : job.settings.tables;
    const types = new Set(tables === null ? Array.from({ length: 127 }, (_, i) => i + 1) : tables.map(({ type }) => type));
    // where all is recomputed, that tells of times too, and more
    const isTold = recompute !== null && this.options.sample === "all";
    const rules = tables === null || isTold ? null : { ...job.settings.rules, zone: job.zone };
    const order = new OrderCheck(path, dt, day, shardOfName(path), this.findings);
    let histories: HistoryCheck | undefined;
    const rows = new Rows();
    let count = 0;
    const total = seen.get(day) ?? new Seen();
    seen.set(day, total);
    try {
      for await (const batch of batchesOf(join(this.folder, path), columns, job.historyLength ?? 1000)) {
        rows.each(batch, (row, history) => {
          job.historyLength ??= (history.types ?? history.items ?? history.times)?.length ?? null;
          histories ??= new HistoryCheck(path, day, job.historyLength ?? 0, types, rules, this.findings);
          histories.take(row, history);
          order.take(row);
          total.take(row.customer, histories.real, count === 0);
          recompute?.take(path, day, row, history);
          count++;
        });
      }
    } catch (error) {
      this.findings.add("broken file", `its rows cannot be read from row ${count + 1} on (${messageOf(error)})`, { dt, file: path });
    }
    order.finish();
    this.checked.files++;
    this.checked.rows += count;
    this.checked.bytes += statSync(join(this.folder, path)).size;
  }

  private checkCertificates(job: Job, output: FoundOutput, seen: Map<number, Seen>, recount: Recount | null): void {
    const ours = job.manifest!.partitions.filter(({ dt }) =>
      output.partitions.some((partition) => partition.dt === dt && partition.runs?.includes(job.run!)),
    );
    for (const { dt, certificate } of ours) {
      const { day } = output.partitions.find((partition) => partition.dt === dt)!;
      const times = recount?.used.get(day) ?? new Map();
      const used = recount === null ? null : { times, all: !recount.isPart };
      checkCertificate(certificate, day, job.settings.rules, job.zone, seen.get(day) ?? new Seen(), used, this.findings);
    }
  }

  private checkLedger({ ledger, unread }: Manifest, { counts }: Recount): void {
    if (unread > 0) return;
    for (const [table, { rows, rejects }] of Object.entries(counts)) {
      const recorded = ledger[table] ?? { rows: 0, places: {} };
      if (recorded.rows !== rows) this.findings.add("wrong ledger", `${table} has ${rows} rows, the ledger says ${recorded.rows}`);
      const rejected = recorded.places.rejected ?? 0;
      if (rejected !== rejects) this.findings.add("wrong ledger", `${table} has ${rejects} rejects, the ledger says ${rejected}`);
    }
  }
}

function isDay(text: string): boolean {
  try {
    date(text);
    return true;
  } catch {
    return false;
  }
}

/** What most files have, since one of them may be broken. */
function mostCommon<Value>(values: readonly Value[]): Value | undefined {
  const alike = [...Map.groupBy(values, (value) => JSON.stringify(value)).values()];
  return alike.sort((a, b) => b.length - a.length)[0]?.[0];
}

/** Whether a run answers for a day: a partition names it, or there is none that names another. */
function answersFor({ run, manifest }: Job, { partitions, manifests }: FoundOutput, isSame: boolean, day: number): boolean {
  const partition = partitions.find((found) => found.day === day);
  if (partition !== undefined)
    return manifest === null ? !partition.runs?.some((name) => manifests.has(name)) : (partition.runs?.includes(run!) ?? false);
  if (manifest === null) return true;
  return isSame && !isReplaced(manifest, manifests, day);
}

/** A later run may have taken a day away. */
function isReplaced(manifest: Manifest, manifests: FoundOutput["manifests"], day: number): boolean {
  const dt = new Date(day * 86_400_000).toISOString().slice(0, 10);
  return [...manifests.values()].some(
    (other) => other.committed > manifest.committed && other.emptied.some((emptied) => emptied.dt === dt),
  );
}

/** A run all of whose partitions went, though nothing replaced them. */
const answers = ({ partitions }: FoundOutput, manifest: Manifest): boolean =>
  manifest.partitions.some(({ dt }) => !partitions.some((partition) => partition.dt === dt));

function isSameTime(nanos: bigint, text: string): boolean {
  const [, seconds, fraction = ""] = /^(.*?)(?:\.(\d+))?Z$/.exec(text) ?? [];
  return BigInt(Date.parse(`${seconds}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, "0")) === nanos;
}

function shardOfName(path: string): { shard: number; shards: number } | null {
  const match = /(\d{5})-of-(\d{5})\.parquet$/.exec(path);
  return match === null ? null : { shard: Number(match[1]), shards: Number(match[2]) };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
