import { load, type MaybeSpilled } from "../beam/spill";
import type { Emit, Kernel } from "../beam/threads";
import { dayName } from "./calendar";
import type { Joined } from "./joined";
import { Metrics, type MetricsState } from "./metrics";

export interface MeasureInput {
  joined: MaybeSpilled<Joined>;
  historyLength: number;
  maxPositions: number;
}

/** Kernel: the figures of a bucket's histories; each history counts once for every slot that has it. */
export async function measureJoined({ joined, historyLength, maxPositions }: MeasureInput, emit: Emit<MetricsState>): Promise<void> {
  const metrics = new Metrics(maxPositions);
  const { days, rankingStarts, rankings, historyStarts, historyEnds, actions, used } = load(joined);
  const { types } = load(actions);
  const names = new Map<number, string>();
  for (let g = 0; g < days.length; g++) {
    const slots = rankings.slotStarts[rankingStarts[g + 1]] - rankings.slotStarts[rankingStarts[g]];
    let dt = names.get(days[g]);
    if (dt === undefined) names.set(days[g], (dt = dayName(days[g])));
    metrics.add(types, historyStarts[g], historyEnds[g], historyLength, slots, dt);
  }
  for (let i = 0; i < used.days.length; i++) metrics.use(dayName(used.days[i]), used.types[i], used.oldest[i], used.newest[i]);
  await emit(metrics.state);
}

export const MEASURE_JOINED: Kernel<MeasureInput, MetricsState> = {
  module: "backstory/transforms/measurejoined",
  run: measureJoined,
  stage: "measure",
};
