/** `backstory load`: an output that is there into a table. */

import { randomUUID } from "node:crypto";
import { z } from "zod";
import { BuildOptions, dateRange } from "../options";
import { NOBODY_WATCHES } from "../runners/tell";
import type { Loaded } from "./load";
import { checkOutput } from "./uses";

const { project, dates, quiet, json } = BuildOptions.shape;
export const LoadOptions = z.strictObject({
  outputTable: z
    .string()
    .min(1, "must be a table")
    .describe("Table that the output is loaded into; made if it is not there.")
    .meta({ value: "bq://PROJECT.DATASET.TABLE" }),
  dates: dates.describe(
    "The days to load, both included; one that the output has no rows of is emptied. Default: every partition of the output.",
  ),
  project,
  quiet,
  json,
});
export type LoadOptions = z.infer<typeof LoadOptions>;

/** @throws ConfigError, BigQueryError */
export async function loadAndTell(output: string, options: LoadOptions): Promise<void> {
  checkOutput(options.outputTable, output);
  const { daysIn, load, lookAt } = await import("./load.js");
  const { days, columns } = await lookAt(output, options.dates === undefined ? undefined : daysIn(dateRange(options.dates)));
  const id = `load-${randomUUID()}`;
  const loaded = await load({ output, outputTable: options.outputTable, project: options.project }, days, columns, id, NOBODY_WATCHES);
  if (options.json) console.log(JSON.stringify({ output, outputTable: options.outputTable, partitions: loaded }));
  else if (!options.quiet) console.log(told(loaded, options.outputTable));
}

function told(loaded: readonly Loaded[], table: string): string {
  const rows = loaded.reduce((sum, each) => sum + each.rows, 0);
  return `${rows.toLocaleString("en")} rows in ${loaded.length} partitions: ${table}`;
}
