/** The command line as a hostile and as a clumsy user would have it: what is refused, how that is said, and what is left behind. */
import { createHash } from "node:crypto";
import fs, { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { type ColumnSource, parquetWriteBuffer } from "hyparquet-writer";
import { main } from "../../pipeline/cli";
import { planSplits } from "../../pipeline/io/files";
import { rowsOf } from "../rows";
import { SLOW } from "../suite";

jest.mock("../../pipeline/io/files", () => {
  const files = jest.requireActual("../../pipeline/io/files");
  return { ...files, planSplits: jest.fn(files.planSplits) };
});

type Row = Record<string, unknown>;
const TABLES = {
  impressions: [
    { dt: "2025-08-03", ranking_id: "a", customer_id: 1, impressions: [{ item_id: 5, is_order: true }] },
    { dt: "2025-08-04", ranking_id: "b", customer_id: 2, impressions: [{ item_id: 6, is_order: false }] },
  ],
  clicks: [
    { customer_id: 1, item_id: 5, click_time: "2025-08-01 10:00:00" },
    { customer_id: 2, item_id: 6, click_time: "2025-08-02 10:00:00" },
  ],
  add_to_carts: [{ customer_id: 1, config_id: 5, occurred_at: "2025-08-01 11:00:00" }],
  previous_orders: [{ customer_id: 2, config_id: 7, order_date: "2025-08-01" }],
} satisfies Record<string, Row[]>;
type Table = keyof typeof TABLES;
const NAMES = Object.keys(TABLES) as Table[];
const FORMATS = ["ndjson", "json", "csv", "parquet"] as const;
const PACKINGS = ["", ".gz", ".zst"] as const;
type Format = (typeof FORMATS)[number];
/** Each format and each packing; all pairs of them in the slow suite. */
const EVERY = FORMATS.flatMap((format) => PACKINGS.map((packing) => ({ format, packing }))).filter(
  ({ format, packing }) => SLOW || packing === "" || `${format}${packing}` === "csv.zst" || `${format}${packing}` === "json.gz",
);

let folder: string;
let output: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "badinput-"));
  output = join(folder, "out");
  for (const table of NAMES) put(`in/${table}.ndjson`, textOf(TABLES[table], "ndjson"));
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const json = (value: unknown): string =>
  JSON.stringify(value, (_, v) => (typeof v === "bigint" ? `@@${v}@@` : v)).replaceAll(/"@@(-?\d+)@@"/g, "$1");
const cell = (value: unknown): string =>
  value === null ? "" : `"${(typeof value === "object" ? json(value) : String(value)).replaceAll('"', '""')}"`;

/** The bytes of a file of these rows, which all have the columns of the first. */
function textOf(rows: Row[], format: Format): Buffer {
  const names = Object.keys(rows[0]);
  if (format === "parquet") return parquet(rows);
  if (format === "json") return Buffer.from(`[${rows.map(json).join(",\n")}]`);
  if (format === "ndjson") return Buffer.from(rows.map((row) => `${json(row)}\n`).join(""));
  return Buffer.from(
    [names.join(","), ...rows.map((row) => names.map((name) => cell(row[name])).join(","))].map((line) => `${line}\n`).join(""),
  );
}

/** Numbers become INT64 or DOUBLE, everything else text, as JSON where it is a list. */
function parquet(rows: Row[]): Buffer {
  const columnData = Object.keys(rows[0]).map((name): ColumnSource => {
    const values = rows.map((row) => row[name]);
    const real = values.filter((value) => value !== null);
    if (real.every((value) => typeof value === "bigint" || Number.isSafeInteger(value)))
      return { name, type: "INT64", nullable: true, data: values.map((value) => (value === null ? null : BigInt(value as number))) };
    if (real.every((value) => typeof value === "number")) return { name, type: "DOUBLE", nullable: true, data: values };
    return { name, type: "STRING", nullable: true, data: values.map((v) => (v === null || typeof v === "string" ? v : json(v))) };
  });
  return Buffer.from(parquetWriteBuffer({ columnData, rowGroupSize: 2, codec: "UNCOMPRESSED" }));
}

const pack = (bytes: Buffer, packing: string): Buffer =>
  packing === ".gz" ? gzipSync(bytes) : packing === ".zst" ? zstdCompressSync(bytes) : bytes;

/** Writes a file below the test's folder. */
function put(name: string, bytes: Buffer | string): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

const putRows = (table: Table | "views", rows: Row[], format: Format = "ndjson", packing = ""): string =>
  put(`own/${table}.${format}${packing}`, pack(textOf(rows, format), packing));

interface Told {
  code: number;
  out: string;
  err: string;
}

async function call(...args: string[]): Promise<Told> {
  const told: Told = { code: 0, out: "", err: "" };
  jest.spyOn(console, "log").mockImplementation((text) => void (told.out += `${text}\n`));
  jest.spyOn(console, "error").mockImplementation((text) => void (told.err += `${text}\n`));
  told.code = await main(args);
  jest.mocked(console.log).mockRestore();
  jest.mocked(console.error).mockRestore();
  return told;
}

