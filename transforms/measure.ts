import { type AsyncDoFn, asyncParDo } from "../beam/async";
import { ColumnsCoder, withColumns } from "../beam/coders";
import type { KV } from "../beam/cogroup";
import { Value } from "../beam/elements";
import { combinePerKey, type PCollection, parDo, requireForSerialization, withName } from "../beam/sdk";
import { type Kernel, threads } from "../beam/threads";
import type { KeptJoin } from "./joinbucket";
import type { MeasureInput } from "./measurejoined";
import { Metrics, type MetricsState } from "./metrics";

const MEASURE_JOINED: Kernel<MeasureInput, MetricsState> = {
  module: "backstory/transforms/measurejoined",
  name: "measureJoined",
  load: async () => (await import("./measurejoined.js")).measureJoined,
  stage: "measure",
};

/** The figures of a bucket's histories. */
export class MeasureHistories implements AsyncDoFn<KV<KeptJoin>, KV<MetricsState>> {
  constructor(
    readonly historyLength: number,
    readonly maxPositions: number,
  ) {}

  process({ value: joined }: KV<KeptJoin>, emit: (output: KV<MetricsState>) => Promise<void>): Promise<void> {
    const { historyLength, maxPositions } = this;
    return threads().run(MEASURE_JOINED, { joined, historyLength, maxPositions }, (value) => emit({ key: 0, value }));
  }
}

/** The figures of all buckets, added up. */
export class SumMetrics {
  constructor(readonly maxPositions: number) {}

  createAccumulator(): MetricsState[] {
    return [];
  }
  addInput(parts: MetricsState[], part: MetricsState): MetricsState[] {
    // Merged now and then, not each time: a sum is as large as a part.
    parts.push(part);
    return parts.length < 16 ? parts : [this.extractOutput(parts)];
  }
  mergeAccumulators(accumulators: Iterable<MetricsState[]>): MetricsState[] {
    return [this.extractOutput([...accumulators].flat())];
  }
  extractOutput(parts: MetricsState[]): MetricsState {
    const merged = new Metrics(this.maxPositions);
    for (const part of parts) merged.mergeState(part);
    return merged.state;
  }
  accumulatorCoder(): ColumnsCoder<MetricsState[]> {
    return new ColumnsCoder();
  }
}

/**
 * Data quality of the whole output, in the pass that makes it.
 *   in   (shard, Joined)
 *   out  one MetricsState, of which Metrics.fromJSON makes the figures
 * @param historyLength positions of a history, padding included
 * @param maxPositions positions of which the types are counted one by one
 */
export function measure(historyLength: number, maxPositions: number) {
  return withName(
    "measure",
    (joined: PCollection<KV<KeptJoin>>): PCollection<MetricsState> =>
      joined
        .apply(withName("measureHistories", asyncParDo(new MeasureHistories(historyLength, maxPositions))))
        .apply(withColumns<number, MetricsState>())
        .apply(combinePerKey(new SumMetrics(maxPositions)))
        .apply(withName("metricsValue", parDo(new Value<MetricsState>()))),
  );
}

requireForSerialization("backstory/transforms/measure", exports);
