import type { AsyncDoFn } from "../beam/async";
import type { CoGrouped, KV } from "../beam/cogroup";
import type { OneOf } from "../beam/outputs";
import { requireForSerialization } from "../beam/sdk";
import type { MaybeSpilled } from "../beam/spill";
import { type Kernel, threads } from "../beam/threads";
import type { JoinInput, JoinOutput, KeptJoin, RecentChunk } from "./joinbucket";
import type { RankingBatch } from "./rankings";
import type { Rules } from "./rules";
import type { Ledger } from "./tablecounts";

export { compareSlots, type HistoryActions, type Joined, type JoinResult, joinHistories } from "./joined";

export interface JoinOutputs {
  joined: KV<KeptJoin>;
  ledger: Ledger;
}

export const JOIN_BUCKET: Kernel<JoinInput, JoinOutput> = {
  module: "backstory/transforms/joinbucket",
  name: "joinBucket",
  load: async () => (await import("./joinbucket.js")).joinBucket,
  stage: "join",
};

/** Gives each ranking of a bucket its history; emits the join under its shard, and where the bucket's rows ended. */
export class JoinHistories implements AsyncDoFn<KV<CoGrouped<RecentChunk, MaybeSpilled<RankingBatch>>>, OneOf<JoinOutputs>> {
  constructor(readonly rules: Rules) {}

  async process(
    { key, value: { left, right } }: KV<CoGrouped<RecentChunk, MaybeSpilled<RankingBatch>>>,
    emit: (output: OneOf<JoinOutputs>) => Promise<void>,
  ): Promise<void> {
    const { rules } = this;
    await threads().run(JOIN_BUCKET, { left, right, rules }, async ({ joined, ledger }) => {
      await emit({ ledger });
      if (joined !== null) await emit({ joined: { key: key % rules.shards, value: joined } });
    });
  }
}

requireForSerialization("backstory/transforms/join", exports);
