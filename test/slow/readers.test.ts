import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseFlags } from "../../pipeline/flags";
import { generate } from "../../pipeline/generate";
import { BuildOptions } from "../../pipeline/options";
import { build } from "../../pipeline/run";
import { flagsOf, Oracle, TABLES } from "../oracle/oracle";

const folder = mkdtempSync(join(tmpdir(), "backstory-readers-"));
let oracle: Oracle;
beforeAll(() => void (oracle = new Oracle()));
afterAll(() => {
  oracle.stop();
  rmSync(folder, { recursive: true, force: true });
});

// biome-ignore format: a table
test.each([
  ["snappy", "standard", "1000", []],
  ["zstd", "+length,+times", "13", ["--spark"]],
  ["none", "+length", "8", []],
])("pyarrow, DuckDB and Polars read the oracle's rows with the types of the contract: %s, %s, %s actions %s", async (compression, columns, length, also) => {
  const inputs = join(folder, "in");
  const output = join(folder, "out");
  const expected = join(folder, "expected.ndjson");
  rmSync(output, { recursive: true, force: true });
  await generate({ output: inputs, rankings: 120, actions: 20_000, customers: 60, items: 500, days: 4, wideIds: true, overwrite: true });
  const tables = Object.fromEntries(TABLES.map((table) => [table.replaceAll("_", "-"), join(inputs, `${table}.ndjson`)]));
  const rule = [...flagsOf(tables), `--columns=${columns}`, `--history-length=${length}`];
  const { rows } = await oracle.run(rule);
  expect(rows.length).toBeGreaterThan(100);
  // dt comes from the folder, and each reader infers its type
  writeFileSync(expected, rows.map((row) => `${row.replace(/"dt":"[^"]*",/, "")}\n`).join(""));
  await build(parseFlags(BuildOptions, [...rule, `--compression=${compression}`, `--output=${output}`], 0).options);
  const script = join(__dirname, "../readers/readback.py");
  execFileSync(process.env.PYTHON ?? "python3", [script, output, expected, ...also], { timeout: 300_000, stdio: "pipe" });
});
