import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { gunzipSync } from "node:zlib";
import { parse } from "csv-parse/sync";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { GenerateOptions, generate } from "../../pipeline/generate";

const SMALL = { rankings: 300, actions: 6_000, customers: 60, items: 500, days: 5, historySpanDays: 30 };
type Options = Parameters<typeof generate>[0];
type Row = Record<string, string>;

let root: string;
let runs = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "generate-"));
});
afterAll(() => rmSync(root, { recursive: true }));

async function run(options: Options = {}) {
  const out = join(root, String(runs++));
  return { out, ...(await generate({ ...SMALL, output: out, ...options })) };
}

const bytesOf = (out: string, files: string[]) =>
  Object.fromEntries(files.map((file) => [relative(out, file), readFileSync(file).toString("base64")]));
const textOf = (file: string) => (file.endsWith(".gz") ? gunzipSync(readFileSync(file)) : readFileSync(file)).toString();

/** Parquet's own types, told as the text files tell them. */
const parsers = {
  timestampFromMicroseconds: (micros: bigint) => {
    const whole = new Date(Number(micros / 1000n)).toISOString().replace("T", " ").slice(0, 19);
    return `${whole}.${String(micros % 1_000_000n).padStart(6, "0")}`;
  },
  dateFromDays: (days: number) => new Date(days * 86_400_000).toISOString().slice(0, 10),
};
const exact = (_: string, value: unknown) => (typeof value === "bigint" ? String(value) : value);

/** An id beyond 2^53 is a number in JSON: quoted here, before JSON.parse makes a double of it. */
const parseJson = (text: string) => JSON.parse(text.replace(/":(-?\d+)/g, '":"$1"'));

async function rowsOf(file: string): Promise<Row[]> {
  if (file.includes(".ndjson")) return textOf(file).split("\n").filter(Boolean).map(parseJson);
  if (file.includes(".csv")) {
    const rows: Row[] = parse(textOf(file), { columns: true });
    return rows.map((row) => (row.impressions ? { ...row, impressions: parseJson(row.impressions) } : row));
  }
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(file), compressors, parsers });
  return JSON.parse(JSON.stringify(rows, exact));
}

/** All rows of a table, each with the dt of its folder. */
async function tableOf(out: string, files: string[], table: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const file of files.filter((each) => relative(out, each).startsWith(table))) {
    const folder = basename(dirname(file));
    const dt: Row = folder.startsWith("dt=") && table !== "previous_orders" ? { dt: folder.slice(3) } : {};
    for (const row of await rowsOf(file)) rows.push({ ...dt, ...row });
  }
  return rows;
}

const TABLES = ["impressions", "clicks", "add_to_carts", "previous_orders"];
const tablesOf = async (out: string, files: string[]) =>
  Object.fromEntries(await Promise.all(TABLES.map(async (table) => [table, await tableOf(out, files, table)] as const)));
const sorted = (tables: Record<string, Row[]>) =>
  Object.fromEntries(Object.entries(tables).map(([table, rows]) => [table, rows.map((row) => JSON.stringify(row)).sort()]));

test.each(["ndjson", "csv", "parquet"] as const)("%s: the same options give the same bytes, another seed gives others", async (format) => {
  const [one, again, other] = [await run({ format }), await run({ format }), await run({ format, seed: 8 })];
  expect(bytesOf(again.out, again.files)).toEqual(bytesOf(one.out, one.files));
  const others = bytesOf(other.out, other.files);
  for (const [file, bytes] of Object.entries(bytesOf(one.out, one.files))) expect(others[file]).not.toBe(bytes);
});

const SHAPES = (["ndjson", "csv", "parquet"] as const).flatMap((format) =>
  (["none", "gzip"] as const).flatMap((compression) => [false, true].map((hive) => ({ format, compression, hive }))),
);

test.each(SHAPES)("$format, compression $compression, hive $hive carry the same rows", async (shape) => {
  const plain = await run({ wideIds: true });
  const { out, files, rows } = await run({ wideIds: true, ...shape });
  const tables = await tablesOf(out, files);
  expect(sorted(tables)).toEqual(sorted(await tablesOf(plain.out, plain.files)));
  for (const table of TABLES) expect(tables[table]).toHaveLength(rows[table as keyof typeof rows]);
});

