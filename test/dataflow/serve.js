#!/usr/bin/env node
/**
 * The Dataflow of tests as a process:
 *
 *     node test/dataflow/serve.js [--port=N] [--storage=URL] [--bucket=NAME ...] [--image=NAME=PROGRAM ...] [--folder=FOLDER]
 *
 * --port     where it listens, on 127.0.0.1; else a free port
 * --storage  a Cloud Storage that runs already, as STORAGE_EMULATOR_HOST has it; else one is started (fake-gcs-server)
 * --bucket   a bucket to make there
 * --image    what a container of this image starts, with Beam's boot flags; else every image starts bin/backstory-worker.js
 * --folder   for logs of runners and workers, which stay; else a temporary one, which goes
 *
 * Prints one line of JSON once it listens: {"endpoint": "http://127.0.0.1:1234", "storageHost": "http://127.0.0.1:5678", "pid": 1}.
 * SIGTERM or SIGINT ends it and all that it started; so does the end of its standard input, if that is a pipe. Wants `npm run build` and
 * test/dataflow/install.js before.
 */
const { mkdirSync, mkdtempSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { dirname, join } = require("node:path");
const { parseArgs } = require("node:util");

const ROOT = join(__dirname, "../..");
const many = { type: "string", multiple: true, default: [] };
const { values: flags } = parseArgs({
  options: { port: { type: "string" }, storage: { type: "string" }, bucket: many, image: many, folder: { type: "string" } },
});

/** The worker of this checkout, with the Node that runs this. */
const OURS = {
  command: process.execPath,
  args: [join(ROOT, "bin/backstory-worker.js")],
  env: { PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`, HOME: tmpdir() },
};

function imagesOf(named) {
  const programs = new Map(named.map((each) => [each.slice(0, each.lastIndexOf("=")), each.slice(each.lastIndexOf("=") + 1)]));
  if (programs.size === 0) return () => OURS;
  return (image) => (programs.has(image) ? { command: programs.get(image), env: OURS.env } : undefined);
}

async function makeBucket(host, name) {
  const response = await fetch(`${host}/storage/v1/b?project=test`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name }),
    signal: AbortSignal.timeout(30_000),
  });
  if (!response.ok && response.status !== 409) throw new Error(`bucket ${name}: HTTP ${response.status}`);
}

async function main() {
  const folder = flags.folder ?? mkdtempSync(join(tmpdir(), "dataflow-"));
  mkdirSync(folder, { recursive: true });
  const closers = [];
  let ending;
  const end = (code) =>
    (ending ??= (async () => {
      for (const close of closers.reverse()) await close().catch((error) => console.error(error.message));
      if (flags.folder === undefined) rmSync(folder, { recursive: true, force: true });
      process.exit(code);
    })());
  for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => end(0));
  try {
    require("../sdk/install"); // says where runners are
    const { startService } = require("../../dist/pipeline/runners/services");
    const storage = flags.storage ?? (await startedStorage(startService, folder, closers));
    for (const bucket of flags.bucket) await makeBucket(storage, bucket);
    const { DataflowServer } = require("./server");
    const server = new DataflowServer({ storage, images: imagesOf(flags.image), folder });
    closers.push(() => server.close());
    const endpoint = await server.listen(flags.port === undefined ? 0 : Number(flags.port));
    console.log(JSON.stringify({ endpoint, storageHost: storage, pid: process.pid }));
    if (isPipe(0)) process.stdin.resume().once("end", () => end(0));
  } catch (error) {
    console.error(`serve.js: ${error.message}`);
    await end(1);
  }
}

const isPipe = (fd) => {
  const stat = require("node:fs").fstatSync(fd);
  return stat.isFIFO() || stat.isSocket();
};

async function startedStorage(startService, folder, closers) {
  const { startStorage } = require("../gcs/server");
  const storage = await startStorage(startService, folder);
  closers.push(() => storage.stop());
  return storage.host;
}

main();
