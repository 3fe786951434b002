import { enableCompileCache } from "node:module";
import { parentPort } from "node:worker_threads";
import type { Answer, Emit, Request } from "./threads";

/** A thread of the pool: runs one kernel after another. */
const port = parentPort!;
enableCompileCache?.(); // a thread does not have it from the process; Node 20 has none

port.on("message", async ({ module, name, input }: Request) => {
  const say = (answer: Answer) => port.postMessage(answer);
  try {
    const kernel: (input: unknown, emit: Emit<unknown>) => Promise<void> = require(module)[name];
    await kernel(input, (output) => say({ output }));
    say({ done: true });
  } catch (error) {
    const { name, message, stack } = error as Error;
    say({ failed: { ...(error as object), name, message, stack } });
  }
});
