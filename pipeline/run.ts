import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { stages } from "../beam/stages";
import { threads, useThreads } from "../beam/threads";
import type { Plan } from "./backstory";
import type { Exports } from "./bigquery/exports";
import { usesBigQuery } from "./bigquery/uses";
import { clean, isTakenOver, ownAttempts } from "./clean";
import { ConfigError, Interrupted, isDiskFull, PublishError } from "./errors";
import { isRemote, remoteObjects } from "./io/remote";
import { KERNELS } from "./kernels";
import { parseManifest } from "./manifest";
import type { BuildOptions } from "./options";
import { dataOptions } from "./origin";
import { type Outcome, publishedOutcome } from "./outcome";
import { outcomeFile, type Place, placeOf } from "./partitions";
import { planRun } from "./plan";
import { chooseRunner, endsWithUs } from "./runners/choice";
import type { Submission } from "./runners/dataflow/run";
import { aborted, NOBODY_WATCHES, type Watch } from "./runners/tell";
import { isBegun, settle } from "./turn";

/** Where a run is carried out. */
interface Runner {
  run(plan: Plan, watch: Watch): Promise<void>;
  /** whether all that works for a run ends with this process */
  endsWithUs: boolean;
  /** what it means where a run ends well, and nothing of it is published */
  silence: string;
}

/** @throws ConfigError where options do not fit together */
async function runnerOf(options: BuildOptions): Promise<Runner> {
  const choice = chooseRunner(options);
  if (options.runner === "dataflow") {
    const { chooseDataflow, runOnDataflow } = await dataflow();
    const job = chooseDataflow(options);
    if (!job.wait || job.dryRun)
      throw new ConfigError(`--${job.wait ? "dry-run" : "no-wait"} has no outcome. Use submit(), or leave it out.`);
    return { run: (plan, watch) => runOnDataflow(plan, job, watch), endsWithUs: false, silence: nothingFrom(options.output) };
  }
  if (choice === null)
    return { run: (plan, { signal }) => Promise.race([aborted(signal), runHere(plan)]), endsWithUs: true, silence: NOTHING_HERE };
  return {
    run: async (plan, watch) => (await import("./runners/portable.js")).runPortable(plan, choice, watch),
    endsWithUs: endsWithUs(choice),
    silence: nothingFrom(options.output),
  };
}

const dataflow = () => import("./runners/dataflow/run.js");

/**
 * Runs a build from options to published files.
 * @param options as BuildOptions.parse gives them
 * @param watch hears what a runner says, and can end the run by its signal
 * @returns what was published, also by an earlier attempt of the same runId
 * @throws ConfigError, BrokenFile, PublishError: nothing was published
 */
export async function build(options: BuildOptions, watch: Watch = NOBODY_WATCHES): Promise<Outcome> {
  const runner = await runnerOf(options);
  const runId = options.runId ?? newRunId();
  try {
    if (!usesBigQuery(options)) return await buildFiles(options, runner, runId, watch);
    const { buildWithBigQuery } = await import("./bigquery/run.js");
    return await buildWithBigQuery(options, runId, watch, (exports) => buildFiles(options, runner, runId, watch, exports));
  } catch (error) {
    throw error instanceof Interrupted ? new Interrupted(error.signal, await broughtAbout(options.output, runId)) : error;
  }
}

/** What a run that somebody has ended leaves in the output, if that can be known. */
async function broughtAbout(output: string, runId: string): Promise<string | undefined> {
  try {
    const outcome = await publishedOutcome(placeOf(output), runId);
    return outcome === undefined ? "nothing was published" : "by then it was decided what is published, and all of it is";
  } catch {
    return undefined;
  }
}

