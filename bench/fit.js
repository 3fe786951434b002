/** Rates from measured runs: seconds and bytes for each unit of work, by least squares. No rate is below zero. */

/** Weights w >= 0 with sum_i w[i] * columns[i] closest to `values`, each run counted by its share. Leaves out the columns that would be negative. */
function nonNegative(columns, values) {
  const scale = values.map((value) => 1 / Math.max(value, 1e-9));
  let active = columns.map((_, i) => i);
  for (;;) {
    const solved = solve(
      active.map((i) => columns[i].map((x, k) => x * scale[k])),
      values.map((x, k) => x * scale[k]),
    );
    const negative = solved.findIndex((weight) => !(weight >= 0));
    if (negative < 0) return columns.map((_, i) => (active.includes(i) ? solved[active.indexOf(i)] : 0));
    active = active.filter((_, i) => i !== negative);
  }
}

/** Normal equations, by elimination. */
function solve(columns, values) {
  const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  const matrix = columns.map((a) => [...columns.map((b) => dot(a, b)), dot(a, values)]);
  const n = columns.length;
  for (let i = 0; i < n; i++) {
    const pivot = matrix.slice(i).reduce((best, row, k) => (Math.abs(row[i]) > Math.abs(matrix[best][i]) ? i + k : best), i);
    [matrix[i], matrix[pivot]] = [matrix[pivot], matrix[i]];
    for (let j = 0; j < n; j++) {
      if (j === i) continue;
      const factor = matrix[j][i] / matrix[i][i];
      matrix[j] = matrix[j].map((x, k) => x - factor * matrix[i][k]);
    }
  }
  return matrix.map((row, i) => row[n] / row[i]);
}

const FORMATS = ["ndjson", "parquet", "csv"];
const GROUPINGS = {
  actions: /keepRecent/,
  recent: /buildHistories\/coGroupByKey/,
  histories: /eachFile/,
  shown: /withShown/,
};

/** What crosses a grouping, in bytes. */
const crossing = ({ groupings }, name, figure) =>
  groupings.filter((each) => GROUPINGS[name].test(each.name)).reduce((sum, each) => sum + each[figure], 0);

/** What a run does once whatever its size: compiling, mostly. */
const ONCE = "runs";

/** @returns the rates of pipeline/estimate/rates.ts */
function ratesOf(measured) {
  const runs = measured.map((run) => ({ ...run, [ONCE]: 1 }));
  const rate = (values, ...units) => {
    const weights = nonNegative(
      units.map((unit) => runs.map((run) => run[unit])),
      runs.map(values),
    );
    return Object.fromEntries(units.map((unit, i) => [unit, weights[i]]));
  };
  const stage = (name, ...units) => rate((run) => run.stages[name], ONCE, ...units);
  const scan = (name, unit) => {
    const of = (workload, format) => runs.filter((run) => run.workload === workload && run.format === format);
    const perUnit = (some) => meanOf(some, (run) => run.stages[name] / run[unit]);
    return Object.fromEntries(FORMATS.map((format) => [format, perUnit(of("M", format))]));
  };
  const bytes = (name, ...units) => ({
    encoded: rate((run) => crossing(run, name, "bytes"), ...units),
    inMemory: rate((run) => crossing(run, name, "raw"), ...units),
  });
  // the same actions again, and rankings; slots and actions are in the same proportion in all of these runs, so no fit could tell them apart
  const recent = (figure) => {
    const keptActions = meanOf(runs, (run) => crossing(run, "actions", figure) / run.keptActions);
    return {
      keptActions,
      rows: meanOf(runs, (run) => Math.max(0, crossing(run, "recent", figure) - keptActions * run.keptActions) / run.rows),
    };
  };
  const shown = (figure) => ({ customerGroups: meanOf(runs, (run) => crossing(run, "shown", figure) / groupsOf(run)) });
  return {
    seconds: {
      scanRankings: scan("scanRankings", "rows"),
      scanActions: scan("scanActions", "actions"),
      combine: stage("combine", "keptActions"),
      join: stage("join", "keptActions", "historyActions"),
      measure: stage("measure", "rows", "historyActions"),
      write: stage("write", "rows", "historyActions"),
      runner: rate(({ stages }) => stages.start + stages.plan + stages.publish + stages.end, ONCE, "keptActions"),
    },
    bytes: {
      shown: { encoded: shown("bytes"), inMemory: shown("raw") },
      actions: bytes("actions", "keptActions"),
      recent: { encoded: recent("bytes"), inMemory: recent("raw") },
      histories: bytes("histories", "rows", "historyActions"),
      output: rate((run) => run.outputBytes, "rows", "historyActions"),
    },
    itemBytes: meanOf(runs, (run) => run.itemBytes),
  };
}

const meanOf = (runs, figure) => runs.reduce((sum, run) => sum + figure(run), 0) / runs.length;
/** Customers times groups of splits: each group is sent all of them, 16 bytes each in memory. */
const groupsOf = (run) => crossing(run, "shown", "raw") / 16;

module.exports = { ratesOf, nonNegative };