/** Builds from the good tables, with flags in place of theirs or added. */
function build(flags: Record<string, string | boolean> = {}, ...more: string[]): Promise<Told> {
  const paths = Object.fromEntries(NAMES.map((table) => [table.replaceAll("_", "-"), join(folder, `in/${table}.ndjson`)]));
  const all = Object.entries<string | boolean>({ ...paths, output, "history-length": "3", ...flags }).filter(
    ([, value]) => value !== false,
  );
  return call("build", ...all.map(([name, value]) => (value === true ? `--${name}` : `--${name}=${value}`)), ...more);
}

/** Everything below the test's folder, with the content of files. */
function tree(): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return Object.fromEntries(
    names.map((name) => {
      const path = join(folder, name);
      return [name, statSync(path).isDirectory() ? "folder" : createHash("sha256").update(readFileSync(path)).digest("hex")];
    }),
  );
}

/** The run ends with the code, says one line, prints nothing, and leaves everything as it was but for the files it was to tell in. */
async function refused(code: number, says: RegExp, flags: Record<string, string | boolean> = {}, ...more: string[]): Promise<void> {
  const before = tree();
  const told = await build(flags, ...more);
  expect(told.err).toMatch(says);
  expect(told).toEqual({ code, out: "", err: expect.stringMatching(/^backstory: [^\n]+(\.|\(--debug prints where\))\n$/) });
  const after = tree();
  for (const name of ["rejects", "metrics-json"])
    if (typeof flags[name] === "string") for (const each of [before, after]) delete each[flags[name].slice(folder.length + 1)];
  expect(after).toEqual(before);
}

/** Builds, telling rejects and figures; the ledger balances. */
async function built(flags: Record<string, string | boolean> = {}) {
  const rejectsFile = join(folder, "told/rejects.ndjson");
  const told = await build({ rejects: rejectsFile, "max-rejects": "100%", json: true, ...flags });
  expect(told).toMatchObject({ code: 0, err: expect.not.stringContaining("backstory:") });
  const outcome = JSON.parse(told.out);
  for (const { rows, places } of Object.values(outcome.ledger) as { rows: number; places: Record<string, number> }[])
    expect(Object.values(places).reduce((sum, n) => sum + n, 0)).toBe(rows);
  const text = readFileSync(rejectsFile, "utf8");
  return {
    outcome,
    text,
    rejects:
      text === ""
        ? []
        : text
            .trimEnd()
            .split("\n")
            .map((line) => JSON.parse(line)),
  };
}

/** A file that is like a table's, but for a few rows. */
const clicksWith = (...rows: Row[]): Row[] => [TABLES.clicks[0], ...rows, TABLES.clicks[1]];
const click = (change: Row): Row => ({ ...TABLES.clicks[0], ...change });
/** where the second row of a file is: its row, or its line behind a CSV's header */
const second = (format: Format): number => (format === "csv" ? 3 : 2);

describe.each(EVERY)("$format$packing", ({ format, packing }) => {
  test("all tables in it give what NDJSON gives", async () => {
    await build();
    const expected = await rowsOf(output);
    rmSync(output, { recursive: true });
    const own = NAMES.map((table) => [table.replaceAll("_", "-"), putRows(table, TABLES[table], format, packing)]);
    expect((await built(Object.fromEntries(own))).rejects).toEqual([]);
    expect(await rowsOf(output)).toEqual(expected);
  });

  test("a file that is cut ends the run with 3 and leaves nothing, the earlier output as it was", async () => {
    await build();
    const rows = Array.from({ length: 500 }, (_, i) => click({ item_id: i }));
    const bytes = pack(textOf(rows, format), packing);
    const cut = put(`own/clicks.${format}${packing}`, bytes.subarray(0, bytes.length >> 1));
    if (packing === "" && (format === "ndjson" || format === "csv")) {
      const { rejects } = await built({ clicks: cut });
      expect(rejects.length).toBeLessThanOrEqual(1); // no one can tell where such a file was to end
    } else await refused(3, /own\/clicks/, { clicks: cut });
  });
});

