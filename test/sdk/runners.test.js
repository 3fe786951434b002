/** backstory build as people run it, on real runners: the same bytes, the same errors, and nothing left behind. */
const { execFile, execFileSync, spawn } = require("node:child_process");
const { createHash } = require("node:crypto");
const { existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const { setTimeout: sleep } = require("node:timers/promises");
const { startFlink, startPrism } = require("./services");

const COMMAND = join(__dirname, "../../bin/backstory.js");
const TABLES = ["impressions", "clicks", "add-to-carts", "previous-orders"];

let folder;
const services = {};
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "backstory-runners-"));
  const generate = ["generate", `--output=${folder}`, "--rankings=2000", "--actions=300000", "--overwrite"];
  execFileSync(process.execPath, [COMMAND, ...generate], { timeout: 240_000 });
  services.prism = await startPrism();
  services.flink = await startFlink();
}, 300_000);
afterAll(async () => {
  for (const service of Object.values(services)) await service.stop();
  rmSync(folder, { recursive: true, force: true });
});

const inputs = (changed = {}) =>
  TABLES.map((table) => `--${table}=${changed[table] ?? join(folder, `${table.replaceAll("-", "_")}.ndjson`)}`);
const on = (runner, ...flags) => [`--runner=${runner}`, `--job-endpoint=${services[runner].endpoint}`, ...flags];

function build(output, ...flags) {
  return new Promise((resolve) => {
    const args = [COMMAND, "build", `--output=${join(folder, output)}`, ...flags];
    execFile(process.execPath, args, { timeout: 240_000 }, (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }));
  });
}

function hashes(output) {
  const files = globSync("**/*.parquet", { cwd: join(folder, output) }).sort();
  return files.map((file) => [
    file,
    createHash("sha256")
      .update(readFileSync(join(folder, output, file)))
      .digest("hex"),
  ]);
}

let wanted;
beforeAll(async () => {
  expect(await build("direct", ...inputs())).toMatchObject({ code: 0 });
  wanted = hashes("direct");
  expect(wanted.length).toBeGreaterThan(3);
}, 300_000);

const CASES = {
  "Prism, one thread": () => on("prism", "--threads=1"),
  "Prism, two threads": () => on("prism", "--threads=2"),
  "Prism, little memory": () => on("prism", "--threads=1", "--max-memory=720MB"),
  "Prism, PROCESS": () => on("prism", "--environment=process"),
  "Flink, one worker": () => on("flink", "--workers=1"),
  "Flink, two workers": () => on("flink", "--workers=2"),
  "Flink, PROCESS": () => on("flink", "--workers=2", "--environment=process"),
};

test.each(Object.keys(CASES))("%s: the same bytes, and nothing else is left", async (name) => {
  const output = name.replaceAll(/\W+/g, "-");
  const told = await build(output, ...inputs(), ...CASES[name]());
  expect(told).toMatchObject({ code: 0 });
  expect(told.stderr).toMatch(/job running\n.*job done\n/s);
  expect(hashes(output)).toEqual(wanted);
  expect(readdirSync(join(folder, output)).filter((file) => !/^(dt=.*|_SUCCESS|_manifests)$/.test(file))).toEqual([]);
});

