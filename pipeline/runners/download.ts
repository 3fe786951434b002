import { createHash, randomUUID } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ServiceError } from "./services";

/** Where runners are kept that were fetched once. */
export function cacheFolder(): string {
  return resolve(process.env.BACKSTORY_CACHE || join(homedir(), ".cache", "backstory"));
}

export interface Download {
  url: string;
  path: string;
  algorithm: "sha256" | "sha512";
  /** in hex */
  sum: string;
}

export interface Limits {
  /** in which the next bytes must come */
  stallMs: number;
  /** for one file */
  totalMs: number;
  attempts: number;
  /** before the second attempt; twice as long before each further one */
  pauseMs: number;
  /** ends all of it */
  signal?: AbortSignal;
}
export const LIMITS: Limits = { stallMs: 30_000, totalMs: 15 * 60_000, attempts: 4, pauseMs: 500 };

/** An answer that another attempt would not change. */
class Refusal extends ServiceError {}

/**
 * Puts a file where it belongs, whole and with the sum wanted, or not at all. What broke off is begun anew. Others may do the same at the same
 * time: each writes aside, and renames.
 * @throws ServiceError: what was wanted and why it could not be had
 */
export async function download(wanted: Download, limits = LIMITS): Promise<void> {
  mkdirSync(dirname(wanted.path), { recursive: true });
  sweep(dirname(wanted.path));
  const part = aside(wanted.path);
  try {
    const sum = await retried(wanted.url, limits, (signal, alive) => save(wanted, part, signal, alive));
    if (sum !== wanted.sum) throw new ServiceError(`${wanted.url} has ${wanted.algorithm} ${sum}, not ${wanted.sum}.`);
    renameSync(part, wanted.path);
  } finally {
    rmSync(part, { force: true });
  }
}

/** A short text, such as a sum. */
export async function fetchText(url: string, limits = LIMITS): Promise<string> {
  return retried(url, limits, async (signal) => (await request(url, signal)).text());
}

async function retried<T>(url: string, limits: Limits, attempt: (signal: AbortSignal, alive: () => void) => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await limited(limits, attempt);
    } catch (error) {
      if (error instanceof Refusal || limits.signal?.aborted) throw error;
      if (tried >= limits.attempts)
        throw new ServiceError(`${url} could not be fetched in ${tried} attempts: ${reason(error)}.`, { cause: error });
      await sleep(limits.pauseMs * 2 ** (tried - 1), undefined, { signal: limits.signal });
    }
  }
}

/** Runs an attempt until it is done, stalls or takes too long; `alive` tells that it goes on. */
async function limited<T>(limits: Limits, attempt: (signal: AbortSignal, alive: () => void) => Promise<T>): Promise<T> {
  const limit = new AbortController();
  const stop = (why: string) => limit.abort(new Error(why));
  const total = setTimeout(stop, limits.totalMs, `not done within ${limits.totalMs / 1000} s`);
  const stall = setTimeout(stop, limits.stallMs, `nothing came for ${limits.stallMs / 1000} s`);
  try {
    return await attempt(
      limits.signal === undefined ? limit.signal : AbortSignal.any([limit.signal, limits.signal]),
      () => void stall.refresh(),
    );
  } finally {
    clearTimeout(total);
    clearTimeout(stall);
  }
}

async function request(url: string, signal: AbortSignal): Promise<Response> {
  const response = await fetch(url, { signal });
  if (response.ok) return response;
  await response.body?.cancel();
  const Kind = response.status === 429 || response.status >= 500 ? ServiceError : Refusal;
  throw new Kind(`${url} answers ${response.status} ${response.statusText}.`);
}

/** @returns the sum of what was written */
async function save({ url, algorithm }: Download, part: string, signal: AbortSignal, alive: () => void): Promise<string> {
  const { body } = await request(url, signal);
  const hash = createHash(algorithm);
  const file = openSync(part, "w");
  try {
    for await (const bytes of body ?? []) {
      alive();
      hash.update(bytes);
      writeSync(file, bytes);
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return hash.digest("hex");
}

/** fetch() says "fetch failed" of all things; why is in the cause. */
function reason(error: unknown): string {
  const { message, cause } = error as Error & { cause?: NodeJS.ErrnoException };
  return (cause?.message || cause?.code || message).replace(/\.$/, "");
}

/** A name that nobody else has. */
export const aside = (path: string) => `${path}.${randomUUID().slice(0, 8)}.part`;

const ABANDONED_MS = 24 * 60 * 60_000;

/** Parts of processes that were killed do not gather. */
export function sweep(folder: string): void {
  for (const name of readdirSync(folder).filter((each) => each.endsWith(".part"))) {
    const part = join(folder, name);
    const age = Date.now() - (statSync(part, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > ABANDONED_MS) rmSync(part, { recursive: true, force: true });
  }
}
