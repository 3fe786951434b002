/** Where things lie in an output folder, as the planner and the last step see it. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "./errors";

export const attemptsOf = (output: string, runId: string): string => join(output, "_attempts", runId);
export const outcomeFile = (output: string, runId: string): string => join(attemptsOf(output, runId), "outcome.json");

/** The files that a run of ours may have put there; anything else in the folder is not ours to touch. */
export function partsOf(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => /^part-.*\.parquet$/.test(name)) : [];
}

/** Asked before a run starts, and when it publishes, because another run may have come in between. */
export function refuseExisting(dts: Iterable<string>, output: string): void {
  for (const dt of dts) {
    if (partsOf(join(output, `dt=${dt}`)).length > 0)
      throw new ConfigError(`partition dt=${dt} exists in ${output}. Choose --write-mode overwrite or append, or another output.`);
  }
}
