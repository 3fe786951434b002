import { setTimeout as sleep } from "node:timers/promises";
import type { v1beta3 } from "@google-cloud/dataflow";
import { type DataflowChoice, isThisMachine } from "./choice";
import { DataflowError, isMissing, mayPass, Refusal, refusalOf, told } from "./errors";
import { limits } from "./limits";
import { structOf } from "./struct";
import type { JobJson, Json } from "./translate";

/** A job as Dataflow tells of it. */
export interface JobNow {
  id: string;
  name: string;
  /** JOB_STATE_... */
  state: string;
  clientRequestId: string;
  labels: Record<string, string>;
}

export interface Message {
  /** as the API's own order: DEBUG, DETAILED, BASIC, WARNING, ERROR */
  importance: string;
  text: string;
  /** ms */
  time: number;
}

type Account = Pick<DataflowChoice, "project" | "region" | "endpoint" | "serviceAccountEmail">;
type Library = typeof v1beta3;
type JobsClient = InstanceType<Library["JobsV1Beta3Client"]>;
type MessagesClient = InstanceType<Library["MessagesV1Beta3Client"]>;

/** What the library sends, and what it wants to have back. */
interface Sent {
  method?: string;
  headers?: Headers;
  body?: string;
  signal?: AbortSignal;
}
interface Proof {
  request(options: object): Promise<{ status: number; data: unknown }>;
}

/** So many pages of messages or jobs are read at a time. */
const PAGES = 100;

/** The Dataflow API for one project and region: Google's library over REST, with a limit on every call, and repetitions. */
export class Dataflow {
  private readonly jobs: JobsClient;
  private readonly messages: MessagesClient;
  private readonly where: { projectId: string; location: string };
  /** without credentials to a server of this machine, which is a test's */
  private readonly proof: Proof | undefined;

  constructor(private readonly account: Account) {
    const { endpoint, project, region } = account;
    const library = (require("@google-cloud/dataflow") as typeof import("@google-cloud/dataflow")).v1beta3;
    this.where = { projectId: project, location: region };
    this.proof = isThisMachine(endpoint.hostname)
      ? undefined
      : (new library.JobsV1Beta3Client({ fallback: true }).auth as unknown as Proof);
    const protocol = endpoint.protocol.replace(":", "");
    const port = Number(endpoint.port || (protocol === "http" ? 80 : 443));
    const auth = {
      getClient: async () => ({ getRequestHeaders: async () => new Headers() }),
      fetch: (url: string, sent: Sent) => this.send(url, sent),
    };
    const options = { fallback: true, apiEndpoint: endpoint.hostname, port, protocol, auth: auth as never };
    this.jobs = withNames(new library.JobsV1Beta3Client(options));
    this.messages = withNames(new library.MessagesV1Beta3Client(options));
  }

  /**
   * Creates a job, once: an answer that was lost is asked for again under the same id of the request.
   * @returns the job that has this name now, which may be another's: see `isOurs`
   */
  async create(job: JobJson): Promise<JobNow> {
    const request = { ...this.where, job: messageOf(job) };
    try {
      return await this.again(async () => jobNow((await this.jobs.createJob(request as never))[0]));
    } catch (error) {
      // Refused for the name, or for a request that was heard before; or nobody knows.
      const taken = error instanceof Refusal && error.status === 409;
      const found = taken || mayPass(error) ? await this.active(job.name).catch(() => undefined) : undefined;
      if (found !== undefined && (taken || isOurs(found, job))) return found;
      throw told(error, { ...this.account, what: "create the job" });
    }
  }

  get(jobId: string): Promise<JobNow> {
    // without it, labels are left out
    const request = { ...this.where, jobId, view: "JOB_VIEW_DESCRIPTION" as const };
    return this.asked("look at the job", async () => jobNow((await this.jobs.getJob(request))[0]));
  }

  /** Asks for the end of a job. */
  async cancel(jobId: string): Promise<void> {
    const request = { ...this.where, jobId, job: { requestedState: "JOB_STATE_CANCELLED" as const } };
    await this.again(() => this.jobs.updateJob(request)).catch((error) => {
      throw told(error, { ...this.account, what: "cancel the job" });
    });
  }

  /** The job that is active under a name; undefined for none. */
  async active(name: string): Promise<JobNow | undefined> {
    let pageToken = "";
    for (let page = 0; page < PAGES; page++) {
      const request = { ...this.where, filter: "ACTIVE" as const, name, pageToken };
      const [jobs, next] = await this.again(() => this.jobs.listJobs(request as never, { autoPaginate: false }));
      const found = jobs.find((job) => job.name === name);
      // A list tells little of each job.
      if (found?.id) return this.get(found.id);
      pageToken = next?.pageToken ?? "";
      if (pageToken === "") break;
    }
    return undefined;
  }

