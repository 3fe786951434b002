import { withColumns } from "../beam/coders";
import type { KV } from "../beam/cogroup";
import { type PCollection, parDo, requireForSerialization, withName } from "../beam/sdk";
import { isSpilled, type MaybeSpilled } from "../beam/spill";
import type { ActionBatch } from "./actions";
import { applyWindow, Window } from "./bounds";
import type { RecentPart } from "./joinbucket";
import type { Rules } from "./rules";
import type { Timelines } from "./timelines";

export { applyWindow, NEVER, Window, type WindowedActions } from "./bounds";

/**
 * As a DoFn: one batch in, one batch out. A batch on disk stays there until it is merged, and the window is applied then; what a scan has made
 * timelines of already is within the window.
 */
export class ApplyWindow {
  private window?: Window;
  constructor(readonly rules: Rules) {}

  startBundle(): void {
    this.window = new Window(this.rules);
  }

  *process({ key, value }: KV<MaybeSpilled<ActionBatch | Timelines>>): Generator<KV<RecentPart>> {
    yield { key, value: isSpilled(value) || "firsts" in value ? value : applyWindow(value, this.window!) };
  }
}

/**
 * The windowed filter: cutoff and lookback.
 *   in   (bucket, ActionBatch)       or Timelines
 *   out  (bucket, WindowedActions)   without the actions that no day of the run can see
 * @param rules the same for all transforms of a run
 */
export function withinWindow(rules: Rules) {
  return withName(
    "withinWindow",
    (actions: PCollection<KV<MaybeSpilled<ActionBatch | Timelines>>>): PCollection<KV<RecentPart>> =>
      actions.apply(withName("applyWindow", parDo(new ApplyWindow(rules)))).apply(withColumns<number, RecentPart>()),
  );
}

requireForSerialization("backstory/transforms/window", exports);
