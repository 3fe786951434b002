#!/usr/bin/env node
/**
 * Kills a worker at each moment of a run on Flink, on a large workload: node test/runners/kill.js [M [FORMAT [MOMENT]]] (npm run build comes first).
 * It prints a table; the exit code is 1 if anything is wrong.
 */
const { rmSync } = require("node:fs");
const { join } = require("node:path");
const { killAt } = require("./faults");
const { build, hashes, newFolder, table, workload } = require("./kit");
const { MOMENTS } = require("./murder");

const LIMIT_SECONDS = 900;

async function main(size = "M", format = "parquet", moments = MOMENTS) {
  const folder = newFolder();
  try {
    const input = [...workload(size, format), "--quiet"];
    const [reference, old] = [join(folder, "reference"), join(folder, "old")];
    await build([...input, `--output=${reference}`], { limitSeconds: LIMIT_SECONDS });
    await build([...input, "--history-length=7", `--output=${old}`], { limitSeconds: LIMIT_SECONDS });
    const rows = [];
    for (const moment of moments) {
      const args = [...input, "--runner=flink", "--workers=2"];
      const outcome = await killAt(moment, { args, folder, old, reference: hashes(reference), limitSeconds: LIMIT_SECONDS });
      console.error(`${moment}: ${outcome.wrong ?? outcome.told}`);
      if (outcome.wrong !== undefined) process.exitCode = 1;
      rows.push([moment, outcome.wrong ?? outcome.told, outcome.seconds.toFixed(1)]);
    }
    table(`kill-${size}`, [`${size} from ${format}, killed during`, "outcome", "seconds"], rows);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const [size, format, moment] = process.argv.slice(2);
main(size, format, moment === undefined ? undefined : [moment]);
