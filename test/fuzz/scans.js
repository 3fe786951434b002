/** Files read by the compiled program: by the fast scanners and the careful readers, which must agree, and by those of verify. */
const { mkdirSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");

const dist = (path) => require(join(__dirname, "../../dist", path));
const { load } = dist("beam/spill.js");
const fastscan = dist("pipeline/fastscan.js");
const { batchesOf } = dist("pipeline/gather.js");
const { findFiles, planSplits } = dist("pipeline/io/files.js");
const { scanSplit } = dist("pipeline/scansplit.js");
const { DEFAULT_RULES } = dist("transforms/rules.js");
const { addLedger } = dist("transforms/tablecounts.js");
const { findRawFiles } = dist("verify/inputs/files.js");
const { csvRows } = dist("verify/inputs/csv.js");
const { jsonArrayRows, ndjsonRows } = dist("verify/inputs/json.js");
const { parquetRows } = dist("verify/inputs/parquet.js");

const text = (value) =>
  JSON.stringify(value, (_, v) => (typeof v === "bigint" ? `${v}n` : ArrayBuffer.isView(v) ? Array.from(v, String) : v));

/** What an error must be: one that blames the file or the configuration, in words for people. */
function blamed(error) {
  const clear = error instanceof Error && [2, 3].includes(error.exitCode) && !unclear(error.message);
  if (!clear) throw error;
  return { error: error.message };
}

/** What slips into a message by mistake. */
const unclear = (message) => UNCLEAR.test(message.replace(/cannot be read as Parquet \(.*\)|is corrupt: .*|footer is corrupt \(.*\)/s, ""));
/** What a library says of a broken file is between brackets, and for those who know the format. */
const UNCLEAR = /\bundefined\b|\[object |Cannot (read|set|convert)|is not (a function|iterable|defined|a constructor)|Maximum call stack/;

const isFast = fastscan.isFast;
async function scan(split, rejectsFolder, careful) {
  const found = { actions: [], rankings: [], ledger: {}, rows: 0, rest: [] };
  fastscan.isFast = (each) => !careful && isFast(each);
  try {
    await scanSplit({ split, rules: DEFAULT_RULES, shown: null, rejectsFolder }, (output) => {
      if ("rows" in output) found.rows += output.rows;
      else if ("actions" in output) {
        for (const { key, value: batch } of batchesOf(output.actions)) {
          const value = load(batch);
          for (let i = 0; i < value.customers.length; i++)
            found.actions.push(text([key, value.customers[i], value.items[i], value.times[i], value.types[i], value.ownDays[i] ?? null]));
        }
      } else if ("rankings" in output) for (const { key, value } of output.rankings) found.rankings.push(...rankingsOf(key, load(value)));
      else if ("ledger" in output) addLedger(found.ledger, output.ledger);
      else {
        const { rejects, ...extent } = output.extents;
        found.rest.push({ ...extent, rejects: rejects === null ? [] : readFileSync(rejects, "utf8").trim().split("\n") });
        if (rejects !== null) rmSync(rejects);
      }
    });
  } catch (error) {
    return blamed(error);
  } finally {
    fastscan.isFast = isFast;
  }
  found.actions.sort();
  found.rankings.sort();
  return found;
}

const rankingsOf = (key, { customers, days, idStarts, idBytes, slotStarts, slotItems, slotOrders }) =>
  Array.from(days, (day, r) =>
    text([
      [key, customers[r], day, Buffer.from(idBytes.subarray(idStarts[r], idStarts[r + 1])).toString("hex")],
      Array.from(slotItems.subarray(slotStarts[r], slotStarts[r + 1]), String),
      Array.from(slotOrders.subarray(slotStarts[r], slotStarts[r + 1])),
    ]),
  );

/** Of a file that is broken in its packing and in what was packed, a stream may come upon either first. */
const brokenTwice = (...ends) =>
  ends.every((end) => end.startsWith('{"error"')) && ends.some((end) => / is (?:corrupt|cut short)/.test(end));

/** Reads bytes as a file of each table both ways. */
async function scanBoth(bytes, folder, name, tables = ["clicks", "impressions"]) {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  const rejects = join(folder, "rejects");
  mkdirSync(rejects, { recursive: true });
  for (const table of tables) {
    let splits;
    try {
      splits = await planSplits(table, findFiles(path, table), Math.max(1, bytes.length / 2));
    } catch (error) {
      blamed(error);
      continue;
    }
    for (const split of splits) {
      const careful = text(await scan(split, rejects, true));
      const fast = text(await scan(split, rejects, false));
      if (fast !== careful && !brokenTwice(fast, careful))
        throw new Error(`${table}: fast and careful differ:\n${fast.slice(0, 700)}\n${careful.slice(0, 700)}`);
    }
  }
}

const ROWS = {
  csv: csvRows,
  json: jsonArrayRows,
  ndjson: ndjsonRows,
  parquet: (file) => parquetRows(file, ["customer_id", "item_id", "click_time", "impressions", "v"]),
};

/** Reads bytes as verify does. */
async function verifyReads(bytes, folder, name) {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  try {
    const [file] = await findRawFiles(path, "clicks");
    for await (const _ of ROWS[file.format](file));
  } catch (error) {
    blamed(error);
  }
}

module.exports = { dist, scanBoth, unclear, verifyReads };
