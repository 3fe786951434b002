import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { ChannelCredentials } from "@grpc/grpc-js";
import { GrpcTransport } from "@protobuf-ts/grpc-transport";
import "../../beam/sdk";
import type { PipelineOptions } from "apache-beam/options/pipeline_options";
import { type JobMessage, JobMessage_MessageImportance, JobState_Enum } from "apache-beam/proto/beam_job_api";
import { JobServiceClient } from "apache-beam/proto/beam_job_api.client";
import { PortableRunner } from "apache-beam/runners/portable_runner/runner";
import { unpacked, withoutPacked } from "../../beam/failure";
import type { Root, runnerApi } from "../../beam/sdk";
import { PublishError } from "../errors";
import type { Place } from "./environment";
import { type Importance, type Tell, within } from "./tell";

/** How long each thing may take. Nothing that a job service does or leaves undone makes a run wait for ever. */
export const LIMITS = {
  /** until somebody listens at the endpoint */
  connectMs: 10_000,
  /** one call, but for those below */
  callMs: 20_000,
  /** from the first call to a job that has begun */
  startMs: 120_000,
  /** without any answer to the question how the job is */
  silenceMs: 60_000,
  cancelMs: 15_000,
};
export type Limits = typeof LIMITS;

/** What is submitted, and to whom. */
export interface Submission {
  endpoint: string;
  place: Place;
  /** pipeline options, with the job's name */
  options: Record<string, unknown>;
  tell: Tell;
  limits?: Limits;
}

const { JOB_MESSAGE_WARNING, JOB_MESSAGE_BASIC } = JobMessage_MessageImportance;

/** The SDK's portable runner, with workers from where we say, deadlines, and messages told as they come. */
class Submitter extends PortableRunner {
  private transport: GrpcTransport | undefined;

  constructor(
    private readonly submission: Submission,
    private readonly limits: Limits,
  ) {
    super({ jobEndpoint: submission.endpoint, ...submission.options });
  }

  override async getClient(): Promise<JobServiceClient> {
    this.transport ??= new GrpcTransport({
      host: this.submission.endpoint,
      channelCredentials: ChannelCredentials.createInsecure(),
      // The pipeline holds all plans of splits; gRPC's own limit is 4 MB.
      clientOptions: { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 },
      interceptors: [
        {
          interceptUnary: (next, method, input, options) =>
            next(method, input, { ...options, timeout: /^(Prepare|Run)$/.test(method.name) ? this.limits.startMs : this.limits.callMs }),
        },
      ],
    });
    return (this.client ??= new JobServiceClient(this.transport));
  }

  override runPipelineWithProto(pipeline: runnerApi.Pipeline, options?: PipelineOptions) {
    for (const environment of Object.values(pipeline.components!.environments)) Object.assign(environment, this.submission.place);
    return super.runPipelineWithProto(pipeline, options);
  }

  override onJobMessage({ importance, messageText }: JobMessage): void {
    this.submission.tell(importanceOf(importance), withoutPacked(messageText));
  }

  close(): void {
    this.transport?.close();
  }
}

/** An error among the messages is told when the job ends, which it does for it. */
function importanceOf(importance: JobMessage_MessageImportance): Importance {
  if (importance === JOB_MESSAGE_WARNING) return "warning";
  return importance === JOB_MESSAGE_BASIC ? "info" : "debug";
}

/** A job of a portable runner. */
export class Job {
  private readonly limits: Limits;
  private readonly submitter: Submitter;
  private result: Awaited<ReturnType<PortableRunner["runPipelineWithProto"]>> | undefined;
  private starting: Promise<unknown> = Promise.resolve();
  private ended = false;

  constructor(private readonly submission: Submission) {
    this.limits = submission.limits ?? LIMITS;
    this.submitter = new Submitter(submission, this.limits);
  }

  /** @throws Error if the job service does not take the job */
  async submit(build: (root: Root) => void): Promise<void> {
    const { endpoint, tell } = this.submission;
    await someoneListens(endpoint, this.limits.connectMs);
    if (this.ended) throw new Error("the job was cancelled before it began.");
    const late = () =>
      new Error(`the job service at ${endpoint} has not started the job within ${this.limits.startMs / 1000} s. See its log.`);
    try {
      const running = this.submitter.runAsync(build as never).then((result) => {
        this.result = result as typeof this.result;
      });
      this.starting = running.catch(() => {});
      await within(this.limits.startMs, running, late);
    } catch (error) {
      throw refused(endpoint, error);
    }
    tell("info", `job ${this.submission.options.jobName} (${this.result!.jobId}) is at ${endpoint}`);
  }

  /** Waits for the end. @throws Error with what the job failed of */
  async wait(): Promise<void> {
    const state = await this.terminalState();
    if (this.ended) return; // whoever cancelled it knows why
    this.ended = true;
    this.submission.tell("info", `job ${JobState_Enum[state].toLowerCase()}`);
    if (state !== JobState_Enum.DONE) throw failureOf(state, this.result!.errorMessage);
  }

