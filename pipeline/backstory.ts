import { asyncParDo } from "../beam/async";
import { withColumns } from "../beam/coders";
import type { KV } from "../beam/cogroup";
import { Named, Value, Values } from "../beam/elements";
import { outputs } from "../beam/outputs";
import { create, flatten, groupByKey, P, type PCollection, parDo, type Root, withName } from "../beam/sdk";
import { buildHistories } from "../transforms/histories";
import type { Joined } from "../transforms/join";
import { sumLedgers, toOneKey } from "../transforms/ledger";
import { measure } from "../transforms/measure";
import type { Rules } from "../transforms/rules";
import type { Split } from "./io/rows";
import { type Outcome, Publish, type PublishOptions, type Report } from "./publish";
import { type ScanOutputs, ScanSplits } from "./scan";
import { type FileOptions, WriteShard, type WrittenFile } from "./write";

/** A run, planned: what to read, what to compute, where to write. */
export interface Plan {
  splits: Split[];
  rules: Rules;
  files: FileOptions;
  publish: PublishOptions;
  /** folder for the rejects of single splits, null if nobody wants them */
  rejectsFolder: string | null;
}

/**
 * The whole graph:
 *
 *     splits -> scan -+-> actions  -> withinWindow -> keepRecent (CombinePerKey) -+
 *                     +-> rankings ------------------------------------------------+-> CoGroupByKey -> join
 *                     +-> ledger, extents                                                               |
 *                                   ledger, metrics <----------------------------------------------------+
 *     publish <- everything told <- files <- write <- by shard (GroupByKey) <----------------------------+
 */
export function backstory(plan: Plan) {
  return withName("backstory", (root: Root): PCollection<Outcome> => {
    const scanned = root
      .apply(
        withName(
          "splits",
          create(
            plan.splits.map((value, key) => ({ key, value })),
            false,
          ),
        ),
      )
      .apply(spread)
      .apply(withName("scan", asyncParDo(new ScanSplits(plan.rules, plan.rejectsFolder), 2)))
      .apply(outputs<ScanOutputs>(["actions", "rankings", "ledger", "extents"]));

    const { joined, ledger } = P({ actions: scanned.actions, rankings: scanned.rankings }).apply(buildHistories(plan.rules));
    const shards = joined.apply(withColumns<number, Joined>());

    const files = shards
      .apply(withName("byShard", groupByKey()))
      .apply(withName("write", asyncParDo(new WriteShard(plan.files), 1)))
      .apply(withName("fileValues", parDo(new Value<WrittenFile>())));
    const metrics = shards.apply(measure(plan.rules.historyLength, plan.publish.maxPositions));
    const ledgers = P([scanned.ledger, ledger]).apply(flatten()).apply(withName("sumLedgers", sumLedgers));

    return P([
      root.apply(withName("start", create<Report>([{ start: true }]))),
      files.apply(withName("tellFiles", parDo(new Named<Report>("file")))),
      ledgers.apply(withName("tellLedger", parDo(new Named<Report>("ledger")))),
      metrics.apply(withName("tellMetrics", parDo(new Named<Report>("metrics")))),
      scanned.extents.apply(withName("tellExtents", parDo(new Named<Report>("extents")))),
    ])
      .apply(withName("everything", flatten()))
      .apply(toOneKey<Report>())
      .apply(withName("gather", groupByKey()))
      .apply(withName("publish", asyncParDo(new Publish(plan.publish), 1)));
  });
}

/** Breaks fusion, so that a runner can give the splits of one list to many workers. */
function spread(splits: PCollection<KV<Split>>) {
  return splits
    .apply(withColumns<number, Split>())
    .apply(groupByKey())
    .apply(withName("splitOf", parDo(new Values<Split>())));
}
