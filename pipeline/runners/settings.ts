/** What a worker process is told of its machine. It has no influence on any result. */
export interface WorkerSettings {
  threads: number;
  /** for a folder of its own, which says that it is there; null: the system's folder for temporary files */
  folder: string | null;
}

/** How the names of the folders that workers make there begin. */
export const WORKER_FOLDER = "backstory-worker-";

export const PLAIN: WorkerSettings = { threads: 1, folder: null };

/** The pipeline option in which they reach workers that the runner itself starts. */
export const SETTINGS_OPTION = "backstoryWorker";
const ON_THE_WIRE = ["beam:option:backstory_worker:v1", "backstory_worker", "backstoryWorker"];

/** @param options pipeline options, as the runner hands them on */
export function settingsIn(options: Record<string, unknown>): WorkerSettings {
  const text = ON_THE_WIRE.map((name) => options[name]).find((value) => typeof value === "string");
  return text === undefined ? PLAIN : { ...PLAIN, ...JSON.parse(text as string) };
}
