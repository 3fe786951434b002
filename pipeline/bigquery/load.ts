/**
 * An output's partitions into a table, each by one job that replaces what is there: WRITE_TRUNCATE of TABLE$YYYYMMDD. What a partition has is what
 * the output has then, whichever runs its files are of; so it may be done again, and after `append`.
 */
import { dayName } from "../../transforms/calendar";
import { ConfigError, PublishError } from "../errors";
import { inParallel } from "../io/parallel";
import { LAYOUT_FILE, layoutOf } from "../layout";
import { MANIFESTS, parseManifest, parseMarker } from "../manifest";
import { type Place, partitionOf, partsAmong, placeOf } from "../partitions";
import { join } from "../paths";
import type { Watch } from "../runners/tell";
import { thousands } from "../thousands";
import { type Client, clientFor } from "./client";
import { isNotFound } from "./errors";
import { type JobRequest, labelOf, runJob } from "./jobs";
import { describe, fieldOf, type Table } from "./tables";
import { type Columns, fieldsOf, findTarget, loading, locationOf, makeTarget } from "./target";
import { parseTable, type TableName, uriOf } from "./uri";
import { checkLayout } from "./uses";

export interface LoadOptions {
  output: string;
  outputTable: string;
  project: string | undefined;
}

/** Rows of a partition as loaded. */
export interface Loaded {
  dt: string;
  rows: number;
}

/** Jobs at a time: BigQuery limits changes of a table's partitions to 50 in 10 s. */
const JOBS = 4;
/** cloud.google.com/bigquery/quotas#load_jobs: URIs of a job */
const MOST_FILES = 10_000;

/** Refuses, before anything runs, what cannot be loaded. @throws ConfigError, BigQueryError */
export async function checkTarget({ outputTable, project }: LoadOptions, columns: Columns): Promise<void> {
  const name = parseTable(outputTable, "--output-table");
  const client = await clientFor(project);
  await locationOf(client, name);
  await findTarget(client, name, columns);
}

/**
 * @param days those to load; one that the output has no files of is emptied
 * @param id names the jobs: the same for the same load
 * @throws ConfigError, BigQueryError
 */
