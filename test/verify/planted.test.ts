/** Errors planted in an output, each found and called by its name. */
import { appendFileSync, cpSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { click, ranking } from "../events";
import { ndjson } from "../graphs";
import { buildTo, forget, type ParquetFile, type Row, readFile, verified, writeFile, writeInputs } from "./outputs";

jest.setTimeout(300_000);

const folder = mkdtempSync(join(tmpdir(), "backstory-planted-"));
const built = join(folder, "built");
const output = join(folder, "out");
let inputs: string[];
let flags: string[];

const DT = "2025-08-16";
const FILE = `dt=${DT}/part-00000-of-00001.parquet`;

beforeAll(async () => {
  inputs = writeInputs(folder, {
    impressions: {
      "all.ndjson": ndjson([
        ranking(DT, "a", 1001, 5, 6, 7),
        ranking(DT, "b", 1001, 8),
        ranking(DT, "c", 1002, 9, 10),
        ranking(DT, "d", 1003, 5, 6),
        ranking("2025-08-17", "e", 1001, 5),
      ]),
    },
    clicks: {
      "all.ndjson": ndjson([
        click(1001, 7011, "2025-08-12 10:00:00"),
        click(1001, 7012, "2025-08-13 10:00:00"),
        click(1001, 7013, "2025-08-14 10:00:00"),
        click(1001, 7014, "2025-08-15 23:59:59.999999"),
        click(1001, 7015, "2025-08-16 00:00:00"),
        click(1001, 7016, "2025-08-17 00:00:00"),
        click(1001, 7001, "2024-08-15 23:59:59"),
        ...Array.from({ length: 8 }, (_, i) => click(1002, 7100 + i, `2025-08-0${i + 1} 10:00:00`)),
      ]),
    },
    add_to_carts: { "all.ndjson": ndjson([{ customer_id: 1001, config_id: 7021, occurred_at: "2025-08-13 10:00:00" }]) },
    previous_orders: { "all.ndjson": ndjson([{ customer_id: 1001, config_id: 7031, order_date: "2025-08-16" }]) },
  });
  flags = [...inputs, "--history-length=6", "--columns=standard,+length,+times"];
  await buildTo(built, flags);
  forget(built);
});
beforeEach(() => cpSync(built, output, { recursive: true }));
afterEach(() => rmSync(output, { recursive: true, force: true }));
afterAll(() => rmSync(folder, { recursive: true }));

const recompute = (sample = "all") => verified(output, [...flags, `--sample=${sample}`]);

/** Writes the file of DT anew. */
async function tamper(change: (file: ParquetFile) => void): Promise<void> {
  const file = await readFile(join(output, FILE));
  change(file);
  writeFile(join(output, FILE), file);
}

/** The rows of a customer; all of them share what is done to their lists. */
const rowsOf = ({ rows }: ParquetFile, customer: bigint): Row[] => rows.filter((row) => row.customer_id === customer);
const lists = ["actions", "action_types", "action_times"] as const;
type Lists = { actions: bigint[]; action_types: number[]; action_times: bigint[] };
const each = (rows: Row[], change: (lists: Lists) => void) => {
  for (const row of rows) change(row as unknown as Lists);
};
const micros = (text: string) => BigInt(Date.parse(text)) * 1000n;
/** Puts an action into a history, which keeps its length. */
const put = (rows: Row[], position: number, item: bigint, type: number, time: string) =>
  each(rows, (row) => {
    row.actions.splice(position, 0, item);
    row.action_types.splice(position, 0, type);
    row.action_times.splice(position, 0, micros(time));
    for (const list of lists) row[list].pop();
  });
const drop = (rows: Row[], position: number) =>
  each(rows, (row) => {
    for (const list of lists) {
      (row[list] as unknown[]).splice(position, 1);
      (row[list] as unknown[]).push(list === "action_types" ? 0 : 0n);
    }
  });
const swap = (array: unknown[], a: number, b: number) => {
  [array[a], array[b]] = [array[b], array[a]];
};

const swapAll = (row: Lists, a: number, b: number) => {
  for (const list of lists) swap(row[list], a, b);
};

test("the output as it was built has no difference", async () => {
  const report = await recompute();
  expect(report).toMatchObject({ differences: 0, findings: [], checked: { partitions: 2, files: 2, rows: 9 } });
  expect(report.checked.runs).toEqual([{ run: null, customers: 3, all: true, rows: 9 }]);
});

// biome-ignore format: a table
const PLANTED: [name: string, kind: string, change: (file: ParquetFile) => void, position?: number][] = [
  ["an event of the same day", "action of the same day", (file) => put(rowsOf(file, 1001n), 0, 7015n, 1, "2025-08-16T00:00:00Z"), 0],
  ["an order of the same day", "action of the same day", (file) => put(rowsOf(file, 1001n), 0, 7031n, 3, "2025-08-16T00:00:00Z"), 0],
  ["an event of a later day", "action after the cutoff", (file) => put(rowsOf(file, 1001n), 0, 7016n, 1, "2025-08-17T00:00:00Z"), 0],
  ["an event of before the lookback", "action before the lookback", (file) => put(rowsOf(file, 1001n), 5, 7001n, 1, "2024-08-15T23:59:59Z"), 5],
  ["an event that nobody has", "unknown action", (file) => put(rowsOf(file, 1001n), 5, 9999n, 1, "2025-08-10T00:00:00Z"), 5],
  ["an event twice", "duplicate action", (file) => put(rowsOf(file, 1001n), 5, 7011n, 1, "2025-08-12T10:00:00Z"), 5],
  ["one missing", "missing action", (file) => drop(rowsOf(file, 1001n), 1), 1],
  ["the last one missing", "missing action", (file) => drop(rowsOf(file, 1001n), 4), 4],
  ["one beyond the length", "action beyond the history length", (file) => { drop(rowsOf(file, 1002n), 0); put(rowsOf(file, 1002n), 5, 7101n, 1, "2025-08-02T10:00:00Z"); }, 5],
  ["two swapped", "swapped actions", (file) => each(rowsOf(file, 1001n), (row) => swapAll(row, 0, 1)), 0],
  ["two equal in time swapped", "swapped actions", (file) => each(rowsOf(file, 1001n), (row) => swapAll(row, 2, 3)), 2],
  ["three turned round", "wrong order of actions", (file) => each(rowsOf(file, 1001n), (row) => { swapAll(row, 0, 1); swapAll(row, 1, 2); }), 0],
  ["a wrong pad", "wrong pad", (file) => each(rowsOf(file, 1001n), (row) => (row.actions[5] = 5n)), 5],
  ["a pad with a time", "wrong pad", (file) => each(rowsOf(file, 1001n), (row) => (row.action_times[5] = 5n)), 5],
  ["a pad within", "wrong pad", (file) => each(rowsOf(file, 1001n), (row) => (row.action_types[2] = 0)), 2],
  ["an action behind the pads", "wrong pad", (file) => each(rowsOf(file, 1003n), (row) => (row.action_types[5] = 1)), 5],
  ["another type", "wrong type", (file) => each(rowsOf(file, 1001n), (row) => (row.action_types[0] = 2)), 0],
  ["a type of no table", "wrong type", (file) => each(rowsOf(file, 1001n), (row) => (row.action_types[0] = 99)), 0],
  ["another item", "wrong item", (file) => each(rowsOf(file, 1001n), (row) => (row.actions[0] = 1n)), 0],
  ["another time", "wrong time", (file) => each(rowsOf(file, 1001n), (row) => (row.action_times[0] -= 1n)), 0],
  ["a list that is too short", "wrong length", (file) => each(rowsOf(file, 1001n), (row) => void row.actions.pop())],
  ["another history for one row of a customer", "two histories", (file) => drop(rowsOf(file, 1001n).slice(2), 1)],
  ["a duplicate row", "duplicate row", ({ rows }) => void rows.splice(1, 0, rows[0])],
  ["a duplicate row of a last slot", "duplicate row", ({ rows }) => { const at = rows.findIndex((row) => row.ranking_id === "d" && row.impression_index === 1); rows.splice(at, 0, rows[at]); }],
  ["a row missing", "missing row", ({ rows }) => void rows.splice(3, 1)],
  ["a row of another ranking", "row of another run", (file) => void (rowsOf(file, 1001n)[0].ranking_id = "zz")],
  ["a row of another customer", "row of another run", ({ rows }) => void (rows[0].customer_id = 5n)],
  ["a wrong label", "wrong is_order", ({ rows }) => void (rows[0].is_order = !rows[0].is_order)],
  ["a wrong item in the slot", "wrong item", ({ rows }) => void (rows[0].item_id = rows[0].impressions = 4321n)],
  ["impressions unlike item_id", "wrong impressions", ({ rows }) => void (rows[0].impressions = 4321n)],
  ["rows in another order", "order of rows", ({ rows }) => void rows.push(rows.shift()!)],
  ["slots in another order", "order of slots", (file) => swap(file.rows, file.rows.findIndex((row) => row.ranking_id === "a"), file.rows.findIndex((row) => row.ranking_id === "a") + 2)],
  ["a wrong history_length", "wrong history_length", ({ rows }) => void (rows[0].history_length = 1)],
  ["another type of column", "wrong schema", ({ schema }) => void (schema.find(({ name }) => name === "impression_index")!.type = "INT64")],
  ["a column that may be null", "wrong schema", ({ schema }) => void (schema.find(({ name }) => name === "item_id")!.repetition_type = "OPTIONAL")],
  ["a column of another name", "wrong schema", ({ schema, rows }) => { schema.find(({ name }) => name === "item_id")!.name = "item"; for (const row of rows) row.item = row.item_id; }],
];

test.each(PLANTED)("%s is found: %s", async (...[, kind, change, position]) => {
  await tamper((file) => {
    change(file);
    if (file.schema.some(({ name, type }) => name === "impression_index" && type === "INT64"))
      for (const row of file.rows) row.impression_index = BigInt(row.impression_index as number);
  });
  const { findings, differences } = await recompute();
  expect(differences).toBeGreaterThan(0);
  expect(findings.map((finding) => finding.kind)).toContain(kind);
  const finding = findings.find((each) => each.kind === kind && each.position === position)!;
  expect(finding).toMatchObject({ dt: DT, ...(kind === "missing row" ? {} : { file: FILE }) });
});

test("what is wrong in itself is found without the inputs, and a leak where the times are there", async () => {
  await tamper((file) => {
    put(rowsOf(file, 1001n), 0, 7015n, 1, "2025-08-16T00:00:00Z");
    each(rowsOf(file, 1002n), (row) => (row.action_types[5] = 0));
    file.rows.reverse();
  });
  const { counts, unchecked } = await verified(output);
  expect(Object.keys(counts)).toEqual(expect.arrayContaining(["wrong pad", "order of rows"]));
  expect(unchecked).toHaveLength(2);
});

test("a difference says where it is in the output and in the inputs, and no value of a customer unless asked", async () => {
  await tamper((file) => {
    put(rowsOf(file, 1001n), 0, 7015n, 1, "2025-08-16T00:00:00Z");
    rowsOf(file, 1002n)[0].item_id = 4321n;
  });
  const clicks = inputs[1].replace("--clicks=", "");
  const report = await recompute();
  const rows = (await readFile(join(output, FILE))).rows;
  expect(report.findings.find(({ kind }) => kind === "action of the same day")).toEqual({
    kind: "action of the same day",
    message: "a leak: its time is on the dt itself; it must not be in the history",
    file: FILE,
    dt: DT,
    row: rows.findIndex((row) => row.customer_id === 1001n) + 1,
    position: 0,
    input: `${clicks}/all.ndjson:5`,
  });
  expect(JSON.stringify(report)).not.toMatch(/7015|4321|1001|1002/);
  const told = await verified(output, [...flags, "--sample=all", "--show-values"]);
  expect(JSON.stringify(told, (_, value) => (typeof value === "bigint" ? String(value) : value))).toMatch(/7015/);
});

// biome-ignore format: a table
const FILES: [name: string, kind: string, change: () => void | Promise<void>][] = [
  ["a truncated file", "broken file", () => truncateSync(join(output, FILE), 1000)],
  ["an empty file", "broken file", () => truncateSync(join(output, FILE), 0)],
  ["a file that is no Parquet", "broken file", () => writeFileSync(join(output, FILE), "nonsense".repeat(100))],
  ["a file of a run with other shards", "files of two runs", async () => {
    await buildTo(join(folder, "other"), [...flags, "--shards=2"]);
    cpSync(join(folder, "other", `dt=${DT}`), join(output, `dt=${DT}`), { recursive: true });
  }],
  ["a file given another name", "row in the wrong file", async () => {
    await buildTo(join(folder, "two"), [...flags, "--shards=2"]);
    rmSync(join(output, `dt=${DT}`), { recursive: true });
    cpSync(join(folder, "two", `dt=${DT}`), join(output, `dt=${DT}`), { recursive: true });
    renameSync(join(output, `dt=${DT}/part-00000-of-00002.parquet`), join(output, `dt=${DT}/x`));
    renameSync(join(output, `dt=${DT}/part-00001-of-00002.parquet`), join(output, `dt=${DT}/part-00000-of-00002.parquet`));
    renameSync(join(output, `dt=${DT}/x`), join(output, `dt=${DT}/part-00001-of-00002.parquet`));
  }],
  ["a file of a run of other inputs", "row of another run", async () => {
    const rows = [ranking(DT, "zz", 1001, 5), ranking(DT, "y", 1005, 5)];
    const others = writeInputs(folder, { impressions: { "all.ndjson": ndjson(rows) } });
    await buildTo(join(folder, "others"), [...others, "--history-length=6", "--columns=standard,+length,+times"]);
    cpSync(join(folder, "others", FILE), join(output, FILE));
  }],
  ["no _SUCCESS", "no _SUCCESS", () => rmSync(join(output, `dt=${DT}/_SUCCESS`))],
  ["no top _SUCCESS", "no _SUCCESS", () => rmSync(join(output, "_SUCCESS"))],
  ["a missing partition", "missing partition", () => rmSync(join(output, `dt=${DT}`), { recursive: true })],
  ["a missing file", "missing partition", () => rmSync(join(output, FILE))],
  ["a folder of no day", "unknown folder", () => renameSync(join(output, `dt=${DT}`), join(output, "dt=2025-02-30"))],
];

test.each(FILES)("%s is found: %s", async (_, kind, change) => {
  await change();
  expect(Object.keys((await recompute()).counts)).toContain(kind);
  expect((await recompute("1")).differences).toBeGreaterThan(0);
});

test("a sample of one customer sees that slots of others are missing or too many, though not which", async () => {
  await tamper(({ rows }) => void rows.pop());
  expect((await recompute("1")).counts).toMatchObject({ "slots of a dt": 1 });
  cpSync(built, output, { recursive: true });
  await tamper(({ rows }) => void (rows[0].is_order = rows[1].is_order = !rows[0].is_order));
  expect((await recompute("1")).counts).toMatchObject({ "slots of a dt": 1 });
});

test("inputs that have more than the run saw are told as missing", async () => {
  const clicks = join(inputs[1].replace("--clicks=", ""), "all.ndjson");
  const before = readFileSync(clicks);
  appendFileSync(clicks, `${JSON.stringify(click(1003, 7777, "2025-08-15 10:00:00"))}\n`);
  const { counts } = await recompute();
  writeFileSync(clicks, before);
  expect(counts).toMatchObject({ "missing action": 1 });
});
