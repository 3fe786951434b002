import type { BigQuery } from "@google-cloud/bigquery";
import { ConfigError } from "../errors";
import { limits } from "../gcs/limits";
import { within } from "../runners/tell";
import { type Attempted, BigQueryError, told } from "./errors";

/**
 * The service, by the library: credentials, retries with growing delays, deadlines. Its classes are not used, since a job that has a name of its own
 * must be taken up again where the answer to its insertion was lost, and since paths and bodies are then those of the published description.
 */
export interface Client {
  /** runs and pays for the jobs */
  project: string;
  /** @throws BigQueryError, ConfigError */
  call<T>(request: Request): Promise<T>;
}

export interface Request {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  /** from the project on: /datasets/x/tables/y */
  path: string;
  /** of another project than the client's */
  project?: string;
  query?: Record<string, string | number>;
  body?: object;
  attempted: Attempted;
}

/** @param project undefined: that of the credentials or of GOOGLE_CLOUD_PROJECT @throws ConfigError where there is none */
export async function clientFor(project: string | undefined): Promise<Client> {
  const unnamed = make();
  // first, since the library asks without any where there are none
  await answered({ doing: "ask BigQuery", roles: "" }, () => unnamed.authClient.getRequestHeaders());
  const billed = project ?? (await projectOf(unnamed));
  // one that has no name looks for it with every request
  const service = make(billed);
  return {
    project: billed,
    call: <T>({ method, path, project = billed, query, body, attempted }: Request) =>
      answered(attempted, () => request<T>(service, { method, uri: path, projectId: project, qs: query, json: body ?? true })),
  };
}

/** BIGQUERY_EMULATOR_HOST names another server, which is asked without credentials. */
function make(projectId?: string): BigQuery {
  const library: typeof import("@google-cloud/bigquery") = require("@google-cloud/bigquery");
  // an empty one is one for the library
  if (process.env.BIGQUERY_EMULATOR_HOST === "") delete process.env.BIGQUERY_EMULATOR_HOST;
  const host = process.env.BIGQUERY_EMULATOR_HOST;
  const { maxRetries, retryDelayMultiplier, maxRetryDelay, totalTimeout, idleTimeout } = limits();
  const options = {
    retryOptions: { autoRetry: true, maxRetries, retryDelayMultiplier, maxRetryDelay, totalTimeout },
    timeout: idleTimeout * 1000,
    userAgent: "backstory",
    projectId,
    ...(host === undefined ? {} : { authClient: NOBODY as never }),
  };
  const made = new library.BigQuery(options);
  // the library takes the variable for the whole address, where others name the host only
  if (host !== undefined) made.baseUrl = `${made.apiEndpoint.replace(/\/bigquery\/v2\/?$/, "")}/bigquery/v2`;
  return made;
}

/** All that the library asks of an account. */
const NOBODY = { getRequestHeaders: async () => ({}) };

async function projectOf(service: BigQuery): Promise<string> {
  const named = process.env.GOOGLE_CLOUD_PROJECT || process.env.GCLOUD_PROJECT;
  if (named) return named;
  const found = await within(LOOK_MS, service.authClient.getProjectId(), () => new Error("late")).catch(() => null);
  if (!found) throw new ConfigError("no project is named that BigQuery's jobs are to run in. Add --project=PROJECT.");
  return found;
}

const LOOK_MS = 20_000;

type Options = Parameters<BigQuery["request"]>[0];

/** The library does not say that a request may name its project, and takes texts of queries only. */
function request<T>(service: BigQuery, options: object): Promise<T> {
  return new Promise((resolve, reject) =>
    service.request(options as Options, (error, body) => (error ? reject(error) : resolve(body as T))),
  );
}

async function answered<T>(attempted: Attempted, ask: () => Promise<T>): Promise<T> {
  const { totalTimeout, idleTimeout } = limits();
  const seconds = totalTimeout + idleTimeout;
  const late = () =>
    new BigQueryError(`cannot ${attempted.doing}: BigQuery does not answer (${seconds} s). Check the network, and run it again.`);
  try {
    return await within(seconds * 1000, ask(), late);
  } catch (error) {
    throw told(error, attempted);
  }
}
