import { packed } from "../../../../beam/failure";
import { Interrupted, PublishError } from "../../../../pipeline/errors";
import { chooseDataflow } from "../../../../pipeline/runners/dataflow/choice";
import { Dataflow } from "../../../../pipeline/runners/dataflow/client";
import { DataflowError, GoesOn } from "../../../../pipeline/runners/dataflow/errors";
import { failureOf, follow } from "../../../../pipeline/runners/dataflow/follow";
import { useLimits } from "../../../../pipeline/runners/dataflow/limits";
import type { Submitted } from "../../../../pipeline/runners/dataflow/submit";
import type { Importance } from "../../../../pipeline/runners/tell";
import { optionsOf } from "./options";
import { DataflowServer, googleError, type ServedJob } from "./server";

const FAST = {
  ...{ callMs: 1000, totalMs: 2000, delayMs: 1, longestDelayMs: 5, pollMs: 1, longestPollMs: 5 },
  ...{ silenceMs: 20_000, cancelMs: 20_000, reasonMs: 500, jobMs: 20_000 },
};

let server: DataflowServer;
let restore: () => void;
let told: [Importance, string][];
beforeEach(async () => {
  server = await new DataflowServer().listen();
  restore = useLimits(FAST);
  told = [];
});
afterEach(async () => {
  restore();
  await server.close();
});

const limited = (changed: object) => {
  restore();
  restore = useLimits({ ...FAST, ...changed });
};
const RUNNING = "JOB_STATE_RUNNING";
const CONSOLE = "https://console.cloud.google.com/x";

/** Follows a job that goes through these states. */
function following(states: string[], signals: { signal?: AbortSignal; second?: AbortSignal } = {}, job: Partial<ServedJob> = {}) {
  const choice = chooseDataflow(optionsOf(`--dataflow-endpoint=${server.endpoint}`));
  server.jobs.push({ id: "job-1", body: { name: choice.jobName }, states, messages: [], cancelled: false, ...job });
  const submitted: Submitted = {
    ...choice,
    jobId: "job-1",
    runId: "run",
    output: "gs://data/training",
    console: CONSOLE,
    staged: "gs://temp/x",
  };
  return follow(submitted, new Dataflow(choice), { tell: (importance, text) => told.push([importance, text]), ...signals });
}
const message = (second: number, messageText: string, importance = "BASIC") => ({
  time: new Date(second * 1000).toISOString(),
  messageText,
  messageImportance: `JOB_MESSAGE_${importance}`,
});

test("states are told as they change, messages by their importance, each once", async () => {
  const messages = [
    message(1, "a"),
    message(1, "b", "DETAILED"),
    message(2, "c", "WARNING"),
    message(3, "d", "ERROR"),
    message(3, "e", "DEBUG"),
  ];
  await following(["JOB_STATE_QUEUED", RUNNING, RUNNING, RUNNING, "JOB_STATE_DONE"], {}, { messages });
  expect(told.filter(([, text]) => text.startsWith("job "))).toEqual([
    ["info", "job queued"],
    ["info", "job running"],
    ["info", "job done"],
  ]);
  expect(told.filter(([, text]) => !text.startsWith("job "))).toEqual([
    ["info", "a"],
    ["debug", "b"],
    ["warning", "c"],
    ["warning", "d"],
    ["debug", "e"],
  ]);
});

test("questions that fail are asked again", async () => {
  let questions = 0;
  server.fault = () => (questions++ % 2 === 0 ? { status: 503 } : undefined);
  await following([RUNNING, RUNNING, "JOB_STATE_DONE"]);
  expect(told.at(-1)).toEqual(["info", "job done"]);
});

test("a job that Dataflow does not find yet is asked for again", async () => {
  let questions = 0;
  server.fault = ({ path }) =>
    path.endsWith("/job-1") && questions++ < 3 ? googleError(404, "(1a): Information about job job-1 could not be found.") : undefined;
  await following(["JOB_STATE_DONE"]);
  expect(questions).toBe(4);
});

test.each([["silence" as const], [{ status: 503 }]])(
  "after too many without an answer nobody waits any more, and the job may go on: %j",
  async (fault) => {
    limited({ silenceMs: 50, callMs: 20 });
    server.fault = () => fault;
    const error = await following([RUNNING]).catch((error) => error);
    expect(error).toBeInstanceOf(GoesOn);
    expect(error.message).toMatch(/cannot look at the job: .*The job job-1 may go on: https:\/\/console.*Its run is run\./);
  },
);

test("whoever may not look at the job is told so at once", async () => {
  server.fault = () => googleError(403, "Permission dataflow.jobs.get denied");
  const error = await following([RUNNING]).catch((error) => error);
  expect(error).toBeInstanceOf(GoesOn);
  expect(error.message).toMatch(/cannot look at the job: the account lacks a permission.*roles\/dataflow\.developer/);
});

test("a job that has no end", async () => {
  limited({ jobMs: 30 });
  await expect(following([RUNNING])).rejects.toThrow(/has not ended within 0\.03 s\. The job job-1 may go on/);
});

