import { bytesOf, fits, load, type MaybeSpilled, type Spilled, spill } from "../beam/spill";
import { type Emit, shared } from "../beam/threads";
import type { ActionBatch } from "./actions";
import { applyWindow, Window, type WindowedActions } from "./bounds";
import { type Joined, joinHistories } from "./joined";
import { cutJoined, withOwnRankings } from "./joinedparts";
import type { RankingBatch } from "./rankings";
import type { Rules } from "./rules";
import type { Ledger } from "./tablecounts";
import { mergeTimelines, type Timelines } from "./timelines";

/** Actions of a bucket. What lies on disk may be as it was scanned: the window is applied when it is read. */
export type RecentPart = WindowedActions | Timelines | Spilled;

/** The recent actions of a bucket: to be merged, each part already cut to what can be needed or still small. */
export type Recent = RecentPart[];

/** One of the `of` elements that the recent actions of a bucket travel in. */
export interface RecentChunk {
  parts: Recent;
  index: number;
  of: number;
}

/** The timelines of all parts; `brief` as mergeTimelines has it. */
export const mergeRecent = (parts: Recent, window: Window, brief = false): Timelines =>
  mergeTimelines(
    parts.map((part) => opened(part, window)),
    window,
    brief,
  );

/** A part in memory, within the window. */
function opened(part: RecentPart, window: Window): WindowedActions | Timelines {
  const columns = load<ActionBatch | WindowedActions | Timelines>(part);
  return "firsts" in columns ? columns : applyWindow(columns, window);
}

export interface JoinInput {
  /** what CombinePerKey gave; none for a bucket without actions */
  left: RecentChunk[];
  right: MaybeSpilled<RankingBatch>[];
  rules: Rules;
}

/** The join of a bucket: in memory as a whole, else as parts of one day each, which lie on disk. */
export type KeptJoin = Joined | SpilledPart[];

export interface SpilledPart {
  /** epoch day */
  day: number;
  part: Spilled;
}

export interface JoinOutput {
  /** null for a bucket without a row */
  joined: KeptJoin | null;
  ledger: Ledger;
}

/** The parts of a join, one after the other, in memory. */
export function* partsOf(joined: KeptJoin): Generator<Joined> {
  if (Array.isArray(joined)) for (const { part } of joined) yield load<Joined>(part);
  else yield joined;
}

/** Kernel: merges the actions of a bucket into timelines and gives each of its rankings its history. */
export async function joinBucket({ left, right, rules }: JoinInput, emit: Emit<JoinOutput>): Promise<void> {
  const window = new Window(rules);
  // Its times and first days are of no use once the histories are found, unless times are output.
  const timelines = left.length === 0 ? [] : [mergeRecent(allOf(left), window, !rules.keepTimes)];
  const { joined, ledger } = joinHistories({ left: timelines, right: right.map((batch) => load(batch)) }, window);
  await emit({ joined: joined.days.length === 0 ? null : kept(joined), ledger });
}

/** CombinePerKey gives one value a key; chunks of several, or not all of one, would mean that actions were lost or doubled. */
function allOf(chunks: readonly RecentChunk[]): Recent {
  const parts: Recent[] = [];
  for (const chunk of chunks) parts[chunk.index] = chunk.parts;
  if (chunks.some(({ of }) => of !== chunks.length) || Object.keys(parts).length !== chunks.length)
    throw new Error(
      `CombinePerKey gave a bucket the chunks ${chunks.map(({ index, of }) => `${index + 1} of ${of}`).join(", ")}: actions were lost or doubled.`,
    );
  return parts.flat();
}

/** In shared memory if there is room. Else spilled, the actions by themselves, since a writer reads them history by history. */
function kept(joined: Joined): KeptJoin {
  if (fits("joined", bytesOf(joined))) return shared(joined);
  const [actions] = spill([joined.actions]);
  const parts = [...cutJoined({ ...joined, actions }, Number.POSITIVE_INFINITY)];
  return spill(parts.map(withOwnRankings)).map((part, i) => ({ day: parts[i].days[0], part }));
}
