// backstory and its peers side by side: `node bench/run.js --help`. Results: RESULTS.md and results.svg beside this file.
const { execFileSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } = require("node:fs");
const { loadavg } = require("node:os");
const { join, resolve } = require("node:path");
const { parseArgs } = require("node:util");
const { chart } = require("./chart");
const { PEERS, contestantsOf } = require("./contestants");
const { machine } = require("./machine");
const { measure } = require("./measure");
const { markdown } = require("./markdown");
const { sectionOf, withSection } = require("./section");
const { turnsOf } = require("./turns");
const { FORMATS, SIZES, VARIANTS, inputsOf, workloadOf } = require("./workloads");

const CACHE = join(__dirname, "..", ".cache", "bench");
const RESULTS = join(CACHE, "results.json");
const HELP = `usage: node bench/run.js [flags]     (npm run build comes first)

  --workloads=LIST     of ${Object.keys(SIZES).join(", ")}, each also with ${Object.keys(VARIANTS)
    .map((name) => `-${name}`)
    .join(", ")} (default S,M)
  --formats=LIST       of ${FORMATS.join(", ")} (default all; of L NDJSON)
  --peers=LIST|none    of ${Object.keys(PEERS).join(", ")} (default those that the Pythons given can run; for L none)
  --repeats=N          of backstory (default 5)
  --peer-repeats=N     of each peer (default 3, at most --repeats)
  --limit-seconds=N    for each step (default 900)
  --build-flags=FLAGS  for backstory build, between blanks, such as "--threads=1 --compression=zstd"; L has ${SIZES.L.flags.join(" ")}
  --keep               the last results stay, except those of the workloads of this run
  --python=PATH        with bench/requirements.txt (default $PYTHON, else python3)
  --beam-python=PATH   with bench/requirements-beam.txt (default $BEAM_PYTHON, else Beam's Python SDK is left out)
  --out=FOLDER         for RESULTS.md and results.svg (default bench)`;

function optionsOf(args) {
  const text = (fallback) => ({ type: "string", default: fallback });
  const { values } = parseArgs({
    args,
    options: {
      workloads: text("S,M"),
      formats: { type: "string" },
      peers: { type: "string" },
      repeats: text("5"),
      "peer-repeats": text("3"),
      "limit-seconds": text("900"),
      "build-flags": text(""),
      keep: { type: "boolean", default: false },
      python: text(process.env.PYTHON ?? "python3"),
      "beam-python": text(process.env.BEAM_PYTHON),
      out: text(__dirname),
      help: { type: "boolean" },
    },
  });
  if (values.help) return undefined;
  const pythons = { python: values.python, beam: values["beam-python"] };
  if (values.peers?.includes("beam") && pythons.beam === undefined)
    throw new Error("--peers=beam wants --beam-python=PATH, see requirements-beam.txt.");
  const names = values.workloads.split(",");
  const unknown = names.find((name) => workloadOf(name) === undefined);
  if (unknown !== undefined)
    throw new Error(`--workloads has no "${unknown}". Choose from ${Object.keys(SIZES).join(", ")}, or see --help.`);
  const repeats = count("--repeats", values.repeats);
  return {
    workloads: names.map(workloadOf),
    formats: listOf("--formats", values.formats, FORMATS),
    peers: values.peers === "none" ? [] : listOf("--peers", values.peers, Object.keys(PEERS)),
    repeats,
    peerRepeats: Math.min(repeats, count("--peer-repeats", values["peer-repeats"])),
    limitSeconds: count("--limit-seconds", values["limit-seconds"]),
    buildFlags: values["build-flags"].split(" ").filter(Boolean),
    keep: values.keep,
    pythons,
    out: resolve(values.out),
  };
}

/** undefined where the flag is not given */
function listOf(flag, text, known) {
  if (text === undefined) return undefined;
  const names = text.split(",");
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`${flag} has no "${unknown}". Choose from ${known.join(", ")}.`);
  return names;
}

function count(flag, text) {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`${flag} must be a whole number from 1; got "${text}".`);
  return Number(text);
}

/** All contestants of a workload, one run after the other. */
async function race(workload, options) {
  const entries = contestantsOf(workload, options).map((contestant) => ({ contestant, runs: [] }));
  const formats = [...new Set(entries.map(({ contestant }) => contestant.format))];
  const inputs = inputsOf(workload, formats, join(CACHE, "in"), options.pythons.python);
  const state = { workload, inputs, options, reference: undefined };
  for (const entry of turnsOf(entries, ({ contestant: { tool } }) => (tool === "backstory" ? options.repeats : options.peerRepeats)))
    if (entry.problem === undefined) await runOnce(entry, state);
  rmSync(join(CACHE, "out"), { recursive: true, force: true });
  return { name: workload.name, actions: workload.actions, reference: state.reference?.name, entries };
}

/** Before each run: nobody is the one who finds the inputs on disk only, or whose time goes into writing what another has left to the system. */
async function prepare(inputs, format) {
  if (process.platform === "linux") execFileSync("sync", { timeout: 300_000 });
  for (const file of readdirSync(inputs).filter((name) => name.endsWith(`.${format}`)))
    for await (const _ of createReadStream(join(inputs, file), { highWaterMark: 1 << 20 }));
}

