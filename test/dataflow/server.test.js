/** The Dataflow of tests by itself: what it takes and refuses, and how jobs that never get to a runner begin and end. */
const { mkdtempSync, rmSync } = require("node:fs");
const { createServer } = require("node:http");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const { setTimeout: sleep } = require("node:timers/promises");
require("apache-beam");
const runnerApi = require("apache-beam/proto/beam_runner_api");
const { DataflowServer } = require("./server");

const JOBS = "/v1b3/projects/p/locations/europe-west1/jobs";
const IMAGE = "europe-docker.pkg.dev/p/r/nothing:1";
const LIMIT_MS = 30_000;

/** A pipeline of nothing, in an environment. */
const pipelineOf = (environment) =>
  runnerApi.Pipeline.toBinary(
    runnerApi.Pipeline.create({
      components: { transforms: {}, pcollections: {}, windowingStrategies: {}, coders: {}, environments: { e: environment } },
    }),
  );
const docker = (containerImage) => ({ urn: "beam:env:docker:v1", payload: runnerApi.DockerPayload.toBinary({ containerImage }) });
const environment = (fields) => runnerApi.Environment.create(fields);

/** What is staged, by its name; reading "never" takes until the reader has had enough. */
const OBJECTS = {
  good: pipelineOf(environment(docker(IMAGE))),
  external: pipelineOf(environment({ urn: "beam:env:external:v1" })),
  other: pipelineOf(environment(docker("other"))),
  files: pipelineOf(environment({ ...docker(IMAGE), dependencies: [{ typeUrn: "x" }] })),
  broken: Buffer.from([0xff, 0xff]),
};

const storage = createServer((request, response) => {
  const name = /\/o\/([^?]+)/.exec(request.url)[1];
  if (name === "never") return;
  const object = OBJECTS[name];
  response.writeHead(object === undefined ? 404 : 200).end(object);
});

let server;
let folder;
let endpoint;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dataflow-test-"));
  await new Promise((resolve) => storage.listen(0, "127.0.0.1", resolve));
  server = new DataflowServer({ storage: `http://127.0.0.1:${storage.address().port}`, images: () => undefined, folder });
  endpoint = await server.listen();
});
afterAll(async () => {
  await server.close();
  storage.closeAllConnections();
  await new Promise((resolve) => storage.close(resolve));
  rmSync(folder, { recursive: true });
});

async function ask(method, path, body) {
  const response = await fetch(`${endpoint}${path}`, { method, body: body && JSON.stringify(body), signal: AbortSignal.timeout(LIMIT_MS) });
  return { code: response.status, ...(await response.json()) };
}

let count = 0;
/** A job that Dataflow would take. */
const jobOf = (object, changes = {}, environment = {}) => ({
  name: `job-${++count}`,
  type: "JOB_TYPE_BATCH",
  environment: {
    experiments: ["use_runner_v2", "use_portable_job_submission"],
    sdkPipelineOptions: { options: { pipelineUrl: `gs://staging/${object}` } },
    workerPools: [{ sdkHarnessContainerImages: [{ containerImage: IMAGE }] }],
    ...environment,
  },
  ...changes,
});
const make = (...args) => ask("POST", JOBS, jobOf(...args));

async function ended(id) {
  for (const limit = Date.now() + LIMIT_MS; Date.now() < limit; await sleep(20)) {
    const job = await ask("GET", `${JOBS}/${id}`);
    if (/DONE|FAILED|CANCELLED/.test(job.currentState)) return job.currentState;
  }
  throw new Error(`job ${id} has not ended.`);
}
const messagesOf = async (id, query = "") => (await ask("GET", `${JOBS}/${id}/messages${query}`)).jobMessages;

