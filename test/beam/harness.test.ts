/** The SDK's worker as a runner sees it: answers, metrics, errors, its end, its logs. Each test fails without its part of the patches. */
import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { BytesCoder } from "apache-beam/coders/standard_coders";
import type { InstructionResponse } from "apache-beam/proto/beam_fn_api";
import { StateResponse } from "apache-beam/proto/beam_fn_api";
import { beamFnStateDefinition } from "apache-beam/proto/beam_fn_api.grpc-server";
import { counter, distribution } from "apache-beam/transforms/pardo";
import { ExternalWorkerPool } from "apache-beam/worker/external_worker_service";
import { DataSourceOperator } from "apache-beam/worker/operators";
import { MultiplexingStateChannel } from "apache-beam/worker/state";
import { Worker } from "apache-beam/worker/worker";
import { type PCollection, parDo, requireForSerialization, withCoderInternal, withName } from "../../beam/sdk";
import { FakeRunner, until } from "./fakerunner";

jest.setTimeout(30_000);
const byte = (n: number) => Uint8Array.of(n);

interface Metrics {
  seen: { increment(n: number): void };
  sizes: { update(n: number): void };
}

class Measured {
  *process(element: Uint8Array, { seen, sizes }: Metrics) {
    seen.increment(1);
    sizes.update(element[0]);
    yield element;
  }
}

class Same {
  *process(element: Uint8Array) {
    yield element;
  }
}

class Throws {
  // biome-ignore lint/correctness/useYield: it never comes to that
  *process(_: Uint8Array): Generator<Uint8Array> {
    throw new RangeError("a reason");
  }
}
requireForSerialization("backstory/test/beam/harness", { Measured, Same, Throws });

let runner: FakeRunner;
let printed: jest.SpyInstance[];
const prints = () => printed.flatMap(({ mock }) => mock.calls);

beforeEach(async () => {
  runner = await new FakeRunner().start();
  printed = (["debug", "log", "info", "warn", "error"] as const).map((name) => jest.spyOn(console, name).mockImplementation(() => {}));
});
afterEach(() => {
  runner.stop();
  for (const spy of printed) spy.mockRestore();
});

const through =
  (doFn: { process(element: Uint8Array, context: never): Iterable<Uint8Array> }, context?: object) => (input: PCollection<Uint8Array>) =>
    input.apply(withName("step", parDo(doFn as never, context as never))).apply(withCoderInternal(new BytesCoder() as never));
const measured = () => through(new Measured(), { seen: counter("seen"), sizes: distribution("sizes") });

async function bundleOf(id: string, elements: Uint8Array[]): Promise<InstructionResponse> {
  const done = runner.bundle(id);
  await runner.feed(id, elements);
  return done;
}

/** The answer of one kind. */
function given<Kind extends string>({ error, response }: InstructionResponse, kind: Kind) {
  expect([error, response.oneofKind]).toEqual(["", kind]);
  return (response as unknown as { [K in Kind]: Record<string, unknown> })[kind];
}

// control

test("a question about a bundle that is over, or has not begun, is answered", async () => {
  runner.describe(through(new Same()));
  runner.worker();
  await bundleOf("b", [byte(1)]);
  const progress = { oneofKind: "processBundleProgress" as const, processBundleProgress: { instructionId: "b" } };
  expect(given(await runner.ask("p", progress), "processBundleProgress")).toEqual({ monitoringInfos: [], monitoringData: {} });
  const split = { oneofKind: "processBundleSplit" as const, processBundleSplit: { instructionId: "b", desiredSplits: {} } };
  expect(given(await runner.ask("s", split), "processBundleSplit")).toEqual({ channelSplits: [], primaryRoots: [], residualRoots: [] });
});

test("a worker tells what its metrics stand for, and answers all that a runner may ask", async () => {
  runner.describe(measured());
  runner.worker();
  const { monitoringData } = given(await bundleOf("b", [byte(1)]), "processBundle");
  const ids = Object.keys(monitoringData as object);
  const asked = await runner.ask("m", { oneofKind: "monitoringInfos", monitoringInfos: { monitoringInfoId: [...ids, "unknown"] } });
  const { monitoringInfo } = given(asked, "monitoringInfos") as { monitoringInfo: { [id: string]: { urn: string } } };
  expect(Object.keys(monitoringInfo).sort()).toEqual(ids.sort());
  expect(Object.values(monitoringInfo).map(({ urn }) => urn)).toContain("beam:metric:user:sum_int64:v1");
  const harness = await runner.ask("h", { oneofKind: "harnessMonitoringInfos", harnessMonitoringInfos: {} });
  expect(given(harness, "harnessMonitoringInfos")).toEqual({ monitoringData: {} });
  const finalized = await runner.ask("f", { oneofKind: "finalizeBundle", finalizeBundle: { instructionId: "b" } });
  expect(given(finalized, "finalizeBundle")).toEqual({});
});

