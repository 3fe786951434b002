import { ColumnsCoder, withColumns } from "../beam/coders";
import type { KV } from "../beam/cogroup";
import { combinePerKey, type PCollection, parDo, requireForSerialization, withName } from "../beam/sdk";
import { load, type MaybeSpilled } from "../beam/spill";
import type { RankingBatch } from "./rankings";
import { mergeShown, type Shown, shownOf } from "./shownindex";

/** Buckets of customers that share an element of customers shown: few elements, and none is large. */
const BUCKETS_TOGETHER = 4;

export class ShownOf {
  /** @param chunks elements that the customers shown are spread over */
  constructor(readonly chunks: number) {}

  *process({ key, value }: KV<MaybeSpilled<RankingBatch>>) {
    yield { key: key % this.chunks, value: shownOf(load(value)) };
  }
}

/** The customers shown of some buckets, each once, as in each part. */
export class AllShown {
  createAccumulator(): Shown[] {
    return [];
  }
  addInput(parts: Shown[], part: Shown): Shown[] {
    // Merged now and then, not each time, so that a customer is looked at a few times only.
    parts.push(part);
    return parts.length >= 16 ? [mergeShown(parts)] : parts;
  }
  mergeAccumulators(accumulators: Iterable<Shown[]>): Shown[] {
    return [this.extractOutput([...accumulators].flat())];
  }
  extractOutput(parts: Shown[]): Shown {
    // No thread can scan actions before this is done: what is one part already, each customer once, is not gone through again.
    return parts.length === 1 ? parts[0] : mergeShown(parts);
  }
  accumulatorCoder(): ColumnsCoder<Shown[]> {
    return new ColumnsCoder();
  }
}

/**
 * Rankings to the customers they were shown to.
 *   in   (bucket, RankingBatch)
 *   out  (chunk, Shown)   each customer in one of them; none if there is no ranking
 */
export function customersShown(buckets: number) {
  return (rankings: PCollection<KV<MaybeSpilled<RankingBatch>>>) =>
    rankings
      .apply(withName("shownOf", parDo(new ShownOf(Math.ceil(buckets / BUCKETS_TOGETHER)))))
      .apply(withColumns<number, Shown>())
      .apply(combinePerKey(new AllShown()))
      .apply(withName("shown", withColumns<number, Shown>()));
}

requireForSerialization("backstory/transforms/shown", exports);
