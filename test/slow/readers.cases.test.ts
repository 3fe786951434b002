import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { type ReaderOptions, readParquet } from "parquet-wasm";
import { bufferOf, naiveRows, write } from "../pipeline/parquet/rows";
import { CASES, type Case, damaged, descriptionOf } from "./readers.cases";

const folder = process.env.KEEP ?? mkdtempSync(join(tmpdir(), "backstory-cases-"));
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
afterAll(() => process.env.KEEP || rmSync(folder, { recursive: true, force: true }));

/** One process for all cases. */
async function agrees(reader: string): Promise<void> {
  const script = join(__dirname, "readers.py");
  await promisify(execFile)(process.env.PYTHON ?? "python3", [script, folder, reader], { timeout: 300_000 }).catch((error) => {
    throw new Error(`${error.stdout}\n${error.stderr}`.slice(-4000));
  });
}

test.each(["pyarrow", "duckdb", "polars", "pyspark", "parquet-mr"])("%s reads every file as described, whole and with filters", agrees);

test("arrow-rs reads every file as described, whole, in small batches and in parts", async () => {
  for (const [{ name }, bytes] of files) {
    const read = (how: string, options: ReaderOptions) =>
      writeFileSync(join(folder, `${name}.${how}.arrows`), readParquet(bytes, options).intoIPCStream());
    read("whole", {});
    read("batches", { batchSize: 7 });
  }
  await agrees("arrow-rs");
});

/** The same, as arrays of the values, not compared by the matcher: it takes minutes for so many. */
function mustEqual(rows: Record<string, unknown>[], expected: Record<string, unknown>[]): void {
  expect(rows.length).toBe(expected.length);
  rows.forEach((row, i) => {
    for (const [name, value] of Object.entries(expected[i])) {
      const got = row[name];
      const same = Array.isArray(value) ? value.length === (got as unknown[]).length && value.every((v, k) => v === (got as unknown[])[k]) : got === value;
      if (!same) expect({ i, name, got }).toEqual({ i, name, got: value });
    }
  });
}

test("hyparquet reads every file as described, whole, in parts by the offset index, and with filters by the column index", async () => {
  for (const [each, bytes] of files) {
    const expected = naiveRows(each.histories, each.options);
    const read = (options = {}) => parquetReadObjects({ file: bufferOf(bytes), compressors, ...options });
    mustEqual(await read(), expected);
    const { length } = expected;
    for (const [rowStart, rowEnd] of [[length >> 1, length], [length - 1, length], [length >> 2, (length >> 1) + 1]]) {
      mustEqual(await read({ rowStart, rowEnd, useOffsetIndex: true }), expected.slice(Math.max(0, rowStart), rowEnd));
    }
    for (const [name, value] of Object.entries(expected[length >> 1] ?? {})) {
      if (Array.isArray(value)) continue;
      mustEqual(await read({ filter: { [name]: { $eq: value } }, useOffsetIndex: true }), expected.filter((row) => row[name] === value));
    }
  }
});