test("numbers of enums are those of Google's own client", () => {
  const numbers = {};
  const collect = ({ values, nested = {} }) => {
    Object.assign(numbers, values);
    for (const each of Object.values(nested)) collect(each);
  };
  collect(require("@google-cloud/dataflow/build/protos/protos.json").nested.google.nested.dataflow);
  const { api } = server.rest;
  const { currentState, type } = api.schemas.Job.properties;
  const enums = [
    currentState,
    type,
    api.schemas.JobMessage.properties.messageImportance,
    api.schemas.WorkerPool.properties.ipConfiguration,
  ];
  let compared = 0;
  for (const { enum: names } of enums)
    for (const name of names.filter((each) => each in numbers)) {
      expect([name, api.value({ enum: names }, numbers[name], "", [])]).toEqual([name, name]);
      compared++;
    }
  expect(compared).toBeGreaterThan(20);
});

test.each([
  ["no name", { name: undefined }, {}, "Invalid job name"],
  ["a name in capitals", { name: "Job" }, {}, "Invalid job name"],
  ["a name that ends in a hyphen", { name: "job-" }, {}, "Invalid job name"],
  ["another type", { type: "JOB_TYPE_STREAMING" }, {}, "Job type"],
  ["steps", { steps: [{ kind: "ParallelDo" }] }, {}, "no steps"],
  ["another project", { projectId: "q" }, {}, "project q is not p"],
  ["another region", { location: "us-east1" }, {}, "location us-east1 is not europe-west1"],
  ["no experiments", {}, { experiments: [] }, "use_runner_v2 is not set. The experiment use_portable_job_submission"],
  ["no pipeline", {}, { sdkPipelineOptions: {} }, "pipelineUrl is not set"],
  ["no workers", {}, { workerPools: [] }, "One worker pool"],
])("a job with %s is refused", async (_, changes, environment, why) => {
  const { code, error } = await make("good", changes, environment);
  expect([code, error.status, error.message]).toEqual([400, "INVALID_ARGUMENT", expect.stringContaining(why)]);
});

test("a region that is none", async () => {
  const { code, error } = await ask("POST", JOBS.replace("europe-west1", "europe-west99"), jobOf("good"));
  expect([code, error.message]).toEqual([400, expect.stringContaining("Invalid region: europe-west99")]);
});

