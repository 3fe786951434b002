/** Comes to terms with what interrupted runs have left in an output: finishes what had begun to be published, removes what was only tried. */
import { statSync } from "node:fs";
import { z } from "zod";
import { ConfigError } from "./errors";
import { isRemote, remoteObjects } from "./io/remote";
import { MANIFESTS, RUN_ID } from "./manifest";
import { isDead, nameOf, thisProcess } from "./owner";
import { ATTEMPTS, attemptsOf, manifestFile, type Place, placeOf } from "./partitions";
import { join } from "./paths";
import { abandon, finish, giveBack, isOfTheDead, ownerOf, PUBLISHING, runOf, turnsTaken } from "./turn";

const OURS = [ATTEMPTS, PUBLISHING, MANIFESTS];

export const CleanOptions = z.strictObject({
  run: z
    .string()
    .regex(RUN_ID, "must be the name of a run")
    .optional()
    .describe(
      "A run that is known to be dead though this machine cannot tell, or that cannot be finished: what it has tried is removed too.",
    )
    .meta({ value: "RUN" }),
});

export interface Cleaned {
  /** runs whose publishing was finished */
  finished: string[];
  /** runs whose attempts were removed */
  removed: string[];
  /** runs that may be at work */
  left: { run: string; why: string }[];
}

/** Removes nothing but turns and attempts of runs that have ended. Safe at any time, also while runs are at work, and twice at once. */
export async function clean(place: Place, run?: string): Promise<Cleaned> {
  const { storage, output } = place;
  const cleaned: Cleaned = { finished: [], removed: [], left: [] };
  const names = await storage.list(output);
  if (!OURS.some((name) => names.includes(name))) return cleaned;
  await refuseLinks(place);
  cleaned.finished = await finishTurns(place, run);
  for (const name of (await storage.list(join(output, ATTEMPTS))).filter((name) => RUN_ID.test(name))) {
    const why = name === run ? undefined : await reasonToLeave(place, name);
    // Asked last: of a run that has ended nobody but a finisher takes a turn.
    const taken = (await turnsTaken(place)).some((turn) => runOf(turn) === name);
    if (why === undefined && !taken) {
      await removeStaged(place, name);
      await storage.remove(attemptsOf(output, name));
      cleaned.removed.push(name);
    } else cleaned.left.push({ run: name, why: why ?? "it is publishing" });
  }
  await storage.removeEmpty(join(output, ATTEMPTS));
  await storage.removeEmpty(join(output, PUBLISHING));
  return cleaned;
}

/** The command. @returns what it has done, for people */
export async function cleanAndTell(output: string, run?: string): Promise<string[]> {
  if (!isRemote(output) && !statSync(output, { throwIfNoEntry: false })?.isDirectory())
    throw new ConfigError(`there is no output folder at "${output}". Check the path.`);
  const { finished, removed, left } = await clean(placeOf(output), run);
  const lines = [
    ...finished.map((each) => `${each}: publishing finished`),
    ...removed.map((each) => `${each}: attempts removed`),
    ...left.map(({ run, why }) => `${run}: left, since ${why}`),
  ];
  return lines.length === 0 ? ["nothing to clean"] : lines;
}

/** Says whose the attempts of a run are, so that a later run can tell whether it is dead. */
export async function ownAttempts({ storage, output }: Place, run: string, inThisProcess: boolean): Promise<void> {
  const owner = thisProcess();
  await storage.replace(
    join(attemptsOf(output, run), "owner.json"),
    // of a run whose work is done elsewhere, the end of this process says nothing
    JSON.stringify(inThisProcess ? owner : { ...owner, machine: "" }),
  );
}

/** Whether another process has taken up the attempts of a run: one that tries it again, under the same name. */
export async function isTakenOver(place: Place, run: string): Promise<boolean> {
  const owner = await ownerOf(place, attemptsOf(place.output, run));
  const { host, pid, began } = thisProcess();
  return owner !== undefined && (owner.host !== host || owner.pid !== pid || owner.began !== began);
}

/** What is ours may be no link to elsewhere: what is removed and written there would be somebody else's. */
async function refuseLinks({ storage, output }: Place): Promise<void> {
  for (const name of OURS) {
    if (await storage.leadsOut(join(output, name), output))
      throw new ConfigError(
        `"${join(output, name)}" is a link that leads out of the output. Put a folder there, or name where it leads as --output.`,
      );
  }
}

async function finishTurns(place: Place, run: string | undefined): Promise<string[]> {
  const finished: string[] = [];
  for (const turn of await turnsTaken(place)) {
    const name = runOf(turn);
    if (name === run || (await isOfTheDead(place, turn))) await abandon(place, turn);
    if (!(await finishOr(place, turn, name === run))) continue;
    if ((await place.storage.read(manifestFile(place.output, name))) !== undefined) finished.push(name);
  }
  return finished;
}

/** Gives up what cannot be finished if that is asked for: partitions that are not whole stay without _SUCCESS. */
async function finishOr(place: Place, turn: string, giveUp: boolean): Promise<boolean> {
  try {
    return await finish(place, turn);
  } catch (error) {
    if (!giveUp) throw error;
    await giveBack(place, turn);
    return true;
  }
}

/** What a run on Dataflow has staged elsewhere, where nobody waited for its end. */
async function removeStaged(place: Place, run: string): Promise<void> {
  if (!isRemote(place.output)) return;
  const { recordOf } = await import("./runners/dataflow/record.js");
  const record = await recordOf(place, run);
  for (const folder of record?.temporary ?? []) await remoteObjects().removeAll(folder);
}

/** Whether the job of a run has ended, or why its attempts must stay; undefined for a run that was not on Dataflow. */
async function jobOf(place: Place, run: string): Promise<"ended" | string | undefined> {
  if (!isRemote(place.output)) return undefined;
  const { recordOf, stateOf } = await import("./runners/dataflow/record.js");
  const record = await recordOf(place, run);
  return record === undefined ? undefined : stateOf(record, run);
}

async function reasonToLeave(place: Place, run: string): Promise<string | undefined> {
  if ((await place.storage.read(manifestFile(place.output, run))) !== undefined) return undefined;
  const owner = await ownerOf(place, attemptsOf(place.output, run));
  if (owner !== undefined && isDead(owner)) return undefined;
  const job = await jobOf(place, run);
  if (job === "ended") return undefined;
  if (job !== undefined) return job;
  const whose = owner === undefined ? "of a process that is not known" : `of ${nameOf(owner)}`;
  return `it is ${whose}, which may be at work; if it is not: --run=${run}`;
}
