import { enableCompileCache } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import { useRoom } from "./spill";
import type { Answer, Emit, Request, Setup } from "./threads";

/** A thread of the pool: runs one kernel after another. */
const port = parentPort!;
enableCompileCache?.(); // a thread does not have it from the process; Node 20 has none

port.on("message", async (request: Request) => {
  if ("room" in request) return useRoom(request.room);
  const { module, name, input } = request;
  const say = (answer: Answer) => port.postMessage(answer);
  try {
    const kernel: (input: unknown, emit: Emit<unknown>) => Promise<void> = require(module)[name];
    const began = performance.now();
    await kernel(input, (output) => say({ output }));
    const ended = performance.now();
    say({ done: { began, ended, busy: ended - began } });
  } catch (error) {
    const { name, message, stack } = error as Error;
    say({ failed: { ...(error as object), name, message, stack } });
  }
});

const { modules }: Setup = workerData;
for (const module of modules) require(module);
