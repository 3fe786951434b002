/**
 * Runs publish one at a time. The turn is the folder `OUTPUT/_publishing/RUN~NUMBER`: to take it is one rename, which fails while
 * somebody has it, and to give it back is another.
 *
 * Nobody has to wait for the dead. In a turn one thing is decided, first come first served: `commit/`, a plan or that there is none. Where
 * there is a plan, whoever waits does it (`commit.ts`). Where there is none yet, the process that has the turn may be dead, or slow: who
 * comes later decides that there is none. That takes nothing from the living: nothing was published, and the next turn is as good.
 */
import { randomUUID } from "node:crypto";
import { basename } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { abandonedTree, CommitPlan, Completion, commitTree } from "./commit";
import { PublishError } from "./errors";
import { type Manifest, parseManifest } from "./manifest";
import { isDead, Owner, thisProcess } from "./owner";
import { ATTEMPTS, attemptsOf, manifestFile, type Place } from "./partitions";
import { join } from "./paths";
import type { Tree } from "./storage";

export const PUBLISHING = "_publishing";
/** Of all that is waited for, until somebody is told. */
const LIMIT_MS = 300_000;
const TRIES = 10;

export interface Decision {
  plan: CommitPlan;
  manifest: Manifest;
}

/**
 * Publishes what is decided in the run's turn, or what another attempt of the run has decided. Done twice it is done once.
 * @throws what `decide` throws, if nothing was published
 */
export async function publishOnce(place: Place, run: string, decide: () => Promise<Decision>): Promise<Manifest> {
  for (let tries = 0; tries < TRIES; tries++) {
    const turn = await takeTurn(place, run);
    // From here on nobody else publishes. Another attempt may have done it before, or be at it.
    const failure = (await manifestOf(place, run)) === undefined ? await commit(place, turn, decide) : await abandon(place, turn);
    await finish(place, turn);
    const manifest = await published(place, run);
    if (manifest !== undefined) return manifest;
    if (failure !== undefined) throw failure.error;
  }
  throw new PublishError(`others have taken the turn to publish ${TRIES} times from this run; nothing was published. Run again.`, 1);
}

/** What a run has published, to the end; undefined if nothing. */
export async function published(place: Place, run: string): Promise<Manifest | undefined> {
  const manifest = await manifestOf(place, run);
  if (manifest !== undefined) for (const turn of await turnsTaken(place)) if (runOf(turn) === run) await finish(place, turn);
  return manifest;
}

/** A manifest comes with the first step of publishing. */
async function manifestOf({ storage, output }: Place, run: string): Promise<Manifest | undefined> {
  const path = manifestFile(output, run);
  const text = await storage.read(path);
  return text === undefined ? undefined : parseManifest(text, path);
}

/** The turns that are taken: one, or none. */
export async function turnsTaken({ storage, output }: Place): Promise<string[]> {
  return (await storage.list(join(output, PUBLISHING))).map((name) => join(output, PUBLISHING, name));
}

/** Whether a run has begun to publish and has not come to its end. */
export async function isBegun(place: Place, run: string): Promise<boolean> {
  const turns = await turnsTaken(place).catch(() => []);
  return turns.some((turn) => runOf(turn) === run);
}

/** Ends the turn of a run: what was decided in it is done; where nothing was, nothing is. */
export async function settle(place: Place, run: string): Promise<void> {
  for (const turn of await turnsTaken(place)) {
    if (runOf(turn) !== run) continue;
    await abandon(place, turn);
    await finish(place, turn);
  }
}

export const runOf = (turn: string): string => basename(turn).split("~")[0];

async function commit(place: Place, turn: string, decide: () => Promise<Decision>): Promise<{ error: unknown } | undefined> {
  try {
    const { plan, manifest } = await decide();
    await claimCommit(place, turn, commitTree(plan, manifest));
    return undefined;
  } catch (error) {
    await abandon(place, turn);
    return { error };
  }
}

/** Decides that nothing is published in a turn, unless something else was decided. */
export async function abandon(place: Place, turn: string): Promise<undefined> {
  await claimCommit(place, turn, abandonedTree());
}

async function claimCommit({ storage, output }: Place, turn: string, tree: Tree): Promise<void> {
  await storage.claim(join(turn, "commit"), tree, asideOf(output, runOf(turn)));
}

/** Does what was decided in a turn, and gives it back. @returns false if nothing is decided yet */
export async function finish(place: Place, turn: string): Promise<boolean> {
  const { storage } = place;
  const text = await storage.read(join(turn, "commit", "plan.json"));
  if (text === undefined) return (await storage.list(turn)).length === 0;
  const plan = planOf(text, place, turn);
  if (plan !== null) await new Completion(place, join(turn, "commit"), plan).run();
  await giveBack(place, turn);
  return true;
}

function planOf(text: string, { output }: Place, turn: string): CommitPlan | null {
  try {
    return CommitPlan.nullable().parse(JSON.parse(text), { jitless: true });
  } catch {
    const run = runOf(turn);
    throw new PublishError(
      `"${join(turn, "commit", "plan.json")}" is not what run ${run} has decided: somebody has changed it. Give up what is left of that run by backstory clean ${output} --run=${run}, then build its days again.`,
      1,
    );
  }
}

/** From here on whoever still works in the turn finds nothing to do, and the next may publish. */
export async function giveBack({ storage, output }: Place, turn: string): Promise<void> {
  const attempts = attemptsOf(output, runOf(turn));
  await storage.makeFolder(attempts);
  const over = join(attempts, basename(turn));
  await storage.move(turn, over);
  await storage.removeEmpty(join(output, PUBLISHING));
  await storage.remove(over);
}

/** @returns the turn of this run, be it taken now or by another attempt */
async function takeTurn(place: Place, run: string): Promise<string> {
  const { storage, output } = place;
  const name = `${run}~${randomUUID().slice(0, 8)}`;
  const until = performance.now() + LIMIT_MS;
  let seen = { turn: "", since: 0 };
  while (performance.now() < until) {
    const tree = { [name]: { "owner.json": JSON.stringify(thisProcess()) } };
    await storage.makeFolder(output);
    if ((await storage.claim(join(output, PUBLISHING), tree, asideOf(output, run))) === "made") return join(output, PUBLISHING, name);
    const [turn] = await turnsTaken(place);
    if (turn === undefined) continue;
    if (runOf(turn) === run) return turn;
    if (seen.turn !== turn) seen = { turn, since: performance.now() };
    if (await finish(place, turn)) continue;
    if (performance.now() - seen.since > place.patienceMs || (await isOfTheDead(place, turn))) await abandon(place, turn);
    else await wait(5 + 20 * Math.random());
  }
  throw new PublishError(`other runs have been publishing to ${output} for ${LIMIT_MS / 1000} s; nothing was published. Run again.`, 1);
}

/** Whose a turn or a run's folder of attempts is; undefined if that is not known. */
export async function ownerOf({ storage }: Place, folder: string): Promise<Owner | undefined> {
  const text = await storage.read(join(folder, "owner.json"));
  try {
    return Owner.parse(JSON.parse(text ?? ""));
  } catch {
    return undefined;
  }
}

export async function isOfTheDead(place: Place, folder: string): Promise<boolean> {
  const owner = await ownerOf(place, folder);
  return owner !== undefined && isDead(owner);
}

const asideOf = (output: string, run: string): string => join(output, ATTEMPTS, run, `.${randomUUID()}`);
