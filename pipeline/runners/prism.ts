import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { ConfigError } from "../errors";
import { aside, cacheFolder, download, fetchText, LIMITS, type Limits, sweep } from "./download";
import { buildWithGo } from "./gobuild";
import { type JobService, ServiceError, startService } from "./services";
import { unzip } from "./unzip";

/** Prism, Beam's runner in Go. One version, so that a run today is a run tomorrow. */
const VERSION = "v2.77.0";
const MODULE = "github.com/apache/beam/sdks/v2";
/** of the module, as Go's checksum database has it; that vouches for all that the module depends on */
const MODULE_SUM = "h1:RsC61pHEvtySEHAURQyP/+CVOJm/hy5hewuG9JF0+Ow=";
const RELEASES = "https://github.com/apache/beam/releases/download";
const run = promisify(execFile);

/** One worker, up to eight bundles at a time; it splits what is slow, and retries nothing. */
export async function startPrism({ folder }: { folder: string }): Promise<JobService> {
  const args = ["--job_port=0", "--serve_http=false", "--log_kind=text"];
  const command = await findPrism();
  return startService({ name: "Prism", folder, command, args, ready: /Serving JobManagement.*endpoint=\S*:(?<port>\d+)/ });
}

export interface Sources {
  cache: string;
  releases: string;
  limits: Limits;
}
const SOURCES = (): Sources => ({ cache: cacheFolder(), releases: RELEASES, limits: LIMITS });

/**
 * BACKSTORY_PRISM, or one on the PATH, or the cache's; else it is fetched into the cache.
 * @throws ConfigError, ServiceError: what to do
 */
export async function findPrism(sources = SOURCES()): Promise<string> {
  const named = process.env.BACKSTORY_PRISM;
  if (named) {
    if (await isPrism(resolve(named))) return resolve(named);
    throw new ConfigError(
      `BACKSTORY_PRISM must name the binary of Beam's Prism; got "${named}". Check the path, or unset it to have one installed.`,
    );
  }
  for (const found of onPath("prism")) if (await isPrism(found)) return found;
  const installed = join(sources.cache, `prism-${VERSION}`, "prism");
  if (!existsSync(installed)) await installPrism(installed, sources);
  return installed;
}

function onPath(name: string): string[] {
  const paths = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  return paths.map((folder) => join(folder, name)).filter(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** There are other programs of this name, which mock services or check models. */
async function isPrism(path: string): Promise<boolean> {
  const usage = await run(path, ["-help"], { timeout: 10_000, killSignal: "SIGKILL" }).catch((error) => error as { stderr?: string });
  return usage.stderr?.includes("-job_port") === true;
}

/** As Beam's own SDKs do: the binary of the release; where it cannot be had, Go builds it. */
async function installPrism(path: string, sources: Sources): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  sweep(dirname(path));
  const failures: string[] = [];
  for (const install of [downloadPrism, buildPrism]) {
    try {
      return await install(path, sources);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      failures.push(error.message);
    }
  }
  throw new ServiceError(
    `Prism ${VERSION} cannot be installed. ${failures.join(" ")} Install Go 1.23 or newer (https://go.dev/dl), or name a binary by BACKSTORY_PRISM, or a running service by --job-endpoint.`,
  );
}

/** As they are named in the releases. */
const SYSTEMS: Partial<Record<NodeJS.Platform, string>> = { linux: "linux", darwin: "darwin" };
const MACHINES: Partial<Record<NodeJS.Architecture, string>> = { x64: "amd64", arm64: "arm64" };

/** The release has a checksum beside each file; it is not pinned here, as that of the module is. */
async function downloadPrism(path: string, { releases, limits }: Sources): Promise<void> {
  const [system, machine] = [SYSTEMS[process.platform], MACHINES[process.arch]];
  if (system === undefined || machine === undefined)
    throw new ServiceError(`There is no binary for ${process.platform} on ${process.arch}.`);
  const name = `apache_beam-${VERSION}-prism-${system}-${machine}`;
  const url = `${releases}/${VERSION}/${name}.zip`;
  const [sum] = (await fetchText(`${url}.sha512`, limits)).trim().split(/\s+/);
  console.error(`Fetching Prism ${VERSION} from ${url} to ${path}`);
  const [zip, part] = [aside(path), aside(path)];
  await download({ url, path: zip, algorithm: "sha512", sum }, limits);
  try {
    writeFileSync(part, unzip(readFileSync(zip), name), { mode: 0o755 });
    renameSync(part, path);
  } finally {
    for (const each of [zip, part]) rmSync(each, { force: true });
  }
}

function buildPrism(path: string): Promise<void> {
  return buildWithGo({ name: `Prism ${VERSION}`, module: MODULE, version: VERSION, sum: MODULE_SUM, program: "/go/cmd/prism" }, path);
}
