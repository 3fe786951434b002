const { seconds, short, stages } = require("./figures");

/** RESULTS.md */
function markdown({ run, workloads }) {
  return [
    "# Results of `npm run bench`",
    ...runLines(run),
    "![Seconds of each contestant](results.svg)",
    ...comparison(workloads),
    ...workloads.flatMap((workload) => workloadLines(workload, run)),
    NOTES,
    "",
  ].join("\n\n");
}

function runLines({ machine, command, options, loadBefore }) {
  const { date, cpu, cores, memoryBytes, system, versions } = machine;
  return [
    `${date} UTC, ${cores} cores of ${cpu}, ${(memoryBytes / 1e9).toFixed(0)} GB memory, ${system}; load before the start ${loadBefore.toFixed(1)}.`,
    `${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", ")}.`,
    `    ${command}`,
    `Inputs and peers are in \`bench/\`: the same job. All have a thread for each core, except Beam's Python runner, which has one. In alternation, the runs of each spread evenly over the whole time; runs of backstory: ${options.repeats}, of each peer: ${options.peerRepeats}; the limit of a run: ${options.limitSeconds} s.`,
  ];
}

/** Formats, shapes and sizes side by side: what a row costs backstory. */
function comparison(workloads) {
  const own = workloads.flatMap(({ name, actions, entries }) =>
    entries.filter((entry) => entry.contestant.tool === "backstory" && entry.runs.length > 0).map((entry) => ({ name, actions, entry })),
  );
  if (own.length < 2) return [];
  const perRow = ({ entry }) => seconds(entry) / entry.rows;
  const base = own.find(({ name, entry }) => name === "M" && entry.contestant.format === "ndjson");
  const lines = own.map((each) => {
    const { name, actions, entry } = each;
    const figures = [
      name,
      entry.contestant.format,
      (actions / 1e6).toLocaleString("en"),
      entry.rows.toLocaleString("en"),
      short(seconds(entry)),
      short(perRow(each) * 1e6),
      base === undefined ? "" : `${(perRow(each) / perRow(base)).toFixed(2)} x`,
    ];
    return `| ${figures.join(" | ")} |`;
  });
  return [
    "## backstory: formats, shapes and sizes",
    ["| | from | M actions | rows | seconds | seconds a million rows | to M from NDJSON |\n|---|---|---|---|---|---|---|", ...lines].join(
      "\n",
    ),
    "The last column is of seconds a row. In varied lines keys, blanks and digits differ from line to line; in hot one customer has half of all actions; in crowd one has a fifth of all rankings.",
  ];
}

function workloadLines(workload, latest) {
  const { name, actions, entries, reference, run } = workload;
  const rows = entries.find((entry) => entry.rows !== undefined)?.rows;
  const flags = entries.find(({ contestant }) => contestant.flags?.length > 0)?.contestant.flags;
  const head =
    "| | from | seconds (least to most) | peak MB | output MB | rows/s | to backstory | rows |\n|---|---|---|---|---|---|---|---|";
  const compared =
    reference === undefined
      ? "Nothing to compare rows with: no run ended well."
      : entries.length === 1
        ? "Nobody else ran it, so there is nothing to compare rows with."
        : `Rows are compared with those of ${reference}.`;
  return [
    `## ${name}: ${actions.toLocaleString("en")} actions${rows === undefined ? "" : `, ${rows.toLocaleString("en")} rows`}`,
    ...(run.command === latest.command && run.machine.date === latest.machine.date
      ? []
      : ["From another run:", ...runLines(run).slice(0, 3)]),
    [head, ...entries.map((entry) => line(entry, workload))].join("\n"),
    `${compared}${flags === undefined ? "" : ` backstory build has \`${flags.join(" ")}\`.`}`,
    ...stageTable(entries.filter((entry) => stages(entry).length > 0)),
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
    megabytes(runs.map((run) => run.peakBytes ?? 0)),
    megabytes(runs.map((run) => run.outputBytes)),
    entry.rows === undefined ? "" : Math.round(entry.rows / seconds(entry)).toLocaleString("en"),
    contestant.tool === "backstory" ? "" : ratio,
    verdict(
      entry,
      entries.length === 1 ? "not compared" : reference === `${contestant.tool} ${contestant.format}` ? "reference" : "the same",
    ),
  ];
  return `${name} ${figures.join(" | ")} |`;
}

const spread = (times) => (times.length === 1 ? "" : ` (${short(Math.min(...times))} to ${short(Math.max(...times))})`);
const cell = (text) => text.replaceAll("|", "\\|");
/** The most; nothing where it cannot be told. */
const megabytes = (bytes) => (Math.max(...bytes) === 0 ? "" : short(Math.max(...bytes) / 1e6));

function verdict({ different, sameFiles, runs }, wellCompared) {
  const rows = different === undefined ? wellCompared : `**${cell(different)}**`;
  const files =
    sameFiles === undefined || runs.length === 1
      ? ""
      : sameFiles
        ? `, same files in ${runs.length} runs`
        : ", **files differ between runs**";
  return rows + files;
}

/** Of backstory, by its own account. */
function stageTable(entries) {
  if (entries.length === 0) return [];
  const told = entries.map(stages);
  const names = [...new Set(told.flatMap((each) => each.map(({ name }) => name)))];
  const cells = (name) =>
    told.map((each) => {
      const stage = each.find((other) => other.name === name);
      return stage === undefined ? "" : `${stage.seconds.toFixed(2)} (${stage.busySeconds.toFixed(2)})`;
    });
  return [
    [
      `| stage of backstory, from | ${entries.map(({ contestant }) => contestant.format).join(" | ")} |`,
      `|---|${"---|".repeat(entries.length)}`,
      ...names.map((name) => `| ${name} | ${cells(name).join(" | ")} |`),
    ].join("\n"),
  ];
}

const NOTES = [
  "Seconds are wall time of the whole process from its start to its exit, the median of its runs. Peak is the resident memory of all its",
  "processes together, looked at every 50 ms, the most of its runs. Output is its Parquet files. The inputs are read before each run. Rows are the",
  "same when every row of one is found in the other with the same values. A stage's seconds are from its first beginning to its last end, and in",
  "brackets its work, over all threads; stages overlap.",
].join("\n");

module.exports = { markdown };
