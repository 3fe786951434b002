import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convert } from "../../layouts/convert";
import { parseFlags } from "../../pipeline/flags";
import { generate } from "../../pipeline/generate";
import { BuildOptions } from "../../pipeline/options";
import { build } from "../../pipeline/run";
import { flagsOf, TABLES } from "../oracle/oracle";

const folder = mkdtempSync(join(tmpdir(), "backstory-layouts-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PYTHON = process.env.PYTHON ?? "python3";
const python = (...args: string[]): string => execFileSync(PYTHON, args, { timeout: 300_000, stdio: "pipe", encoding: "utf8" });

const SQL = `
import sys, duckdb
rows, histories = sys.argv[1:]
columns = "ranking_id, s.customer_id, impression_index, item_id, is_order, impressions, actions, action_types"
one = f"SELECT {columns} FROM read_parquet('{rows}/*/part-*.parquet', filename=true) s"
pair = "regexp_replace({}.filename, '.*/(dt=[^/]+)/[a-z]+-', '\\\\1/')"
two = f"""SELECT {columns} FROM read_parquet('{histories}/*/slots-*.parquet', filename=true) s
          JOIN read_parquet('{histories}/*/histories-*.parquet', filename=true) h
          ON s.history_row = h.history_row AND {pair.format('s')} = {pair.format('h')}"""
print(duckdb.sql(f"SELECT (SELECT count(*) FROM ({one})), (SELECT count(*) FROM ({one} EXCEPT ALL {two})), (SELECT count(*) FROM ({two} EXCEPT ALL {one}))").fetchall()[0])
`;

test("pyarrow makes the same batches of every layout, and DuckDB joins histories and slots to the rows", async () => {
  const inputs = join(folder, "in");
  const output = join(folder, "out");
  await generate({ output: inputs, rankings: 300, actions: 20_000, customers: 60, items: 500, days: 3, wideIds: true });
  const tables = Object.fromEntries(TABLES.map((table) => [table.replaceAll("_", "-"), join(inputs, `${table}.ndjson`)]));
  const flags = [...flagsOf(tables), "--history-length=40", "--shards=3", "--row-group-bytes=20000", `--output=${output}`];
  const { rows } = await build(parseFlags(BuildOptions, flags, 0).options);
  const outputs = [output];
  for (const layout of ["rankings", "histories"] as const)
    for (const padding of ["zeros", "none"] as const) {
      const to = join(folder, `${layout}-${padding}`);
      await convert(output, { to, layout, padding, quiet: true });
      outputs.push(to);
    }
  const told = python(join(__dirname, "../../bench/layouts.py"), "--repeats=1", "--history-length=40", ...outputs);
  expect(told).toMatch("batches of all are the same");
  expect(python("-c", SQL, output, join(folder, "histories-zeros")).trim()).toBe(`(${rows}, 0, 0)`);
});
