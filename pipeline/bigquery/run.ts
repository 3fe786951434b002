/** A build with tables in BigQuery: exports before it, loads after it. */
import { type BuildOptions, outputColumns } from "../options";
import { schemaOf } from "../origin";
import type { Outcome } from "../outcome";
import type { Watch } from "../runners/tell";
import { Exports } from "./exports";
import { checkTarget, load, unloaded } from "./load";
import { tablesIn } from "./uses";

/** @param build builds, from what is exported when it asks for that */
export async function buildWithBigQuery(
  options: BuildOptions,
  runId: string,
  watch: Watch,
  build: (exports: Exports | undefined) => Promise<Outcome>,
): Promise<Outcome> {
  const { outputTable, output, project } = options;
  const columns = schemaOf(outputColumns(options.columns));
  const target = outputTable === undefined ? undefined : { output, outputTable, project };
  if (target !== undefined) await checkTarget(target, columns);
  const outcome = await withExports(options, runId, watch, build);
  if (target === undefined) return outcome;
  const days = new Set([...outcome.files.map(({ path }) => path.slice("dt=".length, "dt=YYYY-MM-DD".length)), ...outcome.emptied]);
  try {
    await load(target, [...days].sort(), columns, runId, watch);
  } catch (error) {
    throw watch.signal?.aborted ? error : unloaded(error, target);
  }
  return outcome;
}

/** Removes the exports, however the run ends. */
async function withExports(
  options: BuildOptions,
  runId: string,
  watch: Watch,
  build: (exports: Exports | undefined) => Promise<Outcome>,
): Promise<Outcome> {
  if (tablesIn(options).length === 0) return build(undefined);
  const exports = new Exports(options, runId, watch);
  let isRead = false;
  try {
    return await build(exports);
  } catch (error) {
    // a job elsewhere that goes on without this process
    isRead = (error as Error).name === "GoesOn";
    if (isRead) watch.tell("warning", `the job goes on, and reads ${exports.folder}. Remove that when it has ended.`);
    throw error;
  } finally {
    // what the run has come to is what it ends with
    if (!isRead) await exports.remove().catch((error: Error) => watch.tell("warning", leftBehind(exports.folder, error)));
  }
}

const leftBehind = (folder: string, { message }: Error): string =>
  `${folder} could not be removed (${message.replace(/\.$/, "")}). Remove it.`;
