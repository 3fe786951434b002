/** What publishing a run is to do, and whether it may: asked in the run's turn, when nobody else can change the output. */
import { basename } from "node:path";
import type { Metrics } from "../transforms/metrics";
import { compareWithOthers } from "./alike";
import { certify, leaksOf, type WindowRules } from "./certify";
import type { CommitPlan } from "./commit";
import { ConfigError, PublishError } from "./errors";
import type { Gathered } from "./gathered";
import { inParallel } from "./io/parallel";
import { layoutText, type OutputLayout } from "./layout";
import { instantOf, MANIFESTS, type Manifest, type Marker, type Partition, parseManifest, parseMarker, RUN_ID } from "./manifest";
import { beganOf, type Origin } from "./origin";
import { ATTEMPTS, exists, isOurs, type Place, partitionOf, partName, partsAmong, refuseOtherLayout } from "./partitions";
import { join } from "./paths";
import type { Decision } from "./turn";
import { versions } from "./version";
import type { WrittenFile } from "./writeday";

/** Where and how a run is published. */
export interface Target {
  output: string;
  runId: string;
  writeMode: "overwrite" | "append" | "error";
  /** days whose partitions this run is about even if they have no rows, as YYYY-MM-DD: those of --dates */
  dates: string[];
  layout: OutputLayout;
  shards: number;
  /** files of impressions that were left out, since their folder is of a day outside of --dates */
  unread: number;
  origin: Origin;
  window: WindowRules;
}

/** @throws PublishError, ConfigError if it cannot be published */
export async function decide(place: Place, target: Target, { files, ledger, metrics }: Gathered, warnings: string[]): Promise<Decision> {
  const { runId: run, origin, writeMode, unread } = target;
  await refuseOtherLayout(target.layout, place);
  await refuseLost(place, files);
  const written = Map.groupBy(files, ({ dt }) => dt);
  const empty = writeMode === "overwrite" ? target.dates.filter((dt) => !written.has(dt)) : [];
  const dts = [...written.keys(), ...empty];
  const own = new Set(dts);
  await refuseOverlap(place, target, own);
  const differences = await compareWithOthers(place, origin, (dt) => writeMode === "overwrite" && own.has(dt));
  const looks = await inParallel(dts, place.storage.atOnce, (dt) => look(place, dt, target));
  const found = new Map(dts.map((dt, i) => [dt, looks[i]]));
  const partitions = Array.from(written, ([dt, some]) => partitionFor(dt, some, found.get(dt)!, target, metrics));
  const emptied = empty.map((dt) => ({ dt, replaced: found.get(dt)!.parts })).filter(({ replaced }) => replaced.length > 0);
  const plan: CommitPlan = {
    run,
    layout: layoutText(target.layout),
    partitions: [
      ...partitions.map((partition) => plannedFor(partition, written.get(partition.dt)!, target)),
      ...emptied.map((each) => ({ ...each, runs: [], files: [] })),
    ],
  };
  const committed = instantOf(Date.now() * 1000);
  const manifest: Manifest = {
    manifest: 1,
    run,
    began: beganOf(run) ?? committed,
    committed,
    versions: versions(),
    writeMode,
    options: origin.options,
    schema: origin.schema,
    rows: files.reduce((sum, { slots }) => sum + slots, 0),
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    partitions,
    emptied,
    inputs: origin.inputs,
    unread,
    ledger: ledger as Manifest["ledger"],
    quality: { ...metrics.report() },
    warnings: [...warnings, ...differences],
  };
  return { plan, manifest };
}

/** @throws PublishError if a history knows what it must not */
export function refuseLeaks({ files, metrics }: Gathered, window: WindowRules): void {
  const { days } = metrics.state;
  const leaks = [...new Set(files.map(({ dt }) => dt))].flatMap((dt) => leaksOf(dt, certify(dt, window, days[dt])));
  if (leaks.length > 0) throw new PublishError(`histories leak: ${leaks.join("; ")}. This is a bug; nothing was published.`, 1);
}

function partitionFor(dt: string, files: WrittenFile[], found: Found, target: Target, metrics: Metrics): Partition {
  const names = files.map((file) => nameOf(file, target));
  const overwrite = target.writeMode === "overwrite";
  return {
    dt,
    runs: [...(overwrite ? [] : found.runs), target.runId],
    files: files.map(({ rows, bytes, sha256 }, i) => ({ path: `${partitionOf(dt)}/${names[i]}`, rows, bytes, sha256 })),
    replaced: overwrite ? found.parts : [],
    certificate: certify(dt, target.window, metrics.state.days[dt]),
  };
}

