import type { Plan } from "../../backstory";
import type { Watch } from "../tell";
import type { DataflowChoice } from "./choice";
import { Dataflow } from "./client";
import { GoesOn } from "./errors";
import { follow } from "./follow";
import { unstage } from "./stage";
import { prepare, submitJob, summaryOf } from "./submit";
import type { JobJson } from "./translate";

export { chooseDataflow } from "./choice";

/**
 * Runs the graph on Dataflow: stages it, creates a job, and waits for its end.
 * @throws Error with what the job failed of; GoesOn where it has not ended, of which nothing may be removed
 */
export async function runOnDataflow(plan: Plan, choice: DataflowChoice, watch: Watch): Promise<void> {
  const dataflow = new Dataflow(choice);
  const job = await submitJob(plan, choice, dataflow, watch);
  try {
    await follow(job, dataflow, watch);
  } catch (error) {
    if (!(error instanceof GoesOn)) await unstage(job.staged, watch.tell);
    throw error;
  }
  await unstage(job.staged, watch.tell);
}

export type Submission = ReturnType<typeof summaryOf>;

/** As runOnDataflow, without waiting. */
export async function submitToDataflow(plan: Plan, choice: DataflowChoice, watch: Watch): Promise<Submission> {
  return summaryOf(await submitJob(plan, choice, new Dataflow(choice), watch));
}

/** The job that would be sent. */
export const jobOf = (plan: Plan, choice: DataflowChoice): JobJson => prepare(plan, choice).job;
