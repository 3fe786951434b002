/** The readers of verify, which share nothing with those of the build. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { generate } from "../../pipeline/generate";
import { BrokenFile } from "../../pipeline/io/rows";
import { type Cell, Day, Instant, type RawRow } from "../../verify/inputs/cells";
import { csvRows, recordAt } from "../../verify/inputs/csv";
import { findRawFiles } from "../../verify/inputs/files";
import { jsonArrayRows, ndjsonRows, parseJson } from "../../verify/inputs/json";
import { parquetRows } from "../../verify/inputs/parquet";
import { cases } from "../cases";
import { ndjson } from "../graphs";
import { csvFile } from "../pipeline/csvcases";
import { gatherFile } from "../pipeline/io/gather";
import { parquetFile } from "../pipeline/parquetcases";
import { SLOW } from "../suite";
import { buildTo, flagsOf, type Inputs, TABLES, verified, writeInputs } from "./outputs";

jest.setTimeout(300_000);

const folder = mkdtempSync(join(tmpdir(), "backstory-verify-inputs-"));
afterAll(() => rmSync(folder, { recursive: true }));
const RUNS = Number(process.env.VERIFY_CASES ?? (SLOW ? 40 : 3));

const FIXTURES = join(__dirname, "../fixtures/parquet-in");
const names = readdirSync(FIXTURES).flatMap((name) => /^(.*)\.parquet$/.exec(name)?.[1] ?? []);

/** A cell as the fixtures' .json writes it. */
function written(cell: Cell): unknown {
  if (cell === undefined) return { missing: 1 };
  if (typeof cell === "bigint") return Number.isSafeInteger(Number(cell)) ? Number(cell) : { bigint: String(cell) };
  if (typeof cell === "number") return Number.isSafeInteger(cell) ? cell : { nan: 1 };
  if (cell instanceof Day) return { day: cell.day };
  if (cell instanceof Instant) return { micros: String(cell.micros), wall: cell.wall };
  if (Array.isArray(cell)) return cell.map(written);
  if (cell === null || typeof cell !== "object") return cell;
  return Object.fromEntries(Object.entries(cell).map(([name, value]) => [name, written(value)]));
}

async function all(batches: AsyncIterable<RawRow[]>): Promise<RawRow[]> {
  const rows: RawRow[] = [];
  for await (const batch of batches) rows.push(...batch);
  return rows;
}

/** A list without elements is as good as none: both are rejects. */
const noEmptyLists = (cell: unknown) => (Array.isArray(cell) && cell.length === 0 ? null : cell);

test.each(names)("%s.parquet", async (name) => {
  const { columns, rows } = JSON.parse(readFileSync(join(FIXTURES, `${name}.json`), "utf8")) as { columns: string[]; rows: unknown[] };
  const [file] = await findRawFiles(join(FIXTURES, `${name}.parquet`), "fixtures");
  const found = await all(parquetRows(file, columns));
  expect(
    found.map((row) => ("fault" in row ? { reject: row.fault } : columns.map((column) => noEmptyLists(written(row.cells[column]))))),
  ).toEqual(rows.map((row) => (Array.isArray(row) ? row.map(noEmptyLists) : row)));
});

// biome-ignore format: a table
test.each<[string, Cell]>([
  ['{"a":9223372036854775807}', { a: 9223372036854775807n }],
  ['{"a" : -9007199254740993 }', { a: -9007199254740993n }],
  ['[1, 1.0, 1e3, -0, 1E2, 12345678901234567890123]', [1, NaN, NaN, -0, NaN, NaN]],
  ['{"a":"x\\":1.5"}', { a: 'x":1.5' }],
  ['{"a":1,"a":2}', { a: 2 }],
  ["[".repeat(64) + "]".repeat(64), JSON.parse("[".repeat(64) + "]".repeat(64))],
  ["[".repeat(65) + "]".repeat(65), undefined],
  [`{"a":"${"[".repeat(200)}"}`, { a: "[".repeat(200) }],
  ['{"a":"\\ud800"}', undefined],
  ['{"a":"\\ud800","a":"b"}', { a: "b" }],
  ['{"a":"\\ud83d\\ude00"}', { a: "\u{1F600}" }],
  ['{"a":NaN}', undefined],
  ['{"a":01}', undefined],
  ['{"a":1,}', undefined],
])("JSON %s", (text, expected) => expect(parseJson(text)).toEqual(expected));

const rowsAt = async (name: string, content: string | Uint8Array) => {
  writeFileSync(join(folder, name), content);
  const [file] = await findRawFiles(join(folder, name), "clicks");
  const read = { json: jsonArrayRows, csv: csvRows, ndjson: ndjsonRows, parquet: ndjsonRows }[file.format];
  const rows = await all(read(file));
  return rows.map((row) => ("fault" in row ? [row.position, row.fault] : [row.position, row.cells]));
};

