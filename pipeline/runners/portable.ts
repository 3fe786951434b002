import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Root } from "../../beam/sdk";
import { backstory, type Plan } from "../backstory";
import { VERSION } from "../version";
import { isLocal, type Portable } from "./choice";
import { placeOf } from "./environment";
import { KEEP_WORKERS_MS } from "./flink";
import { Job } from "./job";
import { LIMITS, WorkerPool } from "./pool";
import type { JobService } from "./services";
import { SETTINGS_OPTION, WORKER_FOLDER, type WorkerSettings } from "./settings";
import { aborted, type Tell, type Watch } from "./tell";

/** What ends the things that a run has started, in the order in which they were. */
type Closers = (() => void | Promise<void>)[];

/**
 * Runs the graph on a runner of Beam: starts what it needs here (a job service, a pool of workers), submits, waits, and ends all that it started.
 * @throws Error with the reason, and `exitCode` where a worker has given one
 */
export async function runPortable(plan: Plan, choice: Portable, { tell, signal }: Watch): Promise<void> {
  const open: Closers = [];
  const stop = aborted(signal);
  try {
    const service = await serviceOf(choice, plan, stop, open);
    const pool = await poolOf(choice, plan, tell, open);
    const endpoint = service?.endpoint ?? choice.jobEndpoint!;
    const settings = settingsOf(choice, plan);
    const options = optionsOf(choice, plan.publish.runId, settings);
    const job = new Job({ endpoint, place: placeOf(choice.environment, pool?.address), options, tell });
    open.push(() => job.close());
    open.push(() => job.cancel());
    pool?.expect();
    const workers = pool?.failed ?? workersStart(settings, open);
    const trouble = [stop, workers, ...(service === undefined ? [] : [ended(service, choice.runner)])];
    try {
      await Promise.race([...trouble, job.submit((root: Root) => void root.apply(backstory(plan)))]);
      await Promise.race([...trouble, job.wait()]);
    } catch (error) {
      throw await withDeath(error, pool);
    }
  } finally {
    await closeAll(open, tell);
  }
}

/** The last first; one that fails keeps none of the others from closing. */
async function closeAll(open: Closers, tell: Tell): Promise<void> {
  for (const close of open.reverse()) {
    try {
      await close();
    } catch (error) {
      tell("warning", `something of the run could not be ended: ${(error as Error).message}`);
    }
  }
}

async function serviceOf(
  { runner, jobEndpoint, parallelism, runnerBytes }: Portable,
  plan: Plan,
  stop: Promise<never>,
  open: Closers,
): Promise<JobService | undefined> {
  if (jobEndpoint !== undefined) return undefined;
  const folder = join(plan.memory.room.folder, "runner");
  mkdirSync(folder, { recursive: true });
  const starting =
    runner === "prism"
      ? (await import("./prism.js")).startPrism({ folder })
      : (await import("./flink.js")).startFlink({ folder, parallelism, memory: runnerBytes });
  // Also one that is there only after the run has been ended.
  let over = false;
  const started = starting.then(async (service) => {
    if (over) await service.stop();
    return service;
  });
  open.push(() => void (over = true));
  const service = await Promise.race([stop, started]);
  open.push(() => service.stop());
  return service;
}

async function poolOf(
  { environment, workers, ...choice }: Portable,
  plan: Plan,
  tell: Tell,
  open: Closers,
): Promise<WorkerPool | undefined> {
  if (environment.kind !== "external" || environment.config !== undefined) return undefined;
  const settings = settingsOf({ environment, workers, ...choice }, plan);
  mkdirSync(settings.folder!, { recursive: true });
  const pool = new WorkerPool({ settings, ready: workers, tell });
  open.push(() => pool.close());
  return pool.listen();
}

/** For workers of other machines, their folders are their own business. */
function settingsOf({ environment, threads, jobEndpoint }: Portable, plan: Plan): WorkerSettings {
  const here = environment.kind !== "docker" && environment.config === undefined && (jobEndpoint === undefined || isLocal(jobEndpoint));
  return { threads, folder: here ? plan.memory.room.folder : null, version: VERSION };
}

/** Pipeline options, under the names of Beam's other SDKs in camel case. */
function optionsOf(choice: Portable, runId: string, settings: WorkerSettings): Record<string, unknown> {
  const { runner, parallelism, workers, flinkMaster = "[local]", flinkConfDir } = choice;
  const all = { jobName: `backstory-${runId}`.toLowerCase().replaceAll(/[^a-z0-9-]/g, "-"), [SETTINGS_OPTION]: JSON.stringify(settings) };
  if (runner === "prism") return all;
  // Workers stay between the stages of a job, since to start one takes longer than most stages. A string, as Flink wants it.
  const spread = { ...all, parallelism, sdkWorkerParallelism: workers, environmentCacheMillis: String(KEEP_WORKERS_MS) };
  if (runner === "portable") return spread;
  return { ...spread, flinkMaster, ...(flinkConfDir === undefined ? {} : { flinkConfDir }) };
}

/** Rejects if a runner that starts workers on this machine by itself has none after a while; that of a broken one may not say so. */
function workersStart({ folder }: WorkerSettings, open: Closers): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {}); // it may come when nobody waits any more
  if (folder === null) return promise;
  const limit = Date.now() + LIMITS.askMs;
  const timer = setInterval(() => {
    if (existsSync(folder) && readdirSync(folder).some((name) => name.startsWith(WORKER_FOLDER))) clearInterval(timer);
    else if (Date.now() > limit)
      reject(new Error(`the runner has not started a worker within ${LIMITS.askMs / 1000} s. See its log, or leave out --environment.`));
  }, 200);
  open.push(() => clearInterval(timer));
  return promise;
}

const LOG_TAIL = 2000;

function ended({ ended, log }: JobService, runner: string): Promise<never> {
  const told = ended.then((why) => {
    throw new Error(`${runner} ended during the run (${why}). The end of its log, ${log}:\n${tailOf(log)}`);
  });
  told.catch(() => {}); // it may come when nobody waits any more
  return told;
}

function tailOf(log: string): string {
  try {
    return readFileSync(log, "utf8").trimEnd().slice(-LOG_TAIL);
  } catch {
    return "(none)";
  }
}

/** The runner sees a connection break before the system tells that the worker has died. */
const DEATH_TOLD_MS = 1000;

/** What a runner says of a lost worker is of connections; why the worker went says more. */
async function withDeath(error: unknown, pool: WorkerPool | undefined): Promise<unknown> {
  if (pool === undefined || !(error instanceof Error) || "exitCode" in error) return error;
  for (const limit = Date.now() + DEATH_TOLD_MS; pool.lastDeath === undefined && Date.now() < limit; ) await sleep(20);
  if (pool.lastDeath === undefined || error.message.includes(pool.lastDeath)) return error;
  return new Error(`${pool.lastDeath}. The runner: ${error.message}`, { cause: error });
}
