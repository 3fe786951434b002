import { ConfigError } from "../errors";

/** Cloud Storage, or the way to it, has failed for longer than it is worth waiting, or an object is no longer what it was. Another run may succeed. */
export class StorageError extends Error {
  override name = "StorageError";
  readonly exitCode = 1;
}

/** What was tried, for messages. */
export interface Attempted {
  /** "read", "list", "write" */
  verb: string;
  /** gs://... */
  uri: string;
  /** what an account needs for it */
  permission: string;
  /** a role that has this permission and little else */
  role: string;
}

const READER = { role: "roles/storage.objectViewer" };
const WRITER = { role: "roles/storage.objectUser" };
export const reading = (uri: string): Attempted => ({ verb: "read", uri, permission: "storage.objects.get", ...READER });
export const listing = (uri: string): Attempted => ({ verb: "list", uri, permission: "storage.objects.list", ...READER });
export const writing = (uri: string): Attempted => ({ verb: "write", uri, permission: "storage.objects.create", ...WRITER });
export const removing = (uri: string): Attempted => ({ verb: "remove", uri, permission: "storage.objects.delete", ...WRITER });

/** An answer that is not what was asked for, in the shape of the library's own errors. */
export class Refused extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/**
 * An error of the library, of its authentication or of the network, told to people. What comes from there may carry requests with their
 * tokens or a piece of a key file, so nothing of it is handed on but what is picked here.
 */
export function told(error: unknown, attempted: Attempted): Error {
  if (error instanceof ConfigError || error instanceof StorageError) return error;
  const { code, message = "" } = error as { code?: number | string; message?: string };
  return credentialError(error, message) ?? statusError(Number(code), message, attempted) ?? networkError(error, attempted);
}

function credentialError(error: unknown, message: string): Error | undefined {
  const remedy = "Run gcloud auth application-default login, or name the key file of a service account in GOOGLE_APPLICATION_CREDENTIALS.";
  if (/Could not load the default credentials/.test(message)) return new ConfigError(`there are no credentials for gs:// paths. ${remedy}`);
  if (error instanceof SyntaxError) return new ConfigError(`the file of credentials for gs:// paths is no JSON. ${remedy}`);
  const { syscall } = error as NodeJS.ErrnoException;
  if (/specified by the GOOGLE_APPLICATION_CREDENTIALS/.test(message) || /^(l?stat|open|read|realpath)$/.test(syscall ?? ""))
    return new ConfigError(`the file of credentials, ${process.env.GOOGLE_APPLICATION_CREDENTIALS}, cannot be read. ${remedy}`);
  if (/invalid_grant|invalid_rapt|unauthorized_client|invalid_client|account not found/i.test(message))
    return new ConfigError(
      `the credentials for gs:// paths are refused (${/[a-z]+_[a-z]+/.exec(message)?.[0] ?? "account not found"}). ${remedy}`,
    );
  return undefined;
}

function statusError(code: number, message: string, { verb, uri, permission, role }: Attempted): Error | undefined {
  if (/requester.?pays|user project/i.test(message) && code >= 400 && code < 404)
    return new ConfigError(
      `cannot ${verb} "${uri}": in this bucket the requester pays. Name the project to bill in GOOGLE_CLOUD_QUOTA_PROJECT (your account needs serviceusage.services.use there).`,
    );
  if (code === 401)
    return new ConfigError(
      `cannot ${verb} "${uri}": the credentials are missing or have expired (401). Renew them, as with gcloud auth application-default login.`,
    );
  if (code === 403) {
    const named = /\bstorage\.[a-zA-Z]+\.[a-zA-Z]+\b/.exec(message)?.[0] ?? permission;
    return new ConfigError(
      `cannot ${verb} "${uri}": the account lacks the permission ${named} (403). Grant it ${role} on the bucket, or use another account.`,
    );
  }
  if (code === 404)
    return new ConfigError(`cannot ${verb} "${uri}": there is no such ${verb === "list" ? "bucket" : "object"} (404). Check the path.`);
  if (code >= 400 && code < 600)
    return new StorageError(
      `cannot ${verb} "${uri}": Cloud Storage answers ${code}${retryable(code) ? ", again and again" : ""}. Run it again later.`,
    );
  return undefined;
}

const retryable = (code: number): boolean => [408, 429, 500, 502, 503, 504].includes(code);

/** Codes only: messages name hosts and proxies, with their passwords. */
function networkError(error: unknown, { verb, uri }: Attempted): Error {
  const { code, cause, name } = error as { code?: unknown; cause?: { code?: unknown }; name?: string };
  const why = isSilence(error)
    ? "ETIMEDOUT"
    : ([code, cause?.code].find((each) => typeof each === "string" && /^[A-Z_0-9]+$/.test(each)) ?? name ?? "an unknown error");
  return new StorageError(`cannot ${verb} "${uri}": the connection to Cloud Storage failed (${why}). Check the network, and run it again.`);
}

/** A request that was given up after its time: node-fetch, which the library asks with, has types for that, and no code. */
export const isSilence = (error: unknown): boolean => /^(request|body)-timeout$/.test((error as { type?: string }).type ?? "");

/** Whether another try may help. The library asks the same of its own requests (RETRYABLE_ERR_FN_DEFAULT), but knows fewer ways in which a connection ends. */
export function mayPass(error: unknown): boolean {
  if (error instanceof ConfigError || error instanceof StorageError) return false;
  const { code } = error as { code?: unknown };
  return typeof code === "string"
    ? !/^(ERR_INVALID|ERR_TLS|CERT_|DEPTH_|UNABLE_TO|SELF_SIGNED)/.test(code) && code !== "ENOTFOUND"
    : retryable(Number(code));
}
