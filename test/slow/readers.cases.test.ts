import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parquetReadObjects, type SubColumnData } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { type ReaderOptions, readParquet } from "parquet-wasm";
import { bufferOf, naiveRows, write } from "../pipeline/parquet/rows";
import { CASES, type Case, damaged, descriptionOf } from "./readers.cases";

const folder = mkdtempSync(join(tmpdir(), "backstory-cases-"));
const files = new Map<Case, Uint8Array>();

beforeAll(async () => {
  for (const each of CASES) {
    const { bytes } = await write(each.histories, each.options);
    files.set(each, bytes);
    writeFileSync(join(folder, `${each.name}.parquet`), bytes);
    writeFileSync(join(folder, `${each.name}.json`), descriptionOf(each));
  }
  const broken = damaged(files.get(CASES.find(({ name }) => name === "k8-none")!)!);
  for (const [what, bytes] of Object.entries(broken)) writeFileSync(join(folder, `damaged-${what}.parquet`), bytes);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One process for all cases. */
async function agrees(reader: string): Promise<void> {
  const script = join(__dirname, "readers.py");
  await promisify(execFile)(process.env.PYTHON ?? "python3", [script, folder, reader], { timeout: 300_000 }).catch((error) => {
    throw new Error(`${error.stdout}\n${error.stderr}`.slice(-4000));
  });
}

test.each(["pyarrow", "duckdb", "polars", "pyspark", "parquet-mr"])("%s reads every file as described, whole and with filters", agrees);

test("arrow-rs reads every file as described, whole, in small batches and in parts", async () => {
  for (const [{ name, histories }, bytes] of files) {
    const read = (how: string, options: ReaderOptions) =>
      writeFileSync(join(folder, `${name}.${how}.arrows`), readParquet(bytes, options).intoIPCStream());
    const rows = histories.reduce((sum, { slots }) => sum + slots.length, 0);
    read("whole", {});
    read("batches", { batchSize: 7 });
    for (const [from, to] of partsOf(rows)) read(`rows-${from}-${to}`, { offset: from, limit: to - from });
  }
  await agrees("arrow-rs");
});

/** The end of a file, its last row, and some in the middle. */
const partsOf = (rows: number) =>
  rows === 0
    ? []
    : [
        [rows >> 1, rows],
        [rows - 1, rows],
        [rows >> 2, (rows >> 1) + 1],
      ];

/** Not by the matcher, which takes minutes for so many values. */
function mustEqual(rows: Record<string, unknown>[], expected: Record<string, unknown>[]): void {
  expect(rows.length).toBe(expected.length);
  const same = (got: unknown, value: unknown) =>
    Array.isArray(got) && Array.isArray(value) ? got.length === value.length && value.every((each, k) => got[k] === each) : got === value;
  rows.forEach((row, i) => {
    for (const [name, value] of Object.entries(expected[i]))
      if (!same(row[name], value)) expect({ i, [name]: row[name] }).toEqual({ i, [name]: value });
  });
}

test("hyparquet reads every file as described, whole, in parts by the offset index, and with filters by the column index", async () => {
  for (const [{ name, histories, options }, bytes] of files) {
    const expected = naiveRows(histories, options);
    const read = (more = {}) => parquetReadObjects({ file: bufferOf(bytes), compressors, ...more });
    mustEqual(await read(), expected);
    for (const [rowStart, rowEnd] of partsOf(expected.length)) {
      mustEqual(await read({ rowStart, rowEnd, useOffsetIndex: true }), expected.slice(rowStart, rowEnd));
    }
    for (const [column, value] of Object.entries(expected.at(-1) ?? {})) {
      if (Array.isArray(value)) continue;
      const wanted = expected.filter((row) => row[column] === value);
      let decoded = 0; // rows of the column
      const onPage = (page: SubColumnData) => (decoded += page.pathInSchema[0] === column ? page.rowEnd - page.rowStart : 0);
      mustEqual(await read({ filter: { [column]: { $eq: value } }, usePageIndex: true, onPage }), wanted);
      if (name.startsWith("pages-") && column === "item_id") {
        expect(decoded).toBeGreaterThan(0);
        expect(decoded).toBeLessThan(expected.length / 2);
      }
    }
  }
});
