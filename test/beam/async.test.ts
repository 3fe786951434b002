import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { type AsyncDoFn, AsyncOperator, asyncParDo } from "../../beam/async";
import { ColumnsCoder } from "../../beam/coders";
import { NonPromise, type ProcessResult, type Receiver, requireForSerialization, type WindowedValue } from "../../beam/sdk";
import { collect, given } from "./collect";

const windowed = (value: unknown): WindowedValue<unknown> => ({ value, windows: [], pane: {}, timestamp: 0 }) as never;

/** Elements wait until they are let go. */
class Gate implements AsyncDoFn<number, number> {
  readonly begun: number[] = [];
  most = 0;
  private running = 0;
  private readonly waiting = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();

  async process(element: number, emit: (output: number) => Promise<void>): Promise<void> {
    this.begun.push(element);
    this.most = Math.max(this.most, ++this.running);
    try {
      await new Promise<void>((resolve, reject) => this.waiting.set(element, { resolve, reject }));
      await emit(element * 10);
    } finally {
      this.running--;
    }
  }

  async open(element: number): Promise<void> {
    this.waiting.get(element)!.resolve();
    await setImmediate();
  }

  async fail(element: number, message: string): Promise<void> {
    this.waiting.get(element)!.reject(new Error(message));
    await setImmediate();
  }
}

function setUp(concurrency: number, receive: (value: unknown) => ProcessResult = () => NonPromise) {
  const gate = new Gate();
  const received: unknown[] = [];
  const receiver = {
    receive: (element: WindowedValue<unknown>) => {
      received.push(element.value);
      return receive(element.value);
    },
  } as unknown as Receiver;
  return { gate, received, operator: new AsyncOperator("transform", receiver, gate as AsyncDoFn<unknown, unknown>, concurrency) };
}

const settled = async (promise: Promise<unknown>): Promise<boolean> => {
  const none = {};
  return (await Promise.race([promise, setImmediate(none)])) !== none;
};

test("up to the bound nobody waits; at the bound the caller waits until one is done", async () => {
  const { gate, operator } = setUp(2);
  await operator.startBundle();
  expect(operator.process(windowed(1))).toBe(NonPromise);
  const room = operator.process(windowed(2)) as Promise<void>;
  expect(room).toBeInstanceOf(Promise);
  expect(await settled(room)).toBe(false);
  await gate.open(1);
  expect(await settled(room)).toBe(true);
  await gate.open(2);
  await operator.finishBundle();
});

test("a caller that waits never has more than the bound running, and everything is emitted", () =>
  fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 0, max: 12 }),
      fc.infiniteStream(fc.nat()),
      async (bound, count, picks) => {
        const { gate, received, operator } = setUp(bound);
        await operator.startBundle();
        const waiting: number[] = [];
        const openOne = async () => gate.open(waiting.splice(picks.next().value! % waiting.length, 1)[0]);
        for (let element = 0; element < count; element++) {
          const result = operator.process(windowed(element));
          waiting.push(element);
          if (result !== NonPromise) {
            await openOne();
            await result;
          }
        }
        const end = operator.finishBundle();
        while (waiting.length > 0) await openOne();
        await end;
        expect(gate.most).toBeLessThanOrEqual(bound);
        expect(received.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i * 10));
      },
    ),
    { numRuns: 50 },
  ));

test("finishBundle waits for all, also where nobody waited for process", async () => {
  const { gate, received, operator } = setUp(1);
  await operator.startBundle();
  for (const element of [1, 2, 3]) void operator.process(windowed(element));
  const end = operator.finishBundle();
  await gate.open(3);
  await gate.open(1);
  expect(await settled(end)).toBe(false);
  await gate.open(2);
  await end;
  expect(received).toEqual([30, 10, 20]);
});

test("the first error reaches who finishes the bundle, after all others have ended; nothing begins after it", async () => {
  const { gate, received, operator } = setUp(3);
  await operator.startBundle();
  for (const element of [1, 2]) void operator.process(windowed(element));
  await gate.fail(1, "no such file");
  expect(operator.process(windowed(3))).toBe(NonPromise);
  const end = operator.finishBundle();
  end.catch(() => {});
  expect(await settled(end.catch(() => {}))).toBe(false);
  await gate.fail(2, "a later error");
  await expect(end).rejects.toThrow("no such file");
  expect(gate.begun).toEqual([1, 2]);
  expect(received).toEqual([]);
});

test("a failed bundle does not spoil the next", async () => {
  const { gate, operator } = setUp(1);
  await operator.startBundle();
  void operator.process(windowed(1));
  await gate.fail(1, "once");
  await expect(operator.finishBundle()).rejects.toThrow("once");
  await operator.startBundle();
  void operator.process(windowed(2));
  await gate.open(2);
  await operator.finishBundle();
});

test("emit waits for the receiver, and fails with it", async () => {
  let release = () => {};
  const downstream = new Promise<void>((resolve) => void (release = resolve));
  const { gate, operator } = setUp(1, (value) => (value === 10 ? downstream : Promise.reject(new Error("downstream"))));
  await operator.startBundle();
  const done = operator.process(windowed(1)) as Promise<void>;
  await gate.open(1);
  expect(await settled(done)).toBe(false);
  release();
  await done;
  void operator.process(windowed(2));
  await gate.open(2);
  await expect(operator.finishBundle()).rejects.toThrow("downstream");
});

class Twice implements AsyncDoFn<number, number> {
  async process(element: number, emit: (output: number) => Promise<void>): Promise<void> {
    await setImmediate();
    if (element < 0) throw new Error("negative");
    await emit(element);
    await setImmediate();
    await emit(element * 2);
  }
}
requireForSerialization("backstory/test/beam/async", { Twice });

test("asyncParDo in a pipeline on the direct runner: every output, before the pipeline ends", async () => {
  const elements = Array.from({ length: 50 }, (_, i) => i);
  const { out } = await collect<{ out: number }>((root) => ({
    out: given(root, elements).apply(asyncParDo(new Twice(), new ColumnsCoder<number>())),
  }));
  expect(out.sort((a, b) => a - b)).toEqual(elements.flatMap((x) => [x, 2 * x]).sort((a, b) => a - b));
});

test("asyncParDo in a pipeline: an error is the run's error", async () => {
  await expect(collect((root) => ({ out: given(root, [1, -1, 2]).apply(asyncParDo(new Twice())) }))).rejects.toThrow("negative");
});
