/** The defects of the SDK that patches/ mends: one test for each hunk, so that a new version of the SDK shows which it still needs. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
// before any of its modules
import "apache-beam";
import { DoubleCoder } from "apache-beam/coders/standard_coders";
import { Pipeline } from "apache-beam/internal/pipeline";
import { Root } from "apache-beam/pvalue";
import { impulse } from "apache-beam/transforms/internal";
import { windowParam } from "apache-beam/transforms/pardo";
import { createOperator, OperatorContext } from "apache-beam/worker/operators";
import fc from "fast-check";
import { Reader, Writer } from "protobufjs";
import { withColumns } from "../../beam/coders";
import {
  type Coder,
  type Context,
  directRunner,
  GeneralObjectCoder,
  GlobalWindow,
  groupByKey,
  type IOperator,
  NonPromise,
  type PCollection,
  parDo,
  registerDoFnOperator,
  requireForSerialization,
  runnerApi,
  VarIntCoder,
  type WindowedValue,
  withCoderInternal,
  withName,
} from "../../beam/sdk";
import { collect, given } from "./collect";
import { FakeRunner } from "./fakerunner";

jest.setTimeout(30_000);

const NESTED = "needsDelimiters" as unknown as Context;

function roundTrip<T>(coder: Coder<T>, element: T): T {
  const writer = Writer.create();
  coder.encode(element, writer, NESTED);
  return coder.decode(Reader.create(writer.finish()), NESTED);
}

const BIG = [1, 2 ** 31, 2 ** 32 + 1, 2 ** 40 + 1, Number.MAX_SAFE_INTEGER, -(2 ** 31) - 1, Number.MIN_SAFE_INTEGER];

test("standard_coders: integers beyond int32 come back from VarIntCoder", () =>
  fc.assert(fc.property(fc.oneof(fc.maxSafeInteger(), fc.constantFrom(...BIG)), (n) => expect(roundTrip(new VarIntCoder(), n)).toBe(n))));

test("standard_coders: VarIntCoder refuses what it cannot carry, instead of carrying something else", () => {
  for (const n of [2 ** 53, 1.5, Number.NaN]) expect(() => roundTrip(new VarIntCoder(), n)).toThrow("Not an exactly representable integer");
});

test("standard_coders: VarIntCoder does not read what a number cannot hold", () => {
  const bytes = Writer.create().int64("9007199254740993").finish();
  expect(() => new VarIntCoder().decode(Reader.create(bytes))).toThrow("Not an exactly representable integer: 9007199254740993");
});

test("standard_coders: a double is read where it lies, without a copy of all around it", () => {
  const writer = Writer.create();
  for (const n of [1.5, -2]) new DoubleCoder().encode(n, writer);
  const reader = Reader.create(writer.finish());
  const slice = jest.spyOn(ArrayBuffer.prototype, "slice");
  expect([new DoubleCoder().decode(reader), new DoubleCoder().decode(reader)]).toEqual([1.5, -2]);
  expect(slice).not.toHaveBeenCalled();
  slice.mockRestore();
});

test("standard_coders: keys that differ beyond int32 are different keys", async () => {
  const elements = BIG.map((key) => ({ key, value: [key] }));
  const { out } = await collect<{ out: unknown }>((root) => ({
    out: given(root, elements).apply(withColumns<number, number[]>()).apply(groupByKey()) as never,
  }));
  expect(out).toEqual(BIG.map((key) => ({ key, value: [[key]] })));
});

test("js_coders: the general coder keeps big integers and the sign of zero", () => {
  for (const n of [...BIG, 2 ** 53, 2 ** 60, -0, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
    expect([n, Object.is(roundTrip(new GeneralObjectCoder<number>(), n), n)]).toEqual([n, true]);
});

test("js_coders: keys of the general coder that differ beyond int32 are different keys", async () => {
  const elements = BIG.map((key) => ({ key, value: 1 }));
  const { out } = await collect<{ out: { key: number } }>((root) => ({ out: given(root, elements).apply(groupByKey()) as never }));
  expect(out.map(({ key }) => key)).toEqual(BIG);
});

/** A transform's operator alone, with a receiver of our own. */
function operatorOf(urn: string, pipeline: Pipeline, receive: (element: never) => null | Promise<void>, dataChannel: unknown = null) {
  const { components } = pipeline.getProto();
  const { transforms, pcollections, windowingStrategies, coders, environments } = components!;
  const [id] = Object.entries(transforms).find(([, { spec }]) => spec?.urn === urn)!;
  const descriptor = { id: "", transforms, pcollections, windowingStrategies, coders, environments };
  const context = new OperatorContext(
    descriptor as never,
    () => ({ receive }) as never,
    (() => dataChannel) as never,
    null!,
    () => "bundle",
    {} as never,
    null!,
  );
  return createOperator(id, context);
}