  /** @param since ms; messages from then on, in the order of time */
  async messagesOf(jobId: string, since: number): Promise<Message[]> {
    const all: Message[] = [];
    const startTime = since === 0 ? undefined : { seconds: Math.floor(since / 1000), nanos: (since % 1000) * 1e6 };
    let pageToken = "";
    for (let page = 0; page < PAGES; page++) {
      const request = { ...this.where, jobId, minimumImportance: "JOB_MESSAGE_DETAILED" as const, startTime, pageToken };
      const [messages, next] = await this.asked("read the job's messages", () =>
        this.messages.listJobMessages(request, { autoPaginate: false }),
      );
      for (const { messageImportance, messageText, time } of messages)
        all.push({
          importance: String(messageImportance).replace("JOB_MESSAGE_", ""),
          text: messageText ?? "",
          time: Number(time?.seconds ?? 0) * 1000 + Math.floor(Number(time?.nanos ?? 0) / 1e6),
        });
      pageToken = next?.pageToken ?? "";
      if (pageToken === "") break;
    }
    return all;
  }

  /** Once. Whoever follows a job asks again by itself. */
  private async asked<T>(what: string, request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      // Dataflow may not find a job for a while after it has made it.
      if (mayPass(error) || isMissing(error)) throw error;
      throw told(error, { ...this.account, what });
    }
  }

  /** As often as it may help. @throws the last error as it came */
  private async again<T>(request: () => Promise<T>): Promise<T> {
    const { totalMs, delayMs, longestDelayMs } = limits();
    const end = Date.now() + totalMs;
    for (let delay = delayMs; ; delay = Math.min(longestDelayMs, 2 * delay)) {
      try {
        return await request();
      } catch (error) {
        const pause = delay * (0.5 + Math.random() / 2);
        if (!mayPass(error) || Date.now() + pause > end) throw error;
        await sleep(pause);
      }
    }
  }

  /** The library's way out: what comes back other than 2xx ends here, in our own words, and so does silence. */
  private async send(url: string, { method, headers, body, signal }: Sent): Promise<Response> {
    const limit = AbortSignal.timeout(limits().callMs);
    const both = signal === undefined ? limit : AbortSignal.any([signal, limit]);
    const sent = { method, headers, body, signal: both };
    const { status, text } = await answered(both, this.proof === undefined ? plainly(url, sent) : this.proven(url, sent));
    if (status < 200 || status > 299) throw refusalOf(status, text);
    return new Response(text === "" ? "{}" : text, { status: 200 });
  }

  private async proven(url: string, { method, headers, body, signal }: Sent): Promise<{ status: number; text: string }> {
    const options = {
      url,
      method,
      headers,
      signal,
      responseType: "text",
      validateStatus: () => true,
      ...(body === undefined ? {} : { data: body }),
    };
    const { status, data } = await this.proof!.request(options);
    return { status, text: typeof data === "string" ? data : JSON.stringify(data) };
  }
}

async function plainly(url: string, sent: Sent): Promise<{ status: number; text: string }> {
  const answer = await fetch(url, sent);
  return { status: answer.status, text: await answer.text() };
}

/** Not all that waits on the way hears a signal: credentials do not. */
function answered<T>(signal: AbortSignal, answer: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const late = () => reject(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" }));
  signal.addEventListener("abort", late, { once: true });
  answer.catch(() => {}); // it may come when nobody waits any more
  return Promise.race([answer, promise]).finally(() => signal.removeEventListener("abort", late));
}

/** The library sends enumerations as numbers, which the description of the API does not have. */
function withNames<Client>(client: Client): Client {
  const { _gaxGrpc: transport } = client as unknown as { _gaxGrpc: { numericEnums: boolean } };
  transport.numericEnums = false;
  return client;
}

/** Whether a job is the one that was asked for, and not another of that name. */
export const isOurs = ({ clientRequestId, labels }: JobNow, job: JobJson): boolean =>
  clientRequestId === "" ? labels.backstory_run === job.labels.backstory_run : clientRequestId === job.clientRequestId;

function jobNow(job: { id?: unknown; name?: unknown; currentState?: unknown; clientRequestId?: unknown; labels?: unknown }): JobNow {
  if (typeof job.id !== "string" || job.id === "")
    throw new DataflowError("Dataflow answers with a job that has no id. Check --dataflow-endpoint.");
  return {
    id: job.id,
    name: String(job.name ?? ""),
    state: String(job.currentState ?? "JOB_STATE_UNKNOWN"),
    clientRequestId: String(job.clientRequestId ?? ""),
    labels: (job.labels ?? {}) as Record<string, string>,
  };
}

/** Its free JSON in the library's own form. */
function messageOf(job: JobJson): object {
  const environment = job.environment as Record<string, Json>;
  const free = ["userAgent", "version", "sdkPipelineOptions"].map((name) => [
    name,
    structOf(environment[name] as { [name: string]: Json }),
  ]);
  return { ...job, environment: { ...environment, ...Object.fromEntries(free) } };
}
