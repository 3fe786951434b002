/** The Dataflow API in a test's hands: jobs whose states are scripted, and faults. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Request {
  method: string;
  path: string;
  query: URLSearchParams;
  body: Record<string, unknown>;
  headers: IncomingMessage["headers"];
}

/** What befalls a request. */
export type Fault =
  | { status: number; body?: unknown }
  /** carried out, and the connection ends without an answer */
  | "lost answer"
  /** never an answer */
  | "silence";

export interface ServedJob {
  id: string;
  body: Record<string, unknown>;
  /** in turn, one for each question; the last one stays */
  states: string[];
  messages: { time: string; messageText: string; messageImportance: string }[];
  cancelled: boolean;
}

export const googleError = (code: number, message: string, reason?: string) => ({
  status: code,
  body: {
    error: {
      code,
      message,
      status: "SOME",
      ...(reason === undefined
        ? {}
        : { details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason, domain: "googleapis.com" }] }),
    },
  },
});

export class DataflowServer {
  heard: Request[] = [];
  jobs: ServedJob[] = [];
  /** for jobs to come */
  states = ["JOB_STATE_PENDING", "JOB_STATE_RUNNING", "JOB_STATE_DONE"];
  messages: ServedJob["messages"] = [];
  cancelled = ["JOB_STATE_CANCELLING", "JOB_STATE_CANCELLED"];
  fault: (request: Request) => Fault | undefined = () => undefined;
  private readonly server = createServer((question, answer) => void this.handle(question, answer));

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private async handle(question: IncomingMessage, answer: ServerResponse): Promise<void> {
    let text = "";
    for await (const bytes of question) text += bytes;
    const { pathname, searchParams } = new URL(question.url!, "http://server");
    const { method, headers } = question;
    const request = { method: method!, path: pathname, query: searchParams, body: text === "" ? {} : JSON.parse(text), headers };
    this.heard.push(request);
    const fault = this.fault(request);
    if (fault === "silence") return;
    if (typeof fault === "object") return void say(answer, fault.status, fault.body ?? "<html>not JSON</html>");
    const { status, body } = this.answerOf(request);
    if (fault === "lost answer") return void answer.destroy();
    say(answer, status, body);
  }

  private answerOf({ method, path, query, body }: Request): { status: number; body: unknown } {
    const [, jobId, messages] = /^\/v1b3\/projects\/p-12345\/locations\/europe-west1\/jobs(?:\/([^/]+)(\/messages)?)?$/.exec(path) ?? [
      "",
      "",
    ];
    const job = this.jobs.find(({ id }) => id === jobId);
    if (jobId === "") return googleError(404, "no such path");
    if (method === "POST") return this.create(body);
    if (jobId === undefined) return { status: 200, body: { jobs: this.active(query.get("name")) } };
    if (job === undefined) return googleError(404, "no such job");
    if (method === "PUT") {
      Object.assign(job, { cancelled: true, states: [...this.cancelled] });
      return { status: 200, body: told(job) };
    }
    if (messages !== undefined) return { status: 200, body: { jobMessages: this.messagesOf(job, query) } };
    const answer = { status: 200, body: told(job) };
    if (job.states.length > 1) job.states.shift();
    return answer;
  }

  private messagesOf(job: ServedJob, query: URLSearchParams) {
    const since = query.get("startTime");
    return job.messages.filter(({ time }) => since === null || Date.parse(time) >= Date.parse(since));
  }

  private active(name: string | null) {
    const active = this.jobs.filter(({ states, body }) => !/DONE|FAILED|CANCELLED$/.test(states[0]) && body.name === name);
    return active.map(({ id, body }) => ({ id, name: body.name }));
  }

  /** As Dataflow: a name is active once. */
  private create(body: Record<string, unknown>): { status: number; body: unknown } {
    if (this.active(String(body.name)).length > 0) return googleError(409, `There is already an active job named ${body.name}.`);
    const job = { id: `job-${this.jobs.length + 1}`, body, states: [...this.states], messages: this.messages, cancelled: false };
    this.jobs.push(job);
    return { status: 200, body: told(job) };
  }
}

function say(answer: ServerResponse, status: number, body: unknown): void {
  answer.writeHead(status, { "content-type": "application/json" });
  answer.end(typeof body === "string" ? body : JSON.stringify(body));
}

const told = ({ id, body, states: [currentState] }: ServedJob) => ({
  id,
  name: body.name,
  currentState,
  clientRequestId: body.clientRequestId,
  labels: body.labels,
});
