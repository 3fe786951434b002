/** What each of the SDK's runners is about to do with a pipeline, caught at the last moment before it leaves this process. */
import * as grpc from "@grpc/grpc-js";
import "apache-beam";
import {
  GetJobMetricsResponse,
  GetJobStateRequest,
  JobState_Enum,
  JobStateEvent,
  PrepareJobRequest,
  PrepareJobResponse,
  RunJobRequest,
  RunJobResponse,
} from "apache-beam/proto/beam_job_api";
import { createRunner } from "apache-beam/runners/runner";
import { JavaJarService, PythonService } from "apache-beam/utils/service";
import { directRunner, type Root, runnerApi } from "../../beam/sdk";

type Build = (root: Root) => void;

/** A message type of the SDK. */
interface Message<T> {
  toBinary(message: T): Uint8Array;
  fromBinary(bytes: Uint8Array): T;
}

export function method<Request, Response>(name: string, request: Message<Request>, response: Message<Response>) {
  return {
    path: `/org.apache.beam.model.job_management.v1.JobService/${name}`,
    requestStream: false as const,
    responseStream: false as const,
    requestSerialize: (message: Request) => Buffer.from(request.toBinary(message)),
    requestDeserialize: (bytes: Buffer) => request.fromBinary(bytes),
    responseSerialize: (message: Response) => Buffer.from(response.toBinary(message)),
    responseDeserialize: (bytes: Buffer) => response.fromBinary(bytes),
  };
}

/** A job service that takes every job and says that it is done. */
async function withJobService(use: (endpoint: string) => Promise<unknown>): Promise<runnerApi.Pipeline[]> {
  const jobs: runnerApi.Pipeline[] = [];
  const server = new grpc.Server({ "grpc.max_receive_message_length": -1 });
  const answer =
    <Request, Response>(response: (request: Request) => Response) =>
    ({ request }: { request: Request }, callback: grpc.sendUnaryData<Response>) =>
      callback(null, response(request));
  server.addService(
    {
      Prepare: method("Prepare", PrepareJobRequest, PrepareJobResponse),
      Run: method("Run", RunJobRequest, RunJobResponse),
      GetState: method("GetState", GetJobStateRequest, JobStateEvent),
      GetJobMetrics: method("GetJobMetrics", GetJobStateRequest, GetJobMetricsResponse),
    },
    {
      Prepare: answer(({ pipeline }: PrepareJobRequest) => {
        jobs.push(pipeline!);
        return PrepareJobResponse.create({ preparationId: "prepared" });
      }),
      Run: answer(() => RunJobResponse.create({ jobId: "job" })),
      GetState: answer(() => JobStateEvent.create({ state: JobState_Enum.DONE })),
      GetJobMetrics: answer(() => GetJobMetricsResponse.create({ metrics: { attempted: [], committed: [] } })),
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("localhost:0", grpc.ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  try {
    await use(`localhost:${port}`);
  } finally {
    server.forceShutdown();
  }
  return jobs;
}

/** Runners that send the pipeline to a job service. They would start one themselves, in Python or Java. */
async function sentBy(runner: string, build: Build): Promise<runnerApi.Pipeline> {
  const [job] = await withJobService(async (endpoint) => {
    const service = { start: async () => endpoint, stop: async () => {} };
    const mocks = [
      jest.spyOn(PythonService, "forModule").mockReturnValue(service as unknown as PythonService),
      jest.spyOn(JavaJarService.prototype, "start").mockResolvedValue(endpoint),
      jest.spyOn(JavaJarService.prototype, "stop").mockResolvedValue(),
      ...(["info", "debug"] as const).map((told) => jest.spyOn(console, told).mockImplementation(() => {})),
    ];
    await createRunner({ runner, environmentType: "LOOPBACK", flinkJobServerJar: "none.jar" }).run(build);
    for (const mock of mocks) mock.mockRestore();
  });
  return job;
}

/** What the direct runner is about to run, in this process. */
async function runBy(runner: string, build: Build): Promise<runnerApi.Pipeline> {
  const direct = Object.getPrototypeOf(directRunner());
  const result = { waitUntilFinish: async () => JobState_Enum.DONE };
  const run = jest.spyOn(direct, "runPipeline").mockResolvedValue(result);
  await createRunner({ runner }).run(build);
  const [[proto]] = run.mock.calls as [[runnerApi.Pipeline]];
  run.mockRestore();
  return proto;
}

/** The SDK's runners by name. */
export const RUNNERS = { direct: runBy, default: runBy, universal: sentBy, flink: sentBy, dataflow: sentBy };

/**
 * A pipeline as bytes without its environments, which say where workers are: a portable runner puts there the address of this process's
 * own workers, at a port that is free, or the name of a container.
 */
export function bytesOf(pipeline: runnerApi.Pipeline): Buffer {
  const { components } = pipeline;
  return Buffer.from(runnerApi.Pipeline.toBinary({ ...pipeline, components: { ...components!, environments: {} } }));
}
