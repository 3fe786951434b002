import { ConfigError } from "../errors";

/** BigQuery, or the way to it, has failed for longer than it is worth waiting. Another run may succeed. */
export class BigQueryError extends Error {
  override name = "BigQueryError";
  readonly exitCode = 1;
  constructor(
    message: string,
    /** BigQuery's own word for it */
    readonly reason = "",
  ) {
    super(message);
  }
}

/** What was tried, for messages. */
export interface Attempted {
  /** "read bq://..." */
  doing: string;
  /** roles that are enough, and what on */
  roles: string;
}

/** BigQuery's own words, as an answer or a job has them. */
export interface Fault {
  /** status of the answer; absent of a job */
  code?: number;
  reason: string;
  message: string;
}

/** cloud.google.com/bigquery/docs/error-messages: what may pass if it is tried again, later */
const PASSING = ["rateLimitExceeded", "jobRateLimitExceeded", "backendError", "internalError", "jobBackendError", "jobInternalError"];

/** Whether a job that has failed so may succeed the next time. A quota that is used up comes back after hours, so it is not waited for. */
export const mayPass = (reason: string): boolean => PASSING.includes(reason);

export const isNotFound = (error: unknown): boolean => error instanceof NotFound;

/** There is no such table, dataset or job. */
export class NotFound extends ConfigError {}

/** The job's name is taken: by an insertion whose answer was lost. */
export class Duplicate extends BigQueryError {}

/**
 * An error of the library, of its authentication or of the network, told to people. What comes from there may carry requests with their tokens,
 * so nothing is handed on but what is picked here.
 */
export function told(error: unknown, attempted: Attempted): Error {
  if (error instanceof ConfigError || error instanceof BigQueryError) return error;
  const {
    code,
    message = "",
    errors,
  } = error as { code?: number | string; message?: string; errors?: { reason?: string; message?: string }[] };
  const status = Number(code);
  return (
    credentialError(error, message) ??
    (status >= 400 && status < 600
      ? faultError({ code: status, reason: errors?.[0]?.reason ?? "", message: errors?.[0]?.message ?? "" }, attempted)
      : networkError(error, attempted))
  );
}

const LOGIN = "Run gcloud auth application-default login, or name the key file of a service account in GOOGLE_APPLICATION_CREDENTIALS.";

function credentialError(error: unknown, message: string): Error | undefined {
  if (/Could not load the default credentials/.test(message)) return new ConfigError(`there are no credentials for BigQuery. ${LOGIN}`);
  if (error instanceof SyntaxError) return new ConfigError(`the file of credentials for BigQuery is no JSON. ${LOGIN}`);
  const { syscall } = error as NodeJS.ErrnoException;
  if (/specified by the GOOGLE_APPLICATION_CREDENTIALS/.test(message) || /^(l?stat|open|read|realpath)$/.test(syscall ?? ""))
    return new ConfigError(`the file of credentials, ${process.env.GOOGLE_APPLICATION_CREDENTIALS}, cannot be read. ${LOGIN}`);
  const [refused] = /invalid_grant|invalid_rapt|unauthorized_client|invalid_client|account not found/i.exec(message) ?? [];
  return refused === undefined ? undefined : new ConfigError(`the credentials for BigQuery are refused (${refused}). ${LOGIN}`);
}

/** Reasons, and what helps. A job's reason is the same word as that of an answer. */
export function faultError(fault: Fault, attempted: Attempted): Error {
  const { code, reason, message } = fault;
  const said = wordsOf(fault);
  const what = `cannot ${attempted.doing}: ${said}`;
  if (/different (locations?|regions?)/i.test(message))
    return new ConfigError(`${what}. Dataset and bucket must be in one location: choose a bucket where the dataset is.`);
  if (/bytesBilledLimitExceeded/i.test(reason) || /exceeded limit for bytes billed/i.test(message))
    return new ConfigError(`${what}. Raise --max-bytes-billed, or read fewer days by --dates or --lookback-days.`);
  if (/partition elimination|partition filter/i.test(message))
    return new ConfigError(`${what}. The table wants a filter for its partitions: name a view that has one, or add --dates.`);
  if (code === 401) return new ConfigError(`${what}. Renew the credentials, as with gcloud auth application-default login.`);
  if (reason === "accessDenied" || (code === 403 && !/quota|rateLimit|billing/i.test(reason)))
    return new ConfigError(`${what}. Grant the account ${roleFor(message, attempted)}, or use another account.`);
  if (reason === "notFound" || code === 404) return new NotFound(`${what}. Check the name.`);
  if (reason === "duplicate" || code === 409) return new Duplicate(`${what}. Run it again.`, "duplicate");
  if (/quota/i.test(reason)) return new BigQueryError(`${what}. Wait until the quota is there again, or have it raised.`, reason);
  if (/billing/i.test(reason)) return new ConfigError(`${what}. Enable billing in the project, or name another by --project.`);
  if (mayPass(reason) || (code !== undefined && [408, 429, 500, 502, 503, 504].includes(code)))
    return new BigQueryError(`${what}, again and again. Run it again later.`, reason);
  if (code === 400 || /^invalid/.test(reason)) return new ConfigError(`${what}. Check the table and its columns.`);
  return new BigQueryError(`${what}. Run it again.`, reason);
}

/** What is denied is named: to run jobs at all, or the bucket of an export or a load. */
function roleFor(message: string, { roles }: Attempted): string {
  if (/bigquery\.jobs\.create|Denied: Project/i.test(message)) return "roles/bigquery.jobUser on the project";
  return /storage\.|bucket|gs:\/\//i.test(message) ? "roles/storage.objectUser on the bucket" : roles;
}

/** BigQuery's reason and its sentence, which names tables and columns; what it quotes may be a value of a row, so that is left out. */
function wordsOf({ code, reason, message }: Fault): string {
  const sentence = message
    .split("\n")[0]
    .replace(/(['"])(?:(?!\1).)*\1/g, "...")
    .replace(/\b(value|literal):? .*$/i, "$1")
    .replace(/[.\s]+$/, "")
    .slice(0, SAID_CHARS);
  const status = [code, reason].filter((each) => each !== undefined && each !== "").join(" ");
  return sentence === "" ? `BigQuery answers ${status}` : `${sentence} (${status})`;
}

const SAID_CHARS = 400;

/** Codes only: messages name hosts and proxies, with their passwords. */
function networkError(error: unknown, { doing }: Attempted): Error {
  const { code, cause, name } = error as { code?: unknown; cause?: { code?: unknown }; name?: string };
  const why = [code, cause?.code].find((each) => typeof each === "string" && /^[A-Z_0-9]+$/.test(each)) ?? name ?? "an unknown error";
  return new BigQueryError(`cannot ${doing}: the connection to BigQuery failed (${why}). Check the network, and run it again.`);
}
