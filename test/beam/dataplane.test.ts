/** The data plane of the SDK's worker, against a runner that a test holds in its hands. Each test fails without its part of the patches. */
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { BytesCoder, StrUtf8Coder } from "apache-beam/coders/standard_coders";
import type { Elements } from "apache-beam/proto/beam_fn_api";
import { beamFnDataDefinition } from "apache-beam/proto/beam_fn_api.grpc-server";
import { MultiplexingDataChannel } from "apache-beam/worker/data";
import {
  combinePerKey,
  KVCoder,
  type PCollection,
  parDo,
  requireForSerialization,
  type runnerApi,
  VarIntCoder,
  withCoderInternal,
  withName,
} from "../../beam/sdk";
import { dataOf, FakeRunner, until } from "./fakerunner";

jest.setTimeout(300_000);
process.env.BEAM_LOG_LEVEL = "off";
const MB = 1 << 20;
const byte = (n: number) => Uint8Array.of(n);

let produced = 0;

/** One element to `count` blocks of `bytes` bytes; the first four are the block's number. */
class Blocks {
  constructor(
    readonly count: number,
    readonly bytes: number,
    readonly ballast = "",
  ) {}
  *process(_: Uint8Array) {
    for (produced = 0; produced < this.count; ) {
      const block = Buffer.alloc(this.bytes);
      block.writeUInt32LE(produced++);
      yield block as Uint8Array;
    }
  }
}

class ThrowOnTwo {
  *process(element: Uint8Array) {
    if (element[0] === 2) throw new Error("no twos");
    yield element;
  }
}

let busy: boolean | undefined;
let answered = false;

/** Busy until the worker has answered, with nothing to show for it. */
class Busy {
  *process(_: Uint8Array) {
    busy = true;
    for (const end = Date.now() + 20_000; !answered && Date.now() < end; ) yield byte(0);
    busy = false;
  }
}

class Nothing {
  *process(_: Uint8Array): Generator<Uint8Array> {}
}

/** 60 keys with 1 MB each. */
class Pairs {
  *process(_: Uint8Array) {
    for (let key = 0; key < 60; key++) yield { key, value: "x".repeat(MB) };
  }
}

class Longest {
  createAccumulator() {
    return "";
  }
  addInput(a: string, b: string) {
    return a.length < b.length ? b : a;
  }
  mergeAccumulators(texts: Iterable<string>) {
    return [...texts].reduce((a, b) => this.addInput(a, b), "");
  }
  extractOutput(text: string) {
    return text;
  }
}
requireForSerialization("backstory/test/beam/dataplane", { Blocks, Busy, Longest, Nothing, Pairs, ThrowOnTwo });

let runner: FakeRunner;
beforeEach(async () => {
  runner = await new FakeRunner().start();
});
afterEach(() => runner.stop());

const bytesOf = (doFn: { process(element: Uint8Array): Iterable<Uint8Array> }) => (input: PCollection<Uint8Array>) =>
  input.apply(withName("step", parDo(doFn))).apply(withCoderInternal(new BytesCoder()));
const numbersOf = (values: unknown[]) => values.map((value) => Buffer.from(value as Uint8Array).readUInt32LE());
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

/** A channel of its own, with its runner's end of it. */
async function openChannel() {
  const ends = Promise.withResolvers<ServerDuplexStream<Elements, Elements>>();
  const server = new Server();
  server.addService(beamFnDataDefinition, { data: ends.resolve });
  const port = await new Promise<number>((resolve) =>
    server.bindAsync("localhost:0", ServerCredentials.createInsecure(), (_, port) => resolve(port)),
  );
  const channel = new MultiplexingDataChannel(`localhost:${port}`, "w");
  channel.dataChannel.write({ data: [], timers: [] });
  return { channel, stream: await ends.promise, close: () => server.forceShutdown() };
}

