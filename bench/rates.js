#!/usr/bin/env node
/** What a build costs for each row, action and byte, measured on S and M: `node bench/rates.js --help`. It writes pipeline/estimate/rates.json. */
const { execFileSync } = require("node:child_process");
const { mkdirSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { join, resolve } = require("node:path");
const { parseArgs } = require("node:util");
const { ratesOf } = require("./fit");
const { machine } = require("./machine");
const { watch } = require("./processes");
const { TABLES, inputsOf, workloadOf } = require("./workloads");

const ROOT = join(__dirname, "..");
const WORK = join(ROOT, ".cache", "bench");
const OUT = join(ROOT, "pipeline", "estimate", "rates.json");
const HELP = `usage: node bench/rates.js [flags]     (npm run build comes first)

  --inputs=FOLDER      with S/ and M/, each with the four tables as ndjson, parquet and csv; else they are made by bench/gen.py
  --repeats=N          of each run; the least of each figure counts, since others may be at work on the machine (default 3)
  --limit-seconds=N    for each run (default 600)
  --python=PATH        for gen.py (default $PYTHON, else python3)
  --out=FILE           (default pipeline/estimate/rates.json)`;

/** Short histories tell what a history costs from what an action costs. */
const RUNS = [
  { workload: "S", format: "ndjson", historyLength: 1000 },
  { workload: "M", format: "ndjson", historyLength: 1000 },
  { workload: "M", format: "ndjson", historyLength: 50 },
  { workload: "M", format: "parquet", historyLength: 1000 },
  { workload: "M", format: "csv", historyLength: 1000 },
];

function optionsOf(args) {
  const text = (fallback) => ({ type: "string", default: fallback });
  const { values } = parseArgs({
    args,
    options: {
      inputs: { type: "string" },
      repeats: text("3"),
      "limit-seconds": text("600"),
      python: text(process.env.PYTHON ?? "python3"),
      out: text(OUT),
      help: { type: "boolean" },
    },
  });
  return values;
}

const tablesOf = (folder, format) => TABLES.map((table) => `--${table.replaceAll("_", "-")}=${join(folder, `${table}.${format}`)}`);
const folderOf = ({ workload, format }, { inputs, python }) =>
  inputs === undefined ? inputsOf(workloadOf(workload), [format], join(WORK, "in"), python) : join(resolve(inputs), workload);

/** One thread, so that a stage's seconds are nobody else's. */
async function buildOnce(flags, limitSeconds) {
  const output = join(WORK, "out/rates");
  rmSync(output, { recursive: true, force: true });
  const args = [join(ROOT, "bin/backstory.js"), "build", ...flags, `--output=${output}`, "--json", "--threads=1"];
  const run = await watch(process.execPath, args, { logs: join(WORK, "work", "rates"), limitSeconds });
  if (run.code !== 0) throw new Error(`exit code ${run.code}: ${run.stderr.trim().split("\n").pop()}`);
  rmSync(output, { recursive: true, force: true });
  const cpuSeconds = run.processes.reduce((sum, each) => sum + each.cpuSeconds, 0);
  return { cpuSeconds, outcome: JSON.parse(run.stdout.trim().split("\n").pop()) };
}

function shuffleOnce(flags) {
  const output = join(WORK, "out/rates-shuffle");
  const args = [join(__dirname, "shuffle.js"), ...flags, `--output=${output}`, "--json"];
  const text = execFileSync(process.execPath, args, { encoding: "utf8", timeout: 600_000, maxBuffer: 1 << 26 });
  return JSON.parse(text.trim().split("\n").pop()).map(({ name, raw, bytes }) => ({ name, raw, bytes }));
}

/** As backstory plan sees them in a sample. */
function itemBytesOf(flags) {
  const args = [join(ROOT, "bin/backstory.js"), "plan", ...flags, `--output=${join(WORK, "out/rates")}`, "--json", "--quiet"];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8", timeout: 60_000 })).shape.itemBytes;
}

const sum = (numbers) => Object.values(numbers).reduce((a, b) => a + b, 0);

/** What there was to do, in the words of pipeline/estimate/shape.ts. */
function workOf({ rows, ledger, quality, files }) {
  const actions = Object.entries(ledger).filter(([table]) => table !== "impressions");
  const places = (name) => actions.reduce((all, [, table]) => all + (table.places[name] ?? 0), 0);
  const customerDays = sum(quality.customers_by_dt);
  return {
    rankings: ledger.impressions.rows,
    actions: actions.reduce((all, [, table]) => all + table.rows, 0),
    rows,
    customerDays,
    keptActions: places("used") + places("beyond the history length"),
    historyActions: customerDays * quality.avg_history_length,
    outputBytes: files.reduce((all, { bytes }) => all + bytes, 0),
  };
}

/** Seconds of a stage are wall time, which is longer than its work on a machine that others use too, by about the same for each. */
function secondsOf({ cpuSeconds, outcome }) {
  const { total, ...stages } = outcome.stages;
  const share = Math.min(1, cpuSeconds / total.busySeconds);
  return Object.fromEntries(Object.entries(stages).map(([name, { busySeconds }]) => [name, busySeconds * share]));
}

/** The least seconds of each stage, in proportion to all of the processor time. */
function stagesOf(runs, cpuSeconds) {
  const seconds = runs.map(secondsOf);
  const least = Object.keys(seconds[0]).map((name) => [name, Math.min(...seconds.map((each) => each[name]))]);
  const all = sum(Object.fromEntries(least));
  return Object.fromEntries(least.map(([name, each]) => [name, (each / all) * cpuSeconds]));
}

async function measure(run, options) {
  const flags = [...tablesOf(folderOf(run, options), run.format), `--history-length=${run.historyLength}`];
  const all = [];
  for (let i = 0; i < Number(options.repeats); i++) all.push(await buildOnce(flags, Number(options["limit-seconds"])));
  const cpuSeconds = Math.min(...all.map((each) => each.cpuSeconds));
  console.error(`${run.workload} ${run.format} ${run.historyLength}: ${cpuSeconds.toFixed(2)} CPU s`);
  return {
    ...run,
    cpuSeconds,
    ...workOf(all[0].outcome),
    itemBytes: itemBytesOf(flags),
    stages: stagesOf(all, cpuSeconds),
    groupings: shuffleOnce(flags),
  };
}

/** Processor time of Prism's worker to that of the same build in one thread, which bench/runners.js has measured. */
function workerFactor(results) {
  const line = (label) =>
    results
      .split("\n")
      .find((each) => each.startsWith(`| ${label}`))
      ?.split("|") ?? [];
  const [direct, worker] = [Number(line("direct, 1 thread")[3]), Number.parseFloat(line("Prism, 1 worker")[6])];
  if (!(direct > 0 && worker > 0)) throw new Error("bench/RESULTS.md has no table of runners. Run `npm run bench:runners` first.");
  return worker / direct;
}

async function main() {
  const options = optionsOf(process.argv.slice(2));
  if (options.help) return console.log(HELP);
  for (const folder of ["work", "out"]) mkdirSync(join(WORK, folder), { recursive: true });
  const runs = [];
  for (const run of RUNS) runs.push(await measure(run, options));
  const { date, cores, cpu, system, versions } = machine({ pythons: { python: options.python } });
  const about = { date, machine: `${cores} cores of ${cpu}, ${system}`, version: versions.backstory, command: "npm run bench:rates" };
  const factor = workerFactor(readFileSync(join(__dirname, "RESULTS.md"), "utf8"));
  writeFileSync(options.out, `${JSON.stringify({ about, rates: { ...ratesOf(runs), workerFactor: round(factor) }, runs }, rounded, 2)}\n`);
}

const round = (x) => (typeof x === "number" ? Number(x.toPrecision(4)) : x);
const rounded = (_, value) => (typeof value === "number" && !Number.isInteger(value) ? round(value) : value);

main().catch((error) => {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
});
