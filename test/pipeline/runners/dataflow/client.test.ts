import { ConfigError } from "../../../../pipeline/errors";
import { Dataflow, isOurs } from "../../../../pipeline/runners/dataflow/client";
import { DataflowError, Refusal } from "../../../../pipeline/runners/dataflow/errors";
import { useLimits } from "../../../../pipeline/runners/dataflow/limits";
import type { JobJson } from "../../../../pipeline/runners/dataflow/translate";
import { DataflowServer, googleError, type Request } from "./server";

let server: DataflowServer;
let dataflow: Dataflow;
let restore: () => void;
beforeEach(async () => {
  server = await new DataflowServer().listen();
  restore = useLimits({ callMs: 1000, totalMs: 3000, delayMs: 1, longestDelayMs: 5 });
  dataflow = new Dataflow({
    project: "p-12345",
    region: "europe-west1",
    endpoint: new URL(server.endpoint),
    serviceAccountEmail: undefined,
  });
});
afterEach(async () => {
  restore();
  await server.close();
});

const JOB: JobJson = {
  projectId: "p-12345",
  name: "daily",
  type: "JOB_TYPE_BATCH",
  clientRequestId: "request-1",
  environment: {
    userAgent: { name: "sdk", version: "1" },
    version: { job_type: "FNAPI_BATCH", major: "6" },
    sdkPipelineOptions: { options: { experiments: ["a"], n: 3, yes: true, deep: { list: [{ x: "y" }] } } },
    workerPools: [{ kind: "harness", ipConfiguration: "WORKER_IP_PRIVATE", numWorkers: 2, autoscalingSettings: { maxNumWorkers: 5 } }],
    experiments: ["a"],
  },
  labels: { backstory_run: "r1" },
};
const isCreate = ({ method }: Request) => method === "POST";
const creates = () => server.heard.filter(isCreate);

/** A fault for the first so many requests of a kind. */
function first(times: number, kind: (request: Request) => boolean, fault: ReturnType<DataflowServer["fault"]>): void {
  let left = times;
  server.fault = (request) => (kind(request) && left-- > 0 ? fault : undefined);
}

test("a job arrives as it was described, with names for enumerations, and without credentials", async () => {
  const { id, state } = await dataflow.create(JOB);
  expect({ id, state }).toEqual({ id: "job-1", state: "JOB_STATE_PENDING" });
  const [{ path, body, headers }] = server.heard;
  expect(path).toBe("/v1b3/projects/p-12345/locations/europe-west1/jobs");
  expect(body).toMatchObject(JOB);
  expect(headers.authorization).toBeUndefined();
});

test.each([
  ["503", { status: 503 }],
  ["500 in JSON", googleError(500, "Internal error")],
  ["429", googleError(429, "Quota exceeded for quota metric")],
  ["an answer that is lost", "lost answer" as const],
])("%s on create: it is repeated under one id, and there is one job", async (_, fault) => {
  first(2, isCreate, fault);
  const job = await dataflow.create(JOB);
  expect(isOurs(job, JOB)).toBe(true);
  expect(creates().length).toBeGreaterThan(1);
  expect(new Set(creates().map(({ body }) => body.clientRequestId))).toEqual(new Set(["request-1"]));
  expect(server.jobs).toHaveLength(1);
});

test("all answers to create are lost: the job is found by its name", async () => {
  restore();
  restore = useLimits({ callMs: 1000, totalMs: 50, delayMs: 1, longestDelayMs: 5 });
  server.fault = (request) => (isCreate(request) ? "lost answer" : undefined);
  expect(isOurs(await dataflow.create(JOB), JOB)).toBe(true);
  expect(server.jobs).toHaveLength(1);
});

test("silence on create has an end", async () => {
  restore();
  restore = useLimits({ callMs: 30, totalMs: 100, delayMs: 1, longestDelayMs: 5 });
  server.fault = () => "silence";
  await expect(dataflow.create(JOB)).rejects.toThrow(
    /^cannot create the job: no answer from 127\.0\.0\.1:\d+ \(ETIMEDOUT\)\. Check --dataflow-endpoint/,
  );
});

test("nobody listens", async () => {
  restore();
  restore = useLimits({ totalMs: 20, delayMs: 1, longestDelayMs: 5 });
  await server.close();
  await expect(dataflow.create(JOB)).rejects.toThrow(/cannot create the job: no answer from .* \(ECONNREFUSED\)/);
  server = await new DataflowServer().listen();
});

test("a name that is taken gives the job that has it", async () => {
  const taken = await dataflow.create({ ...JOB, clientRequestId: "another", labels: { backstory_run: "r0" } });
  const job = await dataflow.create(JOB);
  expect(job.id).toBe(taken.id);
  expect(isOurs(job, JOB)).toBe(false);
});

