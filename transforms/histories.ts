import { asyncParDo } from "../beam/async";
import { withColumns } from "../beam/coders";
import { coGroupByKey, type KV } from "../beam/cogroup";
import { type OutputsOf, outputs } from "../beam/outputs";
import { P, type PCollection, withName } from "../beam/sdk";
import type { MaybeSpilled } from "../beam/spill";
import type { ActionBatch } from "./actions";
import { JoinHistories, type JoinOutputs } from "./join";
import type { RecentChunk } from "./joinbucket";
import type { RankingBatch } from "./rankings";
import { keepRecent } from "./recent";
import type { Rules } from "./rules";
import type { Timelines } from "./timelines";
import { withinWindow } from "./window";

/** Normalised rows, in batches by bucket of customers. */
export interface Normalised {
  actions: PCollection<KV<MaybeSpilled<ActionBatch | Timelines>>>;
  rankings: PCollection<KV<MaybeSpilled<RankingBatch>>>;
}

/**
 * The whole computation, without storage: the rule for batches of normalised rows.
 *   in   actions  (bucket, ActionBatch)    rankings  (bucket, RankingBatch)
 *   out  joined   (shard, Joined)          ledger    where the rows of each bucket ended
 * @param rules the same for all transforms of a run
 */
export function buildHistories(rules: Rules) {
  return withName("buildHistories", ({ actions, rankings }: Normalised): OutputsOf<JoinOutputs> => {
    const left = actions
      .apply(withColumns<number, MaybeSpilled<ActionBatch | Timelines>>())
      .apply(withinWindow(rules))
      .apply(keepRecent(rules));
    const right = rankings;
    return P({ left, right })
      .apply(coGroupByKey<RecentChunk, MaybeSpilled<RankingBatch>>())
      .apply(withName("joinHistories", asyncParDo(new JoinHistories(rules))))
      .apply(outputs<JoinOutputs>(["joined", "ledger"]));
  });
}
