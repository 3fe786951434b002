/** Pages about what a run tells: outcome, metrics, manifest, rejects, warnings. */
const { otherOptions, rulesWarning } = require("backstory/pipeline/alike");
const { BuildSummary, Figures, RejectLine } = require("backstory/pipeline/figures");
const { judge } = require("backstory/pipeline/judge");
const { LATE_MEANINGS, PLACE_MEANINGS } = require("backstory/pipeline/help/meanings");
const { Manifest, Marker } = require("backstory/pipeline/manifest");
const { LATE_KINDS } = require("backstory/transforms/lateness");
const { CELL_REASONS, RECORD_REASONS } = require("backstory/transforms/reasons");
const { PLACES, noCounts } = require("backstory/transforms/tablecounts");
const { fields } = require("./fields");
const { block, code, page, table } = require("./markdown");

const meanings = (head, all) =>
  table(
    [head, "meaning"],
    Object.entries(all).map(([name, meaning]) => [code(name), meaning]),
  );
const inOrder = (names, all) => Object.fromEntries(names.map((name) => [name, all[name]]));

const PLACES_PART = [
  "## Places of the ledger",
  "Every input row ends in exactly one, the first that fits. If rows and places do not add up, nothing is published.",
  meanings("place", inOrder(PLACES, PLACE_MEANINGS)),
];

const LATE_PART = [
  "## Kinds of late rows",
  "Rows of actions that are not from when they say, or came later than a run assumes. They count by their times all the same. A row may be of more than one kind. Rows from before every lookback are passed over.",
  meanings("kind", inOrder(LATE_KINDS, LATE_MEANINGS)),
];

const outcome = () =>
  page(
    "The outcome of a build",
    "`backstory build --json` prints one line of JSON on standard output where the run succeeds; nothing where it does not. [Exit codes](exit-codes.md) tell which. With `--no-wait` the line is about the job of Dataflow instead, as in `--job-id-file`: `job_id`, `job_name`, `project`, `region`, `console`, `run_id`, `output`, `manifest`, `staged`. Fields in a table below another begin with its name; `[]` is each element of a list, `*` each name of an object.",
    fields(BuildSummary),
    PLACES_PART,
    LATE_PART,
  );

const metrics = () =>
  page(
    "Metrics",
    "`--metrics-json=FILE` writes one JSON object about each run, also about one that is not published since its figures forbid it. `backstory analyse` computes the figures up to `action_type_frequency_by_position` from an output that is there.",
    fields(Figures),
    "Type codes: 0 padding, 1 click, 2 add-to-cart, 3 order, 4 to 127 tables of your own.",
    PLACES_PART,
    LATE_PART,
  );

const manifest = () =>
  page(
    "Manifest",
    "`OUTPUT/_manifests/RUN.json`: what a run published, of what, how, and why no row can know its own day. Only what is true of a run is here; what data and options determine is in the files. Instants are UTC with microseconds, days are YYYY-MM-DD. Fields of objects within others begin with their name; `[]` is each element of a list, `*` each name of an object.",
    fields(Manifest),
    "## Certificates",
    "With the action clocks `time` and `both`, each `newest` of `used` is before `cutoff`, that of type 3 before `orderCutoff`; each `oldest` is at `lookbackStart` or after it. `backstory verify` checks them against the files.",
    "## `_SUCCESS`",
    "A JSON object too. In a partition it names the runs whose files it has: with `overwrite` one, with `append` one for each run; at the top the run that was published last.",
    fields(Marker),
  );

const rejects = () =>
  page(
    "Rejects",
    "Rows that cannot be taken are left out and counted, by table and reason. Above `--max-rejects` nothing is published. `--rejects=FILE` writes a line of JSON for each, in the order of tables and files, also where nothing is published. Values of rows are never told.",
    fields(RejectLine),
    "## Reasons about a column",
    "Told as `COLUMN: REASON`.",
    meanings("reason", CELL_REASONS),
    "## Reasons about a record",
    "Told alone: there is no row to have columns.",
    meanings("reason", RECORD_REASONS),
    "A file that is broken as a whole (cut, encrypted, no Parquet) is no reject: it ends the run with exit code 3.",
  );

/** Counts with all that is warned of; the texts are then the code's own. */
const WARNED = {
  impressions: { ...noCounts(), rows: 1, places: { used: 1 } },
  clicks: {
    ...noCounts(),
    rows: 1000,
    zeroItems: 12,
    late: { rows: 34, days: Object.fromEntries(LATE_KINDS.map((kind, i) => [kind, { "2025-08-16": 10 + i }])) },
  },
};

function warnings() {
  const told = judge(WARNED, { maxRejects: { count: 0 }, required: { clicks: [], add_to_carts: [] } }).warnings;
  const others = rulesWarning("data/training", "2025-08-16", "daily-2025-08-16", otherOptions({ lookbackDays: 365 }, { lookbackDays: 30 }));
  return page(
    "Warnings",
    "What is worth knowing of a run, and no error. They are told on standard error as `warning: ...` unless `--quiet` is given, and are in `warnings` of the [outcome](outcome.md), of the [metrics](metrics.md) and of the [manifest](manifest.md). For example, all there are:",
    block("text", [...told, others].join("\n")),
    "`--fail-on=late>1%` makes an error of late rows. What runners of Beam, BigQuery and Dataflow say besides is told on standard error only.",
    LATE_PART,
  );
}

module.exports = { manifest, metrics, outcome, rejects, warnings };
