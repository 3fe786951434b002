#!/usr/bin/env node
/** The same build on each runner, side by side: `node bench/runners.js --help`. It writes a section of RESULTS.md. */
const { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { availableParallelism, loadavg } = require("node:os");
const { join, resolve } = require("node:path");
const { parseArgs } = require("node:util");
const { createHash } = require("node:crypto");
const { median, short } = require("./figures");
const { machine } = require("./machine");
const { watch } = require("./processes");
const { withSection } = require("./section");
const { TABLES, inputsOf, workloadOf } = require("./workloads");

const ROOT = join(__dirname, "..");
const CACHE = join(ROOT, ".cache", "bench");
const HELP = `usage: node bench/runners.js [flags]     (npm run build comes first)

  --workload=NAME      such as S or M (default M)
  --inputs=FOLDER      with its tables; else they are made by bench/gen.py
  --format=NAME        ndjson or parquet (default ndjson)
  --repeats=N          of each runner (default 3)
  --runners=LIST       of ${"direct-1,direct-2,prism,flink-1,flink-2"} (default all)
  --limit-seconds=N    for each run (default 900)
  --python=PATH        for gen.py (default $PYTHON, else python3)
  --out=FILE           whose section is replaced (default bench/RESULTS.md; - for none)`;

/** A thread or a worker of one thread for each core that takes part. */
const RUNNERS = {
  "direct-1": { label: "direct, 1 thread", flags: ["--threads=1"], slots: 1 },
  "direct-2": { label: "direct, 2 threads", flags: ["--threads=2"], slots: 2 },
  prism: { label: "Prism, 1 worker of 2 threads", flags: ["--runner=prism", "--threads=2"], slots: 2 },
  "flink-1": { label: "Flink, 1 worker", flags: ["--runner=flink", "--workers=1"], slots: 1 },
  "flink-2": { label: "Flink, 2 workers", flags: ["--runner=flink", "--workers=2"], slots: 2 },
};

process.env.BACKSTORY_CACHE ??= join(ROOT, ".cache", "sdk");
const PREPARE = {
  prism: () => require("../dist/pipeline/runners/prism").findPrism(),
  flink: () => require("../dist/pipeline/runners/flink").findFlink(),
};

function optionsOf(args) {
  const text = (fallback) => ({ type: "string", default: fallback });
  const { values } = parseArgs({
    args,
    options: {
      workload: text("M"),
      inputs: { type: "string" },
      format: text("ndjson"),
      repeats: text("3"),
      runners: text(Object.keys(RUNNERS).join(",")),
      "limit-seconds": text("900"),
      python: text(process.env.PYTHON ?? "python3"),
      out: text(join(__dirname, "RESULTS.md")),
      help: { type: "boolean" },
    },
  });
  if (values.help) return undefined;
  const workload = workloadOf(values.workload);
  if (workload === undefined) throw new Error(`--workload has no "${values.workload}". Choose S or M, or see bench/run.js --help.`);
  const runners = values.runners.split(",");
  const unknown = runners.find((name) => !(name in RUNNERS));
  if (unknown !== undefined) throw new Error(`--runners has no "${unknown}". Choose from ${Object.keys(RUNNERS).join(", ")}.`);
  const inputs = values.inputs ?? inputsOf(workload, [values.format], join(CACHE, "in"), values.python);
  return { ...values, workload, runners, inputs: resolve(inputs), repeats: Number(values.repeats), limit: Number(values["limit-seconds"]) };
}

/** One run; throws if it fails, for then there is nothing to measure. */
async function runOnce(name, { inputs, format, limit }) {
  const [work, output, probe] = ["work", "out/runners", "work/probe"].map((folder) => join(CACHE, folder));
  for (const folder of [output, probe]) rmSync(folder, { recursive: true, force: true });
  for (const folder of [work, probe]) mkdirSync(folder, { recursive: true });
  const tables = TABLES.map((table) => `--${table.replaceAll("_", "-")}=${join(inputs, `${table}.${format}`)}`);
  const args = [join(ROOT, "bin/backstory.js"), "build", ...tables, `--output=${output}`, "--json", ...RUNNERS[name].flags];
  const env = { NODE_OPTIONS: `--require=${join(__dirname, "probe.js")}`, BACKSTORY_PROBE: probe, TMPDIR: work };
  const run = await watch(process.execPath, args, { env, logs: join(work, name), limitSeconds: limit });
  if (run.code !== 0) throw new Error(`${name}: exit code ${run.code}: ${run.stderr.trim().split("\n").pop()}`);
  const outcome = JSON.parse(run.stdout.trim().split("\n").pop());
  const told = Object.fromEntries(
    readdirSync(probe).map((file) => [Number(file.split(".")[0]), JSON.parse(readFileSync(join(probe, file)))]),
  );
  const measured = { ...run, rows: outcome.rows, busy: busySeconds(outcome.stages, Object.values(told)), sha256: sumOf(outcome.files) };
  for (const each of measured.processes) each.bundles = told[each.pid]?.bundles;
  rmSync(output, { recursive: true, force: true });
  console.error(`${name}: ${short(run.seconds)} s, ${short(sum(run.processes, "cpuSeconds"))} CPU s`);
  return measured;
}

/** These are of the process as a whole, and not work of a stage. */
const NO_STAGES = ["start", "end", "total", "plan"];

/** Work of the stages, in this process and in its workers. */
function busySeconds(own, workers) {
  const all = [own, ...workers.map(({ stages }) => stages)].flatMap((stages) => Object.entries(stages));
  return all.filter(([name]) => !NO_STAGES.includes(name)).reduce((total, [, { busySeconds }]) => total + busySeconds, 0);
}

const sumOf = (files) =>
  createHash("sha256")
    .update(files.map(({ path, sha256 }) => `${path} ${sha256}\n`).join(""))
    .digest("hex");
const sum = (all, figure) => all.reduce((total, each) => total + (each[figure] ?? 0), 0);

/** of the run in the middle, by its seconds */
const middle = (runs) => runs.toSorted((a, b) => a.seconds - b.seconds)[runs.length >> 1];

function line(name, runs) {
  const run = middle(runs);
  const { label, slots } = RUNNERS[name];
  const workers = run.processes.filter(({ kind, bundles }) => kind === "worker" && bundles > 0);
  const bundles = sum(workers, "bundles");
  const share = workers.length > 1 ? ` (${workers.map((each) => `${((100 * each.bundles) / bundles).toFixed(0)}%`).join(", ")})` : "";
  const of = (kind, figure) => run.processes.filter((each) => each.kind === kind).map((each) => each[figure]);
  const cpu = (kind) => of(kind, "cpuSeconds").map(short).join(" + ") || "–";
  const memory = (kind) =>
    of(kind, "peakBytes")
      .map((bytes) => (bytes / 1e6).toFixed(0))
      .join(" + ") || "–";
  const figures = [
    short(median(runs.map(({ seconds }) => seconds))),
    short(sum(run.processes, "cpuSeconds")),
    ...["submitter", "runner", "worker"].map((kind) => `${cpu(kind)} s, ${memory(kind)} MB`.replace("– s, – MB", "–")),
    bundles === 0 ? "–" : `${bundles}${share}`,
    `${(100 * Math.max(0, 1 - run.busy / (run.seconds * slots))).toFixed(0)}%`,
  ];
  return `| ${[label, ...figures].join(" | ")} |`;
}

function section(results, { workload, format, repeats }, about, load) {
  const [[, [first]]] = Object.entries(results);
  const sums = new Set(
    Object.values(results)
      .flat()
      .map(({ sha256 }) => sha256),
  );
  return [
    `## Runners: ${workload.name} from ${format}, ${first.rows.toLocaleString("en")} rows`,
    `${about.date} UTC, ${about.cores} cores of ${about.cpu}, ${about.system}; ${about.versions.backstory}; load before the start ${load.toFixed(1)}; by \`npm run bench:runners\`, ${repeats} runs of each.`,
    [
      "| | seconds | CPU s | command | runner | workers | bundles | not our stages |",
      "|---|---|---|---|---|---|---|---|",
      ...Object.entries(results).map(([name, runs]) => line(name, runs)),
    ].join("\n"),
    `Seconds are the median, start of the runner and of its workers included; all else is of the run in the middle: processor time and peak memory of each process, bundles of each worker. The last column is the share of wall time (times threads or workers) in which no stage of backstory is at work: the runner's own, coding, gRPC, starting and waiting. The files are ${sums.size === 1 ? "the same on all" : "**not the same**"}.`,
  ].join("\n\n");
}

async function main() {
  const options = optionsOf(process.argv.slice(2));
  if (options === undefined) return console.log(HELP);
  if (availableParallelism() < 2) throw new Error("two cores or more are needed to compare one worker with two.");
  // installed before the clock starts
  for (const runner of options.runners) await PREPARE[runner.split("-")[0]]?.();
  const [about, load] = [machine({ pythons: { python: options.python } }), loadavg()[0]];
  const results = Object.fromEntries(options.runners.map((name) => [name, []]));
  // in alternation, so that all have their share of what else the machine does
  for (let i = 0; i < options.repeats; i++) for (const name of options.runners) results[name].push(await runOnce(name, options));
  const text = section(results, options, about, load);
  console.log(text);
  if (options.out !== "-") writeFileSync(options.out, withSection(existsSync(options.out) ? readFileSync(options.out, "utf8") : "", text));
}

main().catch((error) => {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
});
