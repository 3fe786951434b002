import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PYTHON = process.env.PYTHON ?? "python3";
const BIN = join(__dirname, "../../bin/backstory.js");
const folder = mkdtempSync(join(tmpdir(), "backstory-peers-"));
const run = (command: string, ...args: string[]) =>
  execFileSync(command, args, { cwd: folder, encoding: "utf8", timeout: 540_000, maxBuffer: 1 << 28 });
const python = (script: string, ...args: string[]) => run(PYTHON, join(__dirname, "../../bench", script), ...args);

beforeAll(() => {
  python("gen.py", "s", "10000", "1000000", "5000");
  python("duckdb_peer.py", "s", "duckdb");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const inputs = (format: string) =>
  ["impressions", "clicks", "add-to-carts", "previous-orders"].map((table) => `--${table}=s/${table.replaceAll("-", "_")}.${format}`);

test.each(["ndjson", "parquet"])("workload S from %s: no row differs from DuckDB's", (format) => {
  const outcome = JSON.parse(run(process.execPath, BIN, "build", ...inputs(format), "--output=ours", "--json"));
  expect(outcome.rows).toBe(100_186);
  // compare.py prints a table of (n, diff)
  expect(python("compare.py", "ours", "duckdb")).toMatch(/100186\D+0\D/);
});
