import { ColumnsCoder, withColumns } from "../beam/coders";
import type { KV } from "../beam/cogroup";
import { combinePerKey, type PCollection, parDo, requireForSerialization, withName } from "../beam/sdk";
import { load, type MaybeSpilled } from "../beam/spill";
import type { RankingBatch } from "./rankings";
import { mergeShown, type Shown, shownOf } from "./shownindex";

export class ShownOf {
  *process({ value }: KV<MaybeSpilled<RankingBatch>>) {
    yield { key: 0, value: shownOf(load(value)) };
  }
}

/** All customers shown, as one element: 16 bytes a customer. */
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
    return [mergeShown([...accumulators].flat())];
  }
  extractOutput(parts: Shown[]): Shown {
    return mergeShown(parts);
  }
  accumulatorCoder(): ColumnsCoder<Shown[]> {
    return new ColumnsCoder();
  }
}

/**
 * Rankings to the customers they were shown to.
 *   in   (bucket, RankingBatch)
 *   out  (0, Shown)   one element; none if there is no ranking
 */
export function customersShown(rankings: PCollection<KV<MaybeSpilled<RankingBatch>>>) {
  return rankings
    .apply(withName("shownOf", parDo(new ShownOf())))
    .apply(withColumns<number, Shown>())
    .apply(combinePerKey(new AllShown()))
    .apply(withName("shown", withColumns<number, Shown>()));
}

requireForSerialization("backstory/transforms/shown", exports);