test("columns are those of the input tables, in their order", async () => {
  const { out, files } = await run();
  const tables = await tablesOf(out, files);
  expect(TABLES.map((table) => Object.keys(tables[table][0]))).toEqual([
    ["dt", "ranking_id", "customer_id", "impressions"],
    ["dt", "customer_id", "item_id", "click_time"],
    ["dt", "customer_id", "config_id", "simple_id", "occurred_at"],
    ["order_date", "customer_id", "config_id", "simple_id", "occurred_at"],
  ]);
});

test("there are as many rankings and actions as asked for, and slots within their range", async () => {
  const { out, files, rows, slots } = await run({ slots: "2..4", actions: 5_001 });
  expect(rows.impressions).toBe(300);
  expect(rows.clicks + rows.add_to_carts + rows.previous_orders).toBe(5_001);
  const counts = (await tableOf(out, files, "impressions")).map((row) => row.impressions.length);
  expect([...new Set(counts)].sort()).toEqual([2, 3, 4]);
  expect(slots).toBe(counts.reduce((a, b) => a + b, 0));
});

test("the trap: every ordered slot has a click, an add-to-cart and an order of that day, in this order of time", async () => {
  const { out, files } = await run();
  const tables = await tablesOf(out, files);
  const times = new Map<string, Record<string, string>>();
  const note = (row: Row, item: string, kind: string, time: string) => {
    const key = `${row.customer_id} ${item} ${time.slice(0, 10)}`;
    times.set(key, { ...times.get(key), [kind]: time });
  };
  for (const row of tables.clicks) note(row, row.item_id, "click", row.click_time);
  for (const row of tables.add_to_carts) note(row, row.config_id, "cart", row.occurred_at);
  for (const row of tables.previous_orders) {
    expect(row.order_date).toBe(row.occurred_at.slice(0, 10));
    note(row, row.config_id, "order", row.occurred_at);
  }
  let ordered = 0;
  for (const row of tables.impressions) {
    for (const slot of row.impressions as unknown as { item_id: string; is_order: boolean }[]) {
      if (!slot.is_order) continue;
      ordered++;
      expect(times.get(`${row.customer_id} ${slot.item_id} ${row.dt}`)).toEqual({
        click: expect.any(String),
        cart: expect.any(String),
        order: expect.any(String),
      });
    }
  }
  expect(ordered).toBeGreaterThan(30);
  expect(ordered).toBeLessThan(300);
});

test("with few actions no slot is ordered that has no order behind it", async () => {
  const { out, files, rows } = await run({ actions: 4 });
  const slots = (await tableOf(out, files, "impressions")).flatMap((row) => row.impressions as unknown as { is_order: boolean }[]);
  expect(slots.filter((slot) => slot.is_order).length).toBe(rows.previous_orders);
});

test("few customers and items have most of the traffic, and it grows towards the present", async () => {
  const { out, files } = await run({ actions: 40_000, customers: 2_000, items: 10_000 });
  const clicks = await tableOf(out, files, "clicks");
  const shareOfTop = (column: string, top: number) => {
    const counts = new Map<string, number>();
    for (const row of clicks) counts.set(row[column], (counts.get(row[column]) ?? 0) + 1);
    const largest = [...counts.values()].sort((a, b) => b - a).slice(0, top);
    return largest.reduce((a, b) => a + b, 0) / clicks.length;
  };
  expect(shareOfTop("customer_id", 200)).toBeGreaterThan(0.4);
  expect(shareOfTop("customer_id", 200)).toBeLessThan(0.7);
  expect(shareOfTop("item_id", 1_000)).toBeGreaterThan(0.4);
  // 30 days to 2025-08-08: the first half ends with 2025-07-23
  const early = clicks.filter((row) => row.click_time < "2025-07-24").length / clicks.length;
  expect(early).toBeGreaterThan(0.32);
  expect(early).toBeLessThan(0.38);
});