test("direct_runner: a group is let go before the next is handed on", async () => {
  const pipeline = new Pipeline();
  new Root(pipeline).apply(withName("grouped", (root: Root) => given(root, []).apply(withColumns<number, number>()).apply(groupByKey())));
  const held: number[] = [];
  const operator = operatorOf("beam:transform:group_by_key:v1", pipeline, () => {
    held.push((operator as unknown as { groups: Map<string, unknown> }).groups.size);
    return NonPromise;
  });
  await operator.startBundle();
  for (const key of [1, 2, 3, 1])
    operator.process({ value: { key, value: 0 }, windows: [new GlobalWindow()], pane: {}, timestamp: 0 } as never);
  await operator.finishBundle();
  expect(held).toEqual([2, 1, 0]);
});

/** Hands on each element a while later, one at a time. */
class Later implements IOperator {
  constructor(
    readonly transformId: string,
    private readonly receive: (element: WindowedValue<unknown>) => unknown,
  ) {}
  async startBundle() {}
  process(element: WindowedValue<unknown>) {
    return new Promise<void>((resolve) => setTimeout(resolve, 20)).then(() => void this.receive(element));
  }
  async finishBundle() {}
}
registerDoFnOperator("backstory:dofn:later:v1", (transformId, transform, context) => {
  const receiver = context.getReceiver(Object.values(transform.outputs)[0]);
  return new Later(transformId, (element) => receiver.receive(element));
});

const later = withName("later", (_input: unknown, pipeline: Pipeline, transform: runnerApi.PTransform) => {
  const doFn = runnerApi.FunctionSpec.create({ urn: "backstory:dofn:later:v1" });
  const payload = runnerApi.ParDoPayload.toBinary(runnerApi.ParDoPayload.create({ doFn }));
  transform.spec = runnerApi.FunctionSpec.create({ urn: parDo.urn, payload });
  return pipeline.createPCollectionInternal(new GeneralObjectCoder());
});

test("direct_runner: a grouping waits for what is still on its way", async () => {
  const elements = [1, 2, 3].map((n) => ({ key: 0, value: n }));
  const { out } = await collect<{ out: unknown }>((root) => {
    const late = (given(root, elements) as PCollection<unknown>).apply(later) as PCollection<{ key: number; value: number }>;
    return { out: late.apply(withColumns<number, number>()).apply(groupByKey()) as never };
  });
  expect(out).toEqual([{ key: 0, value: [1, 2, 3] }]);
});

class Fails {
  *process(n: number): Generator<number> {
    if (n === 2) throw new Error("no twos");
    yield n;
  }
}
requireForSerialization("backstory/test/beam/patches", { Fails });

test("direct_runner: what fails after a while is an error of the run, and not of the process", async () => {
  const run = collect<{ out: number }>((root) => ({
    out: ((given(root, [1, 2]) as PCollection<unknown>).apply(later) as PCollection<number>).apply(withName("fails", parDo(new Fails()))),
  }));
  await expect(run).rejects.toThrow("no twos");
});

class InWindows {
  *process(_: unknown, { window }: { window: { lookup(): { id: string } } }) {
    for (let i = 0; i < 2; i++) yield window.lookup().id;
  }
}
requireForSerialization("backstory/test/beam/patches/windows", { InWindows });

test("operators: an element of several windows is processed in one after the other, however long what follows takes", async () => {
  const pipeline = new Pipeline();
  new Root(pipeline).apply(
    withName("windows", (root: Root) =>
      root.apply(impulse()).apply(withName("in", parDo(new InWindows() as never, { window: windowParam() } as never))),
    ),
  );
  const seen: string[] = [];
  const operator = operatorOf(parDo.urn, pipeline, async ({ value }: { value: string }) => void seen.push(value));
  await operator.startBundle();
  await operator.process({ value: 0, windows: [{ id: "a" }, { id: "b" }], pane: {}, timestamp: 0 } as never);
  expect(seen).toEqual(["a", "a", "b", "b"]);
});

