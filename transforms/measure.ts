import { ColumnsCoder, withColumns } from "../beam/coders";
import type { KV } from "../beam/cogroup";
import { Value } from "../beam/elements";
import { combinePerKey, type PCollection, parDo, requireForSerialization, withName } from "../beam/sdk";
import { dayName } from "./calendar";
import type { Joined } from "./join";
import { Metrics, type MetricsState } from "./metrics";

/** The figures of a bucket's histories: each history counts once for every slot that has it. */
export class MeasureHistories {
  constructor(
    readonly historyLength: number,
    readonly maxPositions: number,
  ) {}

  *process({ value }: KV<Joined>) {
    const metrics = new Metrics(this.maxPositions);
    const { days, rankingStarts, rankings, historyStarts, historyEnds, types } = value;
    for (let g = 0; g < days.length; g++) {
      const slots = rankings.slotStarts[rankingStarts[g + 1]] - rankings.slotStarts[rankingStarts[g]];
      metrics.add(types, historyStarts[g], historyEnds[g], this.historyLength, slots, dayName(days[g]));
    }
    yield { key: 0, value: metrics.toJSON() };
  }
}

/** The figures of all buckets, added up. */
export class SumMetrics {
  constructor(readonly maxPositions: number) {}

  createAccumulator(): MetricsState {
    return new Metrics(this.maxPositions).toJSON();
  }
  addInput(sum: MetricsState, metrics: MetricsState): MetricsState {
    return this.mergeAccumulators([sum, metrics]);
  }
  mergeAccumulators(sums: Iterable<MetricsState>): MetricsState {
    const merged = new Metrics(this.maxPositions);
    for (const sum of sums) merged.merge(Metrics.fromJSON(sum));
    return merged.toJSON();
  }
  extractOutput(sum: MetricsState): MetricsState {
    return sum;
  }
  accumulatorCoder(): ColumnsCoder<MetricsState> {
    return new ColumnsCoder();
  }
}

/**
 * Data quality of the whole output, in the pass that makes it.
 *   in   (shard, Joined)
 *   out  one MetricsState
 */
export function measure(historyLength: number, maxPositions: number) {
  return withName("measure", (joined: PCollection<KV<Joined>>) =>
    joined
      .apply(withName("measureHistories", parDo(new MeasureHistories(historyLength, maxPositions))))
      .apply(withColumns<number, MetricsState>())
      .apply(combinePerKey(new SumMetrics(maxPositions)))
      .apply(withName("metricsValue", parDo(new Value<MetricsState>()))),
  );
}

requireForSerialization("backstory/transforms/measure", exports);
