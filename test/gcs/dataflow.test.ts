import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataflowServer } from "../pipeline/runners/dataflow/server";
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
const left = async () => [...(await gcs.names("temp")), ...(await gcs.names("data")).filter((name) => !name.startsWith("in/"))];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "gcs-dataflow-"));
  await server.listen();
  for (const bucket of ["data", "temp"]) await gcs.createBucket(bucket);
  for (const [name, row] of Object.entries(INPUTS)) await gcs.put(`gs://data/in/${name}.ndjson`, `${JSON.stringify(row)}\n`);
});
beforeEach(async () => {
  Object.assign(server, new DataflowServer(), { server: (server as unknown as { server: object }).server, heard: [], jobs: [] });
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
