import { execFile } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { promisify } from "node:util";
import { ConfigError } from "../errors";
import { megabytes, RUNNER_SHARE } from "../memory";
import { cacheFolder, download, LIMITS, type Limits } from "./download";
import { JARS } from "./flinkjars";
import { type JobService, startService, temporaryFolder } from "./services";

const run = promisify(execFile);
const VERSION = "flink-1.19-beam-2.62.0";
const JAVAS = [11, 17];
const MAVEN = "https://repo1.maven.org/maven2";
const CONNECTIONS = 8;
const TELL_EVERY_MS = 5000;
const MiB = 2 ** 20;

const RETRIES = 2;
/**
 * Flink asks for new workers only once it has let go of the old ones, which it does this long after the last stage has; a retry before that would have
 * the dead worker again.
 */
export const KEEP_WORKERS_MS = 2000;
const RETRY_DELAY_MS = 2 * KEEP_WORKERS_MS;

/** What Flink reaches into, by reflection, from Java 17 on. */
const OPENED = ["java.base/java.lang", "java.base/java.util", "java.base/java.net", "java.base/java.nio", "java.base/sun.nio.ch"];

export interface FlinkOptions {
  /** for its log, configuration and temporary files */
  folder: string;
  /** tasks of a stage at a time */
  parallelism: number;
  /** bytes for all of the JVM: heap, Flink's managed memory and the rest */
  memory: number;
}

/**
 * Beam's job server with a Flink of its own in the same process, which takes what it needs from a configuration here: no option has to go
 * with the job.
 */
export async function startFlink(options: FlinkOptions): Promise<JobService> {
  const memory = shares(options.memory, options.parallelism);
  const { java, jars } = await findFlink();
  const folder = resolve(options.folder);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "flink-conf.yaml"), configuration(folder, options.parallelism, memory));
  const args = [
    // without files of the JVM's own in /tmp, which nothing removes if it is killed
    ...[`-Xmx${memory.heap}`, `-Djava.io.tmpdir=${temporaryFolder(folder)}`, "-XX:-UsePerfData"],
    ...OPENED.map((name) => `--add-opens=${name}=ALL-UNNAMED`),
    ...["-cp", join(jars, "*"), "org.apache.beam.runners.flink.FlinkJobServerDriver"],
    ...["--job-host=127.0.0.1", "--job-port=0", "--artifact-port=0", "--expansion-port=-1", "--flink-master=[local]"],
    ...[`--flink-conf-dir=${folder}`, `--artifacts-dir=${join(temporaryFolder(folder), "artifacts")}`],
  ];
  return startService({ name: "Flink", folder, command: java, args, ready: /JobService started on \S*:(?<port>\d+)/ });
}

/**
 * Java, and the folder with the jars, which are fetched if need be.
 * @throws ConfigError, ServiceError: what to do
 */
export async function findFlink(): Promise<{ java: string; jars: string }> {
  const java = await findJava();
  return { java, jars: await findJars({ cache: cacheFolder(), maven: process.env.MAVEN_CENTRAL || MAVEN, limits: LIMITS, jars: JARS }) };
}

interface Shares {
  heap: number;
  managed: number;
  network: number;
}

/** The JVM's own: classes, compiled code, stacks of threads. */
const JVM_BYTES = 256 * MiB;
const LEAST_BYTES = 768 * MiB;

/**
 * Sorting and hashing are in managed memory, outside of the heap; the heap has what is on its way from and to workers. Buffers between tasks
 * grow with the square of the tasks.
 */
export function shares(memory: number, parallelism: number): Shares {
  const network = Math.max(64, 4 * parallelism ** 2) * MiB;
  const left = memory - JVM_BYTES - network;
  if (memory < LEAST_BYTES || left < LEAST_BYTES / 2) {
    const needed = Math.max(LEAST_BYTES, JVM_BYTES + network + LEAST_BYTES / 2);
    const most = parallelism === 1 ? "one task" : `${parallelism} tasks`;
    throw new ConfigError(
      `Flink with ${most} at a time gets ${100 * RUNNER_SHARE}% of --max-memory, and needs at least ${megabytes(needed)}; it was given ${megabytes(memory)}. Give --max-memory=${megabytes(needed / RUNNER_SHARE)}${parallelism === 1 ? "" : ", or take fewer --workers"}.`,
    );
  }
  return { heap: Math.floor(left / 2), managed: Math.floor(left / 2), network };
}

function configuration(folder: string, parallelism: number, { managed, network }: Shares): string {
  const settings = {
    "parallelism.default": parallelism,
    "taskmanager.numberOfTaskSlots": parallelism,
    "taskmanager.memory.managed.size": `${managed}b`,
    "taskmanager.memory.network.min": `${network}b`,
    "taskmanager.memory.network.max": `${network}b`,
    "io.tmp.dirs": temporaryFolder(folder),
    // for workers that are lost; what a worker itself reports ends the run at once
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.attempts": RETRIES,
    "restart-strategy.fixed-delay.delay": `${RETRY_DELAY_MS} ms`,
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join("");
}

/** JAVA_HOME's, or the PATH's. */
export async function findJava(): Promise<string> {
  const home = process.env.JAVA_HOME;
  const java = home ? join(home, "bin", "java") : "java";
  const versions = JAVAS.join(" or ");
  const { stdout, stderr } = await run(java, ["-version"], { env: process.env, timeout: 60_000, killSignal: "SIGKILL" }).catch((error) => {
    const what = home ? `JAVA_HOME is "${home}", and "${java}" does not run` : "there is no java that runs on the PATH";
    throw new ConfigError(`Flink needs Java ${versions}; ${what}. Install it (https://adoptium.net), or name its folder by JAVA_HOME.`, {
      cause: error,
    });
  });
  const [, version = "unknown"] = /version "(?:1\.)?(\d+)/.exec(stderr + stdout) ?? [];
  if (!JAVAS.includes(Number(version)))
    throw new ConfigError(
      `Flink needs Java ${versions}; "${java}" is ${version}. Install one (https://adoptium.net), or name its folder by JAVA_HOME.`,
    );
  return java;
}

export interface JarSources {
  cache: string;
  /** a Maven repository */
  maven: string;
  limits: Limits;
  jars: typeof JARS;
}

/** The folder with all jars. One that is there was verified when it came. */
export async function findJars({ cache, maven, limits, jars }: JarSources): Promise<string> {
  const folder = join(cache, VERSION);
  const missing = jars
    .map(([sum, path]) => ({ sum, url: `${maven}/${path}`, path: join(folder, basename(path)) }))
    .filter(({ path }) => !existsSync(path));
  if (missing.length > 0) await fetchAll(missing, folder, maven, limits);
  return folder;
}

async function fetchAll(
  missing: { sum: string; url: string; path: string }[],
  folder: string,
  maven: string,
  limits: Limits,
): Promise<void> {
  const all = missing.length;
  const todo = missing.values();
  let done = 0;
  // one that cannot be had ends the others
  const others = new AbortController();
  console.error(`Fetching Flink, ${all} files, from ${maven} to ${folder}`);
  const ticker = setInterval(() => console.error(`Fetching Flink: ${done} of ${all} files`), TELL_EVERY_MS);
  try {
    await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        for (const jar of todo) {
          await download({ ...jar, algorithm: "sha256" }, { ...limits, signal: others.signal });
          done++;
        }
      }),
    );
  } finally {
    others.abort();
    clearInterval(ticker);
  }
}
