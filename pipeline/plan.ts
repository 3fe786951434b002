import { randomUUID } from "node:crypto";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { ActionBuilder } from "../transforms/actions";
import { dayName } from "../transforms/calendar";
import { ActionNormaliser, IMPRESSION_COLUMNS, RankingNormaliser } from "../transforms/normalise";
import { type ActionTable, DEFAULT_TABLES, type Rules } from "../transforms/rules";
import { date } from "../transforms/values";
import { compareWithOthers } from "./alike";
import type { Plan } from "./backstory";
import type { Exports } from "./bigquery/exports";
import { isBigQuery } from "./bigquery/uri";
import { windowRules } from "./certify";
import { asksForLeak } from "./conditions";
import { runsIn } from "./decide";
import { ConfigError } from "./errors";
import { findInputs, planSplits, textBytes } from "./io/files";
import { isRemote } from "./io/remote";
import { IMPRESSIONS, type InputFile, type Split } from "./io/rows";
import { isPlain, LAYOUT_COLUMNS, type OutputLayout } from "./layout";
import { planMemory } from "./memory";
import { type BuildOptions, dateRange, outputColumns, parseLimit } from "./options";
import { dataOptions, inputOf, schemaOf } from "./origin";
import type { OutputColumn } from "./parquet/schema";
import { attemptsOf, placeOf, refuseExisting, refuseOtherLayout } from "./partitions";
import { checkTargets, type Input } from "./targets";

/** Bytes of a split: large enough that batches are worth their overhead, small enough for many workers. */
const SPLIT_BYTES = 16 << 20;
/** Splits grow up to this, so that there are no more than SPLITS: a batch is for a split and a bucket, so batches are as the product of the two. */
const LARGE_SPLIT_BYTES = 64 << 20;
const SPLITS = 128;
/** Bytes of impressions for each file of a day: about 500,000 slots of all days together. */
const SHARD_BYTES = 64 << 20;
/** Bytes of all inputs, as text, for each bucket of customers: what the join holds in memory at once. */
const BUCKET_BYTES = 16 << 20;
/** Below so much text, threads take longer to start than they save. */
const SMALL_BYTES = 128 << 20;
/** More days than this in --dates are a slip rather than a wish: each is a cutoff, whether it has impressions or not. */
const MAX_DAYS = 4000;

/**
 * Finds the inputs and decides all that a run needs to know before it starts. Throws ConfigError for what cannot work.
 * @param exports exports inputs that are tables in BigQuery
 */