test("a runner may register descriptors; for others the worker asks, by its name", async () => {
  runner.describe(through(new Same()), "registered");
  runner.worker();
  const register = { processBundleDescriptor: [runner.descriptor] };
  given(await runner.ask("r", { oneofKind: "register", register }), "register");
  given(await bundleOf("b", [byte(1)]), "processBundle");
  expect(runner.askedFor).toEqual([]);
  runner.describe(through(new Same()), "fetched");
  given(await bundleOf("c", [byte(1)]), "processBundle");
  expect(runner.askedFor).toEqual(["worker-7"]);
});

test("each source of a bundle can be split", async () => {
  runner.describe(through(new Same()));
  const { source } = runner.descriptor.transforms;
  runner.descriptor.transforms.other = { ...source, uniqueName: "other" };
  const worker = runner.worker();
  const done = runner.bundle("b");
  await until("both sources", () => [...worker.dataChannels.values()][0]?.consumers.get("b")?.size === 2);
  const desired = { fractionOfRemainder: 0.5, allowedSplitPoints: [], estimatedInputElements: 10n };
  for (const id of ["source", "other"]) {
    const processBundleSplit = { instructionId: "b", desiredSplits: { [id]: desired } };
    const answer = await runner.ask(`split ${id}`, { oneofKind: "processBundleSplit", processBundleSplit });
    expect(given(answer, "processBundleSplit").channelSplits).toMatchObject([{ transformId: id }]);
  }
  for (const id of ["source", "other"]) await runner.feed("b", [byte(1)], id);
  given(await done, "processBundle");
});

test("a split leaves the first element in the bundle, and takes at least one out of it", () => {
  const source: DataSourceOperator = Object.assign(Object.create(DataSourceOperator.prototype), {
    ...{ transformId: "t", started: true, lastProcessedElement: -1, lastToProcessElement: Number.POSITIVE_INFINITY },
  });
  const split = (elements: bigint) =>
    source.split({ fractionOfRemainder: 0, allowedSplitPoints: [], estimatedInputElements: elements } as never);
  expect(split(1n)).toBeUndefined();
  expect(split(2n)).toMatchObject({ lastPrimaryElement: 0n, firstResidualElement: 1n });
});

// metrics

interface Infos {
  monitoringInfos: { urn: string; payload: Uint8Array; labels: { [name: string]: string } }[];
}

test("each bundle reports its own counts, a distribution as four varints, all in a namespace", async () => {
  runner.describe(measured());
  runner.worker();
  for (const [id, elements, seen, sizes] of [
    ["a", [3, 5], [2], [2, 8, 3, 5]],
    ["b", [4], [1], [1, 4, 4, 4]],
  ] as const) {
    const { monitoringInfos } = given(await bundleOf(id, elements.map(byte)), "processBundle") as unknown as Infos;
    const users = monitoringInfos.filter(({ urn }) => urn.startsWith("beam:metric:user:"));
    expect(Object.fromEntries(users.map(({ labels, payload }) => [labels.NAME, [...payload]]))).toEqual({ seen, sizes });
    expect(users.every(({ labels }) => labels.NAMESPACE !== "")).toBe(true);
  }
});

// errors

test("a bundle that fails says why, and where", async () => {
  runner.describe(through(new Throws()));
  runner.worker();
  expect((await bundleOf("b", [byte(1)])).error).toMatch(/RangeError: a reason\n +at Throws\.process/);
});