/** A consumer that takes its time; `let go` of one message after the other. */
function consumer() {
  const seen: number[] = [];
  const waiting: (() => void)[] = [];
  let closedAfter: number | undefined;
  return {
    seen,
    waiting,
    closedAfter: () => closedAfter,
    sendData: (data: Uint8Array) =>
      new Promise<void>((resolve) => {
        waiting.push(() => {
          seen.push(data[0]);
          resolve();
        });
      }),
    sendTimers: async () => {},
    close: () => void (closedAfter = seen.length),
    onError: () => {},
  };
}

test("messages of a bundle are consumed one by one, in order, and the end comes last", async () => {
  const { channel, stream, close } = await openChannel();
  const slow = consumer();
  await channel.registerConsumer("b", "t", slow);
  for (const n of [1, 2, 3]) stream.write(dataOf("b", "t", byte(n)));
  stream.write(dataOf("b", "t", new Uint8Array(), true));
  for (const n of [1, 2, 3]) {
    await until(`message ${n}`, () => slow.waiting.length > 0);
    expect([slow.waiting.length, slow.closedAfter()]).toEqual([1, undefined]);
    slow.waiting.pop()!();
  }
  await until("the end", () => slow.closedAfter() !== undefined);
  expect([slow.seen, slow.closedAfter()]).toEqual([[1, 2, 3], 3]);
  close();
});

test("what came before its consumer was there is not lost, and its end neither", async () => {
  const { channel, stream, close } = await openChannel();
  stream.write(dataOf("b", "t", byte(1)));
  stream.write(dataOf("b", "t", byte(2), true));
  await until("the data", () => channel.consumers.has("b"));
  const slow = consumer();
  await channel.registerConsumer("b", "t", slow);
  for (const n of [1, 2]) {
    await until(`message ${n}`, () => slow.waiting.length > 0);
    slow.waiting.pop()!();
  }
  await until("the end", () => slow.closedAfter() !== undefined);
  expect(slow.seen).toEqual([1, 2]);
  close();
});

test("a runner that is faster than the worker has to wait", async () => {
  const { channel, stream, close } = await openChannel();
  const slow = consumer();
  await channel.registerConsumer("b", "t", slow);
  let room = true;
  for (let i = 0; i < 80; i++) room = stream.write(dataOf("b", "t", new Uint8Array(MB)));
  await until("a full queue", () => channel.dataChannel.isPaused());
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(room).toBe(false);
  expect((channel as unknown as { queuedBytes: number }).queuedBytes).toBeLessThan(40 * MB);
  for (let i = 0; i < 80; i++) {
    await until(`message ${i}`, () => slow.waiting.length > 0);
    slow.waiting.pop()!();
  }
  close();
});

test("a worker that is faster than the runner has to wait, and nothing is lost or doubled", async () => {
  runner.describe(bytesOf(new Blocks(240, MB / 4)));
  runner.worker();
  const done = runner.bundle("b");
  const stream = await runner.dataOpen.promise;
  stream.pause();
  await runner.feed("b", [byte(0)]);
  await until("output", () => produced > 8);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(produced).toBeLessThan(200);
  stream.resume();
  expect((await done).error).toBe("");
  await until("the end", () => runner.received.some(({ isLast }) => isLast));
  expect(numbersOf(runner.valuesOf("b"))).toEqual(upTo(240));
});

test("a runner that reads nothing before the bundle is over gets all of it then", async () => {
  runner.describe(bytesOf(new Blocks(40, MB)));
  runner.worker();
  const done = runner.bundle("b");
  const stream = await runner.dataOpen.promise;
  stream.pause();
  await runner.feed("b", [byte(0)]);
  expect((await done).error).toBe("");
  stream.resume();
  await until("the end", () => runner.received.some(({ isLast }) => isLast));
  expect(numbersOf(runner.valuesOf("b"))).toEqual(upTo(40));
});

