import { once } from "node:events";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import type * as Told from "../../beam/stages";
import type * as Pooled from "../../beam/threads";
import { type Emit, type Kernel, shared, type Threads, useThreads } from "../../beam/threads";
import { applyWindow, Window } from "../../transforms/bounds";
import { JOIN_BUCKET } from "../../transforms/join";
import type { JoinInput, JoinOutput } from "../../transforms/joinbucket";
import { actionBatch, actions, rankingBatches, rankings, rules } from "../transforms/plain";

jest.setTimeout(30_000);

/** Threads run compiled modules, so that theirs is the compiled pool. */
const { useThreads: usePool, startSpare } = require("../../dist/beam/threads.js") as typeof Pooled;

const { stages } = require("../../dist/beam/stages.js") as typeof Told;

const module_ = join(__dirname, "kernels.js");
const kernels = require(module_) as Record<string, (input: object, emit: Emit<unknown>) => Promise<void>>;
const kernel = (name: string): Kernel<object, unknown> => ({ module: module_, name, load: async () => kernels[name], stage: name });

let pool: Threads;
beforeEach(() => void (pool = usePool(2)));
afterEach(async () => {
  await pool.close();
  usePool(1);
});

async function outputsOf<Input, Output>(threads: Threads, each: Kernel<Input, Output>, input: Input): Promise<Output[]> {
  const outputs: Output[] = [];
  await threads.run(each, input, (output) => void outputs.push(output));
  return outputs;
}

test("one thread is none besides one's own; two are a pool of two", () => {
  expect([useThreads(1).count, pool.count]).toEqual([1, 2]);
});

test("between the kernels of one's own thread others have a turn, such as signals", async () => {
  let turns = 0;
  const timer = setInterval(() => void turns++, 0);
  try {
    const deadline = performance.now() + 100;
    while (turns === 0 && performance.now() < deadline) await useThreads(1).run(kernel("count"), { n: 1 }, () => {});
    expect(turns).toBeGreaterThan(0);
  } finally {
    clearInterval(timer);
  }
});

test("a kernel gives in threads what it gives inline", () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(rules, actions(), rankings), { minLength: 1, maxLength: 4 }), async (buckets) => {
      const inputs = buckets.map(([some, given, shown]): JoinInput => {
        const half = given.length >> 1;
        const parts = [given.slice(0, half), given.slice(half)].map((part) => applyWindow(actionBatch(part), new Window(some)));
        return { left: [{ parts, index: 0, of: 1 }], right: rankingBatches(shown), rules: some };
      });
      const all = (threads: Threads): Promise<JoinOutput[][]> => Promise.all(inputs.map((input) => outputsOf(threads, JOIN_BUCKET, input)));
      expect(await all(pool)).toEqual(await all(useThreads(1)));
    }),
    { numRuns: 30 },
  ));

test("all tasks are done, more of them than threads; each task's outputs come in order, and have been taken when it ends", async () => {
  const taken: number[][] = Array.from({ length: 7 }, () => []);
  await Promise.all(
    taken.map(async (mine, n) => {
      await pool.run(kernel("count"), { n }, async (output) => {
        await setImmediate();
        mine.push(output as number);
      });
      expect(mine).toEqual(Array.from({ length: n }, (_, i) => i));
    }),
  );
});

test("threads tell the time of what they did, begin and end by the clock of this thread", async () => {
  stages.clear();
  const began = performance.now() / 1000;
  await Promise.all([1, 2, 3].map((n) => outputsOf(pool, kernel("count"), { n })));
  const { count } = stages.report();
  // rounded to microseconds
  expect(count.from).toBeGreaterThanOrEqual(began - 1e-6);
  expect(count.from + count.seconds).toBeLessThanOrEqual(performance.now() / 1000 + 1e-6);
  expect(count.busySeconds).toBeLessThanOrEqual(pool.count * count.seconds + 1e-6);
});

