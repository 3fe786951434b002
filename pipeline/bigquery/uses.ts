/** Whether a run has to do with BigQuery, and whether its options then fit. Loads nothing of it. */
import { ConfigError } from "../errors";
import { isRemote } from "../io/remote";
import { layoutName, type OutputLayout } from "../layout";
import type { BuildOptions } from "../options";
import { kebab } from "../spelling";
import { isBigQuery, parseTable } from "./uri";

/** Options that say nothing without BigQuery; the first two are Dataflow's too. */
const OPTIONS = ["project", "tempLocation", "maxBytesBilled"] as const satisfies (keyof BuildOptions)[];
const DATAFLOWS: readonly string[] = ["project", "tempLocation"];

/** Tables in BigQuery among the inputs, as paths. */
export function tablesIn({ impressions, clicks, addToCarts, previousOrders, tables = [] }: BuildOptions): string[] {
  const paths = [impressions, clicks, addToCarts, previousOrders, ...tables.map(({ path }) => path)];
  return paths.filter((path) => path !== undefined).filter(isBigQuery);
}

/** @throws ConfigError where options do not fit together */
export function usesBigQuery(options: BuildOptions): boolean {
  const inputs = tablesIn(options);
  const uses = inputs.length > 0 || options.outputTable !== undefined;
  if (!uses) refuseUnused(options);
  for (const path of inputs) parseTable(path, "an input");
  if (inputs.length > 0 && options.tempLocation === undefined)
    throw new ConfigError(`${inputs[0]} is exported before it is read, which wants a place. Add --temp-location=gs://BUCKET/PATH.`);
  if (options.outputTable !== undefined) {
    checkOutput(options.outputTable, options.output);
    checkLayout("--output-table", options);
  }
  // of runners that can be left alone with a job
  if (uses && (options as { wait?: boolean }).wait === false)
    throw new ConfigError(
      "bq:// inputs and --output-table want the run to be waited for; got --no-wait. Leave it out, or load by backstory load.",
    );
  return uses;
}

function refuseUnused(options: BuildOptions): void {
  const onDataflow = (options.runner as string) === "dataflow";
  const unused = OPTIONS.find((key) => options[key] !== undefined && !(onDataflow && DATAFLOWS.includes(key)));
  if (unused !== undefined)
    throw new ConfigError(
      `--${kebab(unused)} is of no use without a bq:// input or --output-table; got "${options[unused]}". Leave it out.`,
    );
}

/** @throws ConfigError */
export function checkOutput(outputTable: string, output: string): void {
  parseTable(outputTable, "--output-table");
  if (!isRemote(output))
    throw new ConfigError(`--output-table is loaded from a bucket; got --output="${output}". Write --output=gs://BUCKET/PATH.`);
}

/** A table has rows. @throws ConfigError */
export function checkLayout(what: string, { layout, padding }: OutputLayout): void {
  if (layout !== "rows")
    throw new ConfigError(
      `${what} takes the layout rows; got ${layoutName({ layout, padding })}. Build with --layout=rows, or convert the output first: backstory convert OUTPUT --to=FOLDER --layout=rows.`,
    );
}