/** A new file takes the place of an old one of the same name; the other old ones go. */
function plannedFor({ dt, runs, replaced }: Partition, written: WrittenFile[], target: Target): CommitPlan["partitions"][number] {
  const files = written.map((file) => ({ attempt: basename(file.attempt), name: nameOf(file, target), bytes: file.bytes }));
  const names = new Set(files.map(({ name }) => name));
  return { dt, runs, files, replaced: replaced.filter((name) => !names.has(name)) };
}

const nameOf = ({ kind, shard }: WrittenFile, { shards, writeMode, runId }: Target): string =>
  partName(kind, shard, shards, writeMode, runId);

/** What writers have told of must be there, before anything of an earlier run goes. */
async function refuseLost({ storage }: Place, files: readonly WrittenFile[]): Promise<void> {
  await inParallel(files, storage.atOnce, async ({ attempt, bytes }) => {
    const size = await storage.size(attempt);
    if (size === bytes) return;
    const what = size === undefined ? "is gone" : `has ${size} bytes instead of ${bytes}`;
    throw new PublishError(
      `"${attempt}" ${what}: somebody has changed the output folder during the run; nothing was published. Run again, and leave ${ATTEMPTS} alone.`,
      1,
    );
  });
}

/** Two runs that were at work on one partition at the same time: the first to publish has it. */
async function refuseOverlap(place: Place, { origin, runId, writeMode }: Target, dts: Set<string>): Promise<void> {
  const { storage, output } = place;
  if (writeMode === "append") return;
  const seen = new Set([...origin.seen, runId]);
  for (const run of (await runsIn(place)).filter((run) => !seen.has(run))) {
    const path = join(output, MANIFESTS, `${run}.json`);
    const text = await storage.read(path);
    if (text === undefined) continue;
    const { partitions, emptied } = parseManifest(text, path);
    const both = [...partitions, ...emptied].find(({ dt }) => dts.has(dt));
    if (both !== undefined)
      throw new PublishError(
        `run ${run} has published partition dt=${both.dt} of ${output} while this run was at work on it; nothing of this run was published. Run again if it is to replace that one.`,
        1,
      );
  }
}

/** The runs that have a manifest. */
export async function runsIn({ storage, output }: Place): Promise<string[]> {
  const names = await storage.list(join(output, MANIFESTS));
  return names.filter((name) => name.endsWith(".json") && RUN_ID.test(name.slice(0, -5))).map((name) => name.slice(0, -5));
}

/** A partition before publishing. */
interface Found {
  parts: string[];
  /** whose files they are, as far as that is known */
  runs: Marker["runs"];
}

async function look({ storage, output }: Place, dt: string, { writeMode, runId }: Target): Promise<Found> {
  const folder = join(output, partitionOf(dt));
  if (await storage.leadsOut(folder, output))
    throw new ConfigError(
      `"${folder}" is a link that leads out of the output; nothing was published. Put a folder there, or name where it leads.`,
    );
  const refused = (await storage.refuses(folder)) ?? (await storage.refuses(output));
  if (refused !== undefined)
    throw new PublishError(`"${folder}" cannot be written to (${refused}); nothing was published. Change its permissions.`, 1);
  const parts = partsAmong(await storage.list(folder));
  if (writeMode === "error" && parts.length > 0) throw exists(dt, output);
  const foreign = parts.find((name) => !isOurs(name));
  if (writeMode === "overwrite" && foreign !== undefined)
    throw new ConfigError(
      `"${join(folder, foreign)}" is not from backstory, and readers would take it for rows of the partition; nothing was published. Move it away, or choose another output.`,
    );
  const success = await storage.read(join(folder, "_SUCCESS"));
  if (writeMode === "append" && parts.length > 0 && success === undefined)
    throw new ConfigError(
      `partition dt=${dt} of ${output} has files but no _SUCCESS, so it is not known to be whole; nothing was published. Build it with --write-mode=overwrite first.`,
    );
  const runs = success === undefined || parts.length === 0 ? [] : (parseMarker(success)?.runs ?? []);
  return { parts, runs: runs.filter((run) => run !== runId) };
}
