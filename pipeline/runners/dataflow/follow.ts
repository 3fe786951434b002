import { setTimeout as sleep } from "node:timers/promises";
import { unpacked, withoutPacked } from "../../../beam/failure";
import { PublishError } from "../../errors";
import type { Importance, Watch } from "../tell";
import type { Dataflow, Message } from "./client";
import { DataflowError, GoesOn, isMissing, mayPass, sentence, told } from "./errors";
import { hintOf } from "./hints";
import { limits } from "./limits";
import type { Submitted } from "./submit";

const ENDED = ["JOB_STATE_DONE", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED", "JOB_STATE_DRAINED", "JOB_STATE_UPDATED"];

export const hasEnded = (state: string): boolean => ENDED.includes(state);

/**
 * Waits for the end of a job, telling its states and messages. The first signal says how to cancel it, the second does; where there can be only one,
 * that one does.
 * @throws Error with what the job failed of; GoesOn if it has not ended
 */
export async function follow(job: Submitted, dataflow: Dataflow, watch: Watch): Promise<void> {
  const follower = new Follower(job, dataflow, watch);
  try {
    await follower.follow();
  } finally {
    follower.close();
  }
}

class Follower {
  private readonly heard = new Set<string>();
  private readonly errors: string[] = [];
  private since = 0;
  private state = "";
  private answered = Date.now();
  /** aborted with the wish that the job be cancelled */
  private readonly wish: AbortSignal | undefined;
  private cancelled: number | undefined;

  constructor(
    private readonly job: Submitted,
    private readonly dataflow: Dataflow,
    private readonly watch: Watch,
  ) {
    this.wish = watch.second ?? watch.signal;
    if (watch.second !== undefined) watch.signal?.addEventListener("abort", this.tellHow);
    if (watch.second !== undefined && watch.signal?.aborted) this.tellHow();
  }

  close(): void {
    this.watch.signal?.removeEventListener("abort", this.tellHow);
  }

  async follow(): Promise<void> {
    const { pollMs, longestPollMs, jobMs } = limits();
    const end = Date.now() + jobMs;
    for (let pause = pollMs; !hasEnded(this.state); pause = Math.min(longestPollMs, 1.3 * pause)) {
      if (this.wish?.aborted && this.cancelled === undefined) await this.cancel();
      await this.look();
      if (hasEnded(this.state)) break;
      this.refuseToWait(end);
      await sleep(this.cancelled === undefined ? pause : pollMs, undefined, {
        signal: this.cancelled === undefined ? this.wish : undefined,
      }).catch(() => {});
    }
    await this.ended();
  }

  private readonly tellHow = (): void => {
    const { jobId, project, region } = this.job;
    this.watch.tell(
      "warning",
      `the job goes on. To cancel it, press Ctrl-C again, or run: gcloud dataflow jobs cancel ${jobId} --region=${region} --project=${project}`,
    );
  };

  /** One look at state and messages. A question that is not answered is asked again the next time. */
  private async look(): Promise<void> {
    try {
      const { state } = await this.dataflow.get(this.job.jobId);
      this.answered = Date.now();
      if (state !== this.state) this.watch.tell("info", `job ${state.replace("JOB_STATE_", "").toLowerCase()}`);
      this.state = state;
      await this.listen();
    } catch (error) {
      if (!mayPass(error) && !isMissing(error)) throw this.goesOn((error as Error).message);
      if (Date.now() - this.answered > limits().silenceMs) throw this.goesOn(told(error, { ...this.job, what: "look at the job" }).message);
    }
  }

  private async listen(): Promise<void> {
    for (const message of await this.dataflow.messagesOf(this.job.jobId, this.since)) {
      const key = `${message.time} ${message.text}`;
      this.since = Math.max(this.since, message.time);
      if (this.heard.has(key)) continue;
      this.heard.add(key);
      this.hear(message);
    }
  }

  /** An error may be of a bundle that is tried again: it is why the job ends only if it does. */
  private hear({ importance, text }: Message): void {
    if (importance === "ERROR") this.errors.push(text);
    this.watch.tell(IMPORTANCE[importance] ?? "debug", withoutPacked(text));
  }

  private refuseToWait(end: number): void {
    const { cancelMs, jobMs } = limits();
    if (this.cancelled !== undefined && Date.now() - this.cancelled > cancelMs)
      throw this.goesOn(`Dataflow has not cancelled the job within ${cancelMs / 1000} s.`);
    if (Date.now() > end) throw this.goesOn(`the job has not ended within ${jobMs / 1000} s.`);
  }

  private async cancel(): Promise<void> {
    this.cancelled = Date.now();
    try {
      await this.dataflow.cancel(this.job.jobId);
      this.watch.tell("info", "cancelling the job");
    } catch (error) {
      throw this.goesOn((error as Error).message);
    }
  }

  private async ended(): Promise<void> {
    if (this.state === "JOB_STATE_DONE") return;
    if (this.state === "JOB_STATE_CANCELLED" && this.cancelled !== undefined) throw this.wish!.reason;
    if (this.state === "JOB_STATE_FAILED") throw await this.failure();
    throw new DataflowError(`somebody else has ended the job (${this.state}). See ${this.job.console}, and run it again.`);
  }

  /** The last messages may come after the state. */
  private async failure(): Promise<Error> {
    const { reasonMs, pollMs } = limits();
    for (const end = Date.now() + reasonMs; this.errors.length === 0 && Date.now() < end; ) {
      await sleep(Math.min(pollMs, reasonMs));
      await this.listen().catch(() => {});
    }
    return failureOf(this.errors, this.job.console);
  }

  private goesOn(why: string): GoesOn {
    const { jobId, console, runId } = this.job;
    return new GoesOn(`${why} The job ${jobId} may go on: ${console}. Its run is ${runId}.`);
  }
}

const IMPORTANCE: Record<string, Importance> = { BASIC: "info", WARNING: "warning", ERROR: "warning" };

/** What a job failed of: what a worker said, with its exit code; or what Dataflow says, and what helps. */
export function failureOf(errors: readonly string[], console: string): Error {
  const failure = errors.map(unpacked).find((each) => each !== undefined);
  if (failure !== undefined) {
    const error = failure.exitCode === undefined ? new Error(failure.message) : new PublishError(failure.message, failure.exitCode);
    return Object.assign(error, failure);
  }
  const why = errors.findLast((text) => hintOf(text) !== undefined) ?? errors.at(-1);
  if (why === undefined) return new DataflowError(`the job failed, and Dataflow does not say why. See ${console}.`);
  return new DataflowError(`the job failed: ${sentence(withoutPacked(why))}. ${hintOf(why) ?? "What its workers say:"} ${console}`);
}