test.each([
  ["an image that is not there", "good", /Unable to pull container image.*europe-docker.pkg.dev\/p\/r\/nothing:1 not found/],
  ["nothing staged", "nothing", /Unable to read the staged pipeline gs:\/\/staging\/nothing: HTTP 404/],
  ["what is no pipeline", "broken", /Workflow failed/],
  ["workers that are no containers", "external", /environment e is beam:env:external:v1/],
  ["an image that the pool has not", "other", /other, is none of the worker pool's/],
  ["files besides its image", "files", /wants 1 files besides its image/],
])("a job with %s fails", async (_, object, why) => {
  const { id, currentState } = await make(object);
  // as Dataflow answers: nothing is decided yet
  expect(currentState).toBeUndefined();
  expect(await ended(id)).toBe("JOB_STATE_FAILED");
  const [error] = await messagesOf(id, "?minimumImportance=JOB_MESSAGE_ERROR");
  expect(error.messageText).toMatch(/^Workflow failed. Causes: /);
  expect(error.messageText).toMatch(why);
});

test("a pipeline with another hash than the job says fails", async () => {
  const options = { pipelineUrl: "gs://staging/good", pipelineProtoHash: "00" };
  const { id } = await make("good", {}, { sdkPipelineOptions: { options } });
  expect(await ended(id)).toBe("JOB_STATE_FAILED");
  expect((await messagesOf(id, "?minimumImportance=4")).map(({ messageText }) => messageText)).toEqual([
    expect.stringMatching(/has SHA-256 \w+, not 00\./),
  ]);
});

test("cancelled while it is pending; once it has ended, no more", async () => {
  const { id } = await make("never");
  expect((await ask("GET", `${JOBS}/${id}`)).currentState).toBe("JOB_STATE_PENDING");
  const cancel = () => ask("PUT", `${JOBS}/${id}`, { requestedState: "JOB_STATE_CANCELLED" });
  expect((await cancel()).currentState).toBe("JOB_STATE_CANCELLING");
  expect(await ended(id)).toBe("JOB_STATE_CANCELLED");
  expect(await cancel()).toMatchObject({ code: 400, error: { status: "FAILED_PRECONDITION" } });
});

test("a batch job cannot be drained, and one that is not there not be asked for", async () => {
  const { id } = await make("good");
  const drained = await ask("PUT", `${JOBS}/${id}`, { requestedState: "JOB_STATE_DRAINED" });
  expect(drained).toMatchObject({ code: 400, error: { status: "INVALID_ARGUMENT" } });
  expect(await ask("GET", `${JOBS}/${id}0`)).toMatchObject({ code: 404, error: { status: "NOT_FOUND" } });
  expect(await ask("GET", `${JOBS.replace("/p/", "/q/")}/${id}`)).toMatchObject({ code: 404 });
});

test("a name is free again when its job has ended; the job of the same request is answered again", async () => {
  const name = "the-name";
  const first = await make("never", { name, clientRequestId: "a" });
  expect(await make("good", { name })).toMatchObject({ code: 409, error: { status: "ALREADY_EXISTS" } });
  for (const clientRequestId of ["a", "b"])
    expect(await make("good", { name, clientRequestId })).toMatchObject({ id: first.id, clientRequestId: "a" });
  await ask("PUT", `${JOBS}/${first.id}`, { requestedState: "JOB_STATE_CANCELLED" });
  await ended(first.id);
  const second = await make("good", { name });
  expect(second.code).toBe(200);
  expect(second.id).not.toBe(first.id);
  await ended(second.id);
  const listed = async (query) => (await ask("GET", `${JOBS}?name=${name}${query}`)).jobs.map(({ id }) => id);
  expect([await listed(""), await listed("&filter=ACTIVE"), await listed("&filter=TERMINATED&pageSize=1")]).toEqual([
    [second.id, first.id],
    [],
    [second.id],
  ]);
});

test("messages: in the order of time, by importance, from a time on, in pages", async () => {
  const { id } = await make("good");
  await ended(id);
  const all = await messagesOf(id, "?minimumImportance=JOB_MESSAGE_DEBUG");
  const times = all.map(({ time }) => time);
  expect(times.length).toBeGreaterThan(3);
  expect(times).toEqual([...new Set(times)].sort());
  const importances = ["DEBUG", "DETAILED", "BASIC", "WARNING", "ERROR"];
  for (const [i, least] of importances.entries()) {
    const expected = all.filter(({ messageImportance }) => importances.indexOf(messageImportance.slice("JOB_MESSAGE_".length)) >= i);
    expect(await messagesOf(id, `?minimumImportance=JOB_MESSAGE_${least}`)).toEqual(expected);
  }
  expect(await messagesOf(id, `?minimumImportance=JOB_MESSAGE_DEBUG&startTime=${times[2]}`)).toEqual(all.slice(2));
  expect(await messagesOf(id, `?minimumImportance=JOB_MESSAGE_DEBUG&endTime=${times[2]}`)).toEqual(all.slice(0, 2));
  const pages = [];
  for (let token = ""; token !== undefined; ) {
    const page = await ask("GET", `${JOBS}/${id}/messages?minimumImportance=JOB_MESSAGE_DEBUG&pageSize=2&pageToken=${token || 0}`);
    expect(page.jobMessages.length).toBeLessThanOrEqual(2);
    pages.push(...page.jobMessages);
    token = page.nextPageToken;
  }
  expect(pages).toEqual(all);
});

test("the whole job for those who ask, and numbers for those who want them", async () => {
  const { id } = await make("good");
  await ended(id);
  expect((await ask("GET", `${JOBS}/${id}?view=JOB_VIEW_ALL`)).environment.experiments).toContain("use_runner_v2");
  expect((await ask("GET", `${JOBS}/${id}`)).environment).toBeUndefined();
  expect((await ask("GET", `${JOBS}/${id}?$alt=json;enum-encoding=int`)).currentState).toBe(4);
});
