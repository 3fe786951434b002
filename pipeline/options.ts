import { closest, distance } from "fastest-levenshtein";
import { z } from "zod";
import { date } from "../transforms/values";
import { isBigQuery, isProject } from "./bigquery/uri";
import { CONDITIONS, parseConditions } from "./conditions";
import { ConfigError } from "./errors";
import { isGcs } from "./gcs/uri";
import { LAYOUTS, PADDINGS } from "./layout";
import { parseMemory } from "./memory";
import { path, wholeNumber } from "./optiontypes";
import { type Content, type OutputColumn, ROW_GROUP_BYTES } from "./parquet/schema";
import { DATAFLOW_FLAGS } from "./runners/dataflow/flags";
import { inGroups } from "./schema";

const address = z.string().refine(isAddress, "must be HOST:PORT, such as localhost:8099");

/** Names are keys of plain objects, so that what every object has by itself is none. */
const column = z.string().refine((name) => name !== "" && !(name in {}), "must be the name of a column");
const typeCode = "must be a whole number from 1 to 127";

/** A table of actions in a configuration file. */
export const Table = z.strictObject({
  name: z
    .string()
    .refine((name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !(name in {}), "must be a name of letters, digits and _")
    .describe("the table's own name, by which the ledger and rejects tell of it"),
  type: z
    .number(typeCode)
    .int(typeCode)
    .min(1, typeCode)
    .max(127, typeCode)
    .describe("its type code: 1 clicks, 2 add_to_carts, 3 previous_orders, 4 to 127 for others; each once"),
  customer: column.default("customer_id").describe("column of the customer"),
  item: column.describe("column of the item"),
  time: column.describe("column of the timestamp"),
  dt: column.default("dt").describe("column of the action's own day, read where --action-clock asks for it"),
  date: column.nullable().default(null).describe("column of a day whose midnight is the time, in the place of the timestamp"),
  path: z
    .string()
    .min(1, "must be a path")
    .optional()
    .describe("where it is, as for --clicks; of a table with a flag of its own that flag is enough"),
});

/** All that `backstory build` can be told. The keys in kebab-case are the flags; --help is made from this. */
export const BuildOptions = z.strictObject({
  impressions: path(
    "Impressions: a file, a folder or a glob; NDJSON, JSON, CSV or Parquet, plain, .gz or .zst; or a table, bq://PROJECT.DATASET.TABLE.",
  ).meta({ value: "PATH", group: "Inputs" }),
  clicks: path('Clicks, as above, or "none" for a run without them. Required.').optional().meta({ value: "PATH" }),
  addToCarts: path("Add-to-carts, likewise. Required.").optional().meta({ value: "PATH" }),
  previousOrders: path("Orders, likewise. Required.").optional().meta({ value: "PATH" }),
  output: path("Folder that the partitions dt=YYYY-MM-DD/ are written to.").meta({ value: "FOLDER", group: "Output" }),
  historyLength: wholeNumber(1, 100_000, "of actions")
    .default(1000)
    .describe("Actions in a history; shorter ones end in zeros.")
    .meta({ value: "ACTIONS", group: "What is built" }),
  lookbackDays: z
    .union([z.literal("none"), wholeNumber(0, 1_000_000, 'of days or "none"')], 'must be a whole number of days or "none"')
    .default(365)
    .describe('How far a history reaches back, in days before its dt; "none" for all.')
    .meta({ value: "DAYS|none" }),
  dates: z
    .string()
    .refine(isRange, "must be FROM..TO or one day, such as 2025-08-03..2025-08-16")
    .optional()
    .describe("The days to build, both included; else every dt found in the impressions.")
    .meta({ value: "FROM..TO" }),
  trainDays: wholeNumber(1, 100_000, "of days")
    .optional()
    .describe("Only the so many newest of the days found (within --dates, if given).")
    .meta({ value: "DAYS" }),
  timezone: z
    .string()
    .refine(isTimezone, { error: ({ input }) => `must be an IANA time zone such as ${nearestZone(String(input))}` })
    .default("UTC")
    .describe("Where days begin, and what timestamps without an offset mean.")
    .meta({ value: "ZONE" }),
  timeUnit: z.enum(["s", "ms", "us", "ns"]).optional().describe("Unit of timestamps that are numbers; without it they are rejects."),
  orderTime: z
    .enum(["order-date", "occurred-at"])
    .default("order-date")
    .describe("Time of an order: midnight of order_date, or its occurred_at."),
  orderLagDays: wholeNumber(0, 100_000, "of days")
    .default(0)
    .describe("Orders must be this many days older still.")
    .meta({ value: "DAYS" }),
  actionClock: z
    .enum(["time", "dt", "both"])
    .default("time")
    .describe("What must be before the dt of a ranking: an action's time, its own dt, or both."),
  dropEmptyHistory: z.boolean().default(false).describe("Leave out rows without any action."),
  writeMode: z
    .enum(["overwrite", "append", "error"])
    .default("overwrite")
    .describe("What to do with partitions that exist.")
    .meta({ group: "Output" }),
  columns: z
    .string()
    .default("standard")
    .describe("standard, +length, +times, or a list of columns, renamed as in ranking_id=session.")
    .meta({ value: "LIST" }),
  layout: z
    .enum(LAYOUTS)
    .default("rows")
    .describe(
      "What a row of a file is: a slot (rows), a ranking with its slots as lists (rankings), or a history, with slots in a table beside it (histories).",
    ),
  padding: z
    .enum(PADDINGS)
    .default("zeros")
    .describe("What stands behind the real actions of a history: zeros up to --history-length, or nothing."),
  compression: z.enum(["snappy", "zstd", "none"]).default("snappy").describe("Of the Parquet pages."),
  shards: wholeNumber(1, 10_000, "of files")
    .optional()
    .describe("Files for each day; else it follows from the bytes of the inputs.")
    .meta({ value: "FILES" }),
  rowGroupBytes: wholeNumber(1, 2 ** 31, "of bytes")
    .default(ROW_GROUP_BYTES)
    .describe("Decoded size of a row group.")
    .meta({ value: "BYTES" }),
  runId: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
      "must be at most 64 letters, digits, dots, dashes and underscores, the first a letter or digit",
    )
    .optional()
    .describe(
      "Name of the run. One that is published under it already is not built again, so that a scheduler may try a run as often as it likes.",
    )
    .meta({ value: "ID" }),
  rejects: path("File that rejected rows are told in: table, file, position, reason.")
    .optional()
    .meta({ value: "FILE", group: "Checks and figures" }),
  maxRejects: z
    .union([z.number(), z.string()], "must be a count such as 100 or a percentage such as 1%")
    .transform(String)
    .refine((text) => parseLimit(text) !== undefined, "must be a count such as 100 or a percentage such as 1%")
    .default("1%")
    .describe("Rejects that are too many: a count, or a percentage of each table's rows.")
    .meta({ value: "COUNT|PERCENT%" }),
  failOn: z
    .string()
    .refine((text) => parseConditions(text) !== undefined, `must be ${CONDITIONS}`)
    .optional()
    .describe(
      "Figures with which nothing is published, such as zero_history_pct>0.5,rejects>0.1%,late>1%,leak; also avg_history_length, rows.",
    )
    .meta({ value: "CONDITION,..." }),
  metricsJson: path("File for the figures of data quality and the ledger.").optional().meta({ value: "FILE" }),
  report: path("File for a page with charts of data quality, as backstory report writes it; reads the output once more.")
    .optional()
    .meta({ value: "FILE" }),
  maxPositions: wholeNumber(1, 100_000, "of positions")
    .default(100)
    .describe("Positions in action_type_frequency_by_position.")
    .meta({ value: "POSITIONS" }),
  tables: z
    .array(Table)
    .optional()
    .describe(
      "Tables of actions with other columns, or added ones. Each has name, type (1 clicks, 2 add_to_carts, 3 previous_orders, 4 to 127 for others), item and time, which name columns; where needed also customer (customer_id), dt (dt), date (a column of days whose midnight is the time) and path.",
    )
    .meta({ configOnly: true, group: "Inputs" }),
  threads: wholeNumber(1, 1024, "of threads")
    .optional()
    .describe(
      "Threads; the output does not depend on them. Default: all cores, one for small inputs; on dataflow all of a worker's machine.",
    )
    .meta({ value: "THREADS", group: "Machine" }),
  maxMemory: z
    .string()
    .refine((text) => parseMemory(text, 1) !== undefined, "must be a size such as 2GB or 1.5GiB, or a percentage such as 50%")
    .optional()
    .describe("Memory to stay below; what does not fit goes to --temp-dir. Default: 70% of the machine's, or of its cgroup's.")
    .meta({ value: "SIZE|PERCENT%" }),
  tempDir: path("Folder for what does not fit into memory; else it goes beside the output.").optional().meta({ value: "FOLDER" }),
  runner: z
    .enum(["direct", "prism", "flink", "portable", "dataflow"])
    .default("direct")
    .describe("Where it runs: direct is this process; portable is any runner of Beam that has a job service; dataflow is Google Cloud's.")
    .meta({ group: "Runners of Beam" }),
  jobEndpoint: address
    .optional()
    .describe("Job service that runs already. Required for portable; for prism and flink one is started here otherwise.")
    .meta({ value: "HOST:PORT" }),
  environment: z
    .enum(["external", "process", "docker"])
    .optional()
    .describe("How the runner gets its workers: it asks a worker pool, starts a program, or starts a container. Default: external."),
  environmentConfig: z
    .string()
    .min(1, "must not be empty")
    .optional()
    .describe(
      "external: HOST:PORT of a worker pool that runs already, by default one of this command's own; process: the worker program, by default backstory-worker of this installation; docker: the image.",
    )
    .meta({ value: "CONFIG" }),
  workers: wholeNumber(1, 1024, "of workers")
    .optional()
    .describe("Worker processes, each with --threads (one, then). Default: all cores; on prism one worker, with all cores as threads.")
    .meta({ value: "WORKERS" }),
  parallelism: wholeNumber(1, 32_768, "of tasks")
    .optional()
    .describe("Tasks of a stage at the same time, on Flink. Default: the number of workers.")
    .meta({ value: "TASKS" }),
  flinkMaster: z
    .string()
    .min(1, "must be an address")
    .optional()
    .describe("Flink's own address, as its job server sees it. Default: [local], a Flink within the job server.")
    .meta({ value: "HOST:PORT" }),
  flinkConfDir: path("Folder of a flink-conf.yaml, on the job server's machine.").optional().meta({ value: "FOLDER" }),
  ...DATAFLOW_FLAGS,
  project: z
    .string()
    .refine(isProject, "must be the ID of a project, such as my-project-123")
    .optional()
    .describe("Google Cloud project that runs and pays for jobs. Required for dataflow; for BigQuery, by default that of the credentials.")
    .meta({ value: "PROJECT", group: "Google Cloud" }),
  tempLocation: z
    .string()
    .refine(isGcs, "must be gs://BUCKET/PATH")
    .optional()
    .describe(
      "Folder in a bucket for what a run needs for a while, in folders of its own that go with it. Required for dataflow and bq:// inputs.",
    )
    .meta({ value: "gs://BUCKET/PATH" }),
  maxBytesBilled: z
    .string()
    .refine((text) => parseBytes(text) !== undefined, "must be a size such as 100GB or 1.5TiB")
    .optional()
    .describe("What BigQuery may bill for the exports of a run together; it does not begin if they would be more.")
    .meta({ value: "SIZE" }),
  outputTable: z
    .string()
    .refine(isBigQuery, "must be bq://PROJECT.DATASET.TABLE")
    .optional()
    .describe("Table in BigQuery, partitioned by dt, that the published days are loaded into; made if it is not there.")
    .meta({ value: "bq://PROJECT.DATASET.TABLE" }),
  quiet: z.boolean().default(false).describe("Print nothing but errors.").meta({ group: "Messages" }),
  json: z.boolean().default(false).describe("Print the outcome as JSON on standard output, with the seconds of each stage."),
});
inGroups(BuildOptions);
export type BuildOptions = z.infer<typeof BuildOptions>;

