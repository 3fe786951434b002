const { spawn } = require("node:child_process");
const { openSync, closeSync, readFileSync, readdirSync } = require("node:fs");

const MEMORY_EVERY_MS = 50;
const TREE_EVERY_MS = 500;

/**
 * Runs a command as a session of its own and measures it from start to exit.
 * Resolves to { seconds, peakBytes, stdout, problem }; problem is undefined when it went well. peakBytes is null where there is
 * no /proc. All processes still in the session are killed at the limit.
 */
function measure(command, args, { limitSeconds, logs, cwd, env = {} }) {
  const outputs = [openSync(`${logs}.out`, "w"), openSync(`${logs}.err`, "w")];
  const began = performance.now();
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, detached: true, stdio: ["ignore", ...outputs] });
  const memory = new PeakMemory(child.pid);
  // a session of its own does not hear Ctrl-C
  const stop = () => {
    killSession(child.pid);
    process.exit(130);
  };
  const signals = ["SIGINT", "SIGTERM"];
  for (const signal of signals) process.once(signal, stop);
  let late = false;
  const limit = setTimeout(() => {
    late = true;
    killSession(child.pid);
  }, limitSeconds * 1000);
  return new Promise((resolve) => {
    const end = (problem, seconds) => {
      clearTimeout(limit);
      for (const signal of signals) process.off(signal, stop);
      memory.stop();
      outputs.forEach(closeSync);
      resolve({ seconds, peakBytes: memory.peak || null, stdout: readFileSync(`${logs}.out`, "utf8"), problem });
    };
    child.on("error", (error) => end(`does not start: ${error.message}`));
    child.on("exit", (code, signal) => {
      const seconds = (performance.now() - began) / 1000;
      if (child.pid !== undefined) killSession(child.pid);
      if (late) end(`killed at the limit of ${limitSeconds} s`, seconds);
      else if (code === 0) end(undefined, seconds);
      else end(`${signal === null ? `exit code ${code}` : `killed by ${signal}`}${lastWords(`${logs}.err`)}`, seconds);
    });
  });
}

/**
 * Peak of the resident memory of all processes of a session together. Pages that two of them share count twice; what one
 * process alone had at its peak is never missed, since the kernel keeps it (VmHWM).
 */
class PeakMemory {
  peak = 0;
  #tree = [];

  constructor(session) {
    if (session === undefined) return;
    this.#tree = [session];
    this.timers = [setInterval(() => this.#look(), MEMORY_EVERY_MS), setInterval(() => (this.#tree = sessionOf(session)), TREE_EVERY_MS)];
  }

  #look() {
    let together = 0;
    for (const pid of this.#tree) {
      const status = readOrEmpty(`/proc/${pid}/status`);
      this.peak = Math.max(this.peak, kilobytes(status, "VmHWM"));
      together += kilobytes(status, "VmRSS");
    }
    this.peak = Math.max(this.peak, together);
  }

  stop() {
    this.timers?.forEach(clearInterval);
  }
}

const kilobytes = (status, field) => Number(status.match(new RegExp(`^${field}:\\s+(\\d+) kB`, "m"))?.[1] ?? 0) * 1024;

/** Processes of a session, those included whose parent is gone. */
function sessionOf(session) {
  const pids = readOrNone("/proc").filter((name) => /^\d+$/.test(name));
  // after the name in brackets: state, parent, group, session
  return pids.filter((pid) => Number(readOrEmpty(`/proc/${pid}/stat`).split(") ").pop().split(" ")[3]) === session).map(Number);
}

function killSession(session) {
  for (const target of [-session, ...sessionOf(session)])
    try {
      process.kill(target, "SIGKILL");
    } catch {
      // it has ended by itself
    }
}

function readOrEmpty(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function readOrNone(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function lastWords(path) {
  const lines = readOrEmpty(path)
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  return lines.length === 0 ? "" : `: ${lines.pop().slice(0, 160)}`;
}

module.exports = { measure };
