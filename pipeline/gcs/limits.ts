import { adjustable } from "../adjustable";

/** How long and how often a request to Cloud Storage is tried: the library's own settings (RetryOptions), and two of ours. Times in seconds. */
export interface Limits {
  maxRetries: number;
  retryDelayMultiplier: number;
  maxRetryDelay: number;
  /** of a request with all its repetitions; one that has brought 64 KiB begins anew */
  totalTimeout: number;
  /** without a byte from the other side */
  idleTimeout: number;
}

const DEFAULTS: Limits = { maxRetries: 5, retryDelayMultiplier: 2, maxRetryDelay: 16, totalTimeout: 300, idleTimeout: 30 };

export const { get: limits, use: useLimits } = adjustable(DEFAULTS);