test("the first signal tells how to cancel the job, the second cancels it and waits until it is", async () => {
  const [first, second] = [new AbortController(), new AbortController()];
  const reason = new Interrupted("SIGINT");
  const done = following([RUNNING], { signal: first.signal, second: second.signal }).catch((error) => error);
  first.abort(reason);
  expect(told.at(-1)).toEqual([
    "warning",
    "the job goes on. To cancel it, press Ctrl-C again, or run: gcloud dataflow jobs cancel job-1 --region=europe-west1 --project=p-12345",
  ]);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(server.jobs[0].cancelled).toBe(false);
  second.abort(reason);
  expect(await done).toBe(reason);
  expect(server.jobs[0].cancelled).toBe(true);
  expect(told.map(([, text]) => text).slice(-3)).toEqual(["cancelling the job", "job cancelling", "job cancelled"]);
});

test("a signal that came while the job was created counts as the first", async () => {
  const first = AbortSignal.abort(new Interrupted("SIGTERM"));
  await following([RUNNING, "JOB_STATE_DONE"], { signal: first, second: new AbortController().signal });
  expect(told[0][1]).toMatch(/^the job goes on\./);
});

test("where there can be no second signal, the first one cancels", async () => {
  const reason = new Error("enough");
  expect(await following([RUNNING], { signal: AbortSignal.abort(reason) }).catch((error) => error)).toBe(reason);
  expect(server.jobs[0].cancelled).toBe(true);
});

test("a job that is done before it is cancelled is done", async () => {
  server.cancelled = ["JOB_STATE_DONE"];
  await following([RUNNING], { signal: AbortSignal.abort(new Error()) });
});

test("a job that is not cancelled in time may go on", async () => {
  limited({ cancelMs: 20 });
  server.cancelled = ["JOB_STATE_CANCELLING"];
  const done = following([RUNNING], { signal: AbortSignal.abort(new Error()) });
  await expect(done).rejects.toThrow(/Dataflow has not cancelled the job within 0\.02 s\. The job job-1 may go on/);
});

test("a job that cannot be cancelled goes on", async () => {
  server.fault = ({ method }) => (method === "PUT" ? googleError(403, "Permission dataflow.jobs.cancel denied") : undefined);
  const error = await following([RUNNING], { signal: AbortSignal.abort(new Error()) }).catch((error) => error);
  expect(error).toBeInstanceOf(GoesOn);
  expect(error.message).toMatch(/cannot cancel the job: the account lacks a permission/);
});

test.each(["JOB_STATE_CANCELLED", "JOB_STATE_DRAINED", "JOB_STATE_UPDATED"])("somebody else ends it: %s", async (state) => {
  const error = await following([RUNNING, state]).catch((error) => error);
  expect(error).toBeInstanceOf(DataflowError);
  expect(error.message).toMatch(/somebody else has ended the job \(JOB_STATE_/);
  expect(error).not.toBeInstanceOf(GoesOn);
});

test("a reason that comes after the state is waited for", async () => {
  const messages: ServedJob["messages"] = [];
  let looks = 0;
  server.fault = ({ path }) => {
    if (path.endsWith("/messages") && ++looks === 3) messages.push(message(1, "Workflow failed.", "ERROR"));
    return undefined;
  };
  await expect(following(["JOB_STATE_FAILED"], {}, { messages })).rejects.toThrow(/^the job failed: Workflow failed\. /);
});

test("what a worker fails of is the error of the run, with its exit code", () => {
  const stack = (packed(new PublishError("too many rejects.", 3)) as Error).stack!;
  const error = failureOf(
    ["Workflow failed.", `Error message from worker: generic::unknown: ${stack}`, "Workflow failed. Causes: S1."],
    CONSOLE,
  );
  expect(error).toMatchObject({ message: "too many rejects.", exitCode: 3, name: "PublishError" });
});

test("a job that failed, and nobody says why", () => {
  expect(failureOf([], CONSOLE).message).toBe(`the job failed, and Dataflow does not say why. See ${CONSOLE}.`);
});

test.each([
  ["Project p-12345 has insufficient quota(s) to execute this workflow with 1 instances in region europe-west1.", /larger quota/],
  [
    "Startup of the worker pool in zone europe-west1-b failed to bring up any of the desired 1 workers. QUOTA_EXCEEDED: Quota 'CPUS' exceeded.",
    /larger quota/,
  ],
  ["ZONE_RESOURCE_POOL_EXHAUSTED: The zone does not have enough resources", /another --region/],
  ["Error syncing pod: Failed to pull image registry/backstory:1: manifest unknown", /Check --worker-image.*artifactregistry\.reader/],
  ["The SDK container image registry/backstory:1 was not found", /Check --worker-image/],
  ["exec format error", /linux\/amd64/],
  ["Network default is not accessible to Dataflow Service account or does not exist", /Check --network/],
  [
    "Permissions verification for controller service account failed. All permissions in IAM role roles/dataflow.worker should be granted",
    /roles\/dataflow\.worker/,
  ],
  ["Permission denied on Cloud KMS key", /cryptoKeyEncrypterDecrypter/],
  ["SDK harness sdk-0-0 disconnected (process exited)", /Workers ended/],
])("%s", (text, hint) => {
  const error = failureOf(["Worker pool stopped.", `(0a1b): ${text}`, "Workflow failed."], CONSOLE);
  expect(error.message).toContain(text.replace(/\.$/, ""));
  expect(error.message).toMatch(hint);
  expect(error.message).toContain(CONSOLE);
  expect(error).toBeInstanceOf(DataflowError);
});
