import { mkdirSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { status } from "@grpc/grpc-js";
// before any of its modules
import "../../beam/sdk";
import { Worker } from "apache-beam/worker/worker";
import { AsyncOperator } from "../../beam/async";
import { packed } from "../../beam/failure";
import { threads, useThreads } from "../../beam/threads";
// registers all that the graph has
import "../backstory";
import { isDiskFull } from "../errors";
import { KERNELS } from "../kernels";
import { VERSION } from "../version";
import { workerFolder } from "./leftovers";
import type { WorkerSettings } from "./settings";

/** Where a worker belongs. */
export interface Post {
  id: string;
  controlUrl: string;
}

/** Longer than a runner takes to listen, once it has asked for a worker. */
const REGISTER_LIMIT_MS = 60_000;

/**
 * Works for a runner until that ends.
 * @param registered called when the runner has answered
 * @param failed called with a failure that another attempt would meet again, packed
 * @throws Error if the runner cannot be reached
 */
export async function work(
  { id, controlUrl }: Post,
  settings: WorkerSettings,
  registered: () => void = () => {},
  failed: (stack: string) => void = () => {},
): Promise<void> {
  if (settings.folder !== null) mkdirSync(settings.folder, { recursive: true });
  const folder = workerFolder(settings.folder ?? tmpdir());
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  AsyncOperator.failed = (error) => {
    if (isFinal(error)) failed((packed(error) as Error).stack!);
    return packed(error);
  };
  // Without a limit of room: the runner keeps what is handed on, and what lies on this machine's disk is nothing to other workers.
  useThreads(settings.threads || availableParallelism(), undefined, KERNELS);
  try {
    const worker = new (workerOf(settings.version))(id, { controlUrl }, {});
    await reached(worker, controlUrl);
    registered();
    await worker.wait();
  } finally {
    await threads().close();
    useThreads(1);
    remove();
    process.off("exit", remove);
  }
}

/**
 * A worker that refuses to work for another version, whose plans and batches it may not understand. It says so as the failure of each bundle, since that is what
 * reaches those who wait for the job: a process that does not even start is started again and again.
 */
function workerOf(version: string | undefined): typeof Worker {
  if (version === undefined || version === VERSION) return Worker;
  const error = packed(
    Object.assign(
      new Error(
        `the workers are of backstory ${VERSION}, and the job is of ${version}. Give the workers the version of the job: build their image anew.`,
      ),
      { exitCode: 2 },
    ),
  ) as Error;
  console.error(error.message);
  return class extends Worker {
    override async process({ instructionId }: { instructionId: string }): Promise<void> {
      await this.respond({ instructionId, error: error.stack!, response: { oneofKind: undefined } });
    }
  };
}

/** What the data or the disk is to blame for, and not a lost worker or connection. */
const isFinal = (error: unknown): boolean => typeof (error as { exitCode?: number }).exitCode === "number" || isDiskFull(error);

function reached(worker: Worker, controlUrl: string): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.controlChannel.once("status", ({ code, details }) => {
      if (code !== status.OK) reject(new Error(`the runner at ${controlUrl} cannot be reached: ${details}`));
      else resolve();
    });
    worker.controlClient.waitForReady(Date.now() + REGISTER_LIMIT_MS, (error) => (error === undefined ? resolve() : reject(error)));
  });
}
