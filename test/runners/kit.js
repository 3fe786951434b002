/** Runs the command on a runner, as people do, and looks at what is left behind. */
const { spawn, execFileSync } = require("node:child_process");
const { createHash, randomUUID } = require("node:crypto");
const { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } = require("node:fs");
const { join } = require("node:path");
const { setTimeout: sleep } = require("node:timers/promises");
const { HOME } = require("../sdk/install");

const ROOT = join(__dirname, "../..");
const CACHE = join(ROOT, ".cache/runners");
const PROGRAM = join(ROOT, "bin/backstory.js");
const LIMIT_SECONDS = 200;
const END_LIMIT_MS = 10_000;
const TABLES = ["impressions", "clicks", "add_to_carts", "previous_orders"];
const SIZES = { S: { rankings: 10_000, actions: 1_000_000 }, M: { rankings: 100_000, actions: 10_000_000 } };

/** The flags of each way to run it. A worker has one thread, and two are two processes. */
const RUNNERS = {
  "direct, 1 thread": ["--threads=1"],
  "direct, 2 threads": ["--threads=2"],
  prism: ["--runner=prism"],
  "flink, 1 worker": ["--runner=flink", "--workers=1"],
  "flink, 2 workers": ["--runner=flink", "--workers=2"],
};

/** Flags that name the tables of a workload of this size, which is made by the project's own generator. */
function workload(size, format) {
  const folder = join(CACHE, "in", `${size}-${format}`);
  if (!existsSync(join(folder, `impressions.${format}`))) {
    const { rankings, actions } = SIZES[size];
    const part = mkdtempSync(join(made(join(CACHE, "in")), "part-"));
    execFileSync(
      process.execPath,
      [PROGRAM, "generate", `--output=${part}`, `--rankings=${rankings}`, `--actions=${actions}`, `--format=${format}`],
      {
        stdio: "ignore",
        timeout: 300_000,
      },
    );
    rmSync(folder, { recursive: true, force: true });
    require("node:fs").renameSync(part, folder);
  }
  return TABLES.map((table) => `--${table.replaceAll("_", "-")}=${join(folder, `${table}.${format}`)}`);
}

function made(folder) {
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** A folder of its own for a test. */
const newFolder = () => mkdtempSync(join(made(CACHE), "test-"));

/**
 * Runs `backstory build`. Resolves to its code, seconds, what it printed, and what it left: processes, and files in a TMPDIR of its own.
 * Whatever still runs at the limit is killed.
 */
async function build(args, { env = {}, limitSeconds = LIMIT_SECONDS } = {}) {
  const id = randomUUID();
  const tmp = newFolder();
  const cache = process.env.BACKSTORY_CACHE ?? HOME;
  const began = performance.now();
  const child = spawn(process.execPath, [PROGRAM, "build", ...args], {
    env: { ...process.env, BACKSTORY_CACHE: cache, BACKSTORY_TEST: id, TMPDIR: tmp, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const told = { out: "", err: "" };
  child.stdout.on("data", (bytes) => (told.out += bytes));
  child.stderr.on("data", (bytes) => (told.err += bytes));
  const alarm = setTimeout(() => kill(processesOf(id)), limitSeconds * 1000);
  const code = await new Promise((resolve) => child.once("close", (code, signal) => resolve(code ?? signal)));
  clearTimeout(alarm);
  const seconds = (performance.now() - began) / 1000;
  const left = { processes: await remaining(id), files: readdirSync(tmp).filter((name) => name !== "node-compile-cache") };
  rmSync(tmp, { recursive: true, force: true });
  return { code, seconds, ...told, left };
}

/** Processes have to end by themselves, at once or nearly so. */
async function remaining(id) {
  for (const limit = Date.now() + END_LIMIT_MS; processesOf(id).length > 0 && Date.now() < limit; ) await sleep(50);
  const pids = processesOf(id);
  const names = pids.map((pid) => readOr(`/proc/${pid}/cmdline`).replaceAll("\0", " ").slice(0, 100));
  kill(pids);
  return names;
}

/** All that have inherited the environment, whoever their parent is now. */
function processesOf(id) {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => readOr(`/proc/${pid}/environ`).includes(`BACKSTORY_TEST=${id}`)).map(Number);
}

function kill(pids) {
  for (const pid of pids)
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // it has ended by itself
    }
}

function readOr(path, otherwise = "") {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return otherwise;
  }
}

/** SHA-256 of every file of an output, by its path. Manifests, and what a _SUCCESS says, are of one run; only that a _SUCCESS is there counts. */
function hashes(output) {
  const paths = existsSync(output) ? readdirSync(output, { recursive: true, withFileTypes: true }) : [];
  const files = paths.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
  const sum = (path) => (path.endsWith("/_SUCCESS") ? "there" : createHash("sha256").update(readFileSync(path)).digest("hex"));
  const named = files.sort().map((path) => [path.slice(output.length + 1), sum(path)]);
  return Object.fromEntries(named.filter(([name]) => !/^_manifests\/[^/]+\.json$/.test(name)));
}

/** Tells a table at the end of a suite, and keeps it. */
function table(name, head, rows) {
  const lines = [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
  require("node:fs").writeFileSync(join(made(CACHE), `${name}.md`), `${lines}\n`);
  process.stdout.write(`${lines}\n`);
}

module.exports = { PROGRAM, ROOT, RUNNERS, build, hashes, newFolder, table, workload };
