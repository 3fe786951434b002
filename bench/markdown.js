const { median, seconds, short, stages } = require("./figures");

/** RESULTS.md */
function markdown(results) {
  return [
    "# Results of `npm run bench`",
    ...machineLines(results),
    "![Seconds of each contestant](results.svg)",
    ...results.workloads.flatMap(workloadLines),
    notes(results),
    "",
  ].join("\n\n");
}

function machineLines({ machine, command, options, loadBefore }) {
  const { date, cpu, cores, memoryBytes, system, versions } = machine;
  return [
    `${date} UTC, ${cores} cores of ${cpu}, ${(memoryBytes / 1e9).toFixed(0)} GB memory, ${system}; load before the start ${loadBefore.toFixed(1)}.`,
    `${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", ")}.`,
    `    ${command}`,
    `Inputs and peers are in \`bench/\`: the same job. DuckDB, Polars and PySpark have two threads each, Beam's Python runner has one. In alternation; runs of backstory: ${options.repeats}, of each peer: ${options.peerRepeats}; the limit of a run: ${options.limitSeconds} s.`,
  ];
}

function workloadLines(workload) {
  const { name, actions, entries, reference } = workload;
  const rows = entries.find((entry) => entry.rows !== undefined)?.rows;
  const head =
    "| | from | seconds (least to most) | peak MB | output MB | rows/s | to backstory | rows |\n|---|---|---|---|---|---|---|---|";
  const own = entries.filter((entry) => stages(entry).length > 0);
  return [
    `## ${name}: ${actions.toLocaleString("en")} actions${rows === undefined ? "" : `, ${rows.toLocaleString("en")} rows`}`,
    [head, ...entries.map((entry) => line(entry, workload))].join("\n"),
    reference === undefined ? "Nothing to compare rows with: no run ended well." : `Rows are compared with those of ${reference}.`,
    ...own.map(stageLines),
  ];
}

function line(entry, { entries, reference }) {
  const { contestant, runs, problem } = entry;
  const name = `| ${contestant.label} | ${contestant.format} |`;
  if (runs.length === 0) return `${name} ${cell(problem)} | | | | | |`;
  const times = runs.map((run) => run.seconds);
  const own = entries.find((other) => other.contestant.tool === "backstory" && other.contestant.format === contestant.format);
  const ratio = own === undefined || own.runs.length === 0 ? "" : `${short(seconds(entry) / seconds(own))} x`;
  const later = problem === undefined ? "" : `; later: ${cell(problem)}`;
  const figures = [
    `${short(seconds(entry))}${spread(times)}${later}`,
    megabytes(runs.map((run) => run.peakBytes).filter((bytes) => bytes !== null)),
    megabytes(runs.map((run) => run.outputBytes)),
    entry.rows === undefined ? "" : Math.round(entry.rows / seconds(entry)).toLocaleString("en"),
    contestant.tool === "backstory" ? "" : ratio,
    verdict(entry, reference === `${contestant.tool} ${contestant.format}`),
  ];
  return `${name} ${figures.join(" | ")} |`;
}

const spread = (times) => (times.length === 1 ? "" : ` (${short(Math.min(...times))} to ${short(Math.max(...times))})`);
const cell = (text) => text.replaceAll("|", "\\|");
const megabytes = (bytes) => (bytes.length === 0 ? "" : (median(bytes) / 1e6).toFixed(0));

function verdict({ different, sameFiles, runs }, isReference) {
  const rows = isReference ? "reference" : different === undefined ? "the same" : `**${cell(different)}**`;
  const files =
    sameFiles === undefined || runs.length === 1
      ? ""
      : sameFiles
        ? `, same files in ${runs.length} runs`
        : ", **files differ between runs**";
  return rows + files;
}

/** A timeline: stages overlap. */
const stageLines = (entry) =>
  [
    `backstory from ${entry.contestant.format} by its own account, seconds:\n`,
    "| stage | from | takes | busy, all threads |\n|---|---|---|---|",
    ...stages(entry).map(
      ({ name, from, seconds: takes, busySeconds }) => `| ${name} | ${from.toFixed(2)} | ${takes.toFixed(2)} | ${busySeconds.toFixed(2)} |`,
    ),
  ].join("\n");

function notes() {
  return [
    "Seconds are wall time of the whole process from its start to its exit, the median of its runs. Peak is the resident memory of all its",
    "processes together, looked at every 50 ms. Output is its Parquet files. The inputs were read once before. Rows are the same when every",
    "row of one is found in the other with the same values.",
  ].join("\n");
}

module.exports = { markdown };
