/** What one who submits a job hears of it: a job service that a test plays. Each test fails without its part of the patches. */
import "apache-beam";
import { JobMessage_MessageImportance, JobState_Enum } from "apache-beam/proto/beam_job_api";
import { MonitoringInfo } from "apache-beam/proto/metrics";
import { offerArtifacts } from "apache-beam/runners/artifacts";
import { PortableRunner } from "apache-beam/runners/portable_runner/runner";
import { impulse } from "apache-beam/transforms/internal";
import type { Root } from "../../beam/sdk";

jest.setTimeout(20_000);

const { JOB_MESSAGE_ERROR, JOB_MESSAGE_BASIC } = JobMessage_MessageImportance;
const info = (urn: string, payload: number[]) =>
  MonitoringInfo.create({ urn, type: urn, labels: { NAME: "seen" }, payload: Uint8Array.from(payload) });

interface Script {
  states: (JobState_Enum | Error)[];
  messages?: [JobMessage_MessageImportance, string][];
  committed?: MonitoringInfo[];
  attempted?: MonitoringInfo[];
}

/** A job that goes through these states; its messages come late. */
function runnerOf({ states, messages = [], committed = [], attempted = [] }: Script): PortableRunner {
  const runner = new PortableRunner({ jobEndpoint: "nowhere:0", environmentType: "LOOPBACK" });
  const answer = <T>(response: T) => ({ response: Promise.resolve(response) });
  const told = Promise.withResolvers<void>();
  let listen = (_: unknown) => {};
  const speak = () => {
    for (const [importance, messageText] of messages)
      listen({ response: { oneofKind: "messageResponse", messageResponse: { importance, messageText } } });
    told.resolve();
  };
  runner.client = {
    prepare: () => answer({ preparationId: "p" }),
    run: () => answer({ jobId: "j" }),
    getMessageStream: () => ({ responses: { onMessage: (then: typeof listen) => void (listen = then) }, status: told.promise }),
    getJobMetrics: () => answer({ metrics: { committed, attempted } }),
    getState: () => {
      const state = states.length > 1 ? states.shift()! : states[0];
      if (state instanceof Error) return { response: Promise.reject(state) };
      if (state !== JobState_Enum.RUNNING) setTimeout(speak, 100);
      return answer({ state });
    },
  } as never;
  return runner;
}

const nothing = (root: Root) => root.apply(impulse()) as never;

test("a job that fails says why: its first error, even when that comes after its state", async () => {
  const runner = runnerOf({
    states: [JobState_Enum.RUNNING, JobState_Enum.FAILED],
    messages: [
      [JOB_MESSAGE_BASIC, "started"],
      [JOB_MESSAGE_ERROR, "no place left\n    at Write"],
      [JOB_MESSAGE_ERROR, "shut down"],
    ],
  });
  await expect(runner.run(nothing)).rejects.toThrow("Job finished in state FAILED: no place left\n    at Write");
});

test("messages of a job are handed on as they come", async () => {
  const runner = runnerOf({ states: [JobState_Enum.FAILED], messages: [[JOB_MESSAGE_BASIC, "started"]] });
  const heard: string[] = [];
  runner.onJobMessage = ({ messageText }) => void heard.push(messageText);
  await expect(runner.run(nothing)).rejects.toThrow("FAILED");
  expect(heard).toEqual(["started"]);
});

test("a runner that dies ends the job, and what was started for it", async () => {
  const runner = runnerOf({ states: [JobState_Enum.RUNNING, new Error("connection refused")] });
  const result = (await runner.runAsync(nothing)) as unknown as {
    waitUntilFinish(): Promise<unknown>;
    completionCallbacks: (() => unknown)[];
  };
  let ended = false;
  result.completionCallbacks.push(() => (ended = true));
  await expect(result.waitUntilFinish()).rejects.toThrow("connection refused");
  expect(ended).toBe(true);
});

test("counts of a runner that has only attempted ones are not lost", async () => {
  const counts = [info("beam:metric:user:sum_int64:v1", [7])];
  for (const metrics of [{ attempted: counts }, { committed: counts }])
    expect(await (await runnerOf({ states: [JobState_Enum.DONE], ...metrics }).run(nothing)).counters()).toEqual({ seen: 7 });
});

test("distributions are read as four varints", async () => {
  const committed = [info("beam:metric:user:distribution_int64:v1", [2, 8, 3, 5])];
  const result = await runnerOf({ states: [JobState_Enum.DONE], committed }).run(nothing);
  expect(await result.distributions()).toEqual({ seen: { count: 2, sum: 8, min: 3, max: 5 } });
});

test("a runner that wants no artifacts is not waited for", async () => {
  // biome-ignore lint/suspicious/noThenProperty: a call is awaited for its headers, which never come
  const call = { responses: { onMessage: () => {} }, requests: { send: () => {} }, status: Promise.resolve(), then: () => {} };
  await offerArtifacts({ reverseArtifactRetrievalService: () => call } as never, "token", "/");
});

test("the submitter prints nothing of its own", async () => {
  const printed = (["debug", "log", "info", "warn"] as const).map((name) => jest.spyOn(console, name).mockImplementation(() => {}));
  await runnerOf({ states: [JobState_Enum.DONE] }).run(nothing);
  expect(printed.flatMap(({ mock }) => mock.calls)).toEqual([]);
  for (const spy of printed) spy.mockRestore();
});
