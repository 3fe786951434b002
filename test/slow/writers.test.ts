/** Parquet as other programs write it, against the NDJSON that they were given. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseFlags } from "../../pipeline/flags";
import { generate } from "../../pipeline/generate";
import { findFiles, planSplits } from "../../pipeline/io/files";
import { BuildOptions } from "../../pipeline/options";
import { build } from "../../pipeline/run";
import { readRows } from "../../pipeline/scansplit";
import { DEFAULT_RULES } from "../../transforms/rules";
import { flagsOf, TABLES } from "../oracle/oracle";
import { rowsOf } from "../rows";

const folder = mkdtempSync(join(tmpdir(), "backstory-writers-"));
const inputs = join(folder, "in");
const ways = join(folder, "ways");
beforeAll(async () => {
  await generate({ output: inputs, rankings: 300, actions: 12_000, customers: 50, items: 500, days: 4, wideIds: true, overwrite: true });
  execFileSync(process.env.PYTHON ?? "python3", [join(__dirname, "../readers/writers.py"), inputs, ways], { stdio: "pipe" });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function built(from: string, ending: string, timezone: string) {
  const output = join(folder, "out");
  rmSync(output, { recursive: true, force: true });
  const tables = Object.fromEntries(TABLES.map((table) => [table.replaceAll("_", "-"), join(from, `${table}.${ending}`)]));
  const flags = [
    ...flagsOf(tables),
    `--timezone=${timezone}`,
    "--columns=+times",
    "--action-clock=both",
    "--history-length=20",
    `--output=${output}`,
  ];
  const { ledger } = await build(parseFlags(BuildOptions, flags, 0).options);
  return { rows: await rowsOf(output), ledger };
}

/** Rows of a table whose cells are made one by one. */
async function cellRows(path: string, table: string): Promise<number> {
  let rows = 0;
  const count = () => void rows++;
  const ignore = () => {};
  const sink = { row: count, reject: count, actions: ignore, rankings: ignore, columns: ignore, drain: async () => {} };
  const columns = {
    impressions: ["dt", "ranking_id", "customer_id", "impressions"],
    clicks: ["customer_id", "item_id", "click_time", "dt"],
    add_to_carts: ["customer_id", "config_id", "occurred_at", "dt"],
    previous_orders: ["customer_id", "config_id", "order_date"],
  }[table]!;
  for (const split of await planSplits(table, findFiles(path, table), 1 << 30))
    await readRows(split, columns, { ...DEFAULT_RULES, actionClock: "both" }, sink);
  return rows;
}

test("whatever wrote the Parquet, the rows and the ledger are those of NDJSON, and no row takes the slow way", async () => {
  const names = readdirSync(ways);
  expect(names.length).toBeGreaterThan(12);
  for (const timezone of ["UTC", "America/Sao_Paulo"]) {
    const expected = await built(inputs, "ndjson", timezone);
    expect(expected.rows.length).toBeGreaterThan(1000);
    for (const way of names) {
      if (timezone !== "UTC" && way.endsWith("utc")) continue;
      expect({ way, ...(await built(join(ways, way), "parquet", timezone)) }).toEqual({ way, ...expected });
      for (const table of TABLES) expect([way, table, await cellRows(join(ways, way, `${table}.parquet`), table)]).toEqual([way, table, 0]);
    }
  }
});
