import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { DataflowServer, googleError } from "../pipeline/runners/dataflow/server";
import { backstory } from "./run";
import { service } from "./service";

/** Jobs of Dataflow as far as they go without one: what is staged, sent, told, and removed. */
const gcs = service();
const server = new DataflowServer();
let folder: string;

const DAY = "2025-08-16";
const INPUTS = {
  impressions: { dt: DAY, ranking_id: "r", customer_id: 1, impressions: [{ item_id: 5, is_order: true }] },
  clicks: { customer_id: 1, item_id: 7, click_time: "2025-08-15 10:00:00" },
};
const OUT = "gs://data/training";

const args = (...more: string[]) => [
  "build",
  "--impressions=gs://data/in/impressions.ndjson",
  "--clicks=gs://data/in/clicks.ndjson",
  "--add-to-carts=none",
  "--previous-orders=none",
  `--output=${OUT}`,
  "--runner=dataflow",
  "--project=p-12345",
  "--region=europe-west1",
  "--temp-location=gs://temp/flow",
  "--worker-image=registry/backstory:1",
  `--dataflow-endpoint=${server.endpoint}`,
  ...more,
];
const FAILED = [{ time: "2026-01-01T00:00:00Z", messageText: "Workflow failed.", messageImportance: "JOB_MESSAGE_ERROR" }];
const left = async () => [...(await gcs.names("temp")), ...(await gcs.names("data")).filter((name) => !name.startsWith("in/"))];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "gcs-dataflow-"));
  await server.listen();
  for (const bucket of ["data", "temp"]) await gcs.createBucket(bucket);
  for (const [name, row] of Object.entries(INPUTS)) await gcs.put(`gs://data/in/${name}.ndjson`, `${JSON.stringify(row)}\n`);
});
beforeEach(async () => {
  Object.assign(server, new DataflowServer(), {
    messages: FAILED,
    server: (server as unknown as { server: object }).server,
    heard: [],
    jobs: [],
  });
  for (const bucket of ["data", "temp"])
    for (const name of await gcs.names(bucket)) if (!name.startsWith("in/")) await gcs.remove(`gs://${bucket}/${name}`);
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

test("--no-wait: the job is there, with its pipeline, and the file says which", async () => {
  const file = join(folder, "job.json");
  const { code, stderr, stdout } = await backstory(args("--no-wait", "--json", `--job-id-file=${file}`));
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("Submitted job: job-1\n") });
  const told = JSON.parse(readFileSync(file, "utf8"));
  expect(JSON.parse(stdout)).toEqual(told);
  expect(told).toMatchObject({ job_id: "job-1", project: "p-12345", region: "europe-west1", output: OUT });
  expect(stderr).toContain(told.console);
  const [{ body }] = server.jobs;
  const options = (body as never as { environment: { sdkPipelineOptions: { options: Record<string, string> } } }).environment
    .sdkPipelineOptions.options;
  expect(options.pipelineUrl).toBe(`${told.staged}/pipeline.pb`);
  const proto = await gcs.get(options.pipelineUrl);
  expect(createHash("sha256").update(proto).digest("hex")).toBe(options.pipelineProtoHash);
});

test("--dry-run prints the job, and neither sends nor writes anything", async () => {
  const { code, stderr, stdout } = await backstory(args("--dry-run"));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(JSON.parse(stdout)).toMatchObject({ name: expect.stringMatching(/^backstory-training-[0-9a-f]{8}$/), type: "JOB_TYPE_BATCH" });
  expect(server.heard).toEqual([]);
  expect(await left()).toEqual([]);
});

test("a job that fails: its reason, and nothing is left", async () => {
  server.states = ["JOB_STATE_RUNNING", "JOB_STATE_FAILED"];
  server.messages = [
    { time: "2026-01-01T00:00:00.5Z", messageText: "Worker pool started.", messageImportance: "JOB_MESSAGE_BASIC" },
    { time: "2026-01-01T00:00:01Z", messageText: "Workflow failed. Causes: Quota CPUS exceeded.", messageImportance: "JOB_MESSAGE_ERROR" },
  ];
  const { code, stderr } = await backstory(args());
  expect(code).toBe(1);
  expect(stderr).toContain("Worker pool started.");
  expect(stderr).toContain("backstory: the job failed: Workflow failed. Causes: Quota CPUS exceeded. Ask for a larger quota");
  expect(await left()).toEqual([]);
});