test("of a job without an id of the request, the label says whose it is", () => {
  const job = { id: "1", name: "daily", state: "", clientRequestId: "", labels: { backstory_run: "r1" } };
  expect(isOurs(job, JOB)).toBe(true);
  expect(isOurs({ ...job, labels: {} }, JOB)).toBe(false);
});

test("an active job is found on any page, and only by its whole name", async () => {
  const { id } = await dataflow.create(JOB);
  let page = 0;
  server.fault = ({ method, path, query }) => {
    if (method !== "GET" || !path.endsWith("/jobs")) return undefined;
    page++;
    if (page === 1) return { status: 200, body: { jobs: [{ id: "other", name: "daily-2" }], nextPageToken: "two" } };
    expect(query.get("pageToken")).toBe("two");
    return undefined;
  };
  expect((await dataflow.active("daily"))?.id).toBe(id);
  server.fault = () => undefined;
  expect(await dataflow.active("nightly")).toBeUndefined();
});

test("messages come from a time on, in all pages", async () => {
  const { id } = await dataflow.create(JOB);
  server.jobs[0].messages = [0, 1, 2].map((i) => ({
    time: new Date(1000 * i + 500).toISOString(),
    messageText: `m${i}`,
    messageImportance: "JOB_MESSAGE_WARNING",
  }));
  expect(await dataflow.messagesOf(id, 1500)).toEqual([
    { importance: "WARNING", text: "m1", time: 1500 },
    { importance: "WARNING", text: "m2", time: 2500 },
  ]);
  const [{ query }] = server.heard.filter(({ path }) => path.endsWith("/messages"));
  expect(query.get("minimumImportance")).toBe("JOB_MESSAGE_DETAILED");
});

test("cancelling asks for that state, again where it has to", async () => {
  const { id } = await dataflow.create(JOB);
  first(1, ({ method }) => method === "PUT", { status: 502 });
  await dataflow.cancel(id);
  const put = server.heard.findLast(({ method }) => method === "PUT")!;
  expect(put.path).toMatch(/\/jobs\/job-1$/);
  expect(put.body).toMatchObject({ requestedState: "JOB_STATE_CANCELLED" });
  expect(server.jobs[0].cancelled).toBe(true);
});

test("looking at a job is asked once: whoever follows it asks again", async () => {
  server.fault = () => ({ status: 503 });
  await expect(dataflow.get("job-1")).rejects.toThrow(Refusal);
  expect(server.heard).toHaveLength(1);
});

test.each<[string, { status: number; body?: unknown }, RegExp, number]>([
  [
    "API off",
    googleError(403, "Dataflow API has not been used in project 1", "SERVICE_DISABLED"),
    /the Dataflow API is off in project p-12345.*gcloud services enable dataflow\.googleapis\.com --project=p-12345/,
    2,
  ],
  [
    "no permission",
    googleError(403, "(a1b2): Could not create workflow; user does not have write access to project: p-12345"),
    /lacks a permission in project p-12345 \(403\): Could not create workflow.*Grant it roles\/dataflow\.developer/,
    2,
  ],
  [
    "actAs",
    googleError(403, "Current user cannot act as service account w@p-12345.iam.gserviceaccount.com."),
    /may not have workers that are w@p-12345\.iam\.gserviceaccount\.com.*roles\/iam\.serviceAccountUser/,
    2,
  ],
  ["no billing", googleError(403, "This API method requires billing to be enabled", "BILLING_DISABLED"), /has no billing account/, 2],
  [
    "wrong project",
    googleError(403, "Project 'p-12345' not found or deleted.", "CONSUMER_INVALID"),
    /there is no project "p-12345".*Check --project/,
    2,
  ],
  ["401", googleError(401, "Request had invalid authentication credentials."), /credentials are missing or have expired \(401\)/, 2],
  ["404", googleError(404, "Requested entity was not found."), /finds no project "p-12345" with region "europe-west1" \(404\)/, 2],
  [
    "bad region",
    googleError(400, "(1f): The workflow could not be created, since region europe-west1 is not supported."),
    /does not work in the region "europe-west1" \(400\): The workflow.*Check --region/,
    2,
  ],
  [
    "no region of this name",
    googleError(403, "Permission denied on 'locations/europe-west1' (or it may not exist)."),
    /does not work in the region "europe-west1", or not for this account \(403\)\. Check --region/,
    2,
  ],
  [
    "bad option",
    googleError(400, "Machine type x1 is unknown."),
    /does not accept it \(400\): Machine type x1 is unknown\. Check the options/,
    2,
  ],
  [
    "quota",
    googleError(429, "Quota exceeded for 'Create requests'"),
    /a quota of project p-12345 is used up \(429\): Quota exceeded.*quotas\?project=p-12345/,
    1,
  ],
  ["503 for ever", { status: 503 }, /Dataflow answers 503, again and again\. Run it again later/, 1],
  [
    "409, and nobody has the name",
    googleError(409, "A job was created by this request before."),
    /Dataflow answers 409: A job was created/,
    1,
  ],
])("%s", async (_, fault, message, exitCode) => {
  restore();
  restore = useLimits({ callMs: 1000, totalMs: 20, delayMs: 1, longestDelayMs: 5 });
  server.fault = (request) => (isCreate(request) ? fault : undefined);
  const error = await dataflow.create(JOB).catch((error) => error);
  expect(error.message).toMatch(message);
  expect(error.exitCode).toBe(exitCode);
  expect(error).toBeInstanceOf(exitCode === 2 ? ConfigError : DataflowError);
});