test("an error keeps message, name, exitCode and code; the thread goes on", async () => {
  const error = { name: "BrokenFile", message: "no such zip", exitCode: 3, code: "Z_BUF_ERROR" };
  for (let i = 0; i < 3; i++) {
    const told: Error = await pool
      .run(kernel("fail"), error, () => {})
      .then(
        () => Promise.reject(new Error("no error")),
        (reason) => reason,
      );
    expect({ ...told, name: told.name, message: told.message }).toMatchObject(error);
    expect(told.stack).toContain("kernels.js");
  }
  expect(await outputsOf(pool, kernel("count"), { n: 2 })).toEqual([0, 1]);
});

test("an error of the taker is the task's", async () => {
  const taking = pool.run(kernel("count"), { n: 3 }, async (output) => {
    if (output === 1) throw new Error("no room");
  });
  await expect(taking).rejects.toThrow("no room");
});

const flag = () => new Int32Array(new SharedArrayBuffer(4));
function wake(numbers: Int32Array): void {
  Atomics.store(numbers, 0, 1);
  Atomics.notify(numbers, 0);
}

test.each([
  ["exits", "exit", { code: 7 }, "ended by itself with code 7"],
  ["crashes", "crash", { message: "out of luck" }, "out of luck"],
])("a thread that %s rejects its task and those that wait; another's task goes on", async (_, name, input, message) => {
  const hold = flag();
  const held = outputsOf(pool, kernel("wait"), { flag: hold });
  const all = [pool.run(kernel(name), input, () => {}), ...[1, 2, 3].map((n) => pool.run(kernel("count"), { n }, () => {}))];
  const outcomes = await Promise.allSettled(all);
  for (const outcome of outcomes)
    expect(outcome).toMatchObject({ status: "rejected", reason: { message: expect.stringContaining(message) } });
  wake(hold);
  expect(await held).toEqual(["woken"]);
});

test("after a thread has died no task is taken any more: there may be nobody left to do it", async () => {
  const dying = [7, 7].map((code) => pool.run(kernel("exit"), { code }, () => {}));
  expect((await Promise.allSettled(dying)).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  await expect(pool.run(kernel("count"), { n: 1 }, () => {})).rejects.toThrow("ended by itself");
});

test("what is shared is seen by all threads; what is not is copied", async () => {
  for (const [numbers, seen] of [
    [shared(Float64Array.of(1, 2)), [7, 7]],
    [Float64Array.of(1, 2), [1, 2]],
  ] as const) {
    await pool.run(kernel("mark"), { numbers }, () => {});
    expect([...numbers]).toEqual(seen);
  }
});

test("shared: a copy equal to its original, made once", () => {
  const original = {
    ids: BigInt64Array.of(1n, -(2n ** 63n)),
    part: Uint8Array.of(9, 8, 7, 6).subarray(1, 3),
    more: { days: Int32Array.of(-1), none: new Float64Array(0) },
    n: 5,
    name: "é",
    nothing: null,
  };
  const copy = shared(original);
  expect(copy).toEqual(original);
  for (const column of [copy.ids, copy.part, copy.more.days, copy.more.none]) expect(column.buffer).toBeInstanceOf(SharedArrayBuffer);
  original.part[0] = 0;
  expect([...copy.part]).toEqual([8, 7]);
  const again = shared(copy);
  expect([again.ids === copy.ids, again.part === copy.part, again.more.days === copy.more.days]).toEqual([true, true, true]);
});

/** The threads that tasks of a pool of two are run by. */
async function threadsOf(pool: Threads): Promise<number[]> {
  const ids = await Promise.all(Array.from({ length: 8 }, () => outputsOf(pool, kernel("whoami"), {})));
  return [...new Set(ids.flat() as number[])].sort((a, b) => a - b);
}

test("a thread that was started before is one of the next pool's", async () => {
  const before = Math.max(...(await threadsOf(pool)));
  startSpare([]);
  const later = usePool(2);
  expect(await threadsOf(later)).toEqual([before + 1, before + 2]);
  await later.close();
});

test("a thread that was started before and has died is nobody's", async () => {
  const before = Math.max(...(await threadsOf(pool)));
  await expect(once(startSpare(["/no/such/module"]), "exit")).rejects.toThrow("/no/such/module");
  const later = usePool(2);
  expect(await threadsOf(later)).toEqual([before + 2, before + 3]);
  await later.close();
});