export async function planRun(options: BuildOptions, runId: string, exports?: Exports): Promise<Plan> {
  const seen = (await runsIn(placeOf(options.output))).filter((run) => run !== runId);
  const tables = tablesOf(options);
  const columns = outputColumns(options.columns);
  refuseLacking(options, columns);
  await refuseOtherLayout(options, placeOf(options.output));
  const range = options.dates === undefined ? undefined : dateRange(options.dates);
  await refuseOthersBeside(options, columns, range);
  const inputs = await findAll(options, tables, exports);
  const unread = leaveOut(inputs[0].files, range);
  const stamped = inputs.flatMap(({ name, files }) => files.map((file) => inputOf(name, file)));
  const bytes = inputs.reduce((sum, { files }) => sum + bytesOf(files), 0);
  const { splitBytes, shards, buckets } = cutting(bytes, bytesOf(inputs[0].files), options.shards);
  const splits = (await Promise.all(inputs.map(({ name, files }) => planSplits(name, files, splitBytes)))).flat();
  const rules: Rules = {
    ...rulesOf(options, tables),
    buckets,
    shards,
    keepTimes: columns.some(({ holds }) => holds === "action_times") || asksForLeak(options.failOn),
  };
  rules.days = await daysOf(range, options.trainDays, rules, inputs[0].files, splits);
  exports?.checkDays(rules.days);
  const dates = options.dates === undefined ? [] : (rules.days ?? []).map(dayName);
  if (options.writeMode === "error") await refuseExisting((rules.days ?? []).map(dayName), placeOf(options.output));
  const attempts = attemptsOf(options.output, runId);
  const remote = isRemote(options.output);
  // Of this attempt alone: another at the same run may be at work, or just about to end. A job of Dataflow has machines of its own, and is the same
  // whenever it is made.
  const own = options.runner === "dataflow" ? "job" : randomUUID().slice(0, 8);
  const temporary =
    options.tempDir === undefined && !remote
      ? `${attempts}/memory-${own}`
      : join(options.tempDir ?? temporaryFolder(options), `backstory-${runId}-${own}`);
  return {
    memory: planMemory(options.maxMemory, options.threads, bytes < SMALL_BYTES ? 1 : availableParallelism(), temporary),
    rankings: splits.filter(({ table }) => table === IMPRESSIONS),
    actions: splits.filter(({ table }) => table !== IMPRESSIONS),
    rules,
    // who tells them may be on another machine than who found them
    rejectsFolder: options.rejects === undefined ? null : `${remote && options.runner === "direct" ? temporary : attempts}/rejects`,
    files: {
      historyLength: options.historyLength,
      columns,
      layout: options.layout,
      padding: options.padding,
      compression: options.compression,
      rowGroupBytes: options.rowGroupBytes,
      shards,
      recheck: asksForLeak(options.failOn) ? windowRules(rules) : null,
      attempts,
      staging: remote ? `${temporary}/staging` : null,
    },
    publish: {
      output: options.output,
      runId,
      writeMode: options.writeMode,
      dates,
      layout: { layout: options.layout, padding: options.padding },
      shards,
      rejects: options.rejects ?? null,
      limits: { maxRejects: parseLimit(options.maxRejects)!, required: requiredColumns(rules), failOn: options.failOn },
      maxPositions: options.maxPositions,
      unread,
      origin: { options: dataOptions(options, shards), schema: schemaOf(columns), inputs: stamped, seen },
      window: windowRules(rules),
    },
  };
}

/** Asked for what is known before the inputs are looked at; warnings come when it is published. */
async function refuseOthersBeside(options: BuildOptions, columns: readonly OutputColumn[], range: [number, number] | undefined) {
  const [first, last] = range?.map(dayName) ?? [];
  const mayReplace = (dt: string) => options.writeMode === "overwrite" && (first === undefined || (first <= dt && dt <= last));
  await compareWithOthers(placeOf(options.output), { options: dataOptions(options, 1), schema: schemaOf(columns) }, mayReplace);
}

/** What reads other layouts makes rows with padding of them, for which it wants all that tells rows apart. */
function refuseLacking({ layout, padding }: OutputLayout, columns: readonly OutputColumn[]): void {
  if (isPlain({ layout, padding })) return;
  const missing = LAYOUT_COLUMNS.find((needed) => !columns.some(({ holds }) => holds === needed));
  if (missing !== undefined)
    throw new ConfigError(
      `${layout === "rows" ? `--padding=${padding}` : `--layout=${layout}`} takes the columns ${LAYOUT_COLUMNS.join(", ")}; --columns leaves out ${missing}. Name it as well, or write --columns=standard.`,
    );
}

/** How a run is cut, by the bytes of all inputs and of the impressions, as text. */
export function cutting(bytes: number, impressionBytes: number, asked?: number): { splitBytes: number; shards: number; buckets: number } {
  const shards = asked ?? powerOfTwo(impressionBytes / SHARD_BYTES);
  return {
    splitBytes: Math.min(LARGE_SPLIT_BYTES, Math.max(SPLIT_BYTES, bytes / SPLITS)),
    shards,
    buckets: shards * Math.ceil(Math.max(1, bytes) / BUCKET_BYTES / shards),
  };
}

/** On Dataflow it is one of its workers, whatever this machine calls its own. */
const temporaryFolder = ({ runner }: BuildOptions): string => (runner === "dataflow" ? "/tmp" : tmpdir());

