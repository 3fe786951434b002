import { execFile } from "node:child_process";
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { aside } from "./download";
import { ServiceError } from "./services";

/** A program of a module of Go. */
export interface GoProgram {
  /** as people call it */
  name: string;
  module: string;
  version: string;
  /** of the module, as Go's checksum database has it; that vouches for all that the module depends on */
  sum: string;
  /** below the module; "" for the module itself */
  program: string;
}

/** A program in a folder of its own, whose go.mod and go.sum pin all that it stands on. */
export interface GoFolder {
  name: string;
  folder: string;
}

const MINUTE = 60_000;
const run = promisify(execFile);

/** Builds a program and puts it where it belongs, whole or not at all. @throws ServiceError: why it could not be built */
export async function buildWithGo(wanted: GoProgram | GoFolder, path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const target = aside(path);
  // caches of its own, that can be removed like any other folder
  const caches = {
    GOMODCACHE: join(target, "mod"),
    GOCACHE: join(target, "build"),
    GOFLAGS: `${process.env.GOFLAGS ?? ""} -modcacherw`.trim(),
  };
  const env = { ...process.env, ...caches, GOBIN: target };
  const ended = new AbortController();
  const end = () => {
    ended.abort();
    rmSync(target, { recursive: true, force: true, maxRetries: 3 });
  };
  // a process that ends meanwhile, because somebody has had enough, leaves nothing behind
  process.once("exit", end);
  const go = (args: string[], minutes: number) =>
    run("go", args, {
      env,
      cwd: dirname(path),
      timeout: minutes * MINUTE,
      signal: ended.signal,
      killSignal: "SIGKILL",
      maxBuffer: 2 ** 26,
    }).catch((error) => {
      throw new ServiceError(whyNot(error, minutes), { cause: error });
    });
  try {
    await go(["version"], 1);
    console.error(`Building ${wanted.name} with Go, which takes a minute or two: ${path}`);
    if ("folder" in wanted)
      await go(["build", "-C", wanted.folder, "-trimpath", "-buildvcs=false", "-o", join(target, basename(path)), "."], 15);
    else await installModule(wanted, go);
    renameSync(join(target, basename(path)), path);
  } finally {
    process.off("exit", end);
    end();
  }
}

type Go = (args: string[], minutes: number) => Promise<{ stdout: string }>;

async function installModule({ module, version, sum, program }: GoProgram, go: Go): Promise<void> {
  const { Sum } = JSON.parse((await go(["mod", "download", "-json", `${module}@${version}`], 5)).stdout) as { Sum: string };
  if (Sum !== sum) throw new ServiceError(`${module}@${version} has checksum ${Sum}, not ${sum}.`);
  await go(["install", `${module}${program}@${version}`], 15);
}

function whyNot(error: { code?: string | number; killed?: boolean; stderr?: string }, minutes: number): string {
  if (error.code === "ENOENT") return "There is no Go on the PATH to build it with.";
  if (error.killed) return `Go did not build it within ${minutes} minutes.`;
  return `Go cannot build it: ${(error.stderr ?? "").trim().slice(-500)}.`;
}
