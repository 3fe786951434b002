import { type Emit, type Kernel, shared } from "../beam/threads";
import { Window, type WindowedActions } from "./bounds";
import { type JoinResult, joinHistories } from "./joined";
import type { RankingBatch } from "./rankings";
import type { Rules } from "./rules";
import { mergeTimelines, type Timelines } from "./timelines";

/** The recent actions of a bucket: to be merged, each part already cut to what can be needed or still small. */
export type Recent = (WindowedActions | Timelines)[];

export interface JoinInput {
  /** one, or none for a bucket without actions: what CombinePerKey gave */
  left: Recent[];
  right: RankingBatch[];
  rules: Rules;
}

/** Kernel: merges the actions of a bucket into timelines and gives each of its rankings its history. */
export async function joinBucket({ left, right, rules }: JoinInput, emit: Emit<JoinResult>): Promise<void> {
  const window = new Window(rules);
  const timelines = left.map((parts) => mergeTimelines(parts, window));
  const { joined, ledger } = joinHistories({ left: timelines, right }, window);
  await emit({ joined: shared(joined), ledger });
}

export const JOIN_BUCKET: Kernel<JoinInput, JoinResult> = { module: "backstory/transforms/joinbucket", run: joinBucket, stage: "join" };
