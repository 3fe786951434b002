/** How much somebody wants to hear: everything from this on. */
export type Importance = "debug" | "info" | "warning" | "error";

/** Tells people what happens in a run; nothing of the data is ever told. */
export type Tell = (importance: Importance, text: string) => void;

/** Who watches a run, and may end it. */
export interface Watch {
  tell: Tell;
  /** aborted with the error that the run is to end with */
  signal?: AbortSignal;
  /** of a run that outlives the first wish that it end: aborted with the second; then it must */
  second?: AbortSignal;
}

export const NOBODY_WATCHES: Watch = { tell: () => {} };

/** Rejects as soon as the run is to end; never resolves. */
export function aborted(signal: AbortSignal | undefined): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {}); // it may come when nobody waits any more
  if (signal?.aborted) reject(signal.reason);
  signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  return promise;
}

/** What a promise gives, if it does within the limit. */
export async function within<T>(ms: number, promise: Promise<T>, otherwise: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(otherwise()), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