  /** Has the job end, if it has begun and not ended; never throws. */
  async cancel(): Promise<void> {
    if (this.ended) return;
    const { tell } = this.submission;
    const limit = this.limits.cancelMs;
    this.ended = true;
    // A job that is about to begin would do so after everybody has gone.
    await within(limit, this.starting, () => new Error()).catch(() => {});
    if (this.result === undefined) return;
    try {
      await within(limit, this.submitter.cancelJob(this.result.jobId), () => new Error(`no answer within ${limit / 1000} s`));
      tell("info", "job cancelled");
    } catch (error) {
      tell("warning", `the job could not be cancelled (${(error as Error).message}); it may go on at ${this.submission.endpoint}`);
    }
  }

  close(): void {
    this.submitter.close();
  }

  private async terminalState(): Promise<JobState_Enum> {
    let last: JobState_Enum | undefined;
    let answered = Date.now();
    for (let pause = 10; ; pause = Math.min(500, pause * 1.2)) {
      try {
        const { state } = await this.result!.getState();
        answered = Date.now();
        if (isTerminal(state)) return state;
        if (state !== last) this.submission.tell("info", `job ${JobState_Enum[state].toLowerCase()}`);
        last = state;
      } catch (error) {
        const { terminalState } = this.result!;
        if (terminalState !== undefined) return terminalState.state; // only its metrics are missing
        if (Date.now() - answered > this.limits.silenceMs) throw lost(this.submission.endpoint, this.limits, error);
      }
      if (this.ended) return JobState_Enum.CANCELLED;
      await sleep(pause);
    }
  }
}

const isTerminal = (state: JobState_Enum): boolean =>
  [JobState_Enum.DONE, JobState_Enum.FAILED, JobState_Enum.CANCELLED, JobState_Enum.UPDATED, JobState_Enum.DRAINED].includes(state);

/** gRPC waits long and says little, so that this asks first. */
async function someoneListens(endpoint: string, limitMs: number): Promise<void> {
  const [, host, port] = /^(.*):(\d+)$/.exec(endpoint)!;
  const why = await new Promise<string | undefined>((resolve) => {
    const socket = connect({ host: host.replaceAll(/[[\]]/g, ""), port: Number(port), timeout: limitMs });
    const tell = (why?: string) => {
      resolve(why);
      socket.destroy();
    };
    socket.once("connect", () => tell());
    socket.once("timeout", () => tell(`no answer within ${limitMs / 1000} s`));
    socket.once("error", ({ code, message }: NodeJS.ErrnoException) => tell(code ?? message));
  });
  if (why !== undefined) throw new Error(`no job service answers at ${endpoint} (${why}). Start it, or check --job-endpoint.`);
}

/** Of gRPC's codes, those that say that something else listens there. */
const NO_JOB_SERVICE = ["UNIMPLEMENTED", "UNAVAILABLE", "INTERNAL"];

function refused(endpoint: string, error: unknown): Error {
  const { code, message } = error as { code?: string; message: string };
  const text = decoded(message);
  if (code === "DEADLINE_EXCEEDED") return new Error(`the job service at ${endpoint} does not answer. See its log.`, { cause: error });
  if (code !== undefined && NO_JOB_SERVICE.includes(code))
    return new Error(
      `what listens at ${endpoint} does not take a job as a job service of Beam would (${firstLine(text)}). Check --job-endpoint.`,
      { cause: error },
    );
  if (code === undefined) return error as Error;
  return new Error(`the job service at ${endpoint} refuses the job: ${firstLine(text)}`, { cause: error });
}

const lost = (endpoint: string, { silenceMs }: Limits, error: unknown): Error =>
  new Error(`the job service at ${endpoint} has not answered for ${silenceMs / 1000} s, so nobody knows how the job is. See its log.`, {
    cause: error,
  });

/** The transport hands on texts as they are in headers. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const firstLine = (text: string): string => text.trim().split("\n")[0].slice(0, 300);

/** What a job failed of, with its exit code where a worker has given one. */
export function failureOf(state: JobState_Enum, message: string | undefined): Error {
  const failure = message === undefined ? undefined : unpacked(message);
  const text = withoutPacked(message ?? "");
  const stack = (error: Error, title: string) => Object.assign(error, { stack: `${title}\n${text}` });
  if (failure !== undefined) {
    const error = failure.exitCode === undefined ? new Error(failure.message) : new PublishError(failure.message, failure.exitCode);
    return stack(Object.assign(error, failure), `${failure.name}: ${failure.message}`);
  }
  const name = JobState_Enum[state].toLowerCase();
  const why = text === "" ? `the job is ${name}, and the runner does not say why. See its log.` : `the job ${name}: ${firstLine(text)}`;
  return stack(new Error(why), why);
}
