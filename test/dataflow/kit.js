/** A world to run jobs in: buckets, a Dataflow, images; and the command, as people run it. */
const { spawn } = require("node:child_process");
const { createHash } = require("node:crypto");
const { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } = require("node:fs");
const { join } = require("node:path");
const { setTimeout: sleep } = require("node:timers/promises");
const { Storage } = require("@google-cloud/storage");
require("../sdk/install"); // says where runners are
const { startStorage } = require("../gcs/server");
const { DataflowServer } = require("./server");

const ROOT = join(__dirname, "../..");
const CACHE = join(ROOT, ".cache/dataflow");
const PROGRAM = join(ROOT, "bin/backstory.js");
const LIMIT_MS = 240_000;
const IMAGE = "europe-docker.pkg.dev/my-project-123/images/backstory-worker:test";
const BUCKETS = ["inputs", "outputs", "temporary"];
const TABLES = ["impressions", "clicks", "add_to_carts", "previous_orders"];

/** The variables of a container, which has Node and nothing of this machine's. */
const ENV = { PATH: `${process.execPath.replace(/\/[^/]+$/, "")}:/usr/local/bin:/usr/bin:/bin`, HOME: "/nonexistent" };
/** What an image of another kind starts. */
const programOf = (name, ...args) => ({ command: process.execPath, args: [join(__dirname, name), ...args], env: ENV });

/** What the image of this checkout starts. */
async function workerImage() {
  const { boot, env } = await require("../images/root").imageRoot();
  return { command: boot, env };
}

/** @param images what they start, by the tag behind the colon */
async function startWorld(images) {
  const { startService } = require("../../dist/pipeline/runners/services");
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, "test-"));
  const storage = await startStorage(startService, folder);
  const imagesOf = (image) => images[image.split(":").at(-1)];
  const dataflow = new DataflowServer({ storage: storage.host, images: imagesOf, folder: join(folder, "jobs") });
  const endpoint = await dataflow.listen();
  const buckets = new Storage({ apiEndpoint: storage.host, projectId: "test" });
  for (const bucket of BUCKETS) await buckets.createBucket(bucket);
  return {
    folder,
    storageHost: storage.host,
    dataflow,
    endpoint,
    names: async (bucket, prefix = "") =>
      (await buckets.bucket(bucket).getFiles({ prefix }))
        .at(0)
        .map(({ name }) => name)
        .sort(),
    put: (bucket, name, content) => buckets.bucket(bucket).file(name).save(content, { resumable: false }),
    get: async (bucket, name) => (await buckets.bucket(bucket).file(name).download())[0],
    async stop() {
      await dataflow.close();
      await storage.stop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** The flags of a build on the Dataflow of a world. */
const onDataflow = ({ endpoint }, image = "test") => [
  "--runner=dataflow",
  "--project=my-project-123",
  "--region=europe-west1",
  "--temp-location=gs://temporary/dataflow",
  `--worker-image=${IMAGE.replace(/test$/, image)}`,
  `--dataflow-endpoint=${endpoint}`,
];
const inputsIn = (place, format) => TABLES.map((table) => `--${table.replaceAll("_", "-")}=${place}/${table}.${format}`);

/**
 * Runs the command. Resolves to its code and what it printed.
 * @param onError is shown all that it has told so far, each time it tells more, with the process: for signals
 */
function backstory(args, { env = {}, onError = () => {} } = {}) {
  return new Promise((resolve) => {
    const told = { out: "", err: "" };
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: LIMIT_MS,
      killSignal: "SIGKILL",
    });
    child.stdout.on("data", (bytes) => (told.out += bytes));
    child.stderr.on("data", (bytes) => {
      told.err += bytes;
      onError(told.err, child);
    });
    child.once("close", (code, signal) => resolve({ code: code ?? signal, ...told }));
  });
}

const END_LIMIT_MS = 30_000;

/** The processes that were told of a storage, whoever their parents are now; this one is none of them. */
function processesOf(storageHost) {
  const told = `STORAGE_EMULATOR_HOST=${storageHost}\0`;
  return readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid && environmentOf(pid).includes(told));
}

/** Those of them that do not end soon. */
async function processesLeft(storageHost) {
  for (const limit = Date.now() + END_LIMIT_MS; processesOf(storageHost).length > 0 && Date.now() < limit; ) await sleep(50);
  return processesOf(storageHost);
}

function environmentOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    return ""; // it has ended, or is somebody else's
  }
}

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** SHA-256 of each part of an output here, by its path. */
function partsHere(output) {
  const names = readdirSync(output, { recursive: true }).filter((name) => /part-[^/]*\.parquet$/.test(name));
  return Object.fromEntries(names.sort().map((name) => [name, sha256(readFileSync(join(output, name)))]));
}

/** The same of an output in the bucket for outputs. */
async function partsThere(world, output) {
  const names = (await world.names("outputs", `${output}/`)).filter((name) => /part-[^/]*\.parquet$/.test(name));
  const sums = await Promise.all(names.map(async (name) => [name.slice(output.length + 1), sha256(await world.get("outputs", name))]));
  return Object.fromEntries(sums);
}

module.exports = {
  CACHE,
  ENV,
  IMAGE,
  ROOT,
  TABLES,
  backstory,
  inputsIn,
  onDataflow,
  partsHere,
  partsThere,
  processesLeft,
  processesOf,
  programOf,
  startWorld,
  workerImage,
};
