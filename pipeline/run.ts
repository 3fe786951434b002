import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { directRunner, type Root } from "../beam/sdk";
import { backstory } from "./backstory";
import type { BuildOptions } from "./options";
import { planRun } from "./plan";
import { type Outcome, outcomeFile } from "./publish";

/**
 * Runs a build from options to published files.
 * @throws ConfigError, BrokenFile, PublishError: nothing was published
 */
export async function build(options: BuildOptions): Promise<Outcome> {
  const runId = newRunId();
  const plan = await planRun(options, runId);
  const existed = existsSync(options.output);
  try {
    mkdirSync(plan.files.attempts, { recursive: true });
    await directRunner().run((root: Root) => void root.apply(backstory(plan)));
    const outcome: Outcome = JSON.parse(readFileSync(outcomeFile(options.output, runId), "utf8"));
    return outcome;
  } finally {
    tellFigures(options, runId);
    cleanUp(options.output, runId, existed);
  }
}

/** Sorts by time, and no two are the same. */
function newRunId(): string {
  return `${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "")}-${randomUUID().slice(0, 8)}`;
}

/** The figures are told even of a run that was not published: they say why. */
function tellFigures({ output, metricsJson }: BuildOptions, runId: string): void {
  if (metricsJson === undefined || !existsSync(outcomeFile(output, runId))) return;
  const { quality, ledger, error, warnings }: Outcome = JSON.parse(readFileSync(outcomeFile(output, runId), "utf8"));
  const rejects = Object.fromEntries(Object.entries(ledger).map(([table, { reasons }]) => [table, reasons]));
  const rows = Object.fromEntries(Object.entries(ledger).map(([table, counts]) => [table, { rows: counts.rows, ...counts.places }]));
  mkdirSync(dirname(metricsJson), { recursive: true });
  writeFileSync(
    metricsJson,
    `${JSON.stringify({ ...quality, ledger: rows, rejects, warnings, ...(error === undefined ? {} : { error }) }, null, 2)}\n`,
  );
}

/** What this run tried and did not publish goes; so does an output folder that it made in vain. */
function cleanUp(output: string, runId: string, existed: boolean): void {
  rmSync(join(output, "_attempts", runId), { recursive: true, force: true });
  for (const folder of [join(output, "_attempts"), ...(existed ? [] : [output])]) {
    if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
  }
}
