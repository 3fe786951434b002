import { ConfigError } from "../../errors";
import { DATAFLOW_ENDPOINT, type DataflowChoice } from "./choice";

/** Dataflow, or the way to it, has failed for longer than it is worth waiting, or a job has. Another run may succeed. */
export class DataflowError extends Error {
  override name = "DataflowError";
  readonly exitCode = 1;
}

/** A job that nobody here looks at any more goes on: nothing of it may be removed. */
export class GoesOn extends DataflowError {
  override name = "GoesOn";
}

/** An answer that is not what was asked for. */
export class Refusal extends Error {
  override name = "Refusal";
  constructor(
    /** of HTTP */
    readonly status: number,
    /** for machines, such as SERVICE_DISABLED; "" for none */
    readonly reason: string,
    message: string,
  ) {
    super(message);
  }
}

/** @param body of an answer: Google's description of an error, or whatever something on the way has said */
export function refusalOf(status: number, body: string): Refusal {
  try {
    const parsed: unknown = JSON.parse(body);
    const { error } = (Array.isArray(parsed) ? parsed[0] : parsed) as { error: GoogleError };
    const info = error.details?.find(({ reason }) => typeof reason === "string");
    return new Refusal(status, String(info?.reason ?? error.errors?.[0]?.reason ?? error.status ?? ""), String(error.message ?? ""));
  } catch {
    return new Refusal(status, "", "");
  }
}

interface GoogleError {
  message?: unknown;
  status?: unknown;
  details?: { reason?: unknown }[];
  errors?: { reason?: unknown }[];
}

/** Whether another try may help. */
export function mayPass(error: unknown): boolean {
  if (error instanceof Refusal) return [408, 429, 500, 502, 503, 504].includes(error.status);
  // no other try finds credentials where there are none
  if (credentialError(error) !== undefined) return false;
  // the library's own, by gRPC's numbers: too late, not there
  if ([4, 14].includes((error as { code?: unknown }).code as number)) return true;
  const code = networkCode(error);
  return code !== undefined && code !== "ENOTFOUND" && !/^(ERR_INVALID|ERR_TLS|CERT_|DEPTH_|UNABLE_TO|SELF_SIGNED)/.test(code);
}

export const isMissing = (error: unknown): boolean => error instanceof Refusal && error.status === 404;

/** Of the system or of a library, such as ECONNRESET. */
function networkCode(error: unknown): string | undefined {
  const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } };
  return [code, cause?.code].find((each): each is string => typeof each === "string" && /^[A-Z_0-9]+$/.test(each));
}

/** Who asks for what, for messages. */
export type Asked = Pick<DataflowChoice, "project" | "region" | "endpoint" | "serviceAccountEmail"> & {
  /** "create the job", "look at the job" */
  what: string;
};

/**
 * An error of the API, of authentication or of the network, told to people. Of errors other than the API's own, only codes are handed on: their texts may
 * carry requests with their tokens.
 */
export function told(error: unknown, asked: Asked): Error {
  if (error instanceof ConfigError || error instanceof DataflowError) return error;
  return error instanceof Refusal ? toldRefusal(error, asked) : (credentialError(error) ?? networkError(error, asked));
}

function toldRefusal(refusal: Refusal, asked: Asked): Error {
  const { status, message } = refusal;
  const { what, project, region } = asked;
  const why = message === "" ? "" : `: ${sentence(message)}`;
  if (status === 401)
    return new ConfigError(
      `cannot ${what}: the credentials are missing or have expired (401). Renew them, as with gcloud auth application-default login.`,
    );
  if (status === 403) return forbidden(refusal, asked);
  if (status === 429)
    return new DataflowError(
      `cannot ${what}: a quota of project ${project} is used up (429)${why}. Try again later, or ask for more: https://console.cloud.google.com/iam-admin/quotas?project=${project}.`,
    );
  if (isOfRegion(message) && (status === 400 || status === 404))
    return new ConfigError(`cannot ${what}: Dataflow does not work in the region "${region}" (${status})${why}. Check --region.`);
  if (status === 404)
    return new ConfigError(
      `cannot ${what}: Dataflow finds no project "${project}" with region "${region}" (404)${why}. Check --project and --region.`,
    );
  if (status === 400) return new ConfigError(`cannot ${what}: Dataflow does not accept it (400)${why}. Check the options that it names.`);
  return new DataflowError(
    `cannot ${what}: Dataflow answers ${status}${mayPass(refusal) ? ", again and again" : ""}${why}. Run it again later.`,
  );
}

