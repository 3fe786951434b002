/** Where things lie in an output folder. */

import { ConfigError } from "./errors";
import { isRemote, remoteBucket } from "./io/remote";
import { type FileKind, LAYOUT_FILE, layoutName, layoutOf, type OutputLayout } from "./layout";
import { MANIFESTS } from "./manifest";
import { join } from "./paths";
import { Disk, type Storage } from "./storage";

/** An output, and the storage that it is in. */
export interface Place {
  storage: Storage;
  output: string;
  /** how long one who has the turn to publish and has not decided yet is waited for */
  patienceMs: number;
}

export const placeOf = (output: string): Place => ({ storage: storageOf(output), output, patienceMs: 10_000 });

const storageOf = (output: string): Storage => (isRemote(output) ? new (remoteBucket().Bucket)(output) : new Disk());

/** Folder of what runs have tried: one for each, which is the run's own. */
export const ATTEMPTS = "_attempts";
export const attemptsOf = (output: string, runId: string): string => join(output, ATTEMPTS, runId);
export const outcomeFile = (output: string, runId: string): string => join(attemptsOf(output, runId), "outcome.json");
export const manifestFile = (output: string, runId: string): string => join(output, MANIFESTS, `${runId}.json`);
export const partitionOf = (dt: string): string => `dt=${dt}`;

/** What a reader may take for rows. */
const PART = /^(part|histories|slots)-.*\.parquet$/;
/** What a run of ours may have put there. */
const OURS = /^(part|histories|slots)-(.+-)?\d{5,}-of-\d{5,}\.parquet$/;

export const partsAmong = (names: readonly string[]): string[] => names.filter((name) => PART.test(name));
export const isOurs = (name: string): boolean => OURS.test(name);

export function partName(kind: FileKind, shard: number, shards: number, writeMode: string, runId: string): string {
  const part = `${String(shard).padStart(5, "0")}-of-${String(shards).padStart(5, "0")}`;
  return writeMode === "append" ? `${kind}-${runId}-${part}.parquet` : `${kind}-${part}.parquet`;
}

/** Asked before a run starts, and when it publishes, because another run may have come in between. */
export async function refuseExisting(dts: Iterable<string>, { storage, output }: Place): Promise<void> {
  for (const dt of dts) {
    if (partsAmong(await storage.list(join(output, partitionOf(dt)))).length > 0) throw exists(dt, output);
  }
}

export const exists = (dt: string, output: string): ConfigError =>
  new ConfigError(`partition dt=${dt} exists in ${output}. Choose --write-mode overwrite or append, or another output.`);

/** Asked before a run starts, and when it publishes, likewise: an output has one layout. */
export async function refuseOtherLayout(wanted: OutputLayout, place: Place): Promise<void> {
  const { storage, output } = place;
  const text = await storage.read(join(output, LAYOUT_FILE));
  const found = layoutOf(text);
  if (found === undefined)
    throw new ConfigError(`"${join(output, LAYOUT_FILE)}" does not say which layout ${output} has. Choose another --output.`);
  if (found.layout === wanted.layout && found.padding === wanted.padding) return;
  if (text === undefined && (await filledPartition(place)) === undefined) return;
  throw new ConfigError(
    `${output} has ${layoutName(found)}, and an output has one; got ${layoutName(wanted)}. Choose another --output, or --layout=${found.layout} --padding=${found.padding}.`,
  );
}

/** The dt of a partition that has rows, of those not left out; undefined where there is none. */
export async function filledPartition(
  { storage, output }: Place,
  leftOut: (dt: string) => boolean = () => false,
): Promise<string | undefined> {
  for (const name of (await storage.list(output)).filter((name) => name.startsWith("dt="))) {
    const dt = name.slice("dt=".length);
    if (!leftOut(dt) && partsAmong(await storage.list(join(output, name))).length > 0) return dt;
  }
  return undefined;
}
