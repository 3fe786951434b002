import type { Storage } from "@google-cloud/storage";
import { type Attempted, isSilence, StorageError, told } from "./errors";
import { limits } from "./limits";

/**
 * The library, one client a thread. Loaded with the first gs:// path, so that a run without any starts as fast as ever. STORAGE_EMULATOR_HOST
 * names another server; a request to that goes without credentials.
 */
let client: { made: Storage; limits: unknown; host: string | undefined } | undefined;

export function storage(): Storage {
  // an empty one is one for the library
  if (process.env.STORAGE_EMULATOR_HOST === "") delete process.env.STORAGE_EMULATOR_HOST;
  const host = process.env.STORAGE_EMULATOR_HOST;
  if (client?.limits !== limits() || client.host !== host) client = { made: make(), limits: limits(), host };
  return client.made;
}

function make(): Storage {
  const library: typeof import("@google-cloud/storage") = require("@google-cloud/storage");
  const { maxRetries, retryDelayMultiplier, maxRetryDelay, totalTimeout, idleTimeout } = limits();
  const made = new library.Storage({
    retryOptions: {
      autoRetry: true,
      maxRetries,
      retryDelayMultiplier,
      maxRetryDelay,
      totalTimeout,
      // of uploads the library leaves out those that nobody answers, which have no code
      retryableErrorFn: (error) => isSilence(error) || library.RETRYABLE_ERR_FN_DEFAULT(error),
    },
    timeout: idleTimeout * 1000,
  });
  // the library leaves out the path of the API where the variable names a host only, as all other libraries want it to
  made.baseUrl = `${made.apiEndpoint.replace(/\/storage\/v1\/?$/, "")}/storage/v1`;
  return made;
}

/** The project that pays for requests to buckets where the requester does: the variable that Google's libraries know. */
export const payer = (): string | undefined => process.env.GOOGLE_CLOUD_QUOTA_PROJECT || undefined;

/** Headers that prove who asks. */
export async function credentials(): Promise<Record<string, string>> {
  const { authClient, customEndpoint } = storage();
  return customEndpoint ? {} : { ...(await authClient.getRequestHeaders()) };
}

/** Awaits a request of the library. It repeats by itself what may pass, but not every wait of its own has an end. */
export async function asked<T>(attempted: Attempted, request: () => Promise<T>): Promise<T> {
  const { totalTimeout, idleTimeout } = limits();
  const seconds = totalTimeout + idleTimeout;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new StorageError(
      `cannot ${attempted.verb} "${attempted.uri}": Cloud Storage does not answer (${seconds} s). Check the network, and run it again.`,
    );
    timer = setTimeout(() => reject(error), seconds * 1000);
  });
  try {
    // first, since the library asks without any where there are none
    return await Promise.race([credentials().then(request), late]);
  } catch (error) {
    throw told(error, attempted);
  } finally {
    clearTimeout(timer);
  }
}
