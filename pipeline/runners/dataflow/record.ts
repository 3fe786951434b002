/**
 * What is known of a run's job, beside what the run has tried (OUTPUT/_attempts/RUN/dataflow.json): so that a later run, or `backstory clean`, can tell
 * whether the job has ended, and remove what it has staged where nobody waited for its end.
 */
import { z } from "zod";
import { attemptsOf, type Place } from "../../partitions";
import { join } from "../../paths";
import { isThisMachine } from "./choice";

export const DataflowRecord = z.strictObject({
  project: z.string(),
  region: z.string(),
  endpoint: z.url().refine(isKnown),
  jobName: z.string(),
  /** "" while Dataflow has not answered yet */
  jobId: z.string(),
  /** gs:// folders of what the job needs until its end, each named after the run */
  temporary: z.array(z.string()),
});
/** Whoever may write to the output must not have credentials sent anywhere. */
function isKnown(endpoint: string): boolean {
  const { hostname, protocol } = new URL(endpoint);
  return isThisMachine(hostname) || (protocol === "https:" && hostname.endsWith(".googleapis.com"));
}
export type DataflowRecord = z.infer<typeof DataflowRecord>;

const recordFile = (output: string, run: string): string => join(attemptsOf(output, run), "dataflow.json");

export const writeRecord = ({ storage, output }: Place, run: string, record: DataflowRecord): Promise<void> =>
  storage.replace(recordFile(output, run), JSON.stringify(record));

const isOf = (run: string, folder: string): boolean =>
  folder.startsWith("gs://") && /[^/][.-]$/.test(folder.slice(0, -run.length)) && folder.endsWith(run);

/** undefined for a run that was not on Dataflow. */
export async function recordOf({ storage, output }: Place, run: string): Promise<DataflowRecord | undefined> {
  const text = await storage.read(recordFile(output, run));
  if (text === undefined) return undefined;
  try {
    const record = DataflowRecord.parse(JSON.parse(text));
    // Nor may they have anything removed but this.
    return record.temporary.every((folder) => isOf(run, folder)) ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a run's job has ended, or why its attempts must stay. */
export async function stateOf(record: DataflowRecord, run: string): Promise<string> {
  const { project, region, jobId } = record;
  const remedy = `if it has ended: --run=${run}`;
  if (jobId === "") return `its job on Dataflow, ${record.jobName} in ${project}, is not known to have begun or ended; ${remedy}`;
  const { Dataflow } = await import("./client.js");
  const { hasEnded } = await import("./follow.js");
  const { told } = await import("./errors.js");
  const account = { project, region, endpoint: new URL(record.endpoint), serviceAccountEmail: undefined };
  try {
    const { state } = await new Dataflow(account).get(jobId);
    return hasEnded(state) ? "ended" : `its job on Dataflow, ${jobId}, is at work (${state})`;
  } catch (error) {
    const { message } = told(error, { ...account, what: "look at the job" });
    return `its job on Dataflow, ${jobId} in ${project}, cannot be asked for (${message.replace(/\.$/, "")}); ${remedy}`;
  }
}