/** What is packed is the same rows to all that follows. */
describe.each(EVERY.filter(({ packing }) => SLOW || packing === ""))("$format$packing", ({ format, packing }) => {
  test("an empty file is a table without rows", async () => {
    const clicks = put(`own/clicks.${format}${packing}`, "");
    expect((await built({ clicks })).outcome.ledger.previous_orders.rows).toBe(1);
  });

  test("a table without rows is warned of", async () => {
    const text = Buffer.from(format === "csv" ? "customer_id,item_id,click_time\n" : "");
    // what is packed and has no bytes is no Parquet file; a file of no bytes is a table of any format
    const clicks = put(`own/clicks.${format}${packing}`, format === "parquet" ? text : pack(text, packing));
    expect(await build({ clicks })).toMatchObject({
      code: 0,
      err: "warning: clicks has no rows: no history has anything of it. Check that its files are whole.\n",
    });
  });

  test("a column that no row has is named, with those found and the nearest", async () => {
    const clicks = putRows("clicks", [{ customer_id: 1, itemid: 5, click_time: "2025-08-01 10:00:00" }], format, packing);
    await refused(2, /clicks has no column "item_id"; found: .*customer_id.*itemid.*The nearest is "itemid"/, { clicks });
  });

  test("another table in the place of the impressions", async () => {
    const impressions = putRows("impressions", TABLES.clicks, format, packing);
    await refused(2, /impressions has no column "(ranking_id|dt|impressions)"; found: .*click_time/, { impressions });
  });

  test("another table's file among good ones: its rows are rejects, told by position", async () => {
    put("mixed/a.ndjson", textOf(TABLES.clicks, "ndjson"));
    const bad = put(`mixed/b.${format}${packing}`, pack(textOf([...TABLES.add_to_carts, ...TABLES.add_to_carts], format), packing));
    await refused(3, /clicks: 2 of 4 rows are rejects .*--max-rejects=1%/, { clicks: join(folder, "mixed") });
    const { rejects } = await built({ clicks: join(folder, "mixed") });
    const reject = (position: number) => ({ table: "clicks", file: bad, position, reason: "click_time: not a timestamp" });
    expect(rejects).toEqual(format === "csv" ? [reject(2), reject(3)] : [reject(1), reject(2)]);
  });

  test("ids as strings are ids; floats, ids beyond int64 and nulls are rejects", async () => {
    const clicks = putRows("clicks", clicksWith(click({ item_id: "9223372036854775807" }), click({ customer_id: "1" })), format, packing);
    const good = await built({ clicks });
    expect(good.rejects).toEqual([]);
    const bad = [1.5, "1.0", "1e3", "9223372036854775808", 1n << 70n, "x", "", " 1", "01", "+1", null, true].map((item_id) =>
      click({ item_id }),
    );
    const path = putRows("clicks", clicksWith(...bad), format, packing);
    const { rejects, text } = await built({ clicks: path });
    const places = bad.map((_, i) => i + second(format));
    expect(rejects).toEqual(places.map((position) => ({ table: "clicks", file: path, position, reason: "item_id: not a 64-bit integer" })));
    expect(text).not.toMatch(/2025|1\.0|9223372036854775808/);
  });
});

