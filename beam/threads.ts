import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { type Room, useRoom } from "./spill";
import { type Span, stages } from "./stages";
import { compileAtOnce } from "./v8flags";

/** How a kernel hands on what it has so far. */
export type Emit<Output> = (output: Output) => void | Promise<void>;

/** What a kernel does. */
export type Run<Input, Output> = (input: Input, emit: Emit<Output>) => Promise<void>;

/**
 * A function over plain data that can run in any thread, and where a thread finds it. Its module must not load the Beam SDK, which takes
 * long; and whoever only names the kernel does not load its module.
 */
export interface Kernel<Input, Output> {
  module: string;
  name: string;
  /** loads it into this thread */
  load: () => Promise<Run<Input, Output>>;
  /** what its time is told as */
  stage: string;
}

/**
 * Runs kernels: in this thread, or in threads of its own. The graph knows nothing of it, and no result depends on it.
 * The outputs of a kernel arrive in its own order; those of several kernels in any.
 */
export interface Threads {
  /** kernels that may run at the same time */
  readonly count: number;
  run<Input, Output>(kernel: Kernel<Input, Output>, input: Input, emit: Emit<Output>): Promise<void>;
  close(): Promise<void>;
}

/** This thread alone: for small inputs, and for the workers of a runner, which are processes of their own. */
class OwnThread implements Threads {
  readonly count = 1;
  async run<Input, Output>({ load, stage }: Kernel<Input, Output>, input: Input, emit: Emit<Output>): Promise<void> {
    const run = await load();
    beginWork();
    // All else here goes on from promise to promise, so that nobody else would have a turn before the run is done: no signal would be heard.
    await turn();
    return stages.during(stage, () => run(input, (output) => stages.outside(stage, () => emit(output))));
  }
  async close(): Promise<void> {}
}

/** What a thread is given when it starts: what it loads at once. */
export interface Setup {
  modules: readonly string[];
}

/** What threads say to each other; the room comes before the first kernel. */
export type Request = { room: Room | undefined } | { module: string; name: string; input: unknown };
export type Answer = { output: unknown } | { done: Span } | { failed: object };

interface Task {
  request: Request;
  stage: string;
  emit: Emit<unknown>;
  resolve: () => void;
  reject: (error: unknown) => void;
  /** settles when all outputs so far have been taken */
  taken: Promise<void>;
}

/** Whether V8 is to be told before the next kernel: only in processes that are ours, which say how many threads they want. */
let untold = false;

function beginWork(): void {
  if (untold) compileAtOnce();
  untold = false;
}

/** Worker threads, each with one kernel at a time. */
class Pool implements Threads {
  private readonly all: Worker[] = [];
  private readonly idle: Worker[] = [];
  private readonly waiting: Task[] = [];
  private readonly running = new Map<Worker, Task>();
  /** why a thread has died */
  private fault: { error: unknown } | undefined;

  constructor(
    readonly count: number,
    private readonly room: Room | undefined,
    private readonly modules: readonly string[],
  ) {
    for (let i = 0; i < count; i++) this.start();
  }

  run<Input, Output>({ module, name, stage }: Kernel<Input, Output>, input: Input, emit: Emit<Output>): Promise<void> {
    if (this.fault !== undefined) return Promise.reject(this.fault.error);
    beginWork();
    return new Promise((resolve, reject) => {
      const request = { module, name, input };
      this.waiting.push({ request, stage, emit: emit as Emit<unknown>, resolve, reject, taken: Promise.resolve() });
      this.next();
    });
  }

  async close(): Promise<void> {
    for (const worker of this.all) worker.removeAllListeners("exit");
    await Promise.all(this.all.map((worker) => worker.terminate()));
  }

  private start(): void {
    const worker = takeSpare() ?? newWorker(this.modules);
    worker.postMessage({ room: this.room } satisfies Request);
    worker.on("message", (answer: Answer) => this.answered(worker, answer));
    worker.on("error", (error) => this.died(worker, error));
    worker.on("exit", (code) => this.died(worker, new Error(`a worker thread ended by itself with code ${code}`)));
    this.all.push(worker);
    this.idle.push(worker);
  }

  private next(): void {
    while (this.idle.length > 0 && this.waiting.length > 0) {
      const worker = this.idle.pop()!;
      const task = this.waiting.shift()!;
      this.running.set(worker, task);
      worker.postMessage(task.request);
    }
  }

  private answered(worker: Worker, answer: Answer): void {
    const task = this.running.get(worker);
    if (task === undefined) return;
    if ("output" in answer) {
      task.taken = task.taken.then(() => task.emit(answer.output));
      task.taken.catch(() => {}); // told below, when the task ends
      return;
    }
    this.running.delete(worker);
    this.idle.push(worker);
    if ("failed" in answer) task.reject(Object.assign(new Error(), answer.failed));
    else {
      stages.add(task.stage, answer.done);
      task.taken.then(task.resolve, task.reject);
    }
    this.next();
  }

  /** A thread that died takes its task with it; the run fails rather than waits for it. */
  private died(worker: Worker, error: unknown): void {
    this.fault ??= { error };
    this.running.get(worker)?.reject(error);
    this.running.delete(worker);
    for (const task of this.waiting.splice(0)) task.reject(error);
  }
}

const newWorker = (modules: readonly string[]) => new Worker(join(__dirname, "worker.js"), { workerData: { modules } satisfies Setup });

/** A thread that was started before there was a pool. */
let spare: Worker | undefined;

/**
 * Starts a thread that the next pool will take: while a process loads what says whether there is to be one, its other cores have nothing to do.
 * Nothing waits for it, and it ends with the process.
 */
export function startSpare(modules: readonly string[]): Worker {
  const worker = newWorker(modules);
  const gone = () => {
    if (spare === worker) spare = undefined;
  };
  worker.once("error", gone).once("exit", gone).unref();
  spare = worker;
  return worker;
}

function takeSpare(): Worker | undefined {
  const worker = spare;
  spare = undefined;
  worker?.ref();
  return worker;
}

let current: Threads = new OwnThread();

/** The threads of this process. */
export const threads = (): Threads => current;

/** Gives the process so many threads for kernels, each with this room; 1 means none besides its own. Threads load `modules` at once. */
export function useThreads(count: number, room?: Room, modules: readonly string[] = []): Threads {
  useRoom(room);
  untold = true;
  if (count === 1) void takeSpare()?.terminate();
  current = count > 1 ? new Pool(count, room, modules) : new OwnThread();
  return current;
}

/** A copy in memory that threads share, so that any number of them can look at it and none has to copy it. */
export function shared<T>(value: T): T {
  if (ArrayBuffer.isView(value)) {
    const view = value as unknown as Uint8Array;
    if (view.buffer instanceof SharedArrayBuffer) return value;
    const bytes = new Uint8Array(new SharedArrayBuffer(view.byteLength));
    bytes.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
    return new (view.constructor as new (buffer: ArrayBufferLike) => T)(bytes.buffer);
  }
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, shared(field)])) as T;
}
