const { spawn } = require("node:child_process");
const { randomUUID } = require("node:crypto");
const { closeSync, openSync, readdirSync, readFileSync } = require("node:fs");

const LOOK_EVERY_MS = 50;
const FIND_EVERY_MS = 200;
/** Of the kernel's clock, in which it counts processor time: the same on all of Linux's architectures that matter. */
const TICKS_PER_SECOND = 100;

/** What a process is, by its command line. */
const KINDS = [
  ["worker", /backstory-worker\.js/],
  ["submitter", /backstory\.js/],
  // not the shell that guards it, which has the same arguments
  ["runner", /^(?!sh\0).*(FlinkJobServerDriver|\/prism\0)/s],
];

/**
 * Runs a command and looks at each of its processes, wherever they are in the tree: they are known by a mark in their environment. Resolves to
 * { code, seconds, processes, stdout, stderr }; a process is { pid, kind, cpuSeconds, peakBytes }, as it was when last seen, 50 ms before its end at most.
 * Wants Linux.
 */
async function watch(command, args, { env = {}, logs, limitSeconds }) {
  const mark = randomUUID();
  const seen = new Map();
  const outputs = [openSync(`${logs}.out`, "w"), openSync(`${logs}.err`, "w")];
  const began = performance.now();
  const child = spawn(command, args, { env: { ...process.env, ...env, BACKSTORY_MARK: mark }, stdio: ["ignore", ...outputs] });
  const timers = [setInterval(() => find(mark, seen), FIND_EVERY_MS), setInterval(() => look(seen), LOOK_EVERY_MS)];
  const alarm = setTimeout(() => child.kill("SIGKILL"), limitSeconds * 1000);
  const code = await new Promise((resolve) => child.once("error", resolve).once("exit", (code, signal) => resolve(code ?? signal)));
  const seconds = (performance.now() - began) / 1000;
  timers.forEach(clearInterval);
  clearTimeout(alarm);
  outputs.forEach(closeSync);
  const processes = [...seen.values()].filter(({ kind }) => kind !== undefined);
  return { code, seconds, processes, stdout: readFileSync(`${logs}.out`, "utf8"), stderr: readFileSync(`${logs}.err`, "utf8") };
}

function find(mark, seen) {
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (Number.isNaN(pid) || seen.has(pid)) continue;
    if (read(`/proc/${pid}/environ`).includes(mark)) seen.set(pid, { pid, kind: undefined, cpuSeconds: 0, peakBytes: 0 });
  }
}

function look(seen) {
  for (const each of seen.values()) {
    // a process becomes another program after it has begun
    const line = read(`/proc/${each.pid}/cmdline`);
    each.kind = KINDS.find(([, pattern]) => pattern.test(line))?.[0] ?? each.kind;
    // after the name in brackets: state, ..., and from the 12th on time in the program and in the kernel
    const stat = read(`/proc/${each.pid}/stat`).split(") ").pop().split(" ");
    each.cpuSeconds = Math.max(each.cpuSeconds, (Number(stat[11] ?? 0) + Number(stat[12] ?? 0)) / TICKS_PER_SECOND);
    const peak = read(`/proc/${each.pid}/status`).match(/^VmHWM:\s+(\d+) kB/m)?.[1] ?? 0;
    each.peakBytes = Math.max(each.peakBytes, peak * 1024);
  }
}

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

module.exports = { watch };
