import { randomUUID } from "node:crypto";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { version as sdkVersion } from "apache-beam/version";
import type { Plan } from "../../backstory";
import { ConfigError } from "../../errors";
import { manifestFile, placeOf } from "../../partitions";
import { VERSION } from "../../version";
import { SETTINGS_OPTION, type WorkerSettings } from "../settings";
import { aborted, type Tell, type Watch } from "../tell";
import type { DataflowChoice } from "./choice";
import { type Dataflow, isOurs, type JobNow } from "./client";
import { bytesOf, protoOf } from "./proto";
import { writeRecord } from "./record";
import { checkBuckets, exportsFolder, stage, stagedAs, stagingFolder, unstage } from "./stage";
import { type JobJson, type Staged, translate } from "./translate";

/** A job that Dataflow has. */
export interface Submitted extends DataflowChoice {
  jobId: string;
  runId: string;
  output: string;
  /** where to look at it */
  console: string;
  /** gs:// folder of what it needs until its end */
  staged: string;
}

/** A job ready to be sent, and the proto that it names. */
export interface Prepared {
  job: JobJson;
  proto: Uint8Array;
  staged: Staged;
}

export function prepare(plan: Plan, choice: DataflowChoice): Prepared {
  const { runId, output } = plan.publish;
  const pipeline = protoOf(plan, choice.image);
  const proto = bytesOf(pipeline);
  const staged = stagedAs(choice, runId, proto);
  const settings: WorkerSettings = { threads: choice.threads, folder: null, version: VERSION };
  const job = translate(pipeline, choice, staged, {
    clientRequestId: randomUUID(),
    userAgent: { name: "Apache Beam SDK for TypeScript", version: sdkVersion },
    workerOptions: { [SETTINGS_OPTION]: JSON.stringify(settings) },
    display: { version: VERSION, run: runId, output },
    labels: { backstory_run: runId.toLowerCase(), backstory_version: VERSION.replaceAll(".", "_") },
  });
  return { job, proto, staged };
}

/**
 * Stages the pipeline and creates the job, once, however often it takes. Until the job is there, a signal ends the run.
 * @throws ConfigError, DataflowError; nothing is left then but where nobody knows whether there is a job
 */
export async function submitJob(plan: Plan, choice: DataflowChoice, dataflow: Dataflow, { tell, signal }: Watch): Promise<Submitted> {
  const { runId, output, origin } = plan.publish;
  const { project, region, endpoint, jobName } = choice;
  const { job, proto, staged } = prepare(plan, choice);
  const folder = stagingFolder(choice, runId);
  const place = placeOf(output);
  const record = { project, region, endpoint: endpoint.href, jobName, jobId: "", temporary: [folder, exportsFolder(choice, runId)] };
  const stop = aborted(signal);
  const staging = async () => {
    await checkBuckets([choice.tempLocation, staged.url, output, ...origin.inputs.map(({ path }) => path)], region, tell);
    await writeRecord(place, runId, record);
    await stage(staged, proto);
  };
  try {
    const done = staging();
    // what is on its way when a signal comes is waited for, so that it can be removed
    await Promise.race([stop, done]).catch(async (error) => {
      await done.catch(() => {});
      throw error;
    });
    const made = await dataflow.create(job);
    if (!isOurs(made, job)) throw nameTaken(made, choice);
    const submitted = { ...choice, jobId: made.id, runId, output, staged: folder, console: consoleOf(made.id, choice) };
    await writeRecord(place, runId, { ...record, jobId: made.id }).catch(() => {});
    tellSubmitted(submitted, tell);
    return submitted;
  } catch (error) {
    await unstage(folder, tell);
    throw error;
  }
}

export const consoleOf = (jobId: string, { project, region }: Pick<DataflowChoice, "project" | "region">): string =>
  `https://console.cloud.google.com/dataflow/jobs/${region}/${jobId}?project=${project}`;

function nameTaken(job: JobNow, choice: DataflowChoice): ConfigError {
  return new ConfigError(
    `a job named ${job.name} is active already: ${job.id}, ${consoleOf(job.id, choice)}. Wait for its end, cancel it, or choose another --job-name.`,
  );
}

/** The first line is what Airflow's operators look for (JOB_ID_PATTERN of its Google provider), as Beam's own SDKs write it. */
function tellSubmitted(submitted: Submitted, tell: Tell): void {
  tell("info", `Submitted job: ${submitted.jobId}`);
  tell("info", `console: ${submitted.console}`);
  if (submitted.jobIdFile !== undefined) writeJobId(submitted.jobIdFile, submitted, tell);
}

/** What a script wants to know of a job: of an Airflow task, its XCom. */
export const summaryOf = ({ jobId, jobName, project, region, console, runId, output, staged }: Submitted) => ({
  job_id: jobId,
  job_name: jobName,
  project,
  region,
  console,
  run_id: runId,
  output,
  manifest: manifestFile(output, runId),
  staged,
});

function writeJobId(path: string, submitted: Submitted, tell: Tell): void {
  const aside = `${path}.${randomUUID()}`;
  try {
    writeFileSync(aside, `${JSON.stringify(summaryOf(submitted), null, 2)}\n`);
    renameSync(aside, path);
  } catch (error) {
    rmSync(aside, { force: true });
    tell("warning", `--job-id-file cannot be written (${(error as NodeJS.ErrnoException).code}). The job is ${submitted.jobId}.`);
  }
}
