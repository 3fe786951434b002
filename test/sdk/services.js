/** Starts and ends the runners of the conformance suite. Each ends with the process that started it, however that ends. */
const { spawn } = require("node:child_process");
const { mkdirSync, openSync, readFileSync } = require("node:fs");
const { connect, createServer } = require("node:net");
const { join } = require("node:path");
const { setTimeout: sleep } = require("node:timers/promises");
const { HOME, jars, prism } = require("./install");

const START_LIMIT_MS = 60_000;

/** Runs a command until standard input is closed, which it is when this process ends; then kills it. */
const GUARD = `
"$@" </dev/null & child=$!
trap 'kill -9 $child 2>/dev/null' EXIT
while kill -0 $child 2>/dev/null; do read -r -t 1; (($? == 1)) && exit; done
wait $child`;

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const tell = (answer) => resolve(answer) || socket.destroy();
    socket.once("connect", () => tell(true)).once("error", () => tell(false));
  });
}

async function start(name, port, command) {
  mkdirSync(join(HOME, "logs"), { recursive: true });
  const log = join(HOME, "logs", `${name}-${port}.log`);
  const out = openSync(log, "w");
  const guard = spawn("bash", ["-c", GUARD, "guard", ...command], { stdio: ["pipe", out, out] });
  const ended = new Promise((resolve) => guard.once("exit", resolve));
  /** at once, as if it had crashed */
  const stop = () => guard.stdin.destroy() && ended;
  for (const limit = Date.now() + START_LIMIT_MS; !(await answers(port)); await sleep(50)) {
    const why = guard.exitCode !== null ? "ended" : Date.now() > limit ? `did not answer within ${START_LIMIT_MS / 1000} s` : undefined;
    if (why === undefined) continue;
    await stop();
    throw new Error(`${name} ${why}; the end of ${log}:\n${readFileSync(log, "utf8").slice(-2000)}`);
  }
  return { name, endpoint: `localhost:${port}`, log, stop };
}

/** Beam's own runner in Go: one worker, up to eight bundles at a time, splits what is slow, retries nothing. */
async function startPrism() {
  const [port, web] = [await freePort(), await freePort()];
  return start("prism", port, [prism, `--job_port=${port}`, `--web_port=${web}`, "--serve_http=false", "--log_kind=text"]);
}

/** What Flink reaches into, by reflection, from Java 17 on. */
const OPENED = ["java.base/java.lang", "java.base/java.util", "java.base/java.net", "java.base/java.nio", "java.base/sun.nio.ch"];

/** Beam's job server with a Flink of its own in the same process. */
async function startFlink() {
  const port = await freePort();
  return start("flink", port, [
    "java",
    "-Xmx2g",
    ...OPENED.map((name) => `--add-opens=${name}=ALL-UNNAMED`),
    ...["-cp", join(jars, "*"), "org.apache.beam.runners.flink.FlinkJobServerDriver"],
    ...["--job-host=127.0.0.1", `--job-port=${port}`, "--artifact-port=0", "--expansion-port=0"],
  ]);
}

module.exports = { freePort, start, startFlink, startPrism };
