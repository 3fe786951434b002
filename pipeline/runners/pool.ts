import { type ChildProcess, fork } from "node:child_process";
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import type { StartWorkerRequest, StartWorkerResponse, StopWorkerRequest, StopWorkerResponse } from "apache-beam/proto/beam_fn_api";
import { beamFnExternalWorkerPoolDefinition } from "apache-beam/proto/beam_fn_api.grpc-server";
import { JobState_Enum } from "apache-beam/proto/beam_job_api";
import { progress } from "../progress";
import type { Order, Told } from "./child";
import { workerProgram } from "./environment";
import { failureOf } from "./job";
import { removeLeftovers } from "./leftovers";
import type { WorkerSettings } from "./settings";
import type { Tell } from "./tell";

export interface PoolOptions {
  settings: WorkerSettings;
  /** workers that are started before the runner asks for them, since loading takes as long as some jobs */
  ready: number;
  tell: Tell;
  /** where it listens; a free port of this machine only, unless told otherwise */
  host?: string;
  port?: number;
  limits?: typeof LIMITS;
}

export const LIMITS = {
  /** from submission until the runner asks for a worker */
  askMs: 120_000,
  /** from then until the worker has reached the runner */
  registerMs: 60_000,
  /** from the death of a worker until the runner does something about it */
  reactMs: 30_000,
  /** from being asked to end until it is killed */
  endMs: 5000,
};

/** Of the end of what a worker has printed. */
const TAIL_CHARS = 2000;

interface Member {
  process: ChildProcess;
  id: string | undefined;
  registered: boolean;
  /** whether somebody wants it to end */
  leaving: boolean;
  /** whether it did not end when it was asked to */
  killed: boolean;
  printed: string;
}

/**
 * The service that a runner asks for workers (Beam's EXTERNAL environment). Each is a process of its own, and ends with this one however that ends.
 * Whoever waits for a job waits for `failed` too: it is rejected if workers do not do what they must.
 */
export class WorkerPool {
  private readonly members = new Set<Member>();
  private readonly server = new Server();
  private readonly limits: typeof LIMITS;
  private readonly trouble = Promise.withResolvers<never>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private asking: NodeJS.Timeout | undefined;
  private reacting: NodeJS.Timeout | undefined;
  private closed = false;
  readonly failed: Promise<never> = this.trouble.promise;
  /** HOST:PORT for the runner */
  address = "";
  /** why the last worker that ended by itself did */
  lastDeath: string | undefined;

  constructor(private readonly options: PoolOptions) {
    this.limits = options.limits ?? LIMITS;
    this.failed.catch(() => {}); // it may come when nobody waits any more
  }