test("days are where they were asked for; some rows are late, none is early", async () => {
  const { out, files } = await run({ firstDay: "2024-02-28", days: 3, historySpanDays: 10 });
  const tables = await tablesOf(out, files);
  expect([...new Set(tables.impressions.map((row) => row.dt))].sort()).toEqual(["2024-02-28", "2024-02-29", "2024-03-01"]);
  const times = [...tables.clicks.map((row) => row.click_time), ...tables.previous_orders.map((row) => row.occurred_at)].sort();
  expect(times[0] >= "2024-02-21").toBe(true);
  expect(times[times.length - 1] < "2024-03-02").toBe(true);
  const days = tables.clicks.map((row) => (Date.parse(row.dt) - Date.parse(row.click_time.slice(0, 10))) / 86_400_000);
  expect([...new Set(days)].sort()).toEqual([0, 1, 2, 3]);
  expect(days.filter((late) => late > 0).length / days.length).toBeLessThan(0.03);
});

test("some customers act and are never shown an impression, some are shown one and never act", async () => {
  const { out, files } = await run();
  const tables = await tablesOf(out, files);
  const shown = new Set(tables.impressions.map((row) => row.customer_id));
  const acting = new Set(["clicks", "add_to_carts", "previous_orders"].flatMap((table) => tables[table].map((row) => row.customer_id)));
  expect([...acting].some((customer) => !shown.has(customer))).toBe(true);
  expect([...shown].some((customer) => !acting.has(customer))).toBe(true);
});

test("ids beyond 2^53 come with wideIds only, and some of them would be one as doubles", async () => {
  const idsOf = async (wideIds: boolean) => {
    const { out, files } = await run({ wideIds });
    return [...new Set((await tableOf(out, files, "clicks")).flatMap((row) => [row.customer_id, row.item_id]))];
  };
  expect((await idsOf(false)).every((id) => Number.isSafeInteger(Number(id)))).toBe(true);
  const wide = (await idsOf(true)).filter((id) => !Number.isSafeInteger(Number(id)));
  expect(wide.some((id) => id.startsWith("-")) && wide.some((id) => id.startsWith("9"))).toBe(true);
  expect(new Set(wide.map(Number)).size).toBeLessThan(wide.length);
});

test("one customer, or nothing at all, is a workload too", async () => {
  const one = await run({ customers: 1, items: 15 });
  expect(one.rows.impressions).toBe(300);
  for (const format of ["ndjson", "csv", "parquet"] as const) {
    const none = await run({ rankings: 0, actions: 0, format });
    expect((await Promise.all(none.files.map(rowsOf))).flat()).toEqual([]);
    expect(none.files).toHaveLength(4);
  }
});

test("tables of an earlier run are replaced when told so, and never added to; other files stay", async () => {
  const { out } = await run({ hive: true });
  writeFileSync(join(out, "clicks.md"), "mine");
  await expect(generate({ ...SMALL, output: out })).rejects.toThrow("does not write over tables");
  const { files } = await generate({ ...SMALL, output: out, format: "csv", overwrite: true });
  expect(files.map((file) => relative(out, file))).toEqual(TABLES.map((table) => `${table}.csv`));
  await expect(generate({ ...SMALL, output: out, hive: true })).rejects.toThrow("--overwrite");
  expect(readFileSync(join(out, "clicks.md"), "utf8")).toBe("mine");
});

test.each([
  [{ slots: "5..3" }, "slots"],
  [{ slots: "0..3" }, "slots"],
  [{ items: 14 }, "items"],
  [{ days: 15, historySpanDays: 14 }, "historySpanDays"],
  [{ firstDay: "2025-02-30" }, "firstDay"],
  [{ rankings: "many" }, "rankings"],
  [{ actions: 1.5 }, "actions"],
])("%j is refused", async (options, path) => {
  expect(GenerateOptions.safeParse(options).error?.issues[0].path).toEqual([path]);
});

test("every option has a description and a default", () => {
  const { output: out, ...others } = GenerateOptions.parse({});
  expect(out).toBe("workload");
  for (const name of Object.keys(others)) expect(GenerateOptions.shape[name as "seed"].description).toEqual(expect.stringMatching(/.{10}/));
});
