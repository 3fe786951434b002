import { asyncParDo } from "../beam/async";
import { withColumns } from "../beam/coders";
import { type CoGrouped, coGroupByKey, type KV } from "../beam/cogroup";
import { Named, Values } from "../beam/elements";
import { outputs } from "../beam/outputs";
import { create, flatten, groupByKey, P, type PCollection, parDo, type Root, requireForSerialization, withName } from "../beam/sdk";
import { buildHistories } from "../transforms/histories";
import { withJoined } from "../transforms/joinedcoder";
import { sumLedgers, toOneKey } from "../transforms/ledger";
import { measure } from "../transforms/measure";
import type { Rules } from "../transforms/rules";
import { customersShown } from "../transforms/shown";
import { type Shown, Together } from "../transforms/shownindex";
import type { Split } from "./io/rows";
import type { MemoryPlan } from "./memory";
import { type Outcome, Publish, type PublishOptions, type Report } from "./publish";
import { type ScanOutputs, ScanSplits, type ScanTask } from "./scan";
import { ByFile, WriteShard } from "./write";
import type { FileOptions } from "./writeday";

/** A run, planned: what to read, what to compute, where to write. */
export interface Plan {
  /** threads for kernels, and what they may hold; no part of the graph */
  memory: MemoryPlan;
  /** of the impressions */
  rankings: Split[];
  /** of all tables of actions */
  actions: Split[];
  rules: Rules;
  files: FileOptions;
  publish: PublishOptions;
  /** folder for the rejects of single splits, null if nobody wants them */
  rejectsFolder: string | null;
}

/**
 * The whole graph:
 *
 *     rankings: splits -> scan -+---------------------------------------------------------> CoGroupByKey -> join -+-> by file -> write
 *                               +-> customers shown                                            |                  +-> measure
 *                                          |                                                   |
 *     actions:  splits ------> CoGroupByKey -> scan -> withinWindow -> keepRecent (CombinePerKey)
 *
 *     publish <- files written, ledgers of scan and join, measures, extents of splits
 */
export function backstory(plan: Plan) {
  return withName("backstory", (root: Root): PCollection<Outcome> => {
    const rankings = root.apply(rankingTasks(plan.rankings)).apply(withName("scanRankings", scan(plan)));
    const shown = rankings.rankings.apply(withName("customersShown", customersShown(plan.rules.buckets)));
    const actions = P({ shown, splits: root.apply(actionSplits(plan.actions)) })
      .apply(withShown(Math.min(SPLIT_GROUPS, plan.actions.length)))
      .apply(withName("scanActions", scan(plan)));

    const { joined, ledger } = P({ actions: actions.actions, rankings: rankings.rankings }).apply(buildHistories(plan.rules));
    const files = joined
      .apply(withName("byFile", parDo(new ByFile(plan.files.shards))))
      .apply(withJoined)
      .apply(withName("eachFile", groupByKey()))
      .apply(withName("write", asyncParDo(new WriteShard(plan.files))));
    const metrics = joined.apply(measure(plan.rules.historyLength, plan.publish.maxPositions));
    const ledgers = P([rankings.ledger, actions.ledger, ledger]).apply(flatten()).apply(withName("sumLedgers", sumLedgers));

    return P([
      root.apply(withName("start", create<Report>([{ start: true }]))),
      files.apply(withName("tellFiles", parDo(new Named<Report>("file")))),
      ledgers.apply(withName("tellLedger", parDo(new Named<Report>("ledger")))),
      metrics.apply(withName("tellMetrics", parDo(new Named<Report>("metrics")))),
      rankings.extents.apply(withName("tellExtents", parDo(new Named<Report>("extents")))),
      actions.extents.apply(withName("tellMoreExtents", parDo(new Named<Report>("extents")))),
    ])
      .apply(withName("everything", flatten()))
      .apply(toOneKey<Report>())
      .apply(withName("gather", groupByKey()))
      .apply(withName("publish", asyncParDo(new Publish(plan.publish))));
  });
}

function scan({ rules, rejectsFolder }: Plan) {
  return (tasks: PCollection<ScanTask>) =>
    tasks
      .apply(withName("scanSplits", asyncParDo(new ScanSplits(rules, rejectsFolder))))
      .apply(outputs<ScanOutputs>(["actions", "rankings", "ledger", "extents"]));
}

/** The grouping breaks fusion, so that a runner can give the splits of one list to many workers. */
function rankingTasks(splits: Split[]) {
  const tasks = splits.map((split, key): KV<ScanTask> => ({ key, value: { split, shown: null } }));
  return withName("rankingTasks", (root: Root) =>
    root
      .apply(create(tasks, false))
      .apply(withColumns<number, ScanTask>())
      .apply(groupByKey())
      .apply(withName("taskOf", parDo(new Values<ScanTask>()))),
  );
}

/** Splits of actions in so many groups; each group gets the customers shown once. */
const SPLIT_GROUPS = 64;

function actionSplits(splits: Split[]) {
  const grouped = splits.map((split, i): KV<Split> => ({ key: i % SPLIT_GROUPS, value: split }));
  return withName("actionSplits", (root: Root) => root.apply(create(grouped, false)));
}

/** Gives each split of actions the customers shown. No side input, since not every runner can carry one of this size. */
function withShown(groups: number) {
  return withName("withShown", ({ shown, splits }: { shown: PCollection<KV<Shown>>; splits: PCollection<KV<Split>> }) =>
    P({ left: splits, right: shown.apply(withName("toEachGroup", parDo(new ToEachGroup(groups)))) })
      .apply(coGroupByKey<Split, Shown>())
      .apply(withName("pairUp", parDo(new PairUp()))),
  );
}

export class ToEachGroup {
  constructor(readonly groups: number) {}

  *process({ value }: KV<Shown>) {
    for (let key = 0; key < this.groups; key++) yield { key, value };
  }
}

export class PairUp {
  private together?: Together;

  *process({ value: { left, right } }: KV<CoGrouped<Split, Shown>>): Generator<ScanTask> {
    this.together ??= new Together();
    // Without any ranking nobody was shown anything.
    const shown = this.together.of(right);
    for (const split of left) yield { split, shown };
  }
}

requireForSerialization("backstory/pipeline/backstory", exports);