const isOfRegion = (message: string): boolean => /\b(region|regional endpoint|location)\b/i.test(message);

function forbidden({ reason, message }: Refusal, { what, project, region, serviceAccountEmail }: Asked): ConfigError {
  const account = /[\w.+-]+@[\w.-]+gserviceaccount\.com/.exec(message)?.[0] ?? serviceAccountEmail ?? "the account of the workers";
  if (reason === "SERVICE_DISABLED" || reason === "accessNotConfigured" || /has not been used in project|is disabled/i.test(message))
    return new ConfigError(
      `cannot ${what}: the Dataflow API is off in project ${project} (403). Switch it on: gcloud services enable dataflow.googleapis.com --project=${project}.`,
    );
  if (reason === "BILLING_DISABLED" || /billing/i.test(message))
    return new ConfigError(
      `cannot ${what}: project ${project} has no billing account (403). Link one: https://console.cloud.google.com/billing.`,
    );
  if (reason === "CONSUMER_INVALID" || reason === "USER_PROJECT_DENIED" || /project .*(not found|deleted|does not exist)/i.test(message))
    return new ConfigError(`cannot ${what}: there is no project "${project}", or the account may not use it (403). Check --project.`);
  if (/locations?\/[^ ]+.*may not exist|LOCATION/.test(`${reason} ${message}`))
    return new ConfigError(
      `cannot ${what}: Dataflow does not work in the region "${region}", or not for this account (403). Check --region.`,
    );
  if (/act as|actAs/i.test(message))
    return new ConfigError(
      `cannot ${what}: the account may not have workers that are ${account} (403). Grant it roles/iam.serviceAccountUser on that service account.`,
    );
  return new ConfigError(
    `cannot ${what}: the account lacks a permission in project ${project} (403)${message === "" ? "" : `: ${sentence(message)}`}. Grant it roles/dataflow.developer there.`,
  );
}

const REMEDY = "Run gcloud auth application-default login, or name the key file of a service account in GOOGLE_APPLICATION_CREDENTIALS.";

function credentialError(error: unknown): ConfigError | undefined {
  const { message = "", syscall } = error as { message?: string; syscall?: string };
  if (/Could not load the default credentials/.test(message)) return new ConfigError(`there are no credentials for Dataflow. ${REMEDY}`);
  if (/specified by the GOOGLE_APPLICATION_CREDENTIALS/.test(message) || /^(l?stat|open|read|realpath)$/.test(syscall ?? ""))
    return new ConfigError(`the file of credentials, ${process.env.GOOGLE_APPLICATION_CREDENTIALS}, cannot be read. ${REMEDY}`);
  if (/invalid_grant|invalid_rapt|unauthorized_client|invalid_client|account not found/i.test(message))
    return new ConfigError(
      `the credentials for Dataflow are refused (${/[a-z]+_[a-z]+/.exec(message)?.[0] ?? "account not found"}). ${REMEDY}`,
    );
  return undefined;
}

function networkError(error: unknown, { what, endpoint }: Asked): DataflowError {
  const why = networkCode(error) ?? (error as Error).name ?? "an unknown error";
  const check = endpoint.origin === DATAFLOW_ENDPOINT ? "Check the network" : "Check --dataflow-endpoint";
  return new DataflowError(`cannot ${what}: no answer from ${endpoint.host} (${why}). ${check}, and run it again.`);
}

/** The beginning of what the API says, as a part of a sentence; Dataflow puts an id in brackets before it. */
export const sentence = (text: string): string =>
  text
    .trim()
    .replace(/^\([0-9a-f]+\): /, "")
    .split("\n")[0]
    .slice(0, 400)
    .replace(/\.$/, "");
