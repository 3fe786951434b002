import { adjustable } from "../../adjustable";

/** How long each thing may take, in ms. Nothing that Dataflow does or leaves undone makes a run wait for ever. */
export interface Limits {
  /** one request */
  callMs: number;
  /** a request with all its repetitions */
  totalMs: number;
  /** before the first repetition; each further delay is twice as long, up to the longest */
  delayMs: number;
  longestDelayMs: number;
  /** between two questions how the job is: at first, and at most */
  pollMs: number;
  longestPollMs: number;
  /** without any answer to that */
  silenceMs: number;
  /** from the wish that a job be cancelled until it is */
  cancelMs: number;
  /** of a job that has failed, until its reason is among its messages */
  reasonMs: number;
  /** of a job; Dataflow itself ends a batch job after ten days */
  jobMs: number;
}

const DAY_MS = 86_400_000;

const DEFAULTS: Limits = {
  callMs: 60_000,
  totalMs: 300_000,
  delayMs: 1000,
  longestDelayMs: 32_000,
  pollMs: 2000,
  longestPollMs: 20_000,
  silenceMs: 600_000,
  cancelMs: 600_000,
  reasonMs: 15_000,
  jobMs: 11 * DAY_MS,
};

export const { get: limits, use: useLimits } = adjustable(DEFAULTS);
