/** A job service that a test plays: what is not scripted is never answered. */
import * as grpc from "@grpc/grpc-js";
import "apache-beam";
import {
  CancelJobRequest,
  CancelJobResponse,
  GetJobMetricsResponse,
  GetJobStateRequest,
  type JobMessage_MessageImportance,
  JobMessagesRequest,
  JobMessagesResponse,
  JobState_Enum,
  JobStateEvent,
  PrepareJobRequest,
  PrepareJobResponse,
  RunJobRequest,
  RunJobResponse,
} from "apache-beam/proto/beam_job_api";
import { method } from "../../beam/jobservice";

export interface Script {
  /** calls that are answered; all by default */
  answers?: string[];
  /** states in turn; the last one stays */
  states?: JobState_Enum[];
  messages?: [JobMessage_MessageImportance, string][];
  /** calls that are refused, and how */
  refuse?: Record<string, grpc.ServiceError>;
}

export interface FakeJobs {
  endpoint: string;
  /** names of calls, in order */
  heard: string[];
  jobs: PrepareJobRequest[];
  die(): void;
}

const ALL = ["Prepare", "Run", "GetState", "GetJobMetrics", "GetMessageStream", "Cancel"];

export async function fakeJobs({ answers = ALL, states = [JobState_Enum.DONE], messages = [], refuse = {} }: Script): Promise<FakeJobs> {
  const fake: FakeJobs = { endpoint: "", heard: [], jobs: [], die: () => server.forceShutdown() };
  const server = new grpc.Server({ "grpc.max_receive_message_length": -1 });
  const left = [...states];
  const answer =
    <Request, Response>(name: string, response: (request: Request) => Response) =>
    ({ request }: { request: Request }, callback: grpc.sendUnaryData<Response>) => {
      fake.heard.push(name);
      if (refuse[name] !== undefined) callback(refuse[name]);
      else if (answers.includes(name)) callback(null, response(request));
    };
  const stream = { ...method("GetMessageStream", JobMessagesRequest, JobMessagesResponse), responseStream: true as const };
  server.addService(
    {
      Prepare: method("Prepare", PrepareJobRequest, PrepareJobResponse),
      Run: method("Run", RunJobRequest, RunJobResponse),
      GetState: method("GetState", GetJobStateRequest, JobStateEvent),
      GetJobMetrics: method("GetJobMetrics", GetJobStateRequest, GetJobMetricsResponse),
      Cancel: method("Cancel", CancelJobRequest, CancelJobResponse),
      GetMessageStream: stream,
    },
    {
      Prepare: answer("Prepare", (job: PrepareJobRequest) => {
        fake.jobs.push(job);
        return PrepareJobResponse.create({ preparationId: "prepared" });
      }),
      Run: answer("Run", () => RunJobResponse.create({ jobId: "job-1" })),
      GetState: answer("GetState", () => JobStateEvent.create({ state: left.length > 1 ? left.shift() : left[0] })),
      GetJobMetrics: answer("GetJobMetrics", () => GetJobMetricsResponse.create({ metrics: { attempted: [], committed: [] } })),
      Cancel: answer("Cancel", () => CancelJobResponse.create({ state: JobState_Enum.CANCELLED })),
      GetMessageStream: (call: grpc.ServerWritableStream<JobMessagesRequest, JobMessagesResponse>) => {
        for (const [importance, messageText] of messages)
          call.write({
            response: { oneofKind: "messageResponse", messageResponse: { messageId: "", time: "", importance, messageText } },
          });
        if (answers.includes("GetMessageStream")) call.end();
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("localhost:0", grpc.ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  fake.endpoint = `localhost:${port}`;
  return fake;
}