describe("text", () => {
  test.each(["ndjson", "json", "csv"] as const)("%s that is not UTF-8 is a reject, and no more than that row", async (format) => {
    const bytes = textOf(clicksWith(click({ click_time: "\u00ff\u00ff" })), format);
    const clicks = put(`own/clicks.${format}`, Buffer.from(bytes.toString("utf8"), "latin1"));
    const { rejects, outcome } = await built({ clicks });
    expect(rejects).toEqual([
      { table: "clicks", file: clicks, position: second(format), reason: expect.stringMatching(/^not (UTF-8|JSON)$/) },
    ]);
    expect(outcome.ledger.clicks.rows).toBe(3);
  });

  test("Parquet text that is not UTF-8 is a reject", async () => {
    const bytes = parquet(TABLES.clicks.map((row, i) => ({ ...row, click_time: i === 0 ? "@@@@@@@@" : row.click_time })));
    for (let at = bytes.indexOf("@@@@@@@@"); at >= 0; at = bytes.indexOf("@@@@@@@@", at)) bytes.fill(0xff, at, at + 8);
    const clicks = put("own/clicks.parquet", bytes);
    expect((await built({ clicks })).rejects).toEqual([{ table: "clicks", file: clicks, position: 1, reason: "not UTF-8" }]);
  });

  test("a Parquet column of doubles holds no ids", async () => {
    const { rejects } = await built({ clicks: putRows("clicks", [click({ item_id: 1.5 }), click({ item_id: 2 })], "parquet") });
    expect(rejects.map(({ reason }) => reason)).toEqual(Array(2).fill("item_id: not a 64-bit integer"));
  });

  test.each(["ndjson", "json", "csv"] as const)("a %s row of 5 MB is a row like any other", async (format) => {
    const wide = (filler: string): Row[] => clicksWith(click({ filler })).map((row) => ({ filler: "", ...row }));
    const clicks = putRows("clicks", wide("x".repeat(5 << 20)), format);
    const { outcome } = await built({ clicks });
    expect(outcome.ledger.clicks).toMatchObject({ rows: 3, places: { used: 3 } });
  });

  test("5 MB that are no row are one reject, and the next row is read", async () => {
    const good = textOf(TABLES.clicks, "ndjson").toString();
    const clicks = put("own/clicks.ndjson", `${"[".repeat(5 << 20)}\n${good}`);
    expect((await built({ clicks })).rejects).toMatchObject([{ position: 1, reason: "nested too deeply" }]);
  });

  test("no Parquet and a broken array are told by file", async () => {
    await refused(3, /own\/clicks\.parquet" is no Parquet file/, { clicks: put("own/clicks.parquet", "hello, hello, hello") });
    await refused(3, /own\/clicks\.json" .*JSON array/, { clicks: put("own/clicks.json", '[{"a":1} {"a":2}]') });
  });
});

describe("is_order", () => {
  const withOrder = (...values: unknown[]): Row[] =>
    values.map((is_order, i) => ({ ...TABLES.impressions[0], ranking_id: `r${i}`, impressions: [{ item_id: 5, is_order }] }));

  test("in CSV: true, false, 0 and 1 in any case", async () => {
    const impressions = putRows("impressions", withOrder(true, false, "TRUE", "False", 0, 1, "0", "1", "yes", null, 2), "csv");
    const { rejects } = await built({ impressions });
    expect(rejects.map(({ position }) => position)).toEqual([10, 11, 12]);
    const values = (await rowsOf(output)).map((row) => [JSON.parse(row).ranking_id, JSON.parse(row).is_order]);
    expect(values).toEqual([true, false, true, false, false, true, false, true].map((value, i) => [`r${i}`, value]));
  });

  test.each(["ndjson", "json", "parquet"] as const)("in %s: true and false only", async (format) => {
    const impressions = putRows("impressions", withOrder(true, false, "true", 0, 1, "1", null), format);
    const { rejects } = await built({ impressions });
    expect(rejects.map(({ position }) => position)).toEqual([3, 4, 5, 6, 7]);
    expect(rejects[0].reason).toBe("impressions: is_order is not a boolean");
  });
});

describe("impressions", () => {
  test.each([
    ["no list", { impressions: { item_id: 1 } }, "impressions: impressions are not a list"],
    ["empty", { impressions: [] }, "impressions: no impressions"],
    ["no JSON", { impressions: "[{" }, "impressions: impressions are not JSON"],
    ["a slot without item", { impressions: [{ is_order: true }] }, "impressions: not a 64-bit integer"],
    ["no date", { dt: "2025-02-30" }, "dt: not a date"],
    ["no ranking_id", { ranking_id: "" }, "ranking_id: no ranking_id"],
  ])("%s: a reject", async (_, change, reason) => {
    const impressions = putRows("impressions", [{ ...TABLES.impressions[0], ...change }, TABLES.impressions[1]]);
    expect((await built({ impressions })).rejects).toEqual([{ table: "impressions", file: impressions, position: 1, reason }]);
  });

  test("a folder's dt and a column dt: only the folder, both agreeing, both disagreeing", async () => {
    const [row] = TABLES.impressions;
    const { dt: _, ...without } = row;
    put("hive/dt=2025-08-03/a.ndjson", textOf([without, row, { ...row, dt: "dt=2025-08-03" }, { ...row, dt: "2025-08-04" }], "ndjson"));
    const { rejects, outcome } = await built({ impressions: join(folder, "hive") });
    expect(rejects).toMatchObject([{ position: 4, reason: "dt: not the one of its folder" }]);
    expect(outcome.quality.rows_by_dt).toEqual({ "2025-08-03": 3 });
  });

  test("a folder that names no day: its rows are rejects", async () => {
    put("hive/dt=2025-08-03/a.ndjson", textOf(TABLES.impressions.slice(0, 1), "ndjson"));
    put("hive/dt=__HIVE_DEFAULT_PARTITION__/a.ndjson", textOf([{ ...TABLES.impressions[0], dt: "2025-08-03" }], "ndjson"));
    expect((await built({ impressions: join(folder, "hive") })).rejects).toHaveLength(1);
  });

  test("none in the dates: exit 2", async () => {
    await refused(2, /no impressions in the dates: of 2 rankings 2 are outside the dates \(of 2025-08-03 to 2025-08-04\)/, {
      dates: "2030-01-01",
    });
    await refused(2, /the impressions have no rows/, { impressions: put("own/impressions.ndjson", "") });
    await refused(2, /no impressions in the dates/, { impressions: put("own/impressions.ndjson", "{}{}\n"), "max-rejects": "100%" });
  });

  test("an item 0 is warned about, and stays", async () => {
    const clicks = putRows("clicks", clicksWith(click({ item_id: 0 })));
    const told = await build({ clicks });
    expect(told).toMatchObject({ code: 0, err: expect.stringMatching(/^warning: clicks: 1 rows? .*item 0.*\n$/) });
    expect(await rowsOf(output)).toContainEqual(expect.stringContaining('"actions":[5,5,0],"action_types":[2,1,1]'));
  });
});

describe("rejects", () => {
  const rows = (bad: number, good: number): Row[] => [
    ...Array.from({ length: good }, () => TABLES.clicks[0]),
    ...Array.from({ length: bad }, () => click({ item_id: "x" })),
  ];

  test.each([
    ["1%", 1, 99, 0],
    ["1%", 2, 98, 3],
    ["29%", 29, 71, 0],
    ["0.57%", 57, 9943, 0],
    ["0.57%", 58, 9942, 3],
    ["0%", 1, 99, 3],
    ["0", 1, 99, 3],
    ["0", 0, 5, 0],
    ["3", 3, 1, 0],
    ["3", 4, 1000, 3],
    ["100%", 5, 1, 0],
  ])("--max-rejects=%s with %d bad and %d good rows: exit %d", async (limit, bad, good, code) => {
    const clicks = putRows("clicks", rows(bad, good));
    expect((await build({ clicks, "max-rejects": limit })).code).toBe(code);
  });

  test("too many: what, how many, why, remedy; the rejects and figures are told all the same", async () => {
    const clicks = putRows("clicks", rows(2, 3));
    const flags = { clicks, rejects: join(folder, "r/rejects.ndjson"), "metrics-json": join(folder, "m/metrics.json") };
    for (const name of ["r", "m"]) mkdirSync(join(folder, name));
    await refused(3, /clicks: 2 of 5 rows are rejects .*, more than --max-rejects=1%\. Look at them with --rejects=FILE/, { clicks });
    await refused(3, /\(2 item_id: not a 64-bit integer\), more than --max-rejects=1%\. Look at them in \S+rejects.ndjson/, flags);
    expect(readFileSync(flags.rejects, "utf8").trim().split("\n")).toHaveLength(2);
    const figures = JSON.parse(readFileSync(flags["metrics-json"], "utf8"));
    expect(figures).toMatchObject({
      error: expect.stringContaining("--max-rejects"),
      rejects: { clicks: { "item_id: not a 64-bit integer": 2 } },
      ledger: { clicks: { rows: 5, rejected: 2, used: 2, "beyond the history length": 1 } },
    });
  });

  test("a published run's figures", async () => {
    await build({ "metrics-json": join(folder, "deep/down/metrics.json") });
    const figures = JSON.parse(readFileSync(join(folder, "deep/down/metrics.json"), "utf8"));
    expect(figures).toMatchObject({
      rows: 2,
      rows_by_dt: { "2025-08-03": 1, "2025-08-04": 1 },
      ledger: { clicks: { rows: 2, used: 2 } },
      warnings: [],
    });
    expect(figures).not.toHaveProperty("error");
  });

  test.each(FORMATS)("positions of %s are those in the file, however it is split", async (format) => {
    const { planSplits: plan } = jest.requireActual("../../pipeline/io/files");
    jest.mocked(planSplits).mockImplementation((table, files) => plan(table, files, 50));
    const ids = (bad: number[]) => (_: unknown, i: number) => (bad.includes(i + 1) ? "x" : "1");
    const [items, configs] = [
      [3, 4, 9],
      [1, 10],
    ].map((bad) => Array.from({ length: 10 }, ids(bad)));
    const all = items.map((item_id, i) => ({ ...click({ item_id, config_id: configs[i] }), occurred_at: "2025-08-01 11:00:00" }));
    const clicks = putRows("clicks", all, format);
    const other = put(`own/more/clicks.${format}`, textOf(all, format));
    const { rejects } = await built({ clicks: join(folder, "own"), "add-to-carts": clicks });
    const header = format === "csv" ? 1 : 0;
    const found = (table: string, file: string) =>
      rejects.filter((r) => r.table === table && r.file === file).map(({ position }) => position - header);
    expect(found("clicks", clicks)).toEqual([3, 4, 9]);
    expect(found("clicks", other)).toEqual([3, 4, 9]);
    expect(found("add_to_carts", clicks)).toEqual([1, 10]);
    jest.mocked(planSplits).mockImplementation(plan);
  });
});

test("a CSV with semicolons", async () => {
  const clicks = put("own/clicks.csv", "customer_id;item_id;click_time\n1;2;2025-08-01 10:00:00\n");
  await refused(2, /found: "customer_id;item_id;click_time"\. That is a header without commas: write/, { clicks });
});

describe("paths", () => {
  test.each(["impressions", "clicks", "add-to-carts", "previous-orders"])("%s: missing, empty folder, left out", async (name) => {
    mkdirSync(join(folder, "empty"));
    await refused(2, /"[^"]*nowhere".* Check the path/i, { [name]: join(folder, "nowhere") });
    await refused(2, /No file of .* Check the path/, { [name]: join(folder, "empty") });
    await refused(2, /No file of .* Check the path/, { [name]: join(folder, "*.nothing") });
    await refused(2, new RegExp(`--${name} is missing`), { [name]: false });
    if (name !== "impressions" && name !== "clicks")
      await refused(2, new RegExp(`--clicks and --${name} are missing\\. Give paths, or none .*--clicks=none`), {
        clicks: false,
        [name]: false,
      });
  });

  test("an output that is a file, lies below one, or holds a file for a partition", async () => {
    const file = put("file", "x");
    await refused(2, /--output must be a folder; ".*" is a file/, { output: file });
    await refused(2, /--output must be a folder; ".*" has a file on its way/, { output: join(file, "a/b") });
    put("out/dt=2025-08-03", "x");
    await refused(2, /out\/dt=2025-08-03 is a file where a partition belongs/);
  });

  const long = "x".repeat(300);
  test.each([
    ["output", long],
    ["output", "y/".repeat(2000)],
    ["temp-dir", long],
    ["rejects", long],
    ["metrics-json", "x".repeat(230)],
    ["report", long],
  ])("--%s with a name that systems do not take", (flag, name) =>
    refused(2, new RegExp(`--${flag} is longer than 3800 bytes, or has a name of more than 2\\d\\d; got `), { [flag]: join(folder, name) }),
  );

  test("an output in a bucket of another service is none", () =>
    refused(2, /--output must be a folder on this machine/, { output: "s3://bucket/out" }));

  test("an output among the inputs would replace them", async () => {
    const day = put("hive/dt=2025-08-03/part-00000-of-00001.ndjson", textOf(TABLES.impressions.slice(0, 1), "ndjson"));
    const impressions = join(folder, "hive");
    await refused(2, /--output is among the files of impressions/, { impressions, output: impressions });
    await refused(2, /--output is among the files of impressions/, { impressions, output: join(impressions, "out") });
    await refused(2, /--output is among the files of impressions/, { impressions: day, output: impressions });
  });

  test("--rejects and --metrics-json are files of their own", async () => {
    const clicks = join(folder, "in/clicks.ndjson");
    const before = readFileSync(clicks);
    for (const name of ["rejects", "metrics-json"]) {
      await refused(2, new RegExp(`--${name} must be a file; .* is a folder`), { [name]: join(folder, "in") });
      await refused(2, new RegExp(`--${name} is one of the files of clicks`), { [name]: clicks });
      await refused(2, new RegExp(`--${name} must be a folder; .* has a file on its way`), { [name]: join(clicks, "a/b") });
    }
    await refused(2, /are the same file/, { rejects: join(folder, "x"), "metrics-json": join(folder, "x") });
    expect(readFileSync(clicks)).toEqual(before);
  });

  test("folders made in vain go again, those above them too", () =>
    refused(2, /no impressions in the dates/, { output: join(folder, "a/b/c"), dates: "2030-01-01" }));

  test("--write-mode=error leaves what is there", async () => {
    await build();
    await refused(2, /partition dt=2025-08-03 exists/, { "write-mode": "error" });
  });

  test.each(["ENOSPC", "EDQUOT"])("a full disk (%s): exit 1, the earlier output as it was", async (code) => {
    await build();
    jest.spyOn(fs, "writeSync").mockImplementation(() => {
      throw Object.assign(new Error(`${code}: no space left on device, write`), { code });
    });
    await refused(1, /the disk is full, so nothing was published\. Free some space/);
  });

  test("a full disk for what does not fit into memory: exit 1, --temp-dir is empty again", async () => {
    jest.spyOn(fs, "writevSync").mockImplementation(() => {
      throw Object.assign(new Error("ENOSPC: no space left on device, writev"), { code: "ENOSPC" });
    });
    const temp = join(folder, "temp");
    fs.mkdirSync(temp);
    await refused(1, /the disk is full, so nothing was published\. Free some space, .*--temp-dir/, {
      "max-memory": "450MB",
      "temp-dir": temp,
    });
    expect(fs.readdirSync(temp)).toEqual([]);
  });

  test("what the machine objects to: exit 1, a stack only with --debug", async () => {
    const fail = () => {
      throw Object.assign(new Error("EIO: i/o error, write"), { code: "EIO" });
    };
    jest.spyOn(fs, "writeSync").mockImplementation(fail);
    await refused(1, /EIO: i\/o error, write\.? \(--debug prints where\)/);
    const told = await build({}, "--debug");
    expect(told).toMatchObject({ code: 1, err: expect.stringMatching(/EIO.*\n +at /s) });
    expect(existsSync(output)).toBe(false);
  });
});

describe("flags", () => {
  test.each([
    [["--bogus=1"], /unknown option --bogus\. See/],
    [["--history-lenght=5"], /unknown option --history-lenght\. Did you mean --history-length\?/],
    [["--ad_to_carts=x"], /Did you mean --add-to-carts\?/],
    [["--constructor"], /unknown option --constructor/],
    [["--no-history-length"], /unknown option --no-history-length/],
    [["--quiet", "--quiet"], /--quiet is given twice\. Give it once/],
    [["--quiet", "--no-quiet"], /--quiet is given twice/],
    [["--history_length=3"], /--history-length is given twice/],
    [["--config=a", "--config=b"], /--config is given twice/],
    [["--dates"], /--dates wants a value\. Write --dates=FROM\.\.TO/],
    [["--dates", "--quiet"], /--dates wants a value/],
    [["--config"], /--config wants a value\. Write --config=FILE/],
    [["-q"], /flags begin with two dashes; got "-q"/],
    [["--=\n"], /flags begin with two dashes; got "--=\\n"\. See --help\./],
    [["--config=\n\u001b[2J"], /--config cannot be read: .*'\\n\\u001b\[2J'\. Check the path\./],
    [["more"], /unexpected argument "more"/],
    [["--quiet=perhaps"], /--quiet must be true or false; got "perhaps"/],
    [["--no-quiet=1"], /--no-quiet takes no value/],
    [["--tables=x"], /--tables must be an array; got "x"/],
    [["--temp-dir=~/data"], /--temp-dir must be a path, with \$HOME in the place of ~, which stays as it is behind =; got "~\/data"/],
    [["--timezone=Europe/Berln"], /such as Europe\/Berlin; got "Europe\/Berln"\. See --help/],
    [["--timezone=America/New_Yrok"], /such as America\/New_York; got/],
    [["--timezone=CEST"], /such as Europe\/Berlin; got "CEST"/],
  ])("%j", (args, says) => refused(2, says, {}, ...args));

  test("all that are missing are told at once", async () => {
    const says = /--impressions and --output are missing\. Write --impressions=PATH --output=FOLDER; --help/;
    await refused(2, says, { impressions: false, output: false });
  });

  const NUMBERS: [string, number, number][] = [
    ["history-length", 1, 100_000],
    ["lookback-days", 0, 1_000_000],
    ["train-days", 1, 100_000],
    ["order-lag-days", 0, 100_000],
    ["shards", 1, 10_000],
    ["row-group-bytes", 1, 2 ** 31],
    ["max-positions", 1, 100_000],
  ];
  test.each(NUMBERS)("--%s is a whole number from %d to %d", async (name, least, most) => {
    await refused(2, new RegExp(`--${name} must be at least ${least}; got "${least - 1}"`), { [name]: String(least - 1) });
    await refused(2, new RegExp(`--${name} must be at most ${most.toLocaleString("en")}; got "${most + 1}"`), { [name]: String(most + 1) });
    for (const bad of ["abc", "", "1.5", "1e1", "0x10", " 7", "7 days", "NaN", "Infinity", "\u0667"])
      await refused(2, new RegExp(`--${name} must be a whole number .*; got `), { [name]: bad });
    expect((await build({ [name]: String(least) })).code).toBe(0);
  });

  test.each([
    ["max-rejects", ["-1", "101%", "abc", "", "0.5", "1e3", "%"], /--max-rejects must be a count such as 100 or a percentage such as 1%/],
    [
      "dates",
      ["x", "2025-02-30", "2025-08-03..", "..", "2025-08-03..x", "2025-08-01..2025-08-02..2025-08-03"],
      /--dates must be FROM\.\.TO/,
    ],
    ["dates", ["2025-08-04..2025-08-03"], /--dates has its days the wrong way round; got "2025-08-04\.\.2025-08-03"\. Write the earlier/],
    ["dates", ["1700-01-01..2199-12-31"], /--dates spans 182621 days/],
    ["timezone", ["Mars/Phobos", "+02:00", "", "Europe"], /--timezone must be an IANA time zone such as Europe\/Berlin/],
    ["time-unit", ["h", ""], /--time-unit must be one of s, ms, us, ns/],
    ["order-time", ["now"], /--order-time must be one of order-date, occurred-at/],
    ["action-clock", ["x"], /--action-clock must be one of time, dt, both/],
    ["write-mode", ["merge"], /--write-mode must be one of overwrite, append, error/],
    ["compression", ["lz4"], /--compression must be one of snappy, zstd, none/],
    ["runner", ["abacus"], /--runner must be /],
    ["columns", ["foo", "", "standard,foo"], /--columns has no column "(foo)?"\. Choose from ranking_id/],
    ["columns", ["item_id,item_id", "standard,item_id", "item_id=x,customer_id=x"], /--columns names "(item_id|x)" twice/],
    ["columns", ["item_id=dt", "dt=day"], /--columns cannot rename/],
    ["columns", ["item_id=", "item_id=a=b"], /--columns must be names of columns, or NAME=NEW_NAME/],
    ["columns", ["dt"], /--columns leaves the files without columns/],
    ["output", [""], /--output must be a path/],
  ])("--%s=%j", async (name, values, says) => {
    for (const value of values) await refused(2, says, { [name]: value });
  });

  test("underscores, --name value, --no-name", async () => {
    const clicks = join(folder, "in/clicks.ndjson");
    const told = await build(
      { clicks: false, "add-to-carts": false, quiet: true },
      "--add_to_carts",
      join(folder, "in/add_to_carts.ndjson"),
      "--clicks",
      clicks,
    );
    expect(told).toEqual({ code: 0, out: "", err: "" });
    expect((await build({}, "--no-quiet", "--no_drop_empty_history")).out).toContain("where every input row ended");
  });

  test("--quiet prints nothing, warnings neither; --json prints one object", async () => {
    const clicks = putRows("clicks", clicksWith(click({ item_id: 0 })));
    expect(await build({ clicks, quiet: true })).toEqual({ code: 0, out: "", err: "" });
    const { out } = await build({ clicks, json: true, quiet: true });
    expect(JSON.parse(out)).toMatchObject({ output, rows: 2, warnings: [expect.stringContaining("item 0")] });
    expect(out.trimEnd()).not.toContain("\n");
  });
});

describe("configuration file", () => {
  const views = { name: "views", type: 4, item: "sku", time: "seen_at", customer: "who" };
  const withConfig = (config: unknown, name = "config.json") => ({
    config: put(name, typeof config === "string" ? config : JSON.stringify(config)),
  });

  test.each([
    [{ historyLenght: 3 }, /unknown option historyLenght in .*config\.json\. Did you mean history-length\?/],
    [{ constructor: 3 }, /unknown option constructor in/],
    [{ quiet: "yes" }, /quiet in .*config\.json must be a boolean; got "yes"/],
    [{ shards: true }, /shards in .*config\.json must be a whole number of files; got true/],
    [{ shards: null }, /shards in .*config\.json must be a whole number of files; got null/],
    [{ shards: [1] }, /shards in .* must be a whole number of files; got \[1\]/],
    [{ time_unit: "ms", "time-unit": "s" }, /time-unit is twice in/],
    [[], /must hold options by name/],
    ["", /is not JSON/],
    ["{", /is not JSON/],
    [{ tables: [{ ...views, type: 2 }] }, /the tables add_to_carts and views both have type 2\. Give each/],
    [{ tables: [views, { ...views, type: 5 }] }, /two tables called views/],
    [{ tables: [{ ...views, name: "impressions" }] }, /cannot be called impressions/],
    [{ tables: [{ ...views, name: "constructor" }] }, /tables\.0\.name in .* must be a name of letters/],
    [{ tables: [{ ...views, type: 128 }] }, /tables\.0\.type in .* must be a whole number from 1 to 127; got 128/],
    [{ tables: [{ ...views, item: "toString" }] }, /tables\.0\.item in .* must be the name of a column/],
    [{ tables: [{ ...views, item: undefined }] }, /tables\.0\.item in .* must be a string; got nothing/],
    [{ tables: [{ ...views, colour: 1 }] }, /tables\.0 in .* has unknown names \(colour\)/],
    [{ tables: [views] }, /the table views has no path\. Add a path/],
  ])("%j", (config, says) => refused(2, says, withConfig(config)));

  test("YAML that is none, and a file that is not there", async () => {
    await refused(2, /config\.yaml is not YAML/, withConfig("a: [1", "config.yaml"));
    await refused(2, /must hold options by name/, withConfig("just text", "config.yml"));
    await refused(2, /--config cannot be read/, { config: join(folder, "nowhere.json") });
  });

  test.each(["json", "yaml"])("renamed columns and an added table, in %s; flags win over it", async (kind) => {
    const renamed = TABLES.clicks.map(({ customer_id, item_id, click_time }) => ({ visitor: customer_id, sku: item_id, at: click_time }));
    const path = putRows("views", [{ who: 1, sku: 9, seen_at: "2025-08-02 00:00:00" }], "csv");
    const config = {
      history_length: 7,
      "lookback-days": "none",
      clicks: putRows("clicks", renamed),
      tables: [
        { name: "clicks", type: 1, customer: "visitor", item: "sku", time: "at" },
        { ...views, path },
      ],
    };
    const yaml = `history_length: 7\nlookback-days: none\nclicks: ${config.clicks}\ntables:\n${config.tables.map((table) => `  - ${JSON.stringify(table)}\n`).join("")}`;
    const { outcome } = await built({ clicks: false, ...withConfig(kind === "json" ? config : yaml, `config.${kind}`) });
    expect(outcome.ledger.views).toMatchObject({ rows: 1, places: { used: 1 } });
    expect(await rowsOf(output)).toContainEqual(expect.stringContaining('"actions":[9,5,5],"action_types":[4,2,1]'));
  });
});

describe("other commands", () => {
  const told = (code: number, says: RegExp) => ({ code, out: "", err: expect.stringMatching(says) });

  test.each(["inspect", "analyse"])("%s of nothing, of what is no output, of no Parquet", async (command) => {
    expect(await call(command)).toEqual(told(2, /wants a path\. Write backstory/));
    expect(await call(command, join(folder, "nowhere"))).toEqual(told(2, /there is no output at/));
    expect(await call(command, join(folder, "in"))).toEqual(told(2, /has no Parquet file/));
    expect(await call(command, put("a.parquet", "hello, hello"))).toEqual(told(3, /cannot be read as Parquet/));
    expect(await call(command, put("b.parquet", parquet(TABLES.clicks)))).toEqual(told(2, /has no column .*; it has customer_id/));
    expect(await call(command, folder, "more")).toEqual(told(2, /unexpected argument "more"/));
    expect(await call(command, folder, "--debugg")).toEqual(told(2, /Did you mean --debug\?/));
  });

  test.each([
    ["--rankings=-1", /--rankings must be at least 0; got "-1"/],
    ["--rankings=1e3", /--rankings must be a whole number; got "1e3"/],
    ["--rankings=", /--rankings must be a whole number; got ""/],
    ["--items=3", /--items must be at least the slots/],
    ["--days=500", /--history-span-days must be at least the days .*; got the default 420/],
    ["--slots=5..1", /--slots must have the smaller number first/],
    ["--format=xml", /--format must be one of ndjson, csv, parquet/],
    ["--first-day=2025-02-30", /--first-day must be a day/],
    ["--first-dya=2025-02-30", /Did you mean --first-day\?/],
  ])("generate %s", async (flag, says) => {
    expect(await call("generate", `--output=${join(folder, "made")}`, flag)).toEqual(told(2, says));
    expect(existsSync(join(folder, "made"))).toBe(false);
  });

  test("generate into a file, or over tables", async () => {
    expect(await call("generate", `--output=${join(folder, "in/clicks.ndjson")}`)).toEqual(told(2, /--output must be a folder/));
    expect(await call("generate", `--output=${join(folder, "in")}`)).toEqual(told(2, /does not write over tables/));
  });

  test("no command, an unknown one, help", async () => {
    expect((await call()).code).toBe(2);
    expect(await call("bild")).toEqual(told(2, /unknown command "bild"\. Did you mean build\? Choose from build,/));
    for (const command of ["build", "generate", "inspect", "analyse"]) {
      const { code, out } = await call(command, "--help");
      expect(code).toBe(0);
      // every flag is followed by a sentence
      expect(out).not.toMatch(/^ {2}--\S+\n(?! {28}\S)/m);
      expect(out).toContain("--debug");
    }
  });
});
