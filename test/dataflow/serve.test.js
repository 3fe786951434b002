/** The Dataflow of tests as a process: what it says, and that all of it ends with it. */
const { spawn } = require("node:child_process");
const { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } = require("node:fs");
const { join } = require("node:path");
const { setTimeout: sleep } = require("node:timers/promises");
const { Storage } = require("@google-cloud/storage");
const { backstory, CACHE, IMAGE, inputsIn, onDataflow, processesLeft, processesOf, ROOT, TABLES } = require("./kit");

const LIMIT_MS = 60_000;
const OTTO = join(ROOT, "examples/otto");

let folder;
beforeAll(() => {
  mkdirSync(CACHE, { recursive: true });
  folder = mkdtempSync(join(CACHE, "serve-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));

async function start() {
  const args = [join(__dirname, "serve.js"), `--folder=${folder}`, `--image=${IMAGE}=${join(__dirname, "stuck.js")}`];
  const child = spawn(process.execPath, [...args, ...["inputs", "outputs", "temporary"].map((name) => `--bucket=${name}`)], {
    stdio: ["pipe", "pipe", "inherit"],
    timeout: 4 * LIMIT_MS,
    killSignal: "SIGKILL",
  });
  const ended = new Promise((resolve) => child.once("close", (code, signal) => resolve(code ?? signal)));
  const line = await Promise.race([new Promise((resolve) => child.stdout.once("data", (bytes) => resolve(String(bytes)))), ended]);
  return { child, ended, ...JSON.parse(line) };
}

const jobAt = async ({ endpoint }, id) =>
  (
    await fetch(`${endpoint}/v1b3/projects/my-project-123/locations/europe-west1/jobs/${id}`, { signal: AbortSignal.timeout(LIMIT_MS) })
  ).json();

/** A job that never comes to its end. @returns when it runs */
async function runStuck(server) {
  const inputs = new Storage({ apiEndpoint: server.storageHost, projectId: "test" }).bucket("inputs");
  for (const table of TABLES) await inputs.file(`${table}.ndjson`).save(readFileSync(join(OTTO, `${table}.ndjson`)), { resumable: false });
  const args = [
    ...inputsIn("gs://inputs", "ndjson"),
    "--output=gs://outputs/stuck",
    "--dates=2022-08-28",
    ...onDataflow(server),
    "--no-wait",
  ];
  const run = await backstory(["build", ...args], { env: { STORAGE_EMULATOR_HOST: server.storageHost } });
  expect(run).toMatchObject({ code: 0 });
  const [, id] = /^Submitted job: (.*)$/m.exec(run.err);
  for (const limit = Date.now() + LIMIT_MS; (await jobAt(server, id)).currentState !== "JOB_STATE_RUNNING"; await sleep(50))
    if (Date.now() > limit) throw new Error("the job does not run.");
}

async function workerStarts({ storageHost }) {
  for (const limit = Date.now() + LIMIT_MS; processesOf(storageHost).length === 0; await sleep(50))
    if (Date.now() > limit) throw new Error("no worker has been started.");
}

test.each([
  ["SIGTERM", (child) => child.kill("SIGTERM")],
  ["the end of its standard input", (child) => child.stdin.end()],
])("%s ends it, its job, the runner and the storage", async (_, end) => {
  const server = await start();
  expect(server).toMatchObject({
    endpoint: expect.stringMatching(/^http:/),
    storageHost: expect.stringMatching(/^http:/),
    pid: server.child.pid,
  });
  await runStuck(server);
  await workerStarts(server);
  end(server.child);
  expect(await server.ended).toBe(0);
  expect(await processesLeft(server.storageHost)).toEqual([]);
  for (const address of [server.endpoint, server.storageHost]) await expect(fetch(address)).rejects.toThrow();
  // asked for by --folder: what was logged stays
  expect(existsSync(join(folder, "fake-gcs-server.log"))).toBe(true);
});
