/** What the rows of all partitions of an output have in common, whichever runs they are of: whoever stacks histories takes one length and one set of columns for all. */
import { isDeepStrictEqual } from "node:util";
import { ConfigError } from "./errors";
import { type Manifest, parseManifest, parseMarker } from "./manifest";
import type { Origin } from "./origin";
import { filledPartition, manifestFile, type Place } from "./partitions";
import { join } from "./paths";

/** Options, and their flags, by which the same history comes out otherwise; days built by others can be wanted, but hardly unawares. */
const HISTORY_OPTIONS = {
  lookbackDays: "--lookback-days",
  timezone: "--timezone",
  orderTime: "--order-time",
  orderLagDays: "--order-lag-days",
  actionClock: "--action-clock",
  dropEmptyHistory: "--drop-empty-history",
} as const satisfies Partial<Record<keyof Origin["options"], string>>;

type Rules = Pick<Manifest, "options" | "schema">;

/**
 * Asked before a run starts, as far as can be known then, and when it publishes. It is compared with the run published last, which was itself
 * compared with the one before.
 * @param replaces whether the run replaces a partition, given its dt
 * @returns warnings, of partitions that stay and were built by other rules
 * @throws ConfigError if partitions would stay whose rows have another shape
 */
export async function compareWithOthers(place: Place, rules: Rules, replaces: (dt: string) => boolean): Promise<string[]> {
  const last = await lastRun(place);
  if (last === undefined) return [];
  const shape = otherShape(last, rules);
  const options = otherOptions(last.options, rules.options);
  if (shape === undefined && options.length === 0) return [];
  const kept = await filledPartition(place, replaces);
  if (kept === undefined) return [];
  if (shape === undefined) return [rulesWarning(place.output, kept, last.run, options)];
  throw new ConfigError(
    `${staying(place.output, kept, last.run)} has ${shape}, and all rows of an output have one shape. Choose another --output, or build all its days again in one run.`,
  );
}

const staying = (output: string, kept: string, run: string): string =>
  `${output} has partitions that stay, such as dt=${kept}; the run published last, ${run},`;

/** @param options each as it was and is */
export const rulesWarning = (output: string, kept: string, run: string, options: string[]): string =>
  `${staying(output, kept, run)} had ${options.join(", ")}. Their histories follow other rules than those of this run.`;

/** The run that was published last, where it can be known. */
async function lastRun({ storage, output }: Place): Promise<Manifest | undefined> {
  const run = parseMarker((await storage.read(join(output, "_SUCCESS"))) ?? "")?.runs.at(-1);
  if (run === undefined) return undefined;
  const path = manifestFile(output, run);
  const text = await storage.read(path);
  try {
    return text === undefined ? undefined : parseManifest(text, path);
  } catch {
    return undefined; // verify tells of it
  }
}

function otherShape(last: Rules, now: Rules): string | undefined {
  const { historyLength } = last.options;
  if (historyLength !== undefined && historyLength !== now.options.historyLength)
    return `--history-length=${historyLength} where this one has ${now.options.historyLength}`;
  const lacking = now.schema.filter((column) => !last.schema.some((other) => isDeepStrictEqual(other, column)));
  const more = last.schema.filter((column) => !now.schema.some((other) => isDeepStrictEqual(other, column)));
  if (lacking.length + more.length === 0) return undefined;
  const names = (columns: Manifest["schema"]) => columns.map(({ name, type }) => `${name} ${type}`).join(", ");
  return [
    ...(more.length === 0 ? [] : [`columns that this one lacks (${names(more)})`]),
    ...(lacking.length === 0 ? [] : [`none of the columns ${names(lacking)}`]),
  ].join(" and ");
}

/** "--lookback-days=365 (here 30)" */
export function otherOptions(last: Rules["options"], now: Rules["options"]): string[] {
  return Object.entries(HISTORY_OPTIONS).flatMap(([name, flag]) => {
    const [then, given] = [last[name], now[name]];
    return then === undefined || then === given ? [] : [`${flag}=${then} (here ${given})`];
  });
}