async function buildFiles(options: BuildOptions, runner: Runner, runId: string, watch: Watch, exports?: Exports): Promise<Outcome> {
  const place = placeOf(options.output);
  const before = await Promise.race([aborted(watch.signal), publishedBefore(options, place)]);
  if (before !== undefined) {
    await tellFigures(options, before);
    return before;
  }
  const plan = await planned(options, runId, place, watch, exports);
  const made = makeAttempts(plan.files.attempts, options.output);
  let goesOn = false;
  try {
    await ownAttempts(place, runId, runner.endsWithUs);
    try {
      await runner.run(plan, watch);
    } catch (error) {
      goesOn = (error as Error).name === "GoesOn";
      if (goesOn || !(await settled(place, runId)) || error instanceof Interrupted) throw error;
      watch.tell("warning", `${(error as Error).message.split("\n")[0]} By then it was decided what is published, and all of it is.`);
    }
    const outcome = await publishedOutcome(place, runId);
    if (outcome === undefined) throw new Error(runner.silence);
    await tellFigures(options, outcome);
    return outcome;
  } catch (error) {
    if (error instanceof PublishError) await tellFiguresOfFailure(options, place, runId);
    throw isDiskFull(error) ? new PublishError(DISK_FULL, 1, error) : error;
  } finally {
    await threads().close();
    useThreads(1);
    rmSync(plan.memory.room.folder, { recursive: true, force: true });
    // what is half published is finished from there; and another attempt at this run may have come after this one
    if (!goesOn && !(await isBegun(place, runId)) && !(await isTakenOver(place, runId))) await cleanUp(place, plan.files.attempts, made);
  }
}

/** What an earlier attempt at this run has published. @throws ConfigError if it was another run that had its name */
async function publishedBefore(options: BuildOptions, place: Place): Promise<(Outcome & { already: true }) | undefined> {
  const { runId, writeMode } = options;
  if (runId === undefined) return undefined;
  // what that attempt had begun to publish may be all there is to do
  await clean(place);
  const outcome = await publishedOutcome(place, runId);
  if (outcome === undefined) return undefined;
  const then = parseManifest((await place.storage.read(outcome.manifest!)) ?? "", outcome.manifest!);
  const now: Record<string, unknown> = { ...dataOptions(options, options.shards ?? Number(then.options.shards)), writeMode };
  // earlier versions knew one layout
  const before: Record<string, unknown> = { layout: "rows", padding: "zeros", ...then.options, writeMode: then.writeMode };
  const names = [...new Set([...Object.keys(now), ...Object.keys(before)])];
  const other = names.find((name) => !isDeepStrictEqual(now[name], before[name]));
  if (other === undefined) return { ...outcome, already: true };
  throw new ConfigError(
    `--run-id=${runId} is the name of a run that is published in ${options.output}, with another ${other}. Give this one a name of its own, or the options of that one.`,
  );
}

async function planned(options: BuildOptions, runId: string, place: Place, { signal }: Watch, exports?: Exports): Promise<Plan> {
  stages.clear();
  const plan = stages.during("plan", async () => {
    // what an interrupted run has left would be in the way
    await clean(place);
    return planRun(options, runId, exports);
  });
  return Promise.race([aborted(signal), plan]);
}

/**
 * Hands a build to Dataflow and does not wait for it. What it has tried and staged is removed by the next build to this output, or by `clean`.
 * @param options with the runner dataflow
 * @returns the job, as --job-id-file has it
 * @throws ConfigError, DataflowError: there is no job
 */
export async function submit(options: BuildOptions, watch: Watch = NOBODY_WATCHES): Promise<Submission> {
  chooseRunner(options);
  usesBigQuery(options);
  const { chooseDataflow, submitToDataflow } = await dataflow();
  const choice = chooseDataflow(options);
  const runId = options.runId ?? newRunId();
  const place = placeOf(options.output);
  const plan = await planned(options, runId, place, watch);
  try {
    await ownAttempts(place, runId, false);
    return await submitToDataflow(plan, choice, watch);
  } catch (error) {
    await cleanUp(place, plan.files.attempts, undefined);
    throw error;
  }
}

/** The job that a build would be on Dataflow, as JSON; nothing is written anywhere. */
export async function describe(options: BuildOptions): Promise<object> {
  chooseRunner(options);
  const { chooseDataflow, jobOf } = await dataflow();
  const choice = chooseDataflow(options);
  return jobOf(await planRun(options, options.runId ?? newRunId()), choice);
}