const DONE_BEFORE = { clientRequestId: "another", labels: {} };

/** A job that has this run's name already. */
function occupy(name: string): void {
  server.jobs.push({ id: "job-0", body: { name, ...DONE_BEFORE }, states: ["JOB_STATE_RUNNING"], messages: [], cancelled: false });
}

test("a name that is taken: whose it is, and nothing is left", async () => {
  occupy("daily");
  const { code, stderr } = await backstory(args("--job-name=daily"));
  expect(code).toBe(2);
  expect(stderr).toContain("backstory: a job named daily is active already: job-0, https://console.cloud.google.com/dataflow/jobs/");
  expect(await left()).toEqual([]);
});

test("a job that Dataflow returns in the place of a new one, since it has the name, is not taken for it", async () => {
  server.fault = ({ method }) => (method === "POST" ? { status: 200, body: { id: "job-0", name: "daily", ...DONE_BEFORE } } : undefined);
  const { code, stderr } = await backstory(args("--job-name=daily"));
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("a job named daily is active already: job-0") });
});

test("Dataflow refuses the job: the reason, and nothing is left", async () => {
  server.fault = () => googleError(403, "Dataflow API has not been used in project 1 before or it is disabled.", "SERVICE_DISABLED");
  const { code, stderr } = await backstory(args("--no-wait"));
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("the Dataflow API is off in project p-12345") });
  expect(await left()).toEqual([]);
});

test("a temporary bucket that is not there", async () => {
  const { code, stderr } = await backstory(args().map((arg) => arg.replace("gs://temp/", "gs://not-there/")));
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('"gs://not-there": there is no such bucket (404)') });
  expect(server.jobs).toEqual([]);
  expect(await left()).toEqual([]);
});

test("a bucket far from the workers is warned of", async () => {
  gcs.proxy.fault = ({ method, url }) =>
    method === "GET" && /\/b\/temp\/?(\?|$)/.test(url) ? { status: 200, body: { name: "temp", location: "US-EAST1" } } : undefined;
  const { code, stderr } = await backstory(args("--no-wait"));
  expect(code).toBe(0);
  expect(stderr).toContain("warning: the bucket temp is in US-EAST1, and the workers are in europe-west1");
});

test("what others have in the temporary folder stays", async () => {
  await gcs.put("gs://temp/flow/staging/theirs", "x");
  server.states = ["JOB_STATE_FAILED"];
  expect((await backstory(args())).code).toBe(1);
  expect(await left()).toEqual(["flow/staging/theirs"]);
});

/** In a process of its own: the library does not take jest's Uint8Array for bytes. */
async function staged(sha256: string): Promise<string> {
  const url = "gs://temp/flow/staging/j.run/pipeline.pb";
  const script = `require("./dist/pipeline/runners/dataflow/stage.js").stage(${JSON.stringify({ url, sha256 })}, Buffer.from("pipeline")).then(
    () => console.log("done"), (error) => console.log(error.message))`;
  const options = { cwd: join(__dirname, "../.."), env: { ...process.env }, timeout: 60_000 };
  return (await promisify(execFile)(process.execPath, ["-e", script], options)).stdout;
}

test("where something is in the place of the pipeline, it stays", async () => {
  const wanted = createHash("sha256").update("pipeline").digest("hex");
  expect(await staged(wanted)).toBe("done\n");
  expect(await staged(wanted)).toMatch(
    /there is something at "gs:\/\/temp\/flow\/staging\/j\.run\/pipeline\.pb" already.*--staging-location/,
  );
  expect((await gcs.get("gs://temp/flow/staging/j.run/pipeline.pb")).toString()).toBe("pipeline");
});

test("what lies there in the end is what was sent", async () => {
  expect(await staged("another")).toMatch(/is not what was written there/);
});

test("a job that is done, of which nothing is in the output", async () => {
  const { code, stderr } = await backstory(args());
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining("the job is done, but nothing of it is in gs://data/training"),
  });
  expect(await left()).toEqual([]);
});

