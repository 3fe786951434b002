import { ColumnsCoder, withColumns } from "../beam/coders";
import type { KV } from "../beam/cogroup";
import { INPUT_BYTES } from "../beam/limits";
import type { Weighed } from "../beam/precombine";
import {
  combinePerKey,
  GlobalWindow,
  PaneInfoCoder,
  type PCollection,
  parDo,
  requireForSerialization,
  type WindowedValue,
  withName,
} from "../beam/sdk";
import { bytesOf, fits, isSpilled, type MaybeSpilled, spill } from "../beam/spill";
import { Window } from "./bounds";
import { mergeRecent, type Recent, type RecentChunk, type RecentPart } from "./joinbucket";
import { chunksOf, isHot } from "./recentparts";
import type { Rules } from "./rules";
import type { Timelines } from "./timelines";

export { mergeTimelines, type Timelines } from "./timelines";

/** Timelines so far, and batches not merged yet: merging one by one would sort everything again each time. */
export interface Accumulator {
  sorted: MaybeSpilled<Timelines> | null;
  pending: Recent;
  pendingRows: number;
}

/**
 * The newest actions of each customer: prepare batches, update by collecting them, merge and cut now and then.
 *
 * Bounded: of the actions that the same day is the first to see, only the newest `historyLength` can ever be needed,
 * because a newer one of them is seen by every later day that sees an older one. Cutting the lookback off afterwards is
 * exact, since it only removes the oldest. So a customer keeps at most historyLength x (days + 1) actions.
 */
export class RecentActions implements Weighed<Accumulator> {
  private window?: Window;
  /** @param rules of the run; they travel to the workers */
  constructor(readonly rules: Rules) {}

  /** Empty. */
  createAccumulator(): Accumulator {
    return { sorted: null, pending: [], pendingRows: 0 };
  }

  /** Collects a batch; merges once there are as many as it is worth. The accumulator given may be changed. */
  addInput(accumulator: Accumulator, batch: RecentPart): Accumulator {
    accumulator.pending.push(batch);
    accumulator.pendingRows += rowsOf(batch);
    return accumulator.pendingRows > Math.max(MERGE_ROWS, 2 * (accumulator.sorted === null ? 0 : rowsOf(accumulator.sorted)))
      ? this.settle(accumulator)
      : accumulator;
  }

  /** In any order: the newest of all. */
  mergeAccumulators(accumulators: Iterable<Accumulator>): Accumulator {
    let merged = this.createAccumulator();
    for (const { sorted, pending } of accumulators) {
      for (const batch of this.extractOutput({ sorted, pending, pendingRows: 0 })) merged = this.addInput(merged, batch);
    }
    return merged;
  }

  /** Not merged yet: the join does that, which can use all threads. */
  extractOutput({ sorted, pending }: Accumulator): Recent {
    return sorted === null ? pending : [sorted, ...pending];
  }

  /** Typed arrays as they lie in memory, or packed. */
  accumulatorCoder(): ColumnsCoder<Accumulator> {
    return new ColumnsCoder();
  }

  /** Bytes that it holds, about. */
  weigh({ sorted, pendingRows }: Accumulator): number {
    return ROW_BYTES * (pendingRows + (sorted === null ? 0 : rowsOf(sorted)));
  }

  /** Of most customers little can be cut before all is together; of hot ones, nearly everything. */
  compact(accumulator: Accumulator): Accumulator {
    const { historyLength } = this.rules;
    return accumulator.pending.some((part) => !isSpilled(part) && isHot(part, historyLength)) ? this.settle(accumulator) : accumulator;
  }

  /** Merges what was collected. */
  settle({ sorted, pending }: Accumulator): Accumulator {
    if (pending.length === 0) return { sorted, pending, pendingRows: 0 };
    const merged = mergeRecent(this.extractOutput({ sorted, pending, pendingRows: 0 }), this.theWindow());
    return { sorted: fits("scanned", bytesOf(merged)) ? merged : spill([merged])[0], pending: [], pendingRows: 0 };
  }

  /** Made on the worker: a window is large to send and quick to make. */
  private theWindow(): Window {
    this.window ??= new Window(this.rules);
    return this.window;
  }
}

/** Below this many rows, some 8 MB, a merge is left to the join. */
const MERGE_ROWS = 1 << 18;

/** Of what lies on disk, about. */
const rowsOf = (part: RecentPart): number => (isSpilled(part) ? part.bytes / ROW_BYTES : part.times.length + part.tallies.counts.length);
const ROW_BYTES = 29;

/**
 * Combines the actions of hot customers within a bundle; everything else passes. Not every runner combines before it shuffles, and then one
 * customer could be most of what is sent.
 */
export class GatherHot {
  private readonly recent: RecentActions;
  private held?: Map<number, Accumulator>;

  constructor(rules: Rules) {
    this.recent = new RecentActions(rules);
  }

  startBundle(): void {
    this.held = new Map();
  }

  *process({ key, value }: KV<RecentPart>): Generator<KV<RecentPart>> {
    const { held, recent } = this;
    if (isSpilled(value) || !isHot(value, recent.rules.historyLength)) yield { key, value };
    else held!.set(key, recent.addInput(held!.get(key) ?? recent.createAccumulator(), value));
  }

  *finishBundle(): Generator<WindowedValue<KV<RecentPart>>> {
    const windows = [new GlobalWindow()];
    for (const [key, accumulator] of this.held!) {
      for (const { parts } of chunksOf(this.recent.extractOutput(this.recent.settle(accumulator)), INPUT_BYTES))
        for (const value of parts)
          yield { value: { key, value }, windows, pane: PaneInfoCoder.ONE_AND_ONLY_FIRING, timestamp: windows[0].maxTimestamp() };
    }
    this.held!.clear();
  }
}

/** What CombinePerKey gives for a bucket, in elements that a shuffle can take. */
export class CutRecent {
  *process({ key, value }: KV<Recent>): Generator<KV<RecentChunk>> {
    for (const chunk of chunksOf(value)) yield { key, value: chunk };
  }
}

/**
 * Actions to timelines: per customer the newest `historyLength` actions that each day is the first to see.
 *   in   (bucket, WindowedActions)   any order, any split
 *   out  (bucket, RecentChunk)       together, parts that mergeTimelines makes the timelines of
 * @param rules the same for all transforms of a run
 */
export function keepRecent(rules: Rules) {
  return withName(
    "keepRecent",
    (actions: PCollection<KV<RecentPart>>): PCollection<KV<RecentChunk>> =>
      actions
        .apply(withName("gatherHot", parDo(new GatherHot(rules))))
        .apply(withName("withColumnsOfHot", withColumns<number, RecentPart>()))
        .apply(combinePerKey(new RecentActions(rules)))
        .apply(withName("cutRecent", parDo(new CutRecent())))
        .apply(withColumns<number, RecentChunk>()),
  );
}

requireForSerialization("backstory/transforms/recent", exports);
