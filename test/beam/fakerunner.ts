/** A runner as a worker sees it: gRPC services in this process, which say what a test wants them to and keep what they hear. */
import "apache-beam";
import { Server, ServerCredentials, type ServerDuplexStream, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import { Pipeline, PipelineContext } from "apache-beam/internal/pipeline";
import {
  type Elements,
  type Elements_Data,
  type InstructionRequest,
  type InstructionResponse,
  type LogEntry_List,
  ProcessBundleDescriptor,
  RemoteGrpcPort,
  type StateRequest,
  type StateResponse,
} from "apache-beam/proto/beam_fn_api";
import {
  beamFnControlDefinition,
  beamFnDataDefinition,
  beamFnLoggingDefinition,
  beamFnStateDefinition,
} from "apache-beam/proto/beam_fn_api.grpc-server";
import { type PCollection, Root } from "apache-beam/pvalue";
import { impulse } from "apache-beam/transforms/internal";
import { Worker } from "apache-beam/worker/worker";
import { Reader, Writer } from "protobufjs";
import { type Context, GlobalWindow, PaneInfoCoder, runnerApi, type WindowedValue } from "../../beam/sdk";

type Stream<In, Out> = ServerDuplexStream<In, Out>;
type Request = InstructionRequest["request"];
const NESTED = "needsDelimiters" as unknown as Context;
const UNLIMITED = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };

export class FakeRunner {
  private readonly server = new Server(UNLIMITED);
  private readonly answers = new Map<string, (response: InstructionResponse) => void>();
  private readonly workers: Worker[] = [];
  private readonly arrived = Promise.withResolvers<void>();
  private control!: Stream<InstructionResponse, InstructionRequest>;
  /** as soon as a worker has opened it */
  readonly dataOpen = Promise.withResolvers<Stream<Elements, Elements>>();
  endpoint = "";
  descriptor = ProcessBundleDescriptor.create();
  /** what workers have sent, in order */
  readonly received: Elements_Data[] = [];
  readonly logs: LogEntry_List[] = [];
  readonly askedFor: string[] = [];
  state: (request: StateRequest, stream: Stream<StateRequest, StateResponse>) => void = () => {};