async function runOnce(entry, state) {
  const { tool, format, command, env } = entry.contestant;
  const { workload, inputs, options } = state;
  const name = `${tool} ${format}`;
  const output = join(CACHE, "out", `${workload.name}-${tool}-${format}`);
  // the reference stays as its first run left it
  const target = state.reference?.output === output ? `${output}-again` : output;
  const work = join(CACHE, "work");
  for (const folder of [work, join(CACHE, "out")]) mkdirSync(folder, { recursive: true });
  rmSync(target, { recursive: true, force: true });
  const [program, args] = command(inputs, target);
  const logs = join(work, `${workload.name}-${tool}-${format}`);
  await prepare(inputs, format);
  const run = await measure(program, args, { limitSeconds: options.limitSeconds, logs, cwd: work, env: { ...env, TMPDIR: work } });
  if (run.problem === undefined) await judge(entry, run, { name, target, output, state });
  else entry.problem = run.problem;
  if (state.reference?.output !== target) rmSync(target, { recursive: true, force: true });
  const outcome = entry.problem ?? `${run.seconds.toFixed(2)} s, ${((run.peakBytes ?? 0) / 1e6).toFixed(0)} MB`;
  console.error(`${workload.name} ${name}: ${outcome}`);
}

/** Notes a run that ended well; the first of each contestant is compared with the reference, all of backstory's with each other. */
async function judge(entry, { seconds, peakBytes, stdout }, { name, target, output, state }) {
  const files = parquetFiles(target);
  const run = { seconds, peakBytes, outputBytes: files.reduce((sum, file) => sum + statSync(file).size, 0) };
  entry.runs.push(run);
  if (entry.contestant.tool === "backstory") {
    const { stages, rows } = JSON.parse(stdout.trim().split("\n").pop());
    Object.assign(run, { stages, sha256: await sha256(target, files) });
    entry.rows ??= rows;
    entry.sameFiles = entry.runs.every((other) => other.sha256 === run.sha256);
  }
  if (entry.runs.length > 1) return;
  if (state.reference === undefined) state.reference = { name, output, entry };
  else compare(entry, target, state);
}

function compare(entry, target, { reference, options }) {
  try {
    const script = join(__dirname, "compare.py");
    const limits = { timeout: options.limitSeconds * 1000, encoding: "utf8", cwd: join(CACHE, "work") };
    const { one, other, matched, diff } = JSON.parse(
      execFileSync(options.pythons.python, [script, reference.output, target, "--json"], limits),
    );
    reference.entry.rows ??= one;
    entry.rows ??= other;
    if (one !== other || matched !== one || diff !== 0) entry.different = `${diff} of ${matched} rows differ (${other} here, ${one} there)`;
  } catch (error) {
    entry.different = `could not be compared: ${error.message.split("\n").filter(Boolean).pop()}`;
  }
}

const parquetFiles = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".parquet"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

/** Of all files' names and contents. */
async function sha256(folder, files) {
  const hash = createHash("sha256");
  for (const file of files) {
    hash.update(`${file.slice(folder.length)}\n`);
    for await (const chunk of createReadStream(file)) hash.update(chunk);
  }
  return hash.digest("hex");
}

/** What there is of earlier runs, for workloads that this one does not have. */
function kept({ keep, workloads }) {
  if (!keep || !existsSync(RESULTS)) return [];
  const names = workloads.map(({ name }) => name);
  return JSON.parse(readFileSync(RESULTS, "utf8")).workloads.filter(({ name }) => !names.includes(name));
}

/** As --help lists them: by size, then by variant. */
function inOrder(workloads) {
  const place = ({ name }) => {
    const { size, variant } = workloadOf(name);
    return Object.keys(SIZES).indexOf(size) * 10 + Object.keys(VARIANTS).indexOf(variant);
  };
  return workloads.sort((a, b) => place(a) - place(b));
}

function write(results, out) {
  mkdirSync(out, { recursive: true });
  const file = join(out, "RESULTS.md");
  const runners = sectionOf(file);
  writeFileSync(file, runners === undefined ? markdown(results) : withSection(markdown(results), runners));
  writeFileSync(join(out, "results.svg"), chart(results));
  writeFileSync(RESULTS, JSON.stringify(results, null, 2));
}

async function main() {
  const options = optionsOf(process.argv.slice(2));
  if (options === undefined) return console.log(HELP);
  const { repeats, peerRepeats, limitSeconds } = options;
  const run = {
    machine: machine(options),
    command: commandOf(process.argv.slice(2)),
    options: { repeats, peerRepeats, limitSeconds },
    loadBefore: loadavg()[0],
  };
  const results = { run, workloads: kept(options) };
  for (const workload of options.workloads) {
    results.workloads.push({ ...(await race(workload, options)), run });
    inOrder(results.workloads);
    write(results, options.out);
  }
  console.log(markdown(results));
  const bad = results.workloads
    .flatMap(({ entries }) => entries)
    .filter((entry) => entry.different !== undefined || entry.sameFiles === false);
  const failed = results.workloads
    .flatMap(({ entries }) => entries)
    .filter(({ contestant, problem }) => contestant.tool === "backstory" && problem !== undefined);
  if (bad.length + failed.length > 0) process.exitCode = 1;
}

/** For everybody: without the places where this machine has its interpreters. */
function commandOf(args) {
  const all = ["npm run bench --", ...args.map(quoted)].join("\0");
  return all.replaceAll(/\0--(python|beam-python|out)[=\0][^\0]*/g, "").replaceAll("\0", " ");
}

const quoted = (arg) => (/[\s"]/.test(arg) ? JSON.stringify(arg) : arg);

main().catch((error) => {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
});
