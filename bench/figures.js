/** What is told of the runs of one contestant. */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** undefined if no run ended well */
function seconds({ runs }) {
  return runs.length === 0 ? undefined : median(runs.map((run) => run.seconds));
}

/** Medians of each stage's figures, of a contestant that tells its stages: backstory's --json. */
function stages({ runs }) {
  const told = runs.filter((run) => run.stages !== undefined);
  const middle = (stage, figure) => median(told.map((run) => run.stages[stage]?.[figure] ?? 0));
  return Object.keys(told[0]?.stages ?? {}).map((name) => ({
    name,
    seconds: middle(name, "seconds"),
    busySeconds: middle(name, "busySeconds"),
  }));
}

/** Three digits that matter. */
const short = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

module.exports = { median, seconds, stages, short };
