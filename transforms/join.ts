import type { CoGrouped } from "../beam/cogroup";
import { requireForSerialization } from "../beam/sdk";
import { Window } from "./bounds";
import { joinHistories } from "./joined";
import type { RankingBatch } from "./rankings";
import type { Rules } from "./rules";
import type { Timelines } from "./timelines";

export { compareSlots, type Joined, type JoinResult, joinHistories } from "./joined";

/** As a DoFn. Emits the join under its shard, and its ledger. */
export class JoinHistories {
  private window?: Window;
  constructor(readonly rules: Rules) {}

  startBundle(): void {
    this.window = new Window(this.rules);
  }

  *process({ key, value }: { key: number; value: CoGrouped<Timelines, RankingBatch> }) {
    const { joined, ledger } = joinHistories(value, this.window!);
    yield { ledger };
    yield { joined: { key: key % this.rules.shards, value: joined } };
  }
}

requireForSerialization("backstory/transforms/join", exports);
