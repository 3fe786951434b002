/** Starts a server, which ends with the process that started it, however that ends. */
const { spawn } = require("node:child_process");
const { mkdirSync, openSync, readFileSync } = require("node:fs");
const { connect, createServer } = require("node:net");
const { join } = require("node:path");
const { setTimeout: sleep } = require("node:timers/promises");
const { HOME } = require("./install");

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

module.exports = { freePort, start };
