/**
 * What a build tells in files and on standard output, as schemas: the outcome of --json, the figures of --metrics-json, the lines of --rejects.
 * Tests hold what is told against them, and the reference is made of them; a build itself does not load this.
 */
import { z } from "zod";
import { LateCounts, ManifestFile, Quality, TableCounts } from "./manifest";

const count = z.number().int().nonnegative();
const perTable = <Value extends z.ZodType>(value: Value) => z.record(z.string(), value);

/** `backstory build --json`, one line on standard output. */
export const BuildSummary = z.strictObject({
  runId: z.string().describe("name of the run"),
  already: z.boolean().describe("an earlier attempt under this `--run-id` has published it; this one has built nothing"),
  output: z.string().describe("as given"),
  rows: count.describe("rows published"),
  seconds: z.number().describe("from start to end, by the clock"),
  stages: z
    .record(
      z.string(),
      z.strictObject({
        from: z.number().describe("from the start of the process to its first beginning"),
        seconds: z.number().describe("from its first beginning to its last end; stages overlap"),
        busySeconds: z.number().describe("its own work, over all threads of this process"),
      }),
    )
    .describe("by stage: how long it took, in seconds"),
  files: z.array(ManifestFile).describe("files published, in order of path"),
  emptied: z.array(z.string()).describe("dts of `--dates` whose partition was emptied, since they have no rows now"),
  unread: count.describe("files of impressions left out, since their folder is of a day outside of `--dates`"),
  ledger: perTable(TableCounts).describe("by table: where every input row ended"),
  quality: Quality.describe("data quality"),
  warnings: z.array(z.string()).describe("what is worth knowing, and no error"),
  manifest: z.string().optional().describe("path of the manifest; absent if nothing was published"),
});
export type BuildSummary = z.infer<typeof BuildSummary>;

/** `--metrics-json`, written also where a run is refused for its figures. */
export const Figures = z.strictObject({
  ...Quality.shape,
  ledger: perTable(z.record(z.string(), count)).describe("by table: `rows` read, then the rows in each place"),
  rejects: perTable(z.record(z.string(), count)).describe("by table: rejected rows by reason"),
  late: perTable(LateCounts).describe("by table that has any: late rows"),
  warnings: z.array(z.string()).describe("what is worth knowing, and no error"),
  error: z.string().optional().describe("why nothing was published; absent if it was"),
});

/** A line of `--rejects`. */
export const RejectLine = z.strictObject({
  table: z.string().describe("impressions, or the name of a table of actions"),
  file: z.string().describe("path of the file; of a table in BigQuery its export"),
  position: z
    .number()
    .int()
    .positive()
    .describe("in the file, from 1: the line of NDJSON and CSV, the element of a JSON array, the row of Parquet"),
  reason: z.string().describe("`COLUMN: REASON` or, of a record that is no row, the reason alone"),
});
