import { createServer } from "node:net";
import { status } from "@grpc/grpc-js";
import "apache-beam";
import { JobMessage_MessageImportance, JobState_Enum } from "apache-beam/proto/beam_job_api";
import { impulse } from "apache-beam/transforms/internal";
import { packed } from "../../../beam/failure";
import type { Root } from "../../../beam/sdk";
import { ConfigError } from "../../../pipeline/errors";
import { placeOf } from "../../../pipeline/runners/environment";
import { Job } from "../../../pipeline/runners/job";
import { type FakeJobs, fakeJobs, type Script } from "./fakejobs";

const { RUNNING, DONE, FAILED } = JobState_Enum;
const { JOB_MESSAGE_DEBUG, JOB_MESSAGE_BASIC, JOB_MESSAGE_WARNING, JOB_MESSAGE_ERROR } = JobMessage_MessageImportance;
const LIMITS = { connectMs: 400, callMs: 400, startMs: 1000, silenceMs: 1000, cancelMs: 600 };
const nothing = (root: Root) => void root.apply(impulse());

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0).reverse()) close();
});

function jobAt(endpoint: string) {
  const told: string[] = [];
  const place = placeOf({ kind: "external", config: "pool:1" }, undefined);
  const job = new Job({
    ...{ endpoint, place, options: { jobName: "j" }, limits: LIMITS },
    tell: (importance, text) => void told.push(`${importance}: ${text}`),
  });
  open.push(() => job.close());
  return { job, told };
}

async function jobOf(script: Script): Promise<ReturnType<typeof jobAt> & { fake: FakeJobs }> {
  const fake = await fakeJobs(script);
  open.push(fake.die);
  return { ...jobAt(fake.endpoint), fake };
}

test("a job goes with our environment, and its states and messages are told as they come", async () => {
  const messages: Script["messages"] = [
    [JOB_MESSAGE_DEBUG, "detail"],
    [JOB_MESSAGE_BASIC, "step 1"],
    [JOB_MESSAGE_WARNING, "slow"],
  ];
  const { job, told, fake } = await jobOf({ states: [RUNNING, RUNNING, RUNNING, DONE], messages });
  await job.submit(nothing);
  await job.wait();
  expect(told).toEqual(expect.arrayContaining(["info: job running", "debug: detail", "info: step 1", "warning: slow", "info: job done"]));
  expect(told.filter((line) => line === "info: job running")).toHaveLength(1);
  expect(told.at(-1)).toBe("info: job done");
  const [{ pipeline, jobName }] = fake.jobs;
  expect(jobName).toBe("j");
  expect(Object.values(pipeline!.components!.environments).map(({ urn }) => urn)).toEqual(["beam:env:external:v1"]);
  await job.cancel();
  expect(fake.heard).not.toContain("Cancel");
});

test("what a worker threw is what the job fails of, with its exit code", async () => {
  const error = packed(new ConfigError("no column. Add it.")) as Error;
  const messages: Script["messages"] = [
    [JOB_MESSAGE_ERROR, `java.lang.RuntimeException: Error received from SDK harness: ${error.stack}\n\tat Java`],
    [JOB_MESSAGE_ERROR, "shut down"],
  ];
  const { job, told } = await jobOf({ states: [RUNNING, FAILED], messages });
  await job.submit(nothing);
  const failed = await job.wait().catch((error) => error);
  expect(failed).toMatchObject({ name: "ConfigError", message: "no column. Add it.", exitCode: 2 });
  expect(failed.stack).toMatch(/job.test.ts.*at Java/s);
  expect(`${failed.stack}${told}`).not.toContain("backstory-failure");
});

test("other errors are told by their first line, with all of it as the stack", async () => {
  const { job } = await jobOf({ states: [FAILED], messages: [[JOB_MESSAGE_ERROR, "boom\n    at X"]] });
  await job.submit(nothing);
  const failed = await job.wait().catch((error) => error);
  expect(failed.message).toBe("the job failed: boom");
  expect(failed.stack).toContain("at X");
  expect(failed).not.toHaveProperty("exitCode");
});

test("a job that fails without a word", async () => {
  const { job } = await jobOf({ states: [FAILED] });
  await job.submit(nothing);
  await expect(job.wait()).rejects.toThrow("the job is failed, and the runner does not say why. See its log.");
});

test("nobody listens", async () => {
  await expect(jobAt("localhost:1").job.submit(nothing)).rejects.toThrow(
    /no job service answers at localhost:1 \(ECONNREFUSED\)\. Start it/,
  );
});

test("somebody listens who says nothing", async () => {
  const server = createServer((socket) => void open.push(() => socket.destroy())).listen(0, "localhost");
  open.push(() => server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await expect(jobAt(`localhost:${port}`).job.submit(nothing)).rejects.toThrow(
    /localhost:\d+ (does not answer|has not started the job|.*take a job)/,
  );
});

test.each(["Prepare", "Run"])("a job service that never answers to %s", async (silent) => {
  const { job } = await jobOf({ answers: ["Prepare", "Run"].filter((name) => name !== silent) });
  await expect(job.submit(nothing)).rejects.toThrow(/does not answer|has not started the job within 1 s/);
});

test("a job service that refuses says why", async () => {
  const refusal = Object.assign(new Error(), {
    code: status.INVALID_ARGUMENT,
    details: "no coder",
    metadata: undefined as never,
    name: "",
  });
  const { job } = await jobOf({ refuse: { Prepare: refusal } });
  await expect(job.submit(nothing)).rejects.toThrow(/refuses the job: no coder/);
});

test("what is no job service", async () => {
  const refusal = Object.assign(new Error(), { code: status.UNIMPLEMENTED, details: "no method", metadata: undefined as never, name: "" });
  const { job } = await jobOf({ refuse: { Prepare: refusal } });
  await expect(job.submit(nothing)).rejects.toThrow(
    /does not take a job as a job service of Beam would \(no method\)\. Check --job-endpoint/,
  );
});

test("a job service that stops answering in the middle", async () => {
  const { job } = await jobOf({ answers: ["Prepare", "Run"] });
  await job.submit(nothing);
  await expect(job.wait()).rejects.toThrow(/has not answered for 1 s, so nobody knows how the job is/);
});

test("a job service that dies in the middle", async () => {
  const { job, fake } = await jobOf({ states: [RUNNING] });
  await job.submit(nothing);
  const waiting = job.wait();
  fake.die();
  await expect(waiting).rejects.toThrow(/has not answered for 1 s/);
});

test("a job is cancelled once, and whoever waits for it is let go", async () => {
  const { job, fake, told } = await jobOf({ states: [RUNNING] });
  await job.submit(nothing);
  const waiting = job.wait();
  await job.cancel();
  await job.cancel();
  await waiting;
  expect(fake.heard.filter((name) => name === "Cancel")).toHaveLength(1);
  expect(told.at(-1)).toBe("info: job cancelled");
});

test("a job that is about to begin is cancelled too", async () => {
  const { job, fake } = await jobOf({ states: [RUNNING] });
  const submitted = job.submit(nothing);
  await job.cancel();
  await submitted.catch(() => {});
  expect(fake.heard.at(-1) === "Cancel" || !fake.heard.includes("Run")).toBe(true);
});

test("a cancel that is not answered is given up, and said", async () => {
  const { job, told } = await jobOf({ states: [RUNNING], answers: ["Prepare", "Run", "GetState"] });
  await job.submit(nothing);
  await job.cancel();
  expect(told.at(-1)).toMatch(/warning: the job could not be cancelled .*it may go on at localhost/);
});