type FoundInput = Input & { files: InputFile[] };

/** All files, those of impressions first. Tables in BigQuery come last, since their export costs: whatever else can be refused is by then. */
async function findAll(options: BuildOptions, tables: readonly TableAt[], exports: Exports | undefined): Promise<FoundInput[]> {
  const all = [{ name: IMPRESSIONS, path: options.impressions }, ...tables];
  const inputs = await Promise.all(
    all.map(async ({ name, path }) => ({
      name,
      path,
      files: isBigQuery(path) && exports !== undefined ? [] : await findInputs(path, name),
    })),
  );
  checkTargets(options, inputs);
  if (exports === undefined) return inputs;
  const wanted = tables.map(({ path, ...actions }) => ({ name: actions.name, path, actions }));
  const [impressions] = all.slice(0, 1);
  const exported = await exports.run(
    [impressions, ...wanted].filter(({ path }) => isBigQuery(path)),
    rulesOf(options, tables),
  );
  return inputs.map((input) => ({ ...input, files: exported.get(input.name) ?? input.files }));
}

/** What does not follow from the inputs. */
function rulesOf(options: BuildOptions, tables: readonly TableAt[]): Rules {
  return {
    historyLength: options.historyLength,
    lookbackDays: options.lookbackDays === "none" ? null : options.lookbackDays,
    timezone: options.timezone,
    timeUnit: options.timeUnit ?? null,
    orderTime: options.orderTime,
    orderLagDays: options.orderLagDays,
    actionClock: options.actionClock,
    dropEmptyHistory: options.dropEmptyHistory,
    days: null,
    daysChosen: options.dates !== undefined,
    tables: tables.map(({ path: _, ...table }) => table),
    buckets: 1,
    shards: 1,
    keepTimes: false,
  };
}

type TableAt = ActionTable & { path: string };

function tablesOf(options: BuildOptions): TableAt[] {
  const paths: Record<string, string | undefined> = {
    clicks: options.clicks,
    add_to_carts: options.addToCarts,
    previous_orders: options.previousOrders,
  };
  const named = options.tables ?? [];
  const all: (ActionTable & { path?: string })[] = [
    ...DEFAULT_TABLES.filter(({ name }) => !named.some((table) => table.name === name)),
    ...named,
  ];
  checkNames(all);
  const at = all.map(({ path, ...table }) => ({ ...table, path: paths[table.name] ?? path }));
  const missing = at.flatMap(({ name, path }) => (path === undefined ? [name] : []));
  if (missing.length > 0) throw new ConfigError(missingPaths(missing, Object.keys(paths)));
  return at.flatMap(({ path, ...table }) => (path === undefined || path === "none" ? [] : [{ ...table, path }]));
}

function checkNames(tables: readonly ActionTable[]): void {
  for (const [i, { name, type }] of tables.entries()) {
    const others = tables.slice(0, i);
    if (name === IMPRESSIONS) throw new ConfigError("a table of actions cannot be called impressions. Give it another name.");
    if (others.some((other) => other.name === name)) throw new ConfigError(`there are two tables called ${name}. Rename one of them.`);
    const twin = others.find((other) => other.type === type);
    if (twin !== undefined)
      throw new ConfigError(
        `the tables ${twin.name} and ${name} both have type ${type}. Give each a code of its own, 4 to 127 for new ones.`,
      );
  }
}

/** @param names of tables, of which those with a flag are in `withFlag` */
function missingPaths(names: string[], withFlag: string[]): string {
  const flags = names.filter((name) => withFlag.includes(name)).map((name) => `--${name.replaceAll("_", "-")}`);
  if (flags.length === 0) return `the table ${names[0]} has no path. Add a path to it in the --config file.`;
  if (flags.length > 1)
    return `${new Intl.ListFormat("en-GB").format(flags)} are missing. Give paths, or none for a run without that table, as in ${flags[0]}=none.`;
  return `${flags[0]} is missing. Give a path, or ${flags[0]}=none for a run without ${names[0]}.`;
}

