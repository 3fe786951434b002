/** The kernels that read and write files: scan and encode, on small files in a temporary folder. */
const { mkdtempSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const { generate } = require("../dist/pipeline/generate");
const { findFiles, planSplits } = require("../dist/pipeline/io/files");
const { outputColumns } = require("../dist/pipeline/options");
const { scanSplit } = require("../dist/pipeline/scansplit");
const { writeDay } = require("../dist/pipeline/writeday");
const { measure } = require("./sample");

const folder = mkdtempSync(join(tmpdir(), "backstory-kernel-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const SIZE = { rankings: 20_000, actions: 200_000, customers: 2000, items: 100_000, days: 14 };

/** Scans of whole files, each as one split. */
async function scans(rules) {
  for (const format of ["ndjson", "csv", "parquet"]) {
    const output = join(folder, format);
    await generate({ ...SIZE, output, format });
    for (const table of ["clicks", "impressions"]) {
      const splits = await planSplits(table, findFiles(join(output, `${table}.${format}`), table), 2 ** 40);
      let rows = 0;
      const scan = async () => {
        rows = 0;
        for (const split of splits)
          await scanSplit({ split, rules, shown: null, rejectsFolder: null }, (told) => {
            rows += told.extents?.positions ?? 0;
          });
      };
      await scan();
      measure(`scan: ${rows.toLocaleString("en")} ${table}, ${format}`, rows, scan);
    }
  }
}

/** One day's rows of a join to a file. */
function encodes(joined, day) {
  const { days, rankingStarts, rankings } = joined;
  const slotsOf = (g) => rankings.slotStarts[rankingStarts[g + 1]] - rankings.slotStarts[rankingStarts[g]];
  const rows = days.reduce((sum, each, g) => sum + (each === day ? slotsOf(g) : 0), 0);
  for (const compression of ["snappy", "zstd", "none"]) {
    const columns = outputColumns("standard");
    const options = { historyLength: 1000, columns, compression, rowGroupBytes: 128e6, shards: 1, attempts: folder };
    measure(`encode: ${rows.toLocaleString("en")} rows, ${compression}`, rows, () =>
      writeDay({ shard: 0, day, parts: [joined], options }, ({ attempt }) => rmSync(attempt)),
    );
  }
}

module.exports = { encodes, scans };