  async start(): Promise<this> {
    this.server.addService(beamFnControlDefinition, {
      control: (stream: Stream<InstructionResponse, InstructionRequest>) => {
        this.control = stream;
        stream.on("data", (response: InstructionResponse) => this.answers.get(response.instructionId)?.(response));
        stream.on("error", () => {});
        this.arrived.resolve();
      },
      getProcessBundleDescriptor: (
        call: ServerUnaryCall<unknown, ProcessBundleDescriptor>,
        callback: sendUnaryData<ProcessBundleDescriptor>,
      ) => {
        this.askedFor.push(String(call.metadata.get("worker_id")[0]));
        callback(null, this.descriptor);
      },
    });
    this.server.addService(beamFnDataDefinition, {
      data: (stream: Stream<Elements, Elements>) => {
        stream.on("data", ({ data }: Elements) => this.received.push(...data));
        stream.on("error", () => {});
        this.dataOpen.resolve(stream);
      },
    });
    this.server.addService(beamFnStateDefinition, {
      state: (stream: Stream<StateRequest, StateResponse>) => {
        stream.on("data", (request: StateRequest) => this.state(request, stream));
        stream.on("error", () => {});
      },
    });
    this.server.addService(beamFnLoggingDefinition, {
      logging: (stream: Stream<LogEntry_List, never>) => {
        stream.on("data", (entries: LogEntry_List) => this.logs.push(entries));
        stream.on("error", () => {});
      },
    });
    const port = await new Promise<number>((resolve, reject) =>
      this.server.bindAsync("localhost:0", ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port))),
    );
    this.endpoint = `localhost:${port}`;
    return this;
  }

  worker(): Worker {
    const worker = new Worker("worker-7", { controlUrl: this.endpoint }, {});
    this.workers.push(worker);
    return worker;
  }

  /** One request; its answer. */
  async ask(instructionId: string, request: Request): Promise<InstructionResponse> {
    await this.arrived.promise;
    return new Promise((resolve) => {
      this.answers.set(instructionId, resolve);
      this.control.write({ instructionId, request });
    });
  }

  /** Has a bundle processed; what the worker answers. */
  bundle(instructionId: string): Promise<InstructionResponse> {
    return this.ask(instructionId, {
      oneofKind: "processBundle",
      processBundle: { processBundleDescriptorId: this.descriptor.id, cacheTokens: [] },
    });
  }

  /** Sends the elements of a bundle, each in a message of its own unless told otherwise, and the end. */
  async feed(instructionId: string, elements: Uint8Array[], transformId = "source"): Promise<void> {
    const stream = await this.dataOpen.promise;
    for (const element of elements) stream.write(dataOf(instructionId, transformId, this.encode(element)));
    stream.write(dataOf(instructionId, transformId, new Uint8Array(), true));
  }

  /** An element as it is on the wire. */
  encode(value: Uint8Array): Uint8Array {
    const element: WindowedValue<Uint8Array> = {
      value,
      windows: [new GlobalWindow()],
      pane: PaneInfoCoder.ONE_AND_ONLY_FIRING,
      timestamp: new GlobalWindow().maxTimestamp(),
    };
    const writer = Writer.create();
    new PipelineContext(this.descriptor, "").getCoder<unknown>("windowed:0").encode(element, writer, NESTED);
    return writer.finish();
  }

  /** All values that were sent to a sink, up to its end. */
  valuesOf(instructionId: string, sink = "sink:0"): unknown[] {
    const coder = new PipelineContext(this.descriptor, "").getCoder<WindowedValue<unknown>>("windowed:1");
    const values: unknown[] = [];
    for (const { data } of this.received.filter((message) => message.instructionId === instructionId && message.transformId === sink)) {
      for (const reader = Reader.create(data); reader.pos < reader.len; ) values.push(coder.decode(reader, NESTED).value);
    }
    return values;
  }

  /** As if it had crashed. */
  stop(): void {
    this.server.forceShutdown();
    for (const worker of this.workers) worker.stop();
  }

  /** A bundle of these steps: elements come in as bytes at "source" and go out at "sink:0". */
  describe(build: (input: PCollection<Uint8Array>) => PCollection<unknown> | undefined, id = "descriptor"): void {
    const pipeline = new Pipeline();
    const input = new Root(pipeline).apply(impulse());
    const output = build(input);
    const { components } = pipeline.getProto();
    const { transforms, pcollections, windowingStrategies, coders, environments } = components!;
    const apiServiceDescriptor = { url: this.endpoint };
    [input, output].forEach((pcollection, i) => {
      if (pcollection === undefined) return;
      const { coderId, windowingStrategyId } = pcollections[pcollection.getId()];
      coders[`windowed:${i}`] = runnerApi.Coder.create({
        spec: { urn: "beam:coder:windowed_value:v1", payload: new Uint8Array() },
        componentCoderIds: [coderId, windowingStrategies[windowingStrategyId].windowCoderId],
      });
    });
    for (const [name, transform] of Object.entries(transforms)) {
      if (transform.spec?.urn !== "beam:transform:impulse:v1") continue;
      delete transforms[name];
      transforms.source = port("source", "windowed:0", apiServiceDescriptor, { outputs: transform.outputs });
    }
    if (output !== undefined) transforms["sink:0"] = port("sink", "windowed:1", apiServiceDescriptor, { inputs: { in: output.getId() } });
    this.descriptor = ProcessBundleDescriptor.create({
      ...{ id, transforms, pcollections, windowingStrategies, coders, environments },
      stateApiServiceDescriptor: apiServiceDescriptor,
    });
  }
}

function port(kind: "source" | "sink", coderId: string, apiServiceDescriptor: { url: string }, ends: Partial<runnerApi.PTransform>) {
  const payload = RemoteGrpcPort.toBinary(RemoteGrpcPort.create({ apiServiceDescriptor, coderId }));
  return runnerApi.PTransform.create({ uniqueName: kind, spec: { urn: `beam:runner:${kind}:v1`, payload }, ...ends });
}

export function dataOf(instructionId: string, transformId: string, data: Uint8Array, isLast = false): Elements {
  return { data: [{ instructionId, transformId, data, isLast }], timers: [] };
}

/** Waits for something that has to become true; says so if it does not. */
export async function until(what: string, isTrue: () => boolean, limitMs = 20_000): Promise<void> {
  for (const limit = Date.now() + limitMs; !isTrue(); await new Promise((resolve) => setTimeout(resolve, 10)))
    if (Date.now() > limit) throw new Error(`${what}: not within ${limitMs} ms`);
}