/** HOST:PORT; an IPv6 host stands in brackets. */
export function isAddress(text: string): boolean {
  const port = /^(?:[\w.-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})$/.exec(text)?.[1];
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
}

/** Bytes of "100GB" or "1.5TiB"; undefined if it is no size. */
export const parseBytes = (text: string): number | undefined => (text.endsWith("%") ? undefined : parseMemory(text, 0));

function isDay(text: string): boolean {
  try {
    date(text);
    return true;
  } catch {
    return false;
  }
}

function isRange(text: string): boolean {
  const days = text.split("..");
  return days.length <= 2 && days.every(isDay);
}

function isTimezone(name: string): boolean {
  try {
    // An offset such as +02:00 is accepted by Intl, but it is no place with rules.
    return new Intl.DateTimeFormat("en", { timeZone: name }) !== undefined && !/^[+-]/.test(name);
  } catch {
    return false;
  }
}

/** The one that was meant, if it is told by a few letters. */
function nearestZone(name: string): string {
  const nearest = closest(name, Intl.supportedValuesOf("timeZone"));
  return distance(name, nearest) <= name.length / 4 ? nearest : "Europe/Berlin";
}

/** First and last day of --dates, both included, as epoch days. */
export function dateRange(text: string): [number, number] {
  const [from, to = from] = text.split("..").map((part) => date(part));
  if (from > to) throw new ConfigError(`--dates has its days the wrong way round; got "${text}". Write the earlier day first.`);
  return [from, to];
}