/** The command, and what it has told until now. */
function start(...more: string[]) {
  const child = spawn(process.execPath, [join(__dirname, "../../bin/backstory.js"), ...args(...more)], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env },
  });
  let told = "";
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const says = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => told.includes(text) && resolve();
      child.stderr.on("data", look);
      void ended.then((code) => reject(new Error(`ended with ${code} before it said "${text}": ${told}`)));
      look();
    });
  child.stderr.on("data", (bytes) => {
    told += bytes;
  });
  return { child, ended, says, told: () => told };
}

test("Ctrl-C leaves the job, and a second one cancels it; then nothing is left", async () => {
  server.states = ["JOB_STATE_RUNNING"];
  const { child, ended, says } = start();
  await says("job running");
  child.kill("SIGINT");
  await says("the job goes on. To cancel it, press Ctrl-C again, or run: gcloud dataflow jobs cancel job-1");
  expect(server.jobs[0].cancelled).toBe(false);
  // two at once are one, since a terminal sends it to all of its processes
  await sleep(500);
  child.kill("SIGINT");
  expect(await ended).toBe(130);
  expect(server.jobs[0].cancelled).toBe(true);
  expect(await left()).toEqual([]);
});

test("Ctrl-C before there is a job ends the run, and nothing is left", async () => {
  let reached = () => {};
  const listing = new Promise<void>((resolve) => {
    reached = resolve;
  });
  // the library waits a second before it asks again
  let faults = 1;
  gcs.proxy.fault = ({ method, url }) => {
    if (method !== "POST" || !url.includes("pipeline.pb") || faults-- === 0) return undefined;
    reached();
    return { status: 503, body: {} };
  };
  const { child, ended, told } = start();
  await listing;
  child.kill("SIGINT");
  expect(await ended).toBe(130);
  expect(told()).toContain("backstory: ended by SIGINT; nothing was published.");
  expect(server.jobs).toEqual([]);
  expect(await left()).toEqual([]);
});

describe("nobody waited for a job", () => {
  const submit = async () => {
    expect((await backstory(args("--no-wait"))).code).toBe(0);
    return (await gcs.names("data")).find((name) => name.endsWith("owner.json"))!.split("/")[2];
  };
  const clean = () => backstory(["clean", OUT]);

  test("while it is at work, all that it needs stays", async () => {
    server.states = ["JOB_STATE_RUNNING"];
    const run = await submit();
    const before = await left();
    expect((await clean()).stdout).toBe(`${run}: left, since its job on Dataflow, job-1, is at work (JOB_STATE_RUNNING)\n`);
    expect(await left()).toEqual(before);
  });

  test("once it has ended, what it has left goes", async () => {
    server.states = ["JOB_STATE_FAILED"];
    const run = await submit();
    await gcs.put(`gs://temp/flow/backstory-${run}/clicks/0.parquet`, "an export");
    expect(await gcs.names("temp")).toHaveLength(2);
    expect((await clean()).stdout).toBe(`${run}: attempts removed\n`);
    expect(await left()).toEqual([]);
  });

  test("so does the next build", async () => {
    server.states = ["JOB_STATE_FAILED"];
    await submit();
    expect((await backstory(args("--job-name=another"))).code).toBe(1);
    expect(await left()).toEqual([]);
  });

  test("of a Dataflow that does not answer nothing is known; --run says it", async () => {
    const run = await submit();
    server.fault = () => googleError(403, "Permission denied");
    expect((await clean()).stdout).toMatch(
      /left, since its job on Dataflow, job-1 in p-12345, cannot be asked for \(cannot look at the job: /,
    );
    expect((await backstory(["clean", OUT, `--run=${run}`])).stdout).toBe(`${run}: attempts removed\n`);
    expect(await left()).toEqual([]);
  });

  test("a record that names somebody else's folder, or another service, counts for nothing", async () => {
    const run = await submit();
    const path = `${OUT}/_attempts/${run}/dataflow.json`;
    const record = JSON.parse((await gcs.get(path)).toString());
    await gcs.put("gs://temp/precious/x", "x");
    for (const changed of [{ temporary: ["gs://temp/precious"] }, { endpoint: "https://example.com/" }]) {
      await gcs.put(path, JSON.stringify({ ...record, ...changed }));
      expect((await clean()).stdout).toMatch(/left, since it is of process \d+ on/);
    }
    expect(await gcs.names("temp")).toContain("precious/x");
  });
});