const bytesOf = (files: readonly InputFile[]): number => files.reduce((sum, file) => sum + textBytes(file), 0);

/** The smallest power of two that is at least x: it changes rarely, so that a few bytes more give the same files. */
const powerOfTwo = (x: number): number => 2 ** Math.max(0, Math.ceil(Math.log2(Math.max(1, x))));

/** The columns without which a table is not that table. */
function requiredColumns(rules: Rules): Record<string, string[]> {
  const required: Record<string, string[]> = { [IMPRESSIONS]: [...IMPRESSION_COLUMNS] };
  for (const table of rules.tables) required[table.name] = [...new ActionNormaliser(table, rules, new ActionBuilder()).columns];
  return required;
}

/**
 * The days of the run where they must be known, or can be without reading anything: from --dates or the folders' names. The newest
 * days found take a pass over the impressions. Else null: every day is built, and each midnight is a cutoff.
 */
async function daysOf(
  range: [number, number] | undefined,
  trainDays: number | undefined,
  rules: Rules,
  files: InputFile[],
  splits: Split[],
): Promise<number[] | null> {
  const [first, last] = range ?? [-Infinity, Infinity];
  if (trainDays === undefined) {
    if (last - first < MAX_DAYS) return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    if (range !== undefined)
      throw new ConfigError(`--dates spans ${last - first + 1} days, more than ${MAX_DAYS}. Build it in parts, or add --train-days.`);
    const named = files.map(({ partition }) => partition.dt);
    if (named.length > 0 && named.every((dt) => dt !== undefined && isDate(dt))) return distinct(named.map((dt) => date(dt)));
    return null;
  }
  const found = (await readDays(rules, splits)).filter((day) => first <= day && day <= last);
  return found.slice(-trainDays);
}

/**
 * Takes away the files of impressions whose folder says that they are of other days; only of them, since a late action lies in the folder of a
 * later day. @returns how many
 */
function leaveOut(files: InputFile[], range: [number, number] | undefined): number {
  if (range === undefined) return 0;
  const other = ({ partition: { dt } }: InputFile) => dt !== undefined && isDate(dt) && (date(dt) < range[0] || date(dt) > range[1]);
  const wanted = files.filter((file) => !other(file));
  const unread = files.length - wanted.length;
  if (wanted.length === 0) {
    const days = distinct(files.map(({ partition: { dt } }) => date(dt)));
    throw new ConfigError(
      `there are no impressions in the dates: their folders are of ${dayName(days[0])} to ${dayName(days.at(-1)!)}. Check --impressions and --dates.`,
    );
  }
  files.splice(0, files.length, ...wanted);
  return unread;
}

function isDate(text: string): boolean {
  try {
    date(text);
    return true;
  } catch {
    return false;
  }
}

const distinct = (days: Iterable<number>): number[] => [...new Set(days)].sort((a, b) => a - b);

/** Every day that has a valid ranking. Costs a pass over the impressions, a small part of the input. */
async function readDays(rules: Rules, splits: Split[]): Promise<number[]> {
  // Scanners are loaded by threads, and here only for this.
  const { readRows, sourceOf } = await import("./scansplit.js");
  const found = new Set<number>();
  const normaliser = new RankingNormaliser({ ...rules, days: null }, { push: (_customer, day) => found.add(day) });
  for (const split of splits.filter(({ table }) => table === IMPRESSIONS)) {
    const source = sourceOf(split);
    await readRows(split, normaliser.columns, rules, {
      row: (cells) => void normaliser.take(cells, source),
      rankings: ({ days, length }) => {
        for (let r = 0; r < length; r++) found.add(days[r]);
      },
      actions: () => {},
      reject: () => {},
      columns: () => {},
      drain: async () => {},
    });
  }
  return distinct(found);
}