const FAILING_SOURCE = `
  require("apache-beam");
  const { DataSourceOperator } = require("apache-beam/worker/operators");
  const multiplexingDataChannel = { registerConsumer: async (bundle, transform, { onError }) => onError("broken"), unregisterConsumer() {} };
  const source = Object.assign(Object.create(DataSourceOperator.prototype), { getBundleId: () => "b", multiplexingDataChannel });
  source.startBundle().then(() => setTimeout(() => source.finishBundle().catch((error) => console.log(error)), 50));
`;

test("operators: a source that fails before it is waited for fails its bundle, and not the process", () => {
  const told = execFileSync(process.execPath, ["-e", FAILING_SOURCE], { cwd: join(__dirname, "../.."), encoding: "utf8", timeout: 20_000 });
  expect(told).toBe("broken\n");
});

test("operators: a bundle whose end could not be sent is not done", async () => {
  const runner = new FakeRunner();
  runner.describe((input) => input as never);
  const { components } = { components: runner.descriptor };
  const channel = { getSendChannel: () => ({ sendData: async () => {}, close: () => Promise.reject(new Error("gone")) }) };
  const pipeline = { getProto: () => ({ components }) } as unknown as Pipeline;
  const operator = operatorOf("beam:runner:sink:v1", pipeline, () => NonPromise, channel);
  await operator.startBundle();
  await expect(operator.finishBundle()).rejects.toThrow("gone");
});

test("operators: a ParDo may have a DoFn of a kind that was registered", async () => {
  const seen: string[] = [];
  registerDoFnOperator("backstory:dofn:test:v1", (transformId, _transform, context, spec): IOperator => {
    seen.push(spec.doFn!.urn, String(spec.doFn!.payload));
    expect(context.getReceiver).toBeInstanceOf(Function);
    return {
      transformId,
      startBundle: async () => {},
      process: ({ value }) => {
        seen.push(String(value));
        return NonPromise;
      },
      finishBundle: async () => {},
    };
  });
  const doFn = runnerApi.FunctionSpec.create({ urn: "backstory:dofn:test:v1", payload: Uint8Array.of(7) });
  await directRunner().run((root) => {
    given(root, ["a", "b"]).apply(
      withName("special", (_input: unknown, pipeline: Pipeline, transform: runnerApi.PTransform) => {
        transform.spec = runnerApi.FunctionSpec.create({
          urn: parDo.urn,
          payload: runnerApi.ParDoPayload.toBinary(runnerApi.ParDoPayload.create({ doFn })),
        });
        return pipeline.createPCollectionInternal(new GeneralObjectCoder());
      }),
    );
  });
  expect(seen).toEqual(["backstory:dofn:test:v1", "7", "a", "b"]);
});

test("operators: a DoFn of a kind that nobody registered is still an error", async () => {
  const doFn = runnerApi.FunctionSpec.create({ urn: "backstory:dofn:unknown:v1" });
  const run = directRunner().run((root) => {
    given(root, ["a"]).apply(
      withName("unknown", (_input: unknown, pipeline: Pipeline, transform: runnerApi.PTransform) => {
        const payload = runnerApi.ParDoPayload.toBinary(runnerApi.ParDoPayload.create({ doFn }));
        transform.spec = runnerApi.FunctionSpec.create({ urn: parDo.urn, payload });
        return pipeline.createPCollectionInternal(new GeneralObjectCoder());
      }),
    );
  });
  await expect(run).rejects.toThrow("Unknown DoFn type");
});