test("messages may be larger than 4 MB: descriptors, data, state", async () => {
  runner.describe(bytesOf(new Blocks(2, 6 * MB, "x".repeat(6 * MB))));
  runner.worker();
  const done = runner.bundle("b");
  await runner.feed("b", [new Uint8Array(20 * MB)]);
  expect((await done).error).toBe("");
  await until("the end", () => runner.received.some(({ isLast }) => isLast));
  expect(numbersOf(runner.valuesOf("b"))).toEqual([0, 1]);
});

test("a precombine hands on one key after the other, at its runner's pace", async () => {
  const strings = () => withCoderInternal(new KVCoder(new VarIntCoder(), new StrUtf8Coder()));
  runner.describe((input) => {
    const pairs = input.apply(withName("pairs", parDo(new Pairs()))).apply(strings());
    return pairs.apply(withName("longest", combinePerKey(new Longest()))).apply(withName("stringsToo", strings()));
  });
  lift(runner.descriptor.transforms);
  const worker = runner.worker();
  const done = runner.bundle("b");
  const stream = await runner.dataOpen.promise;
  stream.pause();
  await runner.feed("b", [byte(0)]);
  const { dataChannel } = [...worker.dataChannels.values()][0];
  await until("output", () => dataChannel.writableLength > 8);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(dataChannel.writableLength).toBeLessThan(25);
  stream.resume();
  expect((await done).error).toBe("");
  await until("the end", () => runner.received.some(({ isLast }) => isLast));
  expect(runner.valuesOf("b").map((pair) => (pair as { key: number }).key)).toEqual(upTo(60));
});

/** As a runner does it: the first step of a combine is one of its own, next to the sources. */
function lift(transforms: { [id: string]: runnerApi.PTransform }) {
  const combine = Object.values(transforms).find(({ spec }) => spec?.urn === "beam:transform:combine_per_key:v1")!;
  for (const id of combine.subtransforms.splice(0)) delete transforms[id];
  combine.spec!.urn = "beam:transform:combine_per_key_precombine:v1";
}

test("after a bundle, done or failed, nothing is kept of it, and what comes late is dropped", async () => {
  runner.describe(bytesOf(new ThrowOnTwo()));
  const worker = runner.worker();
  const good = runner.bundle("good");
  await runner.feed("good", [byte(1)]);
  expect((await good).error).toBe("");
  const bad = runner.bundle("bad");
  await runner.feed("bad", [byte(2), byte(3), byte(4)]);
  expect((await bad).error).toContain("no twos");
  for (const over of ["good", "bad"]) await runner.feed(over, [byte(5)]);
  const after = runner.bundle("after");
  await runner.feed("after", [byte(6)]);
  expect((await after).error).toBe("");
  const [channel] = worker.dataChannels.values();
  expect(channel.consumers.size).toBe(0);
  expect((channel as unknown as { queuedBytes: number }).queuedBytes).toBe(0);
});

test("a bundle whose data breaks off fails", async () => {
  runner.describe(bytesOf(new Nothing()));
  runner.worker();
  const done = runner.bundle("b");
  const stream = await runner.dataOpen.promise;
  stream.write(dataOf("b", "source", runner.encode(byte(1))));
  stream.end();
  expect((await done).error).toContain("The runner closed the data channel");
});

test("in the middle of a long element a worker answers its runner", async () => {
  runner.describe((input) =>
    input
      .apply(withName("busy", parDo(new Busy())))
      .apply(withName("nothing", parDo(new Nothing())))
      .apply(withCoderInternal(new BytesCoder())),
  );
  runner.worker();
  const done = runner.bundle("b");
  await runner.feed("b", [byte(0)]);
  await until("the element", () => busy !== undefined);
  await runner.ask("p", { oneofKind: "processBundleProgress", processBundleProgress: { instructionId: "b" } });
  expect(busy).toBe(true);
  answered = true;
  expect((await done).error).toBe("");
});