describe("with credentials", () => {
  const real = () =>
    new Dataflow({
      project: "p-12345",
      region: "europe-west1",
      endpoint: new URL("https://dataflow.googleapis.com"),
      serviceAccountEmail: undefined,
    });
  const before = { ...process.env };
  afterEach(() => {
    process.env = { ...before };
  });

  /** In the place of Google's library for credentials. */
  function proving(request: (options: Record<string, unknown>) => Promise<{ status: number; data: unknown }>): Dataflow {
    const made = real();
    Object.assign(made, { proof: { request } });
    return made;
  }

  test("requests go to Dataflow by the library that has them", async () => {
    const sent: Record<string, unknown>[] = [];
    const google = proving(async (options) => {
      sent.push(options);
      return { status: 200, data: JSON.stringify({ id: "job-9", currentState: "JOB_STATE_RUNNING" }) };
    });
    expect(await google.get("job-9")).toMatchObject({ id: "job-9", state: "JOB_STATE_RUNNING" });
    await google.cancel("job-9");
    expect(sent.map(({ method, url }) => [method, String(url).replace(/\?.*/, "")])).toEqual([
      ["GET", "https://dataflow.googleapis.com:443/v1b3/projects/p-12345/locations/europe-west1/jobs/job-9"],
      ["PUT", "https://dataflow.googleapis.com:443/v1b3/projects/p-12345/locations/europe-west1/jobs/job-9"],
    ]);
    expect(JSON.parse(String(sent[1].data))).toMatchObject({ requestedState: "JOB_STATE_CANCELLED" });
  });

  test("an answer other than 2xx is told in the same words", async () => {
    const google = proving(async () => ({ status: 401, data: "" }));
    await expect(google.get("job-9")).rejects.toThrow(/credentials are missing or have expired \(401\)/);
  });

  test("no token is in any message, whatever an error holds", async () => {
    const secret = "Bearer ya29.secret";
    for (const error of [new Error(secret), Object.assign(new Error(secret), { code: "ENOTFOUND" }), new SyntaxError(secret)]) {
      const google = proving(async () => {
        throw error;
      });
      const { message } = (await google.cancel("job-9").catch((error: Error) => error as Error & object)) as Error;
      expect(message).toMatch(/^cannot cancel the job: no answer from dataflow\.googleapis\.com/);
      expect(message).not.toContain("secret");
    }
  });

  test("credentials that never come are not waited for", async () => {
    restore();
    restore = useLimits({ callMs: 20, totalMs: 20, delayMs: 1 });
    await expect(proving(() => new Promise(() => {})).cancel("job-9")).rejects.toThrow(
      /no answer from dataflow\.googleapis\.com \(ETIMEDOUT\)/,
    );
  });

  test("a file of credentials that is not there", async () => {
    process.env.GOOGLE_APPLICATION_CREDENTIALS = "/nowhere/key.json";
    await expect(real().get("job-9")).rejects.toThrow(/the file of credentials, \/nowhere\/key\.json, cannot be read\. Run gcloud auth/);
  });

  test("no credentials at all", async () => {
    Object.assign(process.env, { HOME: "/nowhere", CLOUDSDK_CONFIG: "/nowhere", METADATA_SERVER_DETECTION: "none" });
    await expect(real().get("job-9")).rejects.toThrow(/there are no credentials for Dataflow\. Run gcloud auth application-default login/);
  });

  test.each([
    ["invalid_grant", /the credentials for Dataflow are refused \(invalid_grant\)/],
    ["Could not load the default credentials. Browse to", /there are no credentials for Dataflow/],
  ])("%s", async (text, message) => {
    const google = proving(async () => {
      throw new Error(text);
    });
    await expect(google.get("job-9")).rejects.toThrow(message);
  });
});