test("an answer about state may be larger than 4 MB; a question fails when the runner answers with an error, with nonsense, or not at all", async () => {
  const server = new Server();
  const answers: ((id: string, stream: { write(response: StateResponse): void; end(): void }) => void)[] = [
    (id, stream) => stream.write(given5MB(id)),
    (id, stream) => stream.write(StateResponse.create({ id, error: "no such state" })),
    (id, stream) =>
      stream.write(
        StateResponse.create({ id, response: { oneofKind: "get", get: { data: byte(0), continuationToken: byte(0).slice(1) } } }),
      ),
    (_, stream) => stream.end(),
  ];
  server.addService(beamFnStateDefinition, { state: (call: Parameters<typeof answersTo>[0]) => answersTo(call, answers) });
  const port = await new Promise<number>((resolve) =>
    server.bindAsync("localhost:0", ServerCredentials.createInsecure(), (_, port) => resolve(port)),
  );
  const channel = new MultiplexingStateChannel(`localhost:${port}`, "w");
  const nonsense = () => {
    throw new Error("not to be decoded");
  };
  const ask = (decode: (data: Uint8Array) => unknown = nonsense) =>
    (channel.getState("b", { type: { oneofKind: undefined } }, decode) as { promise: Promise<unknown> }).promise;
  expect(await ask(({ length }) => length)).toBe(5_000_000);
  await expect(ask()).rejects.toThrow("no such state");
  await expect(ask()).rejects.toThrow("not to be decoded");
  await expect(ask()).rejects.toThrow("The runner closed the state channel");
  server.forceShutdown();
});

const given5MB = (id: string) =>
  StateResponse.create({
    id,
    response: { oneofKind: "get", get: { data: new Uint8Array(5_000_000), continuationToken: new Uint8Array() } },
  });

function answersTo(
  call: { on(name: "data" | "error", then: (request: { id: string }) => void): void; write(response: StateResponse): void; end(): void },
  answers: ((id: string, stream: typeof call) => void)[],
) {
  call.on("data", ({ id }) => answers.shift()!(id, call));
  call.on("error", () => {});
}

// its end

test("a worker ends with its runner, whether that closes or crashes", async () => {
  const worker = runner.worker();
  await runner.ask("h", { oneofKind: "harnessMonitoringInfos", harnessMonitoringInfos: {} });
  runner.stop();
  await worker.wait();
  await new Worker("w", { controlUrl: runner.endpoint }, {}).wait();
});

test("a worker that is stopped ends, even when its runner stays", async () => {
  const worker = runner.worker();
  await runner.ask("h", { oneofKind: "harnessMonitoringInfos", harnessMonitoringInfos: {} });
  worker.stop();
  await worker.wait();
});

test("a pool that is stopped stops the workers that its runner has left", async () => {
  const pool = new ExternalWorkerPool();
  await pool.start();
  const worker = runner.worker();
  await runner.ask("h", { oneofKind: "harnessMonitoringInfos", harnessMonitoringInfos: {} });
  pool.workers.set("w", worker);
  await pool.stop(20);
  await worker.wait();
});

const MAIN = createRequire(__filename).resolve("apache-beam/worker/worker_main");

function workerMain(options: object): { child: ChildProcess; ended: Promise<number | null> } {
  const args = [MAIN, "--id=w", `--control_endpoint=${runner.endpoint}`, `--logging_endpoint=${runner.endpoint}`];
  const child = spawn(process.execPath, [...args, `--options=${JSON.stringify(options)}`], { stdio: "ignore" });
  return { child, ended: new Promise((resolve) => child.once("exit", resolve)) };
}

test("a worker process ends well with its runner, though it has logs to send", async () => {
  const { child, ended } = workerMain({});
  const limit = setTimeout(() => child.kill("SIGKILL"), 20_000);
  await runner.ask("h", { oneofKind: "harnessMonitoringInfos", harnessMonitoringInfos: {} });
  runner.stop();
  expect(await ended).toBe(0);
  clearTimeout(limit);
});

test("a worker process that cannot start does not end as if it had", async () => {
  const { ended } = workerMain(null as never);
  expect(await ended).toBe(1);
});

// its logs

test("a worker says nothing of its own, unless it is asked to", async () => {
  runner.describe(through(new Same()));
  const worker = runner.worker();
  await bundleOf("quiet", [byte(1)]);
  expect(prints()).toEqual([]);
  process.env.BEAM_LOG_LEVEL = "debug";
  await bundleOf("loud", [byte(1)]);
  expect(JSON.stringify(prints())).toContain("loud");
  process.env.BEAM_LOG_LEVEL = "off";
  runner.describe(through(new Throws()), "throws");
  const before = prints().length;
  await bundleOf("off", [byte(1)]);
  expect(prints().length).toBe(before);
  delete process.env.BEAM_LOG_LEVEL;
  runner.stop();
  await worker.wait();
  expect(prints().length).toBe(before);
});