test("worker: bundles run without printing", async () => {
  const spies = (["debug", "log", "info", "warn", "error"] as const).map((name) => jest.spyOn(console, name).mockImplementation(() => {}));
  try {
    await collect<{ out: number }>((root) => ({ out: given(root, [1]).apply(withCoderInternal(new GeneralObjectCoder<number>())) }));
    expect(spies.flatMap(({ mock }) => mock.calls)).toEqual([]);
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
});

test("serialize-closures: the SDK loads on this Node, whose util has no isPrimitive", () => {
  const script = 'require("apache-beam"); process.stdout.write("loaded")';
  expect(execFileSync(process.execPath, ["-e", script], { cwd: join(__dirname, "../.."), encoding: "utf8" })).toBe("loaded");
});

test("serialize-closures: an object has the first of its names in a list, also when the list has grown; NaN has one too", () => {
  const { getNameOfBuiltin } = require("serialize-closures/dist/src/builtins.js") as {
    getNameOfBuiltin(value: unknown, list?: object[]): string | undefined;
  };
  const [one, two] = [{}, {}];
  const list = [
    { name: "a", builtin: one },
    { name: "b", builtin: one },
  ];
  expect([one, two].map((value) => getNameOfBuiltin(value, list))).toEqual(["a", undefined]);
  list.push({ name: "c", builtin: two });
  expect([one, two].map((value) => getNameOfBuiltin(value, list))).toEqual(["a", "c"]);
  expect(getNameOfBuiltin(Number.NaN)).toBe("NaN");
});

test("serialize-closures: what is there twice comes back as one, also in circles, and 30,000 objects take no time that grows with their square", () => {
  const { serialize, deserialize } = require("serialize-closures") as {
    serialize(value: unknown): unknown;
    deserialize(value: unknown): never;
  };
  const shared = { name: "shared" };
  const all = Array.from({ length: 30_000 }, (_, i) => ({ i, text: `t${i}`, shared }));
  const whole: Record<string, unknown> = { all, odd: [Number.NaN, Infinity, undefined, null, 0, "0"] };
  whole.itself = whole;
  const back: typeof whole & { all: typeof all } = deserialize(JSON.parse(JSON.stringify(serialize(whole))));
  expect([back.itself === back, back.all[0].shared === back.all[29_999].shared, back.odd]).toEqual([true, true, whole.odd]);
  expect(back.all).toEqual(all);
});

test("loading: threads load their kernels, and neither the SDK nor schemas nor readers of Parquet nobody has asked for", () => {
  const program =
    'for (const each of require("./dist/pipeline/kernels.js").KERNELS) require(each); console.log(JSON.stringify(Object.keys(require.cache)))';
  const loaded: string[] = JSON.parse(execFileSync(process.execPath, ["-e", program], { cwd: join(__dirname, "../.."), encoding: "utf8" }));
  expect(loaded.filter((path) => path.endsWith("pipeline/writeday.js"))).toHaveLength(1);
  expect(loaded.filter((path) => /node_modules.(apache-beam|zod|@grpc|hyparquet-compressors|picomatch|@google-cloud)/.test(path))).toEqual(
    [],
  );
});

test("loading: the direct runner and the graph load no gRPC, no BSON, and nothing that reads or writes files of data", () => {
  const program =
    'require("./dist/pipeline/runners/direct.js"); require("./dist/pipeline/plan.js"); console.log(JSON.stringify(Object.keys(require.cache)))';
  const loaded: string[] = JSON.parse(execFileSync(process.execPath, ["-e", program], { cwd: join(__dirname, "../.."), encoding: "utf8" }));
  expect(loaded.filter((path) => path.endsWith("direct_runner.js"))).toHaveLength(1);
  const sdks = /node_modules.(@grpc|bson|capture-console|queue-typescript|hyparquet)|grpc-client/;
  const ours = /pipeline.(scan\/|fastscan|scansplit|writeday|parquet.trainingfile)/;
  expect(loaded.filter((path) => sdks.test(path) || ours.test(path))).toEqual([]);
});

test("loading: the direct runner comes without gRPC, BSON, uuid, and what protobufjs has for .proto files", () => {
  const script = 'require("./dist/beam/sdk.js"); process.stdout.write(Object.keys(require.cache).join("\\n"))';
  const loaded = execFileSync(process.execPath, ["-e", script], { cwd: join(__dirname, "../.."), encoding: "utf8" }).split("\n");
  expect(loaded.filter((file) => /\/(protobufjs\/src\/writer|apache_beam\/runners\/direct_runner)\.js$/.test(file))).toHaveLength(2);
  expect(loaded.filter((file) => /node_modules\/(@grpc|bson|uuid)\/|protobufjs\/src\/(parse|root|type)\.js$/.test(file))).toEqual([]);
});
