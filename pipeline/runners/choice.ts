import { availableParallelism } from "node:os";
import { ConfigError } from "../errors";
import { planWorkers } from "../memory";
import { type BuildOptions, isAddress } from "../options";
import { kebab } from "../spelling";
import { DATAFLOW_KEYS } from "./dataflow/flags";

/** How a runner gets its workers. `config`: an address, a program or an image; without one, this command's own. */
export interface EnvironmentChoice {
  kind: "external" | "process" | "docker";
  config: string | undefined;
}

/** A run on a runner of Beam, as the options have it. */
export interface Portable {
  runner: "prism" | "flink" | "portable";
  /** undefined: a job service is started here */
  jobEndpoint: string | undefined;
  environment: EnvironmentChoice;
  workers: number;
  /** of each worker */
  threads: number;
  parallelism: number;
  flinkMaster: string | undefined;
  flinkConfDir: string | undefined;
  /** bytes of a runner that is started here */
  runnerBytes: number;
}

/** Options that only some runners understand. */
const ONLY_FOR: Partial<Record<keyof BuildOptions, readonly BuildOptions["runner"][]>> = {
  jobEndpoint: ["prism", "flink", "portable"],
  environment: ["prism", "flink", "portable"],
  environmentConfig: ["prism", "flink", "portable"],
  workers: ["prism", "flink", "portable"],
  parallelism: ["flink", "portable"],
  flinkMaster: ["flink"],
  flinkConfDir: ["flink"],
  // the memory of Dataflow's workers is that of their machines, and they put nothing on disks
  maxMemory: ["direct", "prism", "flink", "portable"],
  tempDir: ["direct", "prism", "flink", "portable"],
  ...Object.fromEntries(DATAFLOW_KEYS.map((key) => [key, ["dataflow"]])),
};

const eitherOf = (names: readonly string[]): string => names.join(", ").replace(/, ([^,]*)$/, " or $1");

const flagOf = (key: string): string => `--${kebab(key)}`;

/**
 * Where a run goes; null for the direct runner, and for Dataflow, which has options of its own (`dataflow/choice.ts`).
 * @throws ConfigError where options do not fit together
 */
export function chooseRunner(options: BuildOptions, cores = availableParallelism()): Portable | null {
  const { runner, jobEndpoint, flinkMaster, flinkConfDir } = options;
  refuseForeign(options);
  if (runner === "direct" || runner === "dataflow") return null;
  if (runner === "portable" && jobEndpoint === undefined)
    throw new ConfigError("--runner=portable wants the address of a job service. Add --job-endpoint=HOST:PORT.");
  const environment = chooseEnvironment(options);
  const onPrism = runner === "prism";
  if (onPrism && (options.workers ?? 1) > 1)
    throw new ConfigError(
      `--workers must be 1 on Prism, which has one worker; got ${options.workers}. Use --threads for all of its cores.`,
    );
  const asked = onPrism ? { workers: 1, threads: options.threads } : { workers: options.workers, threads: options.threads ?? 1 };
  const plan = planWorkers(options.maxMemory, asked, cores, jobEndpoint === undefined);
  return { ...{ runner, jobEndpoint, environment, flinkMaster, flinkConfDir }, parallelism: options.parallelism ?? plan.workers, ...plan };
}

function refuseForeign(options: BuildOptions): void {
  for (const [key, runners] of Object.entries(ONLY_FOR) as [keyof BuildOptions, string[]][]) {
    if (options[key] === undefined || runners.includes(options.runner)) continue;
    throw new ConfigError(
      `${flagOf(key)} is of no use with --runner=${options.runner}; got ${JSON.stringify(options[key])}. Leave it out, or choose --runner=${eitherOf(runners)}.`,
    );
  }
}

function chooseEnvironment({ environment: kind = "external", environmentConfig: config, jobEndpoint }: BuildOptions): EnvironmentChoice {
  if (kind === "docker" && config === undefined)
    throw new ConfigError("--environment=docker wants the worker's image. Add --environment-config=IMAGE.");
  if (kind === "external" && config !== undefined && !isAddress(config))
    throw new ConfigError(
      `--environment-config must be the HOST:PORT of a worker pool with --environment=external; got "${config}". Start one by backstory worker-pool.`,
    );
  if (kind === "external" && config === undefined && jobEndpoint !== undefined && !isLocal(jobEndpoint))
    throw new ConfigError(
      `a runner at ${jobEndpoint} cannot reach a worker pool of this machine. Start backstory worker-pool where it can, and add --environment-config=HOST:PORT; or choose another --environment.`,
    );
  return { kind, config };
}

/** Whether all that works for a run ends with this process: runner and workers are its own. */
export const endsWithUs = ({ jobEndpoint, environment }: Portable): boolean =>
  jobEndpoint === undefined && environment.kind === "external" && environment.config === undefined;

/** Whether it is at this machine, by its name. */
export const isLocal = (endpoint: string): boolean => /^(localhost|127\.[\d.]+|\[::1\]):/.test(endpoint);