test("lines: byte order mark, CRLF, blank lines, no line feed at the end, what is not UTF-8, packings", async () => {
  const text = Buffer.from('\ufeff{"a":1}\r\n\n \t\n{"a":"é"}\n"x"\n{"a":"?"}\n{"a":3}');
  text[text.indexOf("?")] = 0xff;
  const expected = [
    [1, { a: 1 }],
    [4, { a: "é" }],
    [5, "not an object"],
    [6, "not JSON"],
    [7, { a: 3 }],
  ];
  expect(await rowsAt("a.ndjson", text)).toEqual(expected);
  expect(await rowsAt("a.ndjson.gz", Buffer.concat([gzipSync(text.subarray(0, 9)), gzipSync(text.subarray(9))]))).toEqual(expected);
  expect(await rowsAt("a.ndjson.zst", Buffer.concat([zstdCompressSync(text.subarray(0, 9)), zstdCompressSync(text.subarray(9))]))).toEqual(
    expected,
  );
  expect(await rowsAt("sniffed", gzipSync(text))).toEqual(expected);
  await expect(rowsAt("cut.ndjson.gz", gzipSync(text).subarray(0, 30))).rejects.toThrow(BrokenFile);
});

test("a broken page ends reading, and no column that fails after the first ends the process", async () => {
  const bytes = readFileSync(join(__dirname, "../fuzz/corpus/parquet/cdb195f60cee"));
  writeFileSync(join(folder, "broken.parquet"), bytes);
  const [file] = await findRawFiles(join(folder, "broken.parquet"), "clicks");
  const columns = ["customer_id", "item_id", "click_time", "impressions"];
  await expect(all(parquetRows(file, columns))).rejects.toThrow(BrokenFile);
});

test("an array: elements however they are set, those that are no rows, and what is no array", async () => {
  expect(await rowsAt("a.json", '\ufeff [ {"a":"]"} ,\n{"a":{"b":[1,2]}},3 ]\n')).toEqual([
    [1, { a: "]" }],
    [2, { a: { b: [1, 2] } }],
    [3, "not an object"],
  ]);
  expect(await rowsAt("a.json", '[{"a":"\u00c0\u20ac\u{1F600}"}]')).toEqual([[1, { a: "\u00c0\u20ac\u{1F600}" }]]);
  const long = "x".repeat(5 << 20);
  expect(await rowsAt("a.json", `[{"a":"${long}"},{"a":1}]`)).toEqual([
    [1, { a: long }],
    [2, { a: 1 }],
  ]);
  expect(await rowsAt("b.json", "[]")).toEqual([]);
  for (const broken of ["[1", "[1,]", "[1] 2", "[1 2]", "[,1]"]) await expect(rowsAt("c.json", broken)).rejects.toThrow(BrokenFile);
});

/** Builds and verifies; a build that refuses its inputs has nothing to verify. */
async function agree(inputs: Inputs, options: Record<string, string>): Promise<void> {
  const output = mkdtempSync(join(folder, "out-"));
  const flags = [...writeInputs(folder, inputs), ...flagsOf(options)];
  const outcome = await buildTo(output, flags).catch((error: Error & { exitCode?: number }) => error);
  if (outcome instanceof Error) {
    expect([2, 3]).toContain((outcome as { exitCode?: number }).exitCode);
    return;
  }
  expect((await verified(output, [...flags, "--sample=all"])).findings).toEqual([]);
}

/** Rankings that find the customers of the other tables. */
const shown = cases.map(({ impressions }) => ({ "all.ndjson": impressions.join("\n") }));
const zones = fc.constantFrom("UTC", "Europe/Berlin", "America/Sao_Paulo");
const units = fc.constantFrom<Record<string, string>>({}, { "time-unit": "s" }, { "time-unit": "us" }, { "time-unit": "ns" });

/** Bytes that mean something to CSV, and some that do not; half of all files have a header that can be read. */
const anyCsv = fc
  .tuple(fc.boolean(), fc.array(fc.constantFrom(...'"",,\n\n\r1x \u00e9\u00ff\u00c3\u00a9\u00ef\u00bb\u00bf'), { maxLength: 40 }))
  .map(([headed, parts]) => Buffer.from(`${headed ? "a,b\n" : ""}${parts.join("")}`, "latin1"));

/** A reader's rows, or that there are none. */
const orBroken = <T>(rows: Promise<T>) => rows.catch((error) => expect(error).toBeInstanceOf(BrokenFile));

test("any bytes as CSV: the rows, their lines and their faults are those of the build's careful reader", () =>
  fc.assert(
    fc.asyncProperty(anyCsv, async (bytes) => {
      const path = join(folder, "any.csv");
      writeFileSync(path, bytes);
      const found = await orBroken(rowsAt("any.csv", bytes));
      const expected = await orBroken(gatherFile(path, ["a", "b"]));
      if (expected === undefined || found === undefined) return expect(found).toBe(expected);
      const cells = (row: unknown) => [(row as { a?: Cell }).a, (row as { b?: Cell }).b];
      expect(found.map(([position, row]) => [position, typeof row === "string" ? row : cells(row)])).toEqual(
        expected.rows.map(({ position, reject, cells }) => [position, reject ?? cells]),
      );
    }),
    { numRuns: SLOW ? 10_000 : 300 },
  ));

