import { bytesOf, fits, load, type MaybeSpilled, type Spilled, spill } from "../beam/spill";
import { type Emit, shared } from "../beam/threads";
import type { ActionBatch } from "./actions";
import { applyWindow, Window, type WindowedActions } from "./bounds";
import { type Joined, joinHistories } from "./joined";
import type { RankingBatch } from "./rankings";
import type { Rules } from "./rules";
import type { Ledger } from "./tablecounts";
import { mergeTimelines, type Timelines } from "./timelines";

/** Actions of a bucket. What lies on disk may be as it was scanned: the window is applied when it is read. */
export type RecentPart = WindowedActions | Timelines | Spilled;

/** The recent actions of a bucket: to be merged, each part already cut to what can be needed or still small. */
export type Recent = RecentPart[];

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
  /** one, or none for a bucket without actions: what CombinePerKey gave */
  left: Recent[];
  right: MaybeSpilled<RankingBatch>[];
  rules: Rules;
}

export interface JoinOutput {
  /** null for a bucket without a row */
  joined: MaybeSpilled<Joined> | null;
  ledger: Ledger;
}

/** Kernel: merges the actions of a bucket into timelines and gives each of its rankings its history. */
export async function joinBucket({ left, right, rules }: JoinInput, emit: Emit<JoinOutput>): Promise<void> {
  const window = new Window(rules);
  // One at most; times are output where they are asked for.
  const brief = left.length === 1 && !rules.keepTimes;
  const timelines = left.map((parts) => mergeRecent(parts, window, brief));
  const { joined, ledger } = joinHistories({ left: timelines, right: right.map((batch) => load(batch)) }, window);
  await emit({ joined: joined.days.length === 0 ? null : kept(joined), ledger });
}

/** In shared memory if there is room. Else spilled, the actions by themselves, since a writer reads them history by history. */
function kept(joined: Joined): MaybeSpilled<Joined> {
  if (fits("joined", bytesOf(joined))) return shared(joined);
  const [actions] = spill([joined.actions]);
  return spill([{ ...joined, actions }])[0];
}
