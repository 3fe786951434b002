import type { AsyncDoFn } from "../beam/async";
import type { KV } from "../beam/cogroup";
import type { OneOf } from "../beam/outputs";
import { requireForSerialization } from "../beam/sdk";
import type { MaybeSpilled } from "../beam/spill";
import { stages } from "../beam/stages";
import { type Kernel, shared, threads } from "../beam/threads";
import type { RankingBatch } from "../transforms/rankings";
import type { Rules } from "../transforms/rules";
import type { Shown } from "../transforms/shownindex";
import type { Ledger } from "../transforms/tablecounts";
import { batchesOf, type ScannedBatch } from "./gather";
import { IMPRESSIONS, type Split } from "./io/rows";
import { progress } from "./progress";
import type { ScanInput, ScanOutput, SplitExtent } from "./scansplit";

const SCAN = {
  module: "backstory/pipeline/scansplit",
  name: "scanSplit",
  load: async () => (await import("./scansplit.js")).scanSplit,
};
const SCAN_RANKINGS: Kernel<ScanInput, ScanOutput> = { ...SCAN, stage: "scanRankings" };
const SCAN_ACTIONS: Kernel<ScanInput, ScanOutput> = { ...SCAN, stage: "scanActions" };

/** The outputs of a scan. */
export interface ScanOutputs {
  actions: ScannedBatch;
  rankings: KV<MaybeSpilled<RankingBatch>>;
  ledger: Ledger;
  extents: SplitExtent;
}

/** What a scan is told: the split, and the customers shown, for a split of actions. */
export interface ScanTask {
  split: Split;
  shown: Shown | null;
}

/** Reads a split: rows to batches by bucket of customers, the rest to ledger and rejects. */
export class ScanSplits implements AsyncDoFn<ScanTask, OneOf<ScanOutputs>> {
  /** @param rejectsFolder where rejects are written, null for nowhere */
  constructor(
    readonly rules: Rules,
    readonly rejectsFolder: string | null,
  ) {}

  async process({ split, shown }: ScanTask, emit: (output: OneOf<ScanOutputs>) => Promise<void>): Promise<void> {
    const { rules, rejectsFolder } = this;
    const kernel = split.table === IMPRESSIONS ? SCAN_RANKINGS : SCAN_ACTIONS;
    await threads().run(kernel, { split, rules, shown: shareOnce(shown), rejectsFolder }, (output) => handOn(output, split, emit));
    progress.read(bytesOf(split));
  }
}

/** Bytes on disk of a split, for the progress line. A Parquet file counts with its first row group, a compressed one as a whole. */
function bytesOf({ file, start, end }: Split): number {
  if (file.format === "parquet") return start === 0 ? file.size : 0;
  return Math.min(end, file.size) - start;
}

async function handOn(output: ScanOutput, split: Split, emit: (output: OneOf<ScanOutputs>) => Promise<void>): Promise<void> {
  if ("rows" in output) progress.scanned(split.table, output.rows);
  else if ("actions" in output) await combine(batchesOf(output.actions), emit);
  else if ("rankings" in output) for (const rankings of output.rankings) await emit({ rankings });
  else await emit(output);
}

/** To emit takes as long as the steps up to CombinePerKey need for the batches, in this thread. */
function combine(batches: Iterable<ScanOutputs["actions"]>, emit: (output: OneOf<ScanOutputs>) => Promise<void>): Promise<void> {
  return stages.during("combine", async () => {
    for (const actions of batches) await emit({ actions });
  });
}

/** In shared memory, and with a number by which a thread knows that it has seen it: all splits of a run have the same. */
function shareOnce(shown: Shown | null): ScanInput["shown"] {
  if (shown === null) return null;
  let known = sharedShown.get(shown);
  if (known === undefined) sharedShown.set(shown, (known = { id: nextId++, customers: shared(shown) }));
  return known;
}

const sharedShown = new WeakMap<Shown, { id: number; customers: Shown }>();
let nextId = 1;

requireForSerialization("backstory/pipeline/scan", exports);