/** Ends what a run that has failed has begun to publish. @returns whether all of it is published, since that had been decided */
async function settled(place: Place, run: string): Promise<boolean> {
  try {
    await settle(place, run);
    return (await publishedOutcome(place, run)) !== undefined;
  } catch {
    return false; // what is in the way stays so; it is finished by whoever comes next
  }
}

const NOTHING_HERE = "the run ended without having published anything. This is a bug.";
const nothingFrom = (output: string) =>
  `the job is done, but nothing of it is in ${output}. Workers must see the same folders as this machine, under the same paths.`;

async function runHere(plan: Plan): Promise<void> {
  useThreads(plan.memory.threads, plan.memory.room, KERNELS);
  // Only now, so that the threads start while this one loads the Beam SDK.
  const { runDirect } = await import("./runners/direct.js");
  await runDirect(plan);
}

const DISK_FULL =
  "the disk is full, so nothing was published. Free some space, write to another disk, or name one for what does not fit into memory by --temp-dir.";

/** @returns the outermost folder that had to be made for it */
function makeAttempts(attempts: string, output: string): string | undefined {
  try {
    return isRemote(attempts) ? undefined : mkdirSync(attempts, { recursive: true });
  } catch (error) {
    if (isDiskFull(error)) throw new PublishError(DISK_FULL, 1, error);
    if (isRemote(attempts)) throw error;
    throw new ConfigError(
      `--output cannot be written to (${(error as NodeJS.ErrnoException).code}); got "${output}". Choose another place.`,
    );
  }
}

/** Sorts by time, and no two are the same. */
function newRunId(): string {
  return `${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "")}-${randomUUID().slice(0, 8)}`;
}

/** The figures are told even of a run that was not published: they say why. Its own error is the one to hear of. */
async function tellFiguresOfFailure(options: BuildOptions, { storage, output }: Place, runId: string): Promise<void> {
  try {
    await tellFigures(options, JSON.parse((await storage.read(outcomeFile(output, runId))) ?? ""));
  } catch {
    // no outcome, or no room for the figures
  }
}

async function tellFigures({ metricsJson }: BuildOptions, outcome: Outcome): Promise<void> {
  if (metricsJson === undefined) return;
  const text = `${JSON.stringify(figuresOf(outcome), null, 2)}\n`;
  try {
    if (isRemote(metricsJson)) return await remoteObjects().replaceText(metricsJson, text);
    mkdirSync(dirname(metricsJson), { recursive: true });
    writeFileSync(metricsJson, text);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? (error as Error).message.replace(/\.$/, "");
    throw new PublishError(
      `the output is published, but --metrics-json cannot be written (${why}). Get them with backstory analyse.`,
      1,
      error,
    );
  }
}

function figuresOf({ quality, ledger, error, warnings }: Outcome) {
  const rejects = Object.fromEntries(Object.entries(ledger).map(([table, { reasons }]) => [table, reasons]));
  const rows = Object.fromEntries(Object.entries(ledger).map(([table, counts]) => [table, { rows: counts.rows, ...counts.places }]));
  const late = Object.fromEntries(Object.entries(ledger).flatMap(([table, { late }]) => (late === undefined ? [] : [[table, late]])));
  return { ...quality, ledger: rows, rejects, late, warnings, ...(error === undefined ? {} : { error }) };
}

/** What this run tried and did not publish goes; so do folders that it made in vain, from `made` on. */
async function cleanUp({ storage }: Place, attempts: string, made: string | undefined): Promise<void> {
  if (isRemote(attempts)) return storage.remove(attempts);
  rmSync(attempts, { recursive: true, force: true });
  let folder = dirname(resolve(attempts));
  for (; existsSync(folder) && readdirSync(folder).length === 0; folder = dirname(folder)) {
    try {
      rmdirSync(folder);
    } catch {
      // another run has begun there
      return;
    }
    if (made === undefined || !dirname(folder).startsWith(resolve(made))) return;
  }
}