  async listen(): Promise<this> {
    removeLeftovers();
    this.server.addService(beamFnExternalWorkerPoolDefinition, {
      startWorker: ({ request }: ServerUnaryCall<StartWorkerRequest, StartWorkerResponse>, answer: sendUnaryData<StartWorkerResponse>) =>
        answer(null, { error: this.startWorker(request) }),
      stopWorker: ({ request }: ServerUnaryCall<StopWorkerRequest, StopWorkerResponse>, answer: sendUnaryData<StopWorkerResponse>) => {
        this.stopWorker(request.workerId);
        answer(null, { error: "" });
      },
    });
    const { host = "localhost", port = 0 } = this.options;
    const bound = await new Promise<number>((resolve, reject) =>
      this.server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
        error === null
          ? resolve(bound)
          : reject(new Error(`no worker pool can listen at ${host}:${port}: ${error.message}. Choose another --port or --host.`)),
      ),
    );
    this.address = `${host}:${bound}`;
    for (let i = 0; i < this.options.ready; i++) this.start();
    return this;
  }

  /** From now on the runner has to ask for workers. */
  expect(): void {
    this.asking = this.after(
      this.limits.askMs,
      () =>
        `the runner has not asked for a worker within ${seconds(this.limits.askMs)}. It must be able to reach this machine's worker pool at ${this.address}; see its log.`,
    );
  }

  /** Process ids of all workers. */
  living(): number[] {
    return [...this.members].map(({ process }) => process.pid!);
  }

  /** Ends all workers; idempotent. */
  async close(): Promise<void> {
    this.closed = true;
    for (const timer of this.timers) clearTimeout(timer);
    this.server.forceShutdown();
    await Promise.all([...this.members].map((member) => this.end(member)));
  }

  /** @returns why not; nothing if it could be started */
  private startWorker({ workerId, controlEndpoint }: StartWorkerRequest): string {
    clearTimeout(this.asking);
    clearTimeout(this.reacting);
    if (this.closed) return "this worker pool has ended";
    if (!controlEndpoint?.url) return "a worker must be told its control endpoint";
    const member = [...this.members].find(({ id, leaving }) => id === undefined && !leaving) ?? this.start();
    member.id = workerId;
    const order: Order = { id: workerId, controlUrl: controlEndpoint.url, settings: this.options.settings };
    member.process.send(order, () => {}); // if it has died, that is told elsewhere
    this.options.tell("info", `worker ${workerId} started`);
    const late = this.after(
      this.limits.registerMs,
      () =>
        `worker ${workerId} has not reached the runner at ${controlEndpoint.url} within ${seconds(this.limits.registerMs)}. Check that this machine can connect to it.`,
      () => !member.registered && !member.leaving,
    );
    member.process.once("exit", () => clearTimeout(late));
    return "";
  }

  private stopWorker(workerId: string): void {
    for (const member of this.members) if (member.id === workerId) void this.end(member);
  }

  private start(): Member {
    const child = fork(workerProgram(), [], { stdio: ["ignore", "pipe", "pipe", "ipc"], execArgv: [] });
    const member: Member = { process: child, id: undefined, registered: false, leaving: false, killed: false, printed: "" };
    this.members.add(member);
    child.on("message", (told: Told) => this.heard(member, told));
    child.on("error", (error) => this.ended(member, error.message));
    child.once("exit", (code, signal) => this.ended(member, signal === null ? `exit code ${code}` : `signal ${signal}`, code ?? 1));
    for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (bytes: Buffer) => this.printed(member, bytes.toString()));
    return member;
  }

  private heard(member: Member, told: Told): void {
    if ("registered" in told) member.registered = true;
    if ("steps" in told) progress.add(told.steps);
    // A runner that retries would do so in vain.
    if ("failed" in told) this.trouble.reject(failureOf(JobState_Enum.FAILED, told.failed));
  }

  private printed(member: Member, text: string): void {
    member.printed = `${member.printed}${text}`.slice(-TAIL_CHARS);
    this.options.tell("debug", `worker ${member.id ?? "to be"}: ${text.trimEnd()}`);
  }

  /** Asks a worker to end, and kills it if it does not. */
  private end(member: Member): Promise<void> {
    member.leaving = true;
    return new Promise((resolve) => {
      if (!this.members.has(member)) return resolve();
      const killNow = () => {
        member.killed = true;
        member.process.kill("SIGKILL");
      };
      const kill = setTimeout(killNow, this.limits.endMs);
      member.process.once("exit", () => {
        clearTimeout(kill);
        resolve();
      });
      // one that is not connected is dying already, and why is still to be told
      if (member.process.connected) member.process.disconnect();
    });
  }

  private ended(member: Member, how: string, code = 1): void {
    if (!this.members.delete(member) || member.killed) return;
    // It was asked to, or its runner has closed the connection. A runner may ask a worker to end because it has died.
    if (code === 0 && (member.leaving || member.registered)) return;
    const what = `${member.id === undefined ? "a worker" : `worker ${member.id}`} ended by itself (${how})`;
    this.lastDeath = member.printed.trim() === "" ? what : `${what}; the end of what it printed:\n${member.printed.trim()}`;
    this.options.tell("warning", what);
    if (member.leaving || this.closed) return;
    if (member.id === undefined) this.trouble.reject(new Error(`${this.lastDeath}\nWorkers cannot run on this machine.`));
    else if (!member.registered) {
      // The runner has asked for it, knows nothing of its death, and may wait for ever, even if others work on.
      const death = this.lastDeath;
      this.after(this.limits.reactMs, () => `${death}. The runner waits for it, since it had not reached the runner yet. Run again.`);
    } else {
      // One timer for all that have died: it ends with the next worker that is asked for.
      clearTimeout(this.reacting);
      this.reacting = this.after(
        this.limits.reactMs,
        () => `${this.lastDeath}. The runner did not ask for another one. Run again, with fewer --workers or --threads if memory is short.`,
        // else it may have had no use for it any more
        () => ![...this.members].some(({ registered }) => registered),
      );
    }
  }

  private after(ms: number, why: () => string, still: () => boolean = () => true): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      if (still()) this.trouble.reject(new Error(why()));
    }, ms);
    this.timers.add(timer);
    return timer;
  }
}

const seconds = (ms: number): string => `${ms / 1000} s`;