test("workers of a pool that runs already", async () => {
  const pool = spawn(process.execPath, [COMMAND, "worker-pool", "--port=45871"], { stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise((resolve) => pool.once("exit", resolve));
  try {
    await new Promise((resolve) => pool.stderr.once("data", resolve));
    const told = await build("pool", ...inputs(), ...on("prism", "--environment-config=localhost:45871"));
    expect(told).toMatchObject({ code: 0 });
    expect(hashes("pool")).toEqual(wanted);
  } finally {
    pool.kill("SIGTERM");
  }
  expect(await ended).toBe(0);
});

const BAD = {
  "a missing column": [2, (clicks) => clicks.replaceAll('"item_id"', '"itm"')],
  "too many rejects": [3, (clicks) => clicks.replaceAll('"item_id":', '"item_id":x')],
};

describe.each(["prism", "flink"])("%s", (runner) => {
  test.each(Object.keys(BAD))("%s ends as on the direct runner", async (name) => {
    const [code, spoil] = BAD[name];
    const clicks = join(folder, "bad.ndjson");
    writeFileSync(
      clicks,
      spoil(
        readFileSync(join(folder, "clicks.ndjson"), "utf8")
          .slice(0, 100_000)
          .replace(/[^\n]*$/, ""),
      ),
    );
    const direct = await build("bad", ...inputs({ clicks }), "--quiet");
    expect(direct.code).toBe(code);
    expect(await build("bad", ...inputs({ clicks }), "--quiet", ...on(runner))).toEqual(direct);
    expect(existsSync(join(folder, "bad"))).toBe(false);
  });

  test("a broken file ends as on the direct runner", async () => {
    const clicks = join(folder, "cut.ndjson.gz");
    writeFileSync(clicks, execFileSync("gzip", ["-c", join(folder, "clicks.ndjson")], { maxBuffer: 1e9 }).subarray(0, 50_000));
    const direct = await build("bad", ...inputs({ clicks }), "--quiet");
    expect(direct).toMatchObject({ code: 3, stderr: expect.stringContaining("cut short") });
    expect(await build("bad", ...inputs({ clicks }), "--quiet", ...on(runner))).toEqual(direct);
  });

  test("a worker that is killed fails the run with a clear message, or the same bytes come", async () => {
    const child = running("killed", ...on(runner));
    await child.said(/worker .* started/);
    await sleep(200);
    const [worker] = childrenOf(child.pid);
    process.kill(worker, "SIGKILL");
    const { code, err } = await child.ended;
    if (code === 0) expect(hashes("killed")).toEqual(wanted);
    else expect(err).toMatch(/backstory: worker .* ended by itself \(signal SIGKILL\)/);
    if (code !== 0) expect(existsSync(join(folder, "killed"))).toBe(false);
    rmSync(join(folder, "killed"), { recursive: true, force: true });
  });
});

/** A build that goes on while the test does something to it. */
function running(output, ...flags) {
  const args = [COMMAND, "build", `--output=${join(folder, output)}`, ...inputs(), ...flags];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"], timeout: 240_000, killSignal: "SIGKILL" });
  let err = "";
  child.stderr.on("data", (bytes) => (err += bytes));
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal, err })));
  const said = async (pattern) => {
    for (const limit = Date.now() + 120_000; !pattern.test(err); await sleep(20))
      if (Date.now() > limit || child.exitCode !== null) throw new Error(`it has not said ${pattern} but ${err}`);
  };
  return { pid: child.pid, kill: (signal) => child.kill(signal), said, ended };
}

const childrenOf = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
const alive = (pid) => existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));

describe.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
])("%s", (signal, code) => {
  test("cancels the job on Prism, ends the workers, and removes what was made", async () => {
    const child = running("stopped", ...on("prism"));
    await child.said(/worker .* started/);
    const workers = childrenOf(child.pid);
    expect(workers).not.toEqual([]);
    child.kill(signal);
    const ended = await child.ended;
    expect(ended).toMatchObject({ code, err: expect.stringMatching(/job cancelled\n.*backstory: ended by SIG/s) });
    expect(workers.filter(alive)).toEqual([]);
    expect(existsSync(join(folder, "stopped"))).toBe(false);
    expect(readFileSync(services.prism.log, "utf8")).toMatch(/pipeline canceled/);
  });

  test("removes what the direct runner has made", async () => {
    const child = running("stopped", "--threads=2");
    const attempts = join(folder, "stopped", "_attempts");
    for (const limit = Date.now() + 20_000; !existsSync(attempts) && Date.now() < limit; ) await sleep(1);
    child.kill(signal);
    expect(await child.ended).toMatchObject({ code, err: `backstory: ended by ${signal}; nothing was published.\n` });
    expect(existsSync(join(folder, "stopped"))).toBe(false);
  });
});

test("a runner that dies in the middle fails the run", async () => {
  const prism = await startPrism();
  const child = running("lost", "--runner=prism", `--job-endpoint=${prism.endpoint}`);
  await child.said(/worker .* started/);
  await prism.stop();
  const { code, err } = await child.ended;
  expect({ code, err }).toEqual({
    code: 1,
    err: expect.stringMatching(/backstory: (worker .* ended by itself|the job service .* has not answered for 60 s)/),
  });
  expect(existsSync(join(folder, "lost"))).toBe(false);
}, 300_000);
