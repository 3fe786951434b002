/**
 * What a run says of itself, in `OUTPUT/_manifests/RUN.json`: what it published, of what, how, and why no row can know its own day.
 * Only what is true of a run is here; what data and options determine is in the files.
 *
 * A partition's `_SUCCESS` names the runs whose files it has (`Marker`), so a reader finds the manifests that must agree with it:
 * with `overwrite` one, with `append` one for each run. Instants are UTC with microseconds, days are YYYY-MM-DD.
 */
import { z } from "zod";
import { BrokenFile } from "./io/rows";

const count = z.number().int().nonnegative();
const day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);
const instant = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$/);
/** Begins with a letter or digit and is no path: it is the name of files and folders. */
export const RUN_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const runId = z.string().regex(RUN_ID);

/** A file as published. */
const ManifestFile = z.strictObject({
  path: z.string().describe("from the output folder: dt=2025-08-16/part-00000-of-00001.parquet"),
  rows: count.describe("as its footer tells: of the layout histories those of histories and of slots, each in their file"),
  bytes: count,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type ManifestFile = z.infer<typeof ManifestFile>;

/** Times of the actions of one type in the histories of a dt, both included. */
const Used = z.strictObject({ oldest: instant, newest: instant });

/**
 * That no history of a dt knows what came after it. With the action clocks `time` and `both`, each `newest` is before `cutoff`, that of
 * type 3 before `orderCutoff`; each `oldest` is at `lookbackStart` or after it.
 */
const Certificate = z.strictObject({
  cutoff: instant.describe("midnight(dt) in the time zone: actions count only from before it"),
  orderCutoff: instant.describe("midnight(dt - order lag): orders count only from before it"),
  lookbackStart: instant.nullable().describe("midnight(dt - lookback): actions count only from then on; null without a lookback"),
  timezone: z.string().describe("IANA name"),
  tz: z.string().describe("version of the time zone rules, such as 2025c"),
  actionClock: z.enum(["time", "dt", "both"]).describe("what had to be before dt: an action's time, its own day, or both"),
  orderTime: z.enum(["order-date", "occurred-at"]),
  orderLagDays: count,
  used: z.record(z.string().regex(/^\d{1,3}$/), Used).describe("by type code; a type that no history has is not there"),
  rows: count,
  zeroHistoryRows: count.describe("rows whose history has no action"),
  customers: count.describe("different customers"),
});
export type Certificate = z.infer<typeof Certificate>;

const Partition = z.strictObject({
  dt: day,
  runs: z.array(runId).describe("the runs whose files the partition has from then on, this one last; others only with append"),
  files: z.array(ManifestFile).describe("of this run, in order of path"),
  replaced: z.array(z.string()).describe("names of files of earlier runs that went away"),
  certificate: Certificate,
});
export type Partition = z.infer<typeof Partition>;

/** An input file as it was read. */
const ManifestInput = z.strictObject({
  table: z.string().describe("impressions, or the name of a table of actions"),
  path: z.string().describe("absolute"),
  size: count.describe("bytes"),
  mtime: z.string().optional().describe("UTC with nanoseconds, of a file on disk"),
  generation: z.string().optional().describe("of an object in a bucket"),
  from: z.string().optional().describe("bq:// of the table that was exported to it for the run; the object went with the run"),
});
export type ManifestInput = z.infer<typeof ManifestInput>;

/** As in the ledger; what later versions count besides stays. */
const TableCounts = z.looseObject({
  rows: count,
  places: z.record(z.string(), count),
  reasons: z.record(z.string(), count),
  lacking: z.record(z.string(), count),
  columns: z.array(z.string()),
  zeroItems: count,
});

const counts = z.record(z.string(), count);
const shares = z.record(z.string(), z.number());
const Quality = z.looseObject({
  rows: count,
  zero_history_pct: z.number(),
  avg_history_length: z.number(),
  action_type_distribution: shares,
  real_action_type_distribution: shares,
  rows_by_dt: counts,
  customers_by_dt: counts,
  sequence_length_distribution: counts,
  action_type_frequency_by_position: z.array(counts),
});

export const Manifest = z.strictObject({
  manifest: z.literal(1).describe("version of this format"),
  run: runId,
  began: instant.describe("by the clock of the machine; nothing goes by it"),
  committed: instant.describe("likewise"),
  versions: z.strictObject({ backstory: z.string(), node: z.string(), tz: z.string(), icu: z.string() }),
  writeMode: z.enum(["overwrite", "append", "error"]),
  options: z
    .record(z.string(), z.unknown())
    .describe("what determines the data, as in a --config file: paths absolute, defaults and shards filled in; no output, no write mode"),
  schema: z
    .array(z.strictObject({ name: z.string(), holds: z.string(), type: z.string().describe("such as int64, list<int32>") }))
    .describe(
      "columns of the rows, in order; dt comes from the folder. Files of another layout than rows, which options.layout tells, have those of that layout",
    ),
  rows: count.describe("one for each slot, whatever the layout"),
  bytes: count.describe("of the files"),
  partitions: z.array(Partition).describe("in order of dt"),
  emptied: z
    .array(z.strictObject({ dt: day, replaced: z.array(z.string()) }))
    .describe("partitions of --dates whose rows went away, since they have none now"),
  inputs: z.array(ManifestInput).describe("in order of tables, then paths"),
  unread: count.describe("files of impressions left out, since their folder is of a day outside of --dates"),
  ledger: z.record(z.string(), TableCounts),
  quality: Quality,
  warnings: z.array(z.string()),
});
export type Manifest = z.infer<typeof Manifest>;

/** The content of `_SUCCESS`, in a partition: the runs whose files it has; at the top: the run that was published last. */
export const Marker = z.strictObject({ runs: z.array(runId) });
export type Marker = z.infer<typeof Marker>;

/** Folder of the manifests in an output. */
export const MANIFESTS = "_manifests";

/**
 * @param name what to call it in messages, such as its path
 * @throws BrokenFile where it is no manifest
 */
export function parseManifest(text: string, name: string): Manifest {
  const value = json(text);
  if (value === undefined) throw new BrokenFile(`"${name}" is no manifest: it is not JSON.`);
  const { data, error } = Manifest.safeParse(value);
  if (error === undefined) return data;
  const [{ path, message }] = error.issues;
  const what = message.endsWith("received undefined") ? "is missing" : `is not as it should be (${message})`;
  throw new BrokenFile(`"${name}" is no manifest of this version: ${path.join(".") || "all of it"} ${what}.`);
}

/** Undefined for a `_SUCCESS` that says nothing: one of another program. */
export const parseMarker = (text: string): Marker | undefined => Marker.safeParse(json(text)).data;

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Microseconds since 1970 of years 1700 to 2199, exactly, as 2025-08-15T23:59:59.999999Z. */
export function instantOf(micros: number): string {
  const millis = Math.floor(micros / 1000);
  return new Date(millis).toISOString().replace("Z", `${String(micros - millis * 1000).padStart(3, "0")}Z`);
}

/** The inverse of instantOf. */
export const microsOf = (text: string): number => Date.parse(`${text.slice(0, 23)}Z`) * 1000 + Number(text.slice(23, 26));
