import { totalmem } from "node:os";
import type { Room } from "../beam/spill";
import { ConfigError } from "./errors";

/** A run's share of the memory that the machine, or the process's cgroup, has. */
const DEFAULT_SHARE = 0.7;
/** What the process takes before it holds any batch: the runtime, the graph, its files. */
export const BASE_BYTES = 250e6;
/** What a thread takes besides: its runtime, the split or the bucket that it works on, a row group. */
export const THREAD_BYTES = 200e6;

const UNITS: Record<string, number> = { B: 1 };
for (const [i, letter] of [..."KMGT"].entries()) {
  UNITS[`${letter}B`] = 1000 ** (i + 1);
  UNITS[`${letter}IB`] = 1024 ** (i + 1);
}

/** Bytes of "2GB", "512MiB" or "50%", the last of what there is; undefined if it is none of these. */
export function parseMemory(text: string, available: number): number | undefined {
  const match = /^([0-9]+(?:\.[0-9]+)?) ?(%|[KMGT]?i?B)$/i.exec(text);
  if (match === null) return undefined;
  const number = Number(match[1]);
  if (match[2] === "%") return number <= 100 ? Math.floor((number / 100) * available) : undefined;
  return Math.floor(number * UNITS[match[2].toUpperCase()]);
}

/** Memory of the machine, or of the cgroup if that has less. */
export function availableMemory(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(totalmem(), constrained) : totalmem();
}

/** How a run divides its memory. */
export interface MemoryPlan {
  threads: number;
  /** of each thread */
  room: Room;
}

/**
 * Divides `maxMemory` between threads. Fewer threads than there are cores run where memory is too short for all of them.
 * @param asked threads that the user wants, undefined if that was left open
 * @throws ConfigError if not even one thread has what it needs
 */
export function planMemory(maxMemory: string | undefined, asked: number | undefined, cores: number, folder: string): MemoryPlan {
  const available = availableMemory();
  const limit = maxMemory === undefined ? DEFAULT_SHARE * available : parseMemory(maxMemory, available)!;
  const most = Math.floor((limit - BASE_BYTES) / THREAD_BYTES);
  const threads = asked ?? Math.max(1, Math.min(cores, most));
  // Without the option, a run on a small machine is tried anyway: it has nothing to choose from.
  if (most < threads && maxMemory !== undefined)
    throw new ConfigError(
      `--max-memory must be at least ${megabytes(BASE_BYTES + threads * THREAD_BYTES)} with ${threads === 1 ? "one thread" : `${threads} threads`}; got "${maxMemory}". Give it more${threads === 1 ? "" : ", or use fewer --threads"}.`,
    );
  // Of each stage (see spill.ts), and the runner's own thread holds some too.
  const bytes = Math.max(0, limit - BASE_BYTES - threads * THREAD_BYTES) / 3 / (threads + 1);
  return { threads, room: { bytes, folder } };
}

/** How a run on a runner divides its memory. */
export interface WorkersPlan {
  workers: number;
  /** of each worker */
  threads: number;
  /** bytes of a runner that is started here */
  runnerBytes: number;
}

/** What a runner that is started here gets of a run's memory: it holds what is shuffled. */
export const RUNNER_SHARE = 0.4;

/**
 * Divides `maxMemory` between a runner, if it is started here, and worker processes.
 * @param asked workers, and threads of each; of what is left open there is as much as cores and memory allow
 * @throws ConfigError if not even one worker has what it needs
 */
export function planWorkers(
  maxMemory: string | undefined,
  asked: { workers: number | undefined; threads: number | undefined },
  cores: number,
  withRunner: boolean,
): WorkersPlan {
  const available = availableMemory();
  const limit = maxMemory === undefined ? DEFAULT_SHARE * available : parseMemory(maxMemory, available)!;
  const runnerShare = withRunner ? RUNNER_SHARE : 0;
  const rest = limit * (1 - runnerShare) - BASE_BYTES;
  const within = (most: number) => Math.max(1, Math.min(cores, Math.floor(most)));
  const threads = asked.threads ?? within((rest / (asked.workers ?? 1) - BASE_BYTES) / THREAD_BYTES);
  const each = BASE_BYTES + threads * THREAD_BYTES;
  const workers = asked.workers ?? within(rest / each);
  if (rest < workers * each && maxMemory !== undefined)
    throw new ConfigError(
      `--max-memory must be at least ${megabytes((BASE_BYTES + workers * each) / (1 - runnerShare))} with ${workers === 1 ? "one worker" : `${workers} workers`} of ${threads === 1 ? "one thread" : `${threads} threads`}; got "${maxMemory}". Give it more${workers * threads === 1 ? "" : ", or use fewer --workers or --threads"}.`,
    );
  return { workers, threads, runnerBytes: limit * runnerShare };
}

export const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)}MB`;