export async function load(options: LoadOptions, days: readonly string[], columns: Columns, id: string, watch: Watch): Promise<Loaded[]> {
  const name = parseTable(options.outputTable, "--output-table");
  const client = await clientFor(options.project);
  const location = await locationOf(client, name);
  if ((await findTarget(client, name, columns)) === undefined) await makeTarget(client, name, columns);
  const table = await describe(client, name, loading(name));
  const place = placeOf(options.output);
  const stop = new AbortController();
  const signal = watch.signal === undefined ? stop.signal : AbortSignal.any([watch.signal, stop.signal]);
  const loaded = await inParallel(days, JOBS, async (dt) => {
    try {
      signal.throwIfAborted();
      return await loadDay({ client, location, place, table, columns, id, signal }, dt);
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  });
  const rows = loaded.reduce((sum, each) => sum + each.rows, 0);
  watch.tell("info", `BigQuery: ${thousands(rows)} rows in ${loaded.length} partitions loaded: ${options.outputTable}`);
  return loaded;
}

interface Work {
  client: Client;
  location: string;
  place: Place;
  table: Table;
  columns: Columns;
  id: string;
  signal: AbortSignal;
}

async function loadDay(work: Work, dt: string): Promise<Loaded> {
  const files = await filesOf(work.place, dt);
  if (files.length === 0) {
    await empty(work.client, work.table.name, dt);
    return { dt, rows: 0 };
  }
  const job = await runJob(work.client, requestOf(work, dt, files), work.signal);
  return { dt, rows: Number(job.statistics?.load?.outputRows ?? 0) };
}

/** @throws ConfigError for a partition that is being published, or was left in the middle of that */
async function filesOf({ storage, output }: Place, dt: string): Promise<string[]> {
  const folder = join(output, partitionOf(dt));
  const names = await storage.list(folder);
  const parts = partsAmong(names);
  if (parts.length > 0 && !names.includes("_SUCCESS"))
    throw new ConfigError(
      `${folder} has no _SUCCESS, so it is not whole. Wait for the run that publishes there, or finish it by backstory clean ${output}.`,
    );
  return parts.map((name) => join(folder, name));
}

const compact = (dt: string): string => dt.replaceAll("-", "");

function requestOf({ location, place: { output }, table, columns, id }: Work, dt: string, files: readonly string[]): JobRequest {
  const { project, dataset, table: tableId } = table.name;
  const prefix = `${output.replace(/\/*$/, "")}/{dt:DATE}`;
  const load = {
    sourceUris: files.length > MOST_FILES ? [`${join(output, partitionOf(dt))}/part-*.parquet`] : files,
    sourceFormat: "PARQUET",
    parquetOptions: { enableListInference: true },
    hivePartitioningOptions: { mode: "CUSTOM", sourceUriPrefix: prefix },
    destinationTable: { projectId: project, datasetId: dataset, tableId: `${tableId}$${compact(dt)}` },
    writeDisposition: "WRITE_TRUNCATE",
    createDisposition: "CREATE_NEVER",
    // of the files; the table's own descriptions stay
    schema: { fields: fieldsOf(columns).map((field) => ({ ...field, ...kept(fieldOf(table.fields, field.name)) })) },
  };
  return {
    id: `backstory-${id}-load-${compact(dt)}`,
    location,
    configuration: { load },
    labels: { backstory: "load", backstory_run: labelOf(id) },
    attempted: { ...loading(table.name), doing: `load dt=${dt} into ${uriOf(table.name)}` },
  };
}

const kept = (field: { name: string; mode?: string; description?: string } | undefined) =>
  field === undefined ? {} : { name: field.name, mode: field.mode ?? "NULLABLE", description: field.description };

/** Removes the partition, which is there or not. */
async function empty(client: Client, name: TableName, dt: string): Promise<void> {
  const path = `/datasets/${name.dataset}/tables/${encodeURIComponent(`${name.table}$${compact(dt)}`)}`;
  const attempted = { ...loading(name), doing: `empty dt=${dt} of ${uriOf(name)}` };
  try {
    await client.call({ method: "DELETE", path, project: name.project, attempted });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/**
 * The days of an output, and the columns that their files have.
 * @param wanted undefined: all that the output has
 * @throws ConfigError where there is no output, or its runs have different columns
 */
export async function lookAt(output: string, wanted?: readonly string[]): Promise<{ days: string[]; columns: Columns }> {
  const { storage } = placeOf(output);
  const layout = layoutOf(await storage.read(join(output, LAYOUT_FILE)));
  if (layout === undefined)
    throw new ConfigError(`"${join(output, LAYOUT_FILE)}" does not say which layout ${output} has. Build it again, in another folder.`);
  checkLayout("load", layout);
  const found = (await storage.list(output)).flatMap((name) => /^dt=(\d{4}-\d{2}-\d{2})$/.exec(name)?.[1] ?? []);
  const days = wanted ?? found;
  const runs = new Set<string>();
  // where all are to be emptied, the columns are those of the others
  const some = days.some((dt) => found.includes(dt)) ? days : found;
  for (const dt of some) {
    const marker = await storage.read(join(output, partitionOf(dt), "_SUCCESS"));
    for (const run of (marker && parseMarker(marker)?.runs) || []) runs.add(run);
  }
  const schemas = new Map<string, Columns>();
  for (const run of runs) {
    const path = join(output, MANIFESTS, `${run}.json`);
    const text = await storage.read(path);
    if (text !== undefined) schemas.set(JSON.stringify(parseManifest(text, path).schema), parseManifest(text, path).schema);
  }
  const [columns] = schemas.values();
  if (columns === undefined) throw new ConfigError(`there is no output with a manifest at "${output}". Name the --output of a build.`);
  if (schemas.size > 1)
    throw new ConfigError(
      `the runs in ${output} have different columns, and a table has one kind. Load days of one kind by --dates, each into a table of its own.`,
    );
  return { days: [...days], columns };
}

/** The days of a range, as names. */
export function daysIn([first, last]: [number, number]): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => dayName(first + i));
}

/** An output that is published, though its table is not what it is to be. */
export function unloaded(error: unknown, { output, outputTable }: LoadOptions): PublishError {
  const { message, exitCode } = error as { message: string; exitCode?: number };
  return new PublishError(
    `the output is published, but not loaded: ${message.replace(/\.$/, "")}. Then: backstory load ${output} --output-table=${outputTable}`,
    exitCode ?? 1,
    error,
  );
}
