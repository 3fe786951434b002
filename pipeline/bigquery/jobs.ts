import { setTimeout as sleep } from "node:timers/promises";
import { ConfigError } from "../errors";
import { within } from "../runners/tell";
import type { Client } from "./client";
import { type Attempted, BigQueryError, Duplicate, type Fault, faultError, mayPass } from "./errors";

/** How jobs are waited for. Times in seconds. */
export interface JobLimits {
  /** tries of a job that BigQuery itself has failed */
  tries: number;
  /** before the second try; each further one is twice as long */
  retryDelay: number;
  /** between two looks at a job: the first, the longest */
  look: number;
  longestLook: number;
  /** of a job, after which BigQuery ends it: what it grants a query at most */
  job: number;
  /** for a cancelled job to end */
  cancel: number;
}

const DEFAULTS: JobLimits = { tries: 4, retryDelay: 5, look: 0.25, longestLook: 5, job: 21_600, cancel: 30 };

let current = DEFAULTS;

/** For tests, which cannot wait so long. @returns what puts the old ones back */
export function useJobLimits(changed: Partial<JobLimits>): () => void {
  const before = current;
  current = { ...before, ...changed };
  return () => {
    current = before;
  };
}

export interface JobRequest {
  /** the same for every try to insert it, and of nothing else: so it is one job, also where an answer was lost */
  id: string;
  location: string;
  configuration: object;
  labels: Record<string, string>;
  attempted: Attempted;
}

/** As the API has it, of what is read here. */
export interface Job {
  jobReference?: { jobId?: string; location?: string };
  status?: { state?: string; errorResult?: { reason?: string; message?: string } };
  statistics?: {
    totalBytesProcessed?: string;
    query?: { totalBytesProcessed?: string; totalBytesProcessedAccuracy?: string; exportDataStatistics?: { rowCount?: string } };
    load?: { outputRows?: string };
  };
}

/**
 * Runs a job to its end. What BigQuery itself has failed is tried again under another name.
 * @param signal cancels it
 * @param again what a further try wants to be different, such as where it writes
 * @throws BigQueryError, ConfigError with BigQuery's own reason
 */
export async function runJob(client: Client, request: JobRequest, signal: AbortSignal, again = (_tries: number) => request.configuration) {
  for (let tries = 1; ; tries++) {
    signal.throwIfAborted();
    const id = tries === 1 ? request.id : `${request.id}-${tries}`;
    try {
      return await runOnce(client, { ...request, id, configuration: again(tries) }, signal);
    } catch (error) {
      if (!(error instanceof BigQueryError) || !mayPass(error.reason) || tries >= current.tries) throw error;
      await sleep(current.retryDelay * 2 ** (tries - 1) * 1000, undefined, { signal });
    }
  }
}

async function runOnce(client: Client, request: JobRequest, signal: AbortSignal): Promise<Job> {
  let job = await insert(client, request);
  const limit = Date.now() + (current.job + current.cancel) * 1000;
  try {
    for (let wait = current.look; job.status?.state !== "DONE"; wait = Math.min(current.longestLook, wait * 1.5)) {
      await sleep(wait * 1000, undefined, { signal });
      if (Date.now() > limit)
        throw new BigQueryError(`cannot ${request.attempted.doing}: its job, ${request.id}, does not end. Look for it in BigQuery.`);
      job = await look(client, request);
    }
  } catch (error) {
    await cancel(client, request).catch(() => {});
    signal.throwIfAborted();
    throw error;
  }
  const fault = job.status.errorResult;
  if (fault !== undefined) throw faultError(faultOf(fault), request.attempted);
  return job;
}

const faultOf = ({ reason = "", message = "" }: { reason?: string; message?: string }): Fault => ({ reason, message });

async function insert(client: Client, request: JobRequest): Promise<Job> {
  const { id: jobId, location, labels, attempted } = request;
  const configuration = { ...request.configuration, labels, jobTimeoutMs: String(current.job * 1000) };
  const body = { jobReference: { projectId: client.project, jobId, location }, configuration };
  try {
    return await client.call<Job>({ method: "POST", path: "/jobs", body, attempted });
  } catch (error) {
    if (error instanceof Duplicate) return look(client, request);
    throw error;
  }
}

const look = (client: Client, { id, location, attempted }: JobRequest): Promise<Job> =>
  client.call<Job>({ method: "GET", path: `/jobs/${id}`, query: { location }, attempted });

/** Waits for its end, so that it writes nothing any more. */
async function cancel(client: Client, request: JobRequest): Promise<void> {
  const { id, location, attempted } = request;
  const ended = async () => {
    await client.call({ method: "POST", path: `/jobs/${id}/cancel`, query: { location }, attempted });
    for (;;) {
      if ((await look(client, request)).status?.state === "DONE") return;
      await sleep(current.look * 1000);
    }
  };
  await within(current.cancel * 1000, ended(), () => new Error("late"));
}

/** What a query would read. */
export interface Estimate {
  bytes: number;
  /** false where BigQuery knows only that it is so much at least */
  exact: boolean;
}

const MEGABYTE = 2 ** 20;
/** cloud.google.com/bigquery/pricing: what a query is billed for at least */
const LEAST_BYTES = 10 * MEGABYTE;

/** What a query that reads so much is billed for. */
export const billed = ({ bytes }: Estimate): number => Math.max(LEAST_BYTES, Math.ceil(bytes / MEGABYTE) * MEGABYTE);

/** Asks without running anything. @throws ConfigError where the query cannot run */
export async function estimate(client: Client, query: string, location: string, attempted: Attempted): Promise<Estimate> {
  const configuration = { dryRun: true, query: { query, useLegacySql: false } };
  const body = { jobReference: { projectId: client.project, location }, configuration };
  const { statistics } = await client.call<Job>({ method: "POST", path: "/jobs", body, attempted });
  const accuracy = statistics?.query?.totalBytesProcessedAccuracy ?? "PRECISE";
  return { bytes: Number(statistics?.totalBytesProcessed ?? statistics?.query?.totalBytesProcessed ?? 0), exact: accuracy === "PRECISE" };
}

/** The one row of a query's result, by column. */
export async function resultOf(client: Client, { id, location, attempted }: JobRequest): Promise<Record<string, string | null>> {
  type Result = { jobComplete?: boolean; schema?: { fields?: { name: string }[] }; rows?: { f?: { v?: string | null }[] }[] };
  const found = await client.call<Result>({ method: "GET", path: `/queries/${id}`, query: { location, maxResults: 1 }, attempted });
  const values = found.rows?.[0]?.f;
  if (values === undefined) throw new BigQueryError(`cannot ${attempted.doing}: the query has no result. Run it again.`);
  return Object.fromEntries((found.schema?.fields ?? []).map(({ name }, i) => [name, values[i]?.v ?? null]));
}

/** @throws ConfigError, naming what the queries would be billed for */
export function refuseAbove(limit: number | undefined, total: number, what: string): void {
  if (limit === undefined || total <= limit) return;
  throw new ConfigError(
    `--max-bytes-billed is ${limit} bytes, but BigQuery would bill ${total} for ${what}. Raise it, or read fewer days by --dates or --lookback-days.`,
  );
}

/** A label's value: lower-case letters, digits, - and _. */
export const labelOf = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]/g, "_")
    .slice(0, 63);
