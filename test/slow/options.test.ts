import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseFlags } from "../../pipeline/flags";
import { generate } from "../../pipeline/generate";
import { BuildOptions } from "../../pipeline/options";
import { build } from "../../pipeline/run";
import { flagsOf, Oracle, TABLES } from "../oracle/oracle";
import { rowsOf } from "../rows";

/** Every option of SPEC.md by itself, and some together. */
const OPTIONS: Record<string, string | boolean>[] = [
  {},
  { "history-length": "1" },
  { "history-length": "7" },
  { "history-length": "3000" },
  { "lookback-days": "none" },
  { "lookback-days": "0" },
  { "lookback-days": "5" },
  { timezone: "America/Sao_Paulo" },
  { timezone: "Asia/Kathmandu", "lookback-days": "2" },
  { "order-time": "occurred-at" },
  { "order-lag-days": "2" },
  { "order-lag-days": "2", "history-length": "5", "order-time": "occurred-at" },
  { "action-clock": "dt" },
  { "action-clock": "both", timezone: "Pacific/Auckland" },
  { "train-days": "3" },
  { "drop-empty-history": true },
  { columns: "+length" },
  { columns: "+length,+times" },
  { "action-clock": "dt", "order-lag-days": "1", "train-days": "5", "history-length": "10", "drop-empty-history": true },
];

const folder = mkdtempSync(join(tmpdir(), "backstory-options-"));
let oracle: Oracle;
beforeAll(() => void (oracle = new Oracle()));
afterAll(() => {
  oracle.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function compare(inputs: string, dates: string, options: Record<string, string | boolean>) {
  const tables = Object.fromEntries(TABLES.map((table) => [table.replaceAll("_", "-"), join(inputs, `${table}.ndjson`)]));
  const output = join(folder, "out");
  rmSync(output, { recursive: true, force: true });
  const flags = [...flagsOf(tables), ...flagsOf(options), ...(dates === "" ? [] : [`--dates=${dates}`])];
  const expected = await oracle.run(flags);
  const outcome = await build(parseFlags(BuildOptions, [...flags, `--output=${output}`], 0).options);
  expect(outcome.rows).toBeGreaterThan(0);
  expect(await rowsOf(output)).toEqual(expected.rows);
  const places = Object.entries(outcome.ledger).map(([table, counts]) => [table, counts.places]);
  expect(Object.fromEntries(places)).toEqual(expected.ledger);
}

const OTTO = join(__dirname, "../../examples/otto");
describe.each(OPTIONS)("with options %j", (options) => {
  test("OTTO gives the oracle's rows and ledger", () => compare(OTTO, "", options));
  test("some dates of OTTO give the oracle's rows and ledger", () => compare(OTTO, "2022-08-03..2022-08-20", options));
  test("generated data gives the oracle's rows and ledger", async () => {
    const inputs = join(folder, "in");
    await generate({ output: inputs, rankings: 60, actions: 3000, customers: 40, items: 300, days: 6, wideIds: true, overwrite: true });
    expect(readFileSync(join(inputs, "clicks.ndjson")).length).toBeGreaterThan(0);
    await compare(inputs, "", options);
  });
});
