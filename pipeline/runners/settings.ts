/** What a worker process is told of its machine. It has no influence on any result. */
export interface WorkerSettings {
  /** 0: as many as the machine has cores */
  threads: number;
  /** for a folder of its own, which says that it is there; null: the system's folder for temporary files */
  folder: string | null;
  /** of whoever submitted the job; a worker of another one refuses to work */
  version?: string;
}

/** How the names of the folders that workers make there begin. */
export const WORKER_FOLDER = "backstory-worker-";

export const PLAIN: WorkerSettings = { threads: 1, folder: null };

/** The pipeline option in which they reach workers that the runner itself starts. */
export const SETTINGS_OPTION = "backstoryWorker";
const ON_THE_WIRE = ["beam:option:backstory_worker:v1", "backstory_worker", "backstoryWorker"];

/** @param options pipeline options, as the runner hands them on */
export function settingsIn(options: Record<string, unknown>): WorkerSettings {
  // Dataflow has them one level down.
  const within = (options.options ?? {}) as Record<string, unknown>;
  const text = ON_THE_WIRE.flatMap((name) => [options[name], within[name]]).find((value) => typeof value === "string");
  return text === undefined ? PLAIN : { ...PLAIN, ...JSON.parse(text as string) };
}
