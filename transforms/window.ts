import { withColumns } from "../beam/coders";
import { type PCollection, parDo, requireForSerialization, withName } from "../beam/sdk";
import type { ActionBatch } from "./actions";
import { applyWindow, Window, type WindowedActions } from "./bounds";
import type { Rules } from "./rules";

export { applyWindow, NEVER, Window, type WindowedActions } from "./bounds";

/** As a DoFn: one batch in, one batch out. */
export class ApplyWindow {
  private window?: Window;
  constructor(readonly rules: Rules) {}

  startBundle(): void {
    this.window = new Window(this.rules);
  }

  *process({ key, value }: { key: number; value: ActionBatch }) {
    yield { key, value: applyWindow(value, this.window!) };
  }
}

/**
 * The windowed filter: cutoff and lookback.
 *   in   (bucket, ActionBatch)
 *   out  (bucket, WindowedActions)   without the actions that no day of the run can see
 */
export function withinWindow(rules: Rules) {
  return withName("withinWindow", (actions: PCollection<{ key: number; value: ActionBatch }>) =>
    actions.apply(withName("applyWindow", parDo(new ApplyWindow(rules)))).apply(withColumns<number, WindowedActions>()),
  );
}

requireForSerialization("backstory/transforms/window", exports);
