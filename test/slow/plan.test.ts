/** `backstory plan` against real runs: workload S of the benchmarks by our own generator, in each format; bytes and rows only, never time. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { temporary } from "../pipeline/io/gather";

const folder = temporary();
const TABLES = ["impressions", "clicks", "add_to_carts", "previous_orders"] as const;
const at = (...path: string[]) => join(folder.path, ...path);
const node = (script: string, ...args: string[]) =>
  execFileSync(process.execPath, [join(__dirname, "../..", script), ...args], { encoding: "utf8", timeout: 300_000, maxBuffer: 1 << 26 });
const flags = (from: string, ending: string, changes: Record<string, string> = {}) =>
  TABLES.map((table) => `--${table.replaceAll("_", "-")}=${changes[table] ?? at(from, `${table}${ending}`)}`);
const lastLine = (text: string) => JSON.parse(text.trim().split("\n").pop()!);
const plan = (...args: string[]) => lastLine(node("bin/backstory.js", "plan", ...args, `--output=${at("out")}`, "--json", "--quiet"));
const within = (factor: number) => factor > 0.5 && factor < 2;

let run: {
  rows: number;
  ledger: Ledger;
  quality: { customers_by_dt: Record<string, number>; avg_history_length: number };
  files: { bytes: number }[];
};
let groupings: { name: string; bytes: number }[];
type Ledger = Record<string, { rows: number; places: Record<string, number> }>;

beforeAll(() => {
  for (const format of ["ndjson", "csv", "parquet"])
    node("bin/backstory.js", "generate", `--output=${at(format)}`, "--rankings=10000", "--actions=1000000", `--format=${format}`);
  run = lastLine(node("bin/backstory.js", "build", ...flags("ndjson", ".ndjson"), `--output=${at("out")}`, "--json", "--quiet"));
  groupings = lastLine(node("bench/shuffle.js", ...flags("ndjson", ".ndjson"), `--output=${at("shuffled")}`, "--json"));
}, 300_000);

test.each(["ndjson", "csv", "parquet"])(
  "from %s: rows within 5%%, everything else within a factor of two of what a run reads, shuffles and writes",
  (format) => {
    const { shape, stages } = plan(...flags(format, `.${format}`));
    for (const [i, table] of TABLES.entries()) {
      const { bytes, rows } = i === 0 ? shape.impressions : shape.actions[i - 1];
      expect([table, bytes]).toEqual([table, statSync(at(format, `${table}.${format}`)).size]);
      expect([table, Math.abs(rows / run.ledger[table].rows - 1) < 0.05]).toEqual([table, true]);
    }
    const places = TABLES.slice(1).map((table) => run.ledger[table].places);
    const crossed = (pattern: RegExp) => groupings.filter(({ name }) => pattern.test(name)).reduce((sum, { bytes }) => sum + bytes, 0);
    const stage = (name: string) => stages.find((each: { name: string }) => each.name === name);
    const figures: Record<string, [estimated: number, told: number]> = {
      rows: [shape.rows, run.rows],
      customerDays: [shape.customerDays, Object.values(run.quality.customers_by_dt).reduce((a, b) => a + b, 0)],
      meanHistory: [shape.meanHistory, run.quality.avg_history_length],
      keptActions: [shape.keptActions, places.reduce((sum, each) => sum + each.used + (each["beyond the history length"] ?? 0), 0)],
      actions: [stage("scanActions").bytesShuffled, crossed(/keepRecent/)],
      recent: [stage("combine").bytesShuffled, crossed(/buildHistories\/coGroupByKey/)],
      histories: [stage("join").bytesShuffled, crossed(/eachFile/)],
      written: [stage("write").bytesWritten, run.files.reduce((sum, { bytes }) => sum + bytes, 0)],
    };
    for (const [figure, [estimated, told]] of Object.entries(figures))
      expect([figure, estimated, told, within(estimated / told)]).toEqual([figure, estimated, told, true]);
  },
);

test("many compressed files and a JSON array: the rows of a run within a factor of two", () => {
  mkdirSync(at("parts"), { recursive: true });
  const clicks = readFileSync(at("ndjson", "clicks.ndjson"), "utf8").trim().split("\n");
  for (let i = 0; i < 20; i++)
    writeFileSync(
      at("parts", `${i}.ndjson.gz`),
      gzipSync(clicks.slice((i * clicks.length) / 20, ((i + 1) * clicks.length) / 20).join("\n")),
    );
  writeFileSync(at("carts.json"), `[${readFileSync(at("ndjson", "add_to_carts.ndjson"), "utf8").trim().split("\n").join(",")}]`);
  const { shape } = plan(...flags("ndjson", ".ndjson", { clicks: at("parts"), add_to_carts: at("carts.json") }));
  const [packed, array] = shape.actions;
  expect(packed.files).toBe(20);
  expect(within(packed.rows / run.ledger.clicks.rows)).toBe(true);
  expect(Math.abs(array.rows / run.ledger.add_to_carts.rows - 1)).toBeLessThan(0.1);
});