test("a CSV record is found in what follows it, and in no part of itself", () =>
  fc.assert(
    fc.property(anyCsv, fc.nat(40), (bytes, length) => {
      const text = bytes.toString("latin1");
      const whole = recordAt(text, 0, true)!;
      const part = recordAt(text.slice(0, length), 0, false);
      if (part !== undefined) expect(part).toEqual(whole);
      else if (whole.cells !== null && text[whole.end - 1] === "\n") expect(length).toBeLessThan(whole.end);
    }),
    { numRuns: SLOW ? 20_000 : 1000 },
  ));

test("CSV records longer than what is read at once, and a quote that is never closed", async () => {
  const long = "x\n".repeat(1 << 20);
  expect(await rowsAt("long.csv", `a,b\n1,"${long}"\n"1"2,"${long}"\n3,4\n5,"${long}`)).toEqual([
    [2, { a: "1", b: long }],
    [(1 << 20) + 3, "not CSV"],
    [(2 << 20) + 4, { a: "3", b: "4" }],
    [(2 << 20) + 5, "not CSV"],
  ]);
});

test("CSV, plain and odd, is read as the build reads it", () =>
  fc.assert(
    fc.asyncProperty(
      fc.tuple(...TABLES.map(csvFile)),
      shown,
      fc.boolean(),
      zones,
      units,
      async (files, impressions, odd, timezone, unit) => {
        const inputs: Inputs = Object.fromEntries(files.map(({ table, lines }) => [table, { "a.csv": lines.join("\n") }]));
        await agree(odd ? inputs : { ...inputs, impressions }, { timezone, "history-length": "5", ...unit });
      },
    ),
    { numRuns: RUNS, interruptAfterTimeLimit: 30_000 },
  ));

test("Parquet, plain and odd, is read as the build reads it", () =>
  fc.assert(
    fc.asyncProperty(
      fc.tuple(...TABLES.map(parquetFile)),
      shown,
      fc.boolean(),
      zones,
      units,
      async (files, impressions, odd, timezone, unit) => {
        const inputs: Inputs = Object.fromEntries(files.map(({ table, bytes }) => [table, { "a.parquet": bytes }]));
        await agree(odd ? inputs : { ...inputs, impressions }, { timezone, "history-length": "5", ...unit });
      },
    ),
    { numRuns: RUNS, interruptAfterTimeLimit: 30_000 },
  ));

test.each([
  [{ format: "csv", compression: "gzip" }, "/{table}.*"],
  [{ format: "parquet", hive: true }, "/{table}"],
  [{ format: "ndjson", hive: true }, "/{table}/dt=*"],
] as const)("a workload as %j", async (form, pattern) => {
  const workload = mkdtempSync(join(folder, "workload-"));
  await generate({
    output: workload,
    rankings: 60,
    actions: SLOW ? 3000 : 500,
    customers: 30,
    items: 100,
    days: 3,
    wideIds: true,
    overwrite: true,
    ...form,
  });
  const output = mkdtempSync(join(folder, "out-"));
  const flags = TABLES.map((table) => `--${table.replaceAll("_", "-")}=${workload}${pattern.replace("{table}", table)}`);
  await buildTo(output, [...flags, "--history-length=40", "--action-clock=both"]);
  const report = await verified(output, ["--sample=all"]);
  expect([report.findings, report.checked.runs[0].all]).toEqual([[], true]);
});

test("folders supply a day, and rows that say another one are rejects", async () => {
  const row = (extra: object) => ({ ranking_id: "a", customer_id: 1, impressions: [{ item_id: 5, is_order: false }], ...extra });
  await agree(
    {
      impressions: {
        "dt=2025-08-16/a.ndjson": ndjson([row({}), row({ ranking_id: "b", dt: "2025-08-17" }), row({ ranking_id: "c", dt: null })]),
        "dt=2025-08-17/_hidden.ndjson": ndjson([row({ ranking_id: "d" })]),
        "dt%3D/customer_id=1/dt=2025-08-17/a.csv": 'ranking_id,impressions\ne,"[{""item_id"":6,""is_order"":""TRUE""}]"\n',
      },
      clicks: { "dt=2025-08-14/a.ndjson": ndjson([{ customer_id: 1, item_id: 3, click_time: "2025-08-14 00:00:00" }]) },
    },
    { "action-clock": "both" },
  );
});

test.each(["{1..99999999}", `in/${"{a,b}".repeat(20)}`, "{a,{1..5000},{1..5000}}"])(
  "%s is refused before it is made a list of",
  async (glob) => {
    await expect(findRawFiles(glob, "clicks")).rejects.toMatchObject({ exitCode: 2, message: expect.stringMatching(/^the braces of "/) });
  },
);

test("braces stand for the files that they name", async () => {
  const place = join(folder, "braces");
  mkdirSync(place);
  for (const name of ["1.ndjson", "2.ndjson", "x.ndjson", "y.ndjson"]) writeFileSync(join(place, name), "");
  const found = await findRawFiles(join(place, "{{1..3},x}.ndjson"), "clicks");
  expect(found.map(({ name }) => basename(name))).toEqual(["1.ndjson", "2.ndjson", "x.ndjson"]);
});