export function parseLimit(text: string): { count: number } | { percent: number } | undefined {
  const match = /^([0-9]+(?:\.[0-9]+)?)(%?)$/.exec(text);
  if (match === null) return undefined;
  if (match[2] === "%") return Number(match[1]) <= 100 ? { percent: Number(match[1]) } : undefined;
  return Number.isInteger(Number(match[1])) ? { count: Number(match[1]) } : undefined;
}

const STANDARD: Content[] = [
  "ranking_id",
  "customer_id",
  "impression_index",
  "item_id",
  "is_order",
  "impressions",
  "actions",
  "action_types",
];

/** The columns of --columns. `dt` comes from the folder and is not in the files. */
export function outputColumns(text: string): OutputColumn[] {
  const names = text.split(",").map((part) => part.trim());
  const extras = names.flatMap((name): Content[] => (name === "+length" ? ["history_length"] : name === "+times" ? ["action_times"] : []));
  const listed = names.filter((name) => name !== "+length" && name !== "+times");
  const columns = (listed.length === 0 ? ["standard"] : listed).flatMap((name) =>
    name === "standard" ? STANDARD.map(plain) : [renamed(name)],
  );
  const all = [...columns, ...extras.map(plain)];
  const twice = all.find(({ name }, i) => all.findIndex((other) => other.name === name) !== i);
  if (twice !== undefined)
    throw new ConfigError(`--columns names "${twice.name}" twice; got "${text}". Leave one out, or rename it as in item_id=item.`);
  const inFiles = all.filter(({ holds }) => (holds as string) !== "dt");
  if (inFiles.length === 0) throw new ConfigError(`--columns leaves the files without columns; got "${text}". Name one besides dt.`);
  return inFiles;
}

const plain = (holds: Content): OutputColumn => ({ holds, name: holds });

function renamed(text: string): OutputColumn {
  const [holds, name = holds, ...more] = text.split("=");
  const known: string[] = [...STANDARD, "history_length", "action_times", "dt"];
  if (!known.includes(holds))
    throw new ConfigError(`--columns has no column "${holds}". Choose from ${known.join(", ")}, standard, +length, +times.`);
  if ((holds === "dt") !== (name === "dt"))
    throw new ConfigError(`--columns cannot rename ${holds} to "${name}", since dt is the name of the folders. Leave dt as it is.`);
  if (name === "" || more.length > 0)
    throw new ConfigError(`--columns must be names of columns, or NAME=NEW_NAME; got "${text}". See --help.`);
  return { holds: holds as Content, name };
}
