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
export const ManifestFile = z.strictObject({
  path: z.string().describe("from the output folder: dt=2025-08-16/part-00000-of-00001.parquet"),
  rows: count.describe("as its footer tells: of the layout histories those of histories and of slots, each in their file"),
  bytes: count.describe("size of the file"),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe("of its bytes, in hexadecimal digits"),
});
export type ManifestFile = z.infer<typeof ManifestFile>;

/** Times of the actions of one type in the histories of a dt, both included. */
const Used = z.strictObject({ oldest: instant.describe("time of the oldest action used"), newest: instant.describe("time of the newest") });

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
  orderTime: z.enum(["order-date", "occurred-at"]).describe("time of an order: midnight of its date, or its timestamp"),
  orderLagDays: count.describe("orders had to be this many days older still"),
  used: z.record(z.string().regex(/^\d{1,3}$/), Used).describe("by type code; a type that no history has is not there"),
  rows: count.describe("rows of the dt that this run published"),
  zeroHistoryRows: count.describe("rows whose history has no action"),
  customers: count.describe("different customers"),
});
export type Certificate = z.infer<typeof Certificate>;

const Partition = z.strictObject({
  dt: day.describe("day of the rankings"),
  runs: z.array(runId).describe("the runs whose files the partition has from then on, this one last; others only with append"),
  files: z.array(ManifestFile).describe("of this run, in order of path"),
  replaced: z.array(z.string()).describe("names of files of earlier runs that went away"),
  certificate: Certificate.describe("that no history of the dt knows what came after it"),
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

/** Late rows of a table of actions. */
export const LateCounts = z.looseObject({
  rows: count.describe("late rows of any kind that is warned of, each counted once"),
  days: z.record(z.string(), z.record(z.string(), count)).describe("by kind and day: rows"),
});

/** A rejected row by its place: nothing of what is in it. */
export const Example = z.looseObject({
  reason: z.string().describe("why it was rejected"),
  file: z.string().describe("path of the input file"),
  position: count.describe("line, row or element, from 1"),
});
export type Example = z.infer<typeof Example>;

/** As in the ledger; what later versions count besides stays. */
export const TableCounts = z.looseObject({
  rows: count.describe("rows read"),
  places: z.record(z.string(), count).describe("rows by where they ended: each in exactly one place"),
  reasons: z.record(z.string(), count).describe("rejected rows by reason"),
  lacking: z.record(z.string(), count).describe("by required column: rows that have no such column"),
  columns: z.array(z.string()).describe("names of columns seen where a required one was missing"),
  zeroItems: count.describe("rows that have an item 0, which is legal but often a mistake"),
  late: LateCounts.optional().describe("rows that are not from when they say; absent if there are none"),
  otherDays: z
    .object({ oldest: day, newest: day })
    .optional()
    .describe("of impressions: the oldest and the newest day of rankings outside of the dates; absent if there are none"),
  examples: z.array(Example).optional().describe("the first three rejects of each reason, in order of reasons, then files"),
});

const counts = z.record(z.string(), count);
const shares = z.record(z.string(), z.number());
export const Quality = z.looseObject({
  rows: count.describe("rows of the output"),
  zero_history_pct: z.number().describe("fraction of rows, from 0 to 1, whose history has no real action"),
  avg_history_length: z.number().describe("mean number of real actions per row"),
  action_type_distribution: shares.describe("by type code: fraction of all positions of all rows; 0 is padding"),
  real_action_type_distribution: shares.describe("by type code: fraction of the real actions of all rows"),
  rows_by_dt: counts.describe("by dt: rows"),
  customers_by_dt: counts.describe("by dt: different customers"),
  sequence_length_distribution: counts.describe("by number of real actions: rows"),
  action_type_frequency_by_position: z
    .array(counts)
    .describe("for each of the first `--max-positions` positions, newest first: rows by type code; 0 is padding"),
});

export const Manifest = z.strictObject({
  manifest: z.literal(1).describe("version of this format"),
  run: runId.describe("name of the run, and of this file"),
  began: instant.describe("by the clock of the machine; nothing goes by it"),
  committed: instant.describe("likewise"),
  versions: z
    .strictObject({
      backstory: z.string().describe("of this program"),
      node: z.string().describe("of Node"),
      tz: z.string().describe("of the time zone rules, which come with Node"),
      icu: z.string().describe("of the library that knows them"),
    })
    .describe("what a figure of a run may depend on besides input and options"),
  writeMode: z.enum(["overwrite", "append", "error"]).describe("what was to be done with partitions that exist"),
  options: z
    .record(z.string(), z.unknown())
    .describe("what determines the data, as in a --config file: paths absolute, defaults and shards filled in; no output, no write mode"),
  schema: z
    .array(
      z.strictObject({
        name: z.string().describe("in the rows"),
        holds: z.string().describe("the column's own name, as --columns takes it"),
        type: z.string().describe("such as int64, list<int32>"),
      }),
    )
    .describe(
      "columns of the rows, in order; dt comes from the folder. Files of another layout than rows, which options.layout tells, have those of that layout",
    ),
  rows: count.describe("one for each slot, whatever the layout"),
  bytes: count.describe("of the files"),
  partitions: z.array(Partition).describe("in order of dt"),
  emptied: z
    .array(
      z.strictObject({
        dt: day.describe("whose partition it is"),
        replaced: z.array(z.string()).describe("names of files that went away"),
      }),
    )
    .describe("partitions of --dates whose rows went away, since they have none now"),
  inputs: z.array(ManifestInput).describe("in order of tables, then paths"),
  unread: count.describe("files of impressions left out, since their folder is of a day outside of --dates"),
  ledger: z.record(z.string(), TableCounts).describe("by table: where every input row ended"),
  quality: Quality.describe("data quality of what was published"),
  warnings: z.array(z.string()).describe("what is worth knowing, and no error"),
});
export type Manifest = z.infer<typeof Manifest>;

/** The content of `_SUCCESS`, in a partition: the runs whose files it has; at the top: the run that was published last. */
export const Marker = z.strictObject({ runs: z.array(runId).describe("names of runs, the newest last") });
export type Marker = z.infer<typeof Marker>;

/** Folder of the manifests in an output. */
export const MANIFESTS = "_manifests";

/** Publishing asks for the same one three times, while nothing else is left to do. */
let last: { text: string; manifest: Manifest } | undefined;

/**
 * @param name what to call it in messages, such as its path
 * @returns the same object for the same text; not to be changed
 * @throws BrokenFile where it is no manifest
 */
export function parseManifest(text: string, name: string): Readonly<Manifest> {
  if (last?.text !== text) last = { text, manifest: parsed(text, name) };
  return last.manifest;
}

function parsed(text: string, name: string): Manifest {
  const value = json(text);
  if (value === undefined) throw new BrokenFile(`"${name}" is no manifest: it is not JSON.`);
  const { data, error } = Manifest.safeParse(value, { jitless: true }); // compiling a parser takes longer than a manifest or two
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
