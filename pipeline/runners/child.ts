import { type Progress, progress, type Steps } from "../progress";
import type { WorkerSettings } from "./settings";
import type { Post } from "./worker";

/** What a pool and its workers say to each other. */
export type Order = Post & { settings: WorkerSettings };
export type Told = { ready: true } | { registered: true } | { failed: string } | { steps: Steps };

const TELL_EVERY_MS = 200;

/**
 * A worker of a pool: loads everything, then waits for its order. It ends with its pool, however that ends: the channel between them closes then.
 */
export async function workForPool(): Promise<void> {
  process.once("disconnect", () => process.exit());
  // Ctrl-C reaches all processes of a terminal; the pool has to cancel the job before its workers go.
  process.on("SIGINT", () => {});
  const ordered = new Promise<Order>((resolve) => process.once("message", (order: Order) => resolve(order)));
  const { work } = await import("./worker.js");
  tell({ ready: true });
  const { settings, ...post } = await ordered;
  progress.onChange = tellSteps();
  await work(
    post,
    settings,
    () => tell({ registered: true }),
    (failed) => tell({ failed }),
  );
  tell({ steps: takeSteps(progress) });
}

function tell(told: Told): void {
  if (process.connected) process.send!(told);
}

function tellSteps(): (now: Progress) => void {
  let last = performance.now();
  return (now) => {
    if (performance.now() - last < TELL_EVERY_MS) return;
    last = performance.now();
    tell({ steps: takeSteps(now) });
  };
}

/** What is new since the last time. */
function takeSteps(now: Progress): Steps {
  const { rows, bytes, written, stage } = now;
  Object.assign(now, { rows: 0, bytes: 0, written: 0 });
  return { rows, bytes, written, stage };
}
