/** Runs the cases against real runners, each in a process with a time limit, and judges what came of it. */
const { spawn } = require("node:child_process");
const { existsSync, mkdtempSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const { setTimeout: sleep } = require("node:timers/promises");
const { isDeepStrictEqual } = require("node:util");
const { startFlink, startPrism } = require("./services");

const START = { direct: async () => ({ endpoint: "", stop: async () => {} }), prism: startPrism, flink: startFlink };

/** @returns the outcome that submit.js tells; without one, why */
async function runCase({ name, runner, service, limitSeconds, dies, home = join(__dirname, "../..") }) {
  const folder = mkdtempSync(join(tmpdir(), "backstory-sdk-"));
  const args = [join(home, "test/sdk/submit.js"), name, runner, folder, service.endpoint];
  // A group of its own, so that its workers end with it, however busy they are.
  const child = spawn(process.execPath, args, { cwd: home, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const end = () => killGroup(child.pid);
  process.once("exit", end);
  const told = { out: "", err: "" };
  child.stdout.on("data", (bytes) => (told.out += bytes));
  child.stderr.on("data", (bytes) => (told.err = `${told.err}${bytes}`.slice(-4000)));
  const closed = new Promise((resolve) => child.once("close", resolve));
  let late = false;
  const alarm = setTimeout(() => {
    late = true;
    end();
  }, limitSeconds * 1000);
  try {
    if (dies) await killDuring(service, join(folder, "bundles"), limitSeconds);
    await closed;
    return outcomeOf(told, late, limitSeconds);
  } finally {
    clearTimeout(alarm);
    end();
    process.off("exit", end);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Ends the runner as soon as a worker is at work. */
async function killDuring(service, sign, limitSeconds) {
  for (const limit = Date.now() + limitSeconds * 1000; !existsSync(sign) && Date.now() < limit; ) await sleep(50);
  await sleep(500);
  await service.stop();
}

function killGroup(pid) {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // all of it has ended
  }
}

function outcomeOf({ out, err }, late, limitSeconds) {
  const last = out.trimEnd().split("\n").at(-1);
  if (late) return { state: "HANGS", error: `no result within ${limitSeconds} s`, seconds: limitSeconds, err };
  try {
    return { ...JSON.parse(last), err };
  } catch {
    return { state: "CRASHED", error: err.slice(-1000), seconds: 0, err };
  }
}

const inOrder = (rows) => rows.map((row) => JSON.stringify(row)).sort();

/** What is wrong with an outcome; nothing if it is as the case demands. */
function judge(wanted, runner, outcome) {
  if (wanted.dies) return judgeLost(outcome);
  if (wanted.error !== undefined) return judgeFailed(wanted, outcome);
  if (outcome.state !== "DONE") return `${outcome.state}: ${firstLine(outcome.error)}`;
  if (!isDeepStrictEqual(inOrder(outcome.output), inOrder(wanted.expected))) return `wrong: ${difference(wanted, outcome)}`;
  // The Flink job server has no metrics of a job that is done.
  const untold = runner === "flink" && isDeepStrictEqual(outcome.metrics, {});
  if (wanted.metrics !== undefined && !untold && !isDeepStrictEqual(outcome.metrics, wanted.metrics))
    return `wrong metrics: ${JSON.stringify(outcome.metrics)}`;
  if (wanted.splits && runner === "prism" && outcome.bundles < 2) return "not split";
  return undefined;
}

function judgeFailed(wanted, { state, error }) {
  if (state !== "FAILED") return `${state}: ${firstLine(error)}`;
  return wanted.error.test(error) ? undefined : `no message with its stack: ${firstLine(error)}`;
}

function judgeLost({ state, error, left }) {
  if (state !== "LOST" || !error) return `${state}: ${firstLine(error)}`;
  return left === 0 ? undefined : `${left} of the workers went on`;
}

const firstLine = (text) => (text ?? "").split("\n")[0].slice(0, 100);

function difference({ expected }, { output }) {
  if (expected.length > 1) return `${output.length} of ${expected.length} groups`;
  return `${JSON.stringify(output[0] ?? null)}, not ${JSON.stringify(expected[0])}`;
}

/** The table: a row for each case, a column for each runner. */
function tableOf(cases, results) {
  const cell = (name, runner) => {
    const { wrong, seconds } = results[`${name} ${runner}`] ?? {};
    if (seconds === undefined) return "–";
    return wrong === undefined ? `exact, ${seconds.toFixed(1)} s` : wrong.replaceAll("|", "\\|");
  };
  const rows = Object.entries(cases).map(([name, { title }]) => [title, ...Object.keys(START).map((runner) => cell(name, runner))]);
  return [["case", ...Object.keys(START)], ["---", "---", "---", "---"], ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

module.exports = { START, judge, runCase, tableOf };
