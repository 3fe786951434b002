/**
 * npm run fuzz [-- --minutes=N --target=NAME --seed=N]
 * Each target in a process of its own, one after another, for a tenth of a minute unless told otherwise. A case that ends its process, hangs it, takes too
 * much memory, changes Object.prototype or breaks the target's own law is kept in test/fuzz/corpus/TARGET/, where every later run tries it first.
 */
const { fork } = require("node:child_process");
const { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { createHash } = require("node:crypto");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const { parseArgs } = require("node:util");
const { TARGETS } = require("./targets.js");

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "0.1" },
    target: { type: "string" },
    seed: { type: "string" },
    corpus: { type: "boolean" },
  },
});
const CORPUS = join(__dirname, "corpus");
/** Between two signs of life of a target. */
const HANG_MS = 30_000;

/** @returns {Promise<{ cases: number, mb: number, fault: string | undefined }>} */
function fuzz(target, minutes, seed, folder) {
  const child = fork(join(__dirname, "child.js"), [target, String(minutes), String(seed), folder], {
    execArgv: ["--expose-gc", "--max-old-space-size=1024"],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let end = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (end = (end + data).slice(-3000)));
  const told = { cases: 0, mb: 0, fault: undefined };
  let hung = false;
  const onHang = () => {
    hung = true;
    child.kill("SIGKILL");
  };
  let watch = setTimeout(onHang, 2 * HANG_MS);
  child.on("message", (message) => {
    Object.assign(told, message);
    clearTimeout(watch);
    watch = setTimeout(onHang, HANG_MS);
  });
  return new Promise((resolve) =>
    child.on("close", (code, signal) => {
      clearTimeout(watch);
      if (hung) told.fault = `hangs for ${HANG_MS / 1000} s`;
      else if (code !== 0 && told.fault === undefined) told.fault = `ends its process (${signal ?? code}): ${end}`;
      resolve(told);
    }),
  );
}

async function main() {
  const names = values.target === undefined ? Object.keys(TARGETS) : values.target.split(",");
  const unknown = names.find((name) => !Object.hasOwn(TARGETS, name));
  if (unknown !== undefined) throw new Error(`--target: there is no ${unknown}. Choose from ${Object.keys(TARGETS).join(", ")}.`);
  const minutes = values.corpus ? 0 : Number(values.minutes);
  if (!(minutes >= 0)) throw new Error(`--minutes must be a number; got "${values.minutes}". Try --minutes=10.`);
  let faults = 0;
  for (const name of names) {
    const seed = Number(values.seed ?? Date.now() % 2 ** 31);
    const folder = mkdtempSync(join(tmpdir(), `backstory-fuzz-${name}-`));
    const began = Date.now();
    const { cases, mb, fault } = await fuzz(name, minutes, seed, folder);
    const seconds = ((Date.now() - began) / 1000).toFixed(0);
    console.log(`${name.padEnd(10)} ${String(cases).padStart(8)} cases in ${seconds.padStart(4)} s, at most ${mb} MB (--seed=${seed})`);
    if (fault !== undefined) {
      faults++;
      const current = join(folder, "case");
      const kept = existsSync(current) ? keep(name, readFileSync(current)) : "no case";
      console.log(`  FOUND: ${fault}\n  ${kept}`);
    }
    rmSync(folder, { recursive: true, force: true });
  }
  process.exitCode = faults > 0 ? 1 : 0;
}

function keep(name, bytes) {
  mkdirSync(join(CORPUS, name), { recursive: true });
  const path = join(CORPUS, name, createHash("sha256").update(bytes).digest("hex").slice(0, 12));
  writeFileSync(path, bytes);
  return path;
}

main().catch((error) => {
  console.error(error.message);
  process.exit(2);
});
