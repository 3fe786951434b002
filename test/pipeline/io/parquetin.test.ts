import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { ColumnMetaData } from "hyparquet";
import { findFiles } from "../../../pipeline/io/files";
import { ParquetFile } from "../../../pipeline/io/parquetfile";
import { checkEntries, type PageFormat, unpackPage } from "../../../pipeline/io/parquetpage";
import { cellsOf } from "../../../pipeline/io/parquettypes";
import { readSplit } from "../../../pipeline/io/readers";
import { BrokenFile } from "../../../pipeline/io/rows";
import { readWhole } from "../../../pipeline/io/text";
import { type Cell, EpochDay, Moment } from "../../../transforms/cells";
import { type Gathered, gatherFile, temporary } from "./gather";

const FIXTURES = join(__dirname, "../../fixtures/parquet-in");
const names = readdirSync(FIXTURES)
  .filter((name) => name.endsWith(".parquet"))
  .map((name) => name.slice(0, -".parquet".length));
const files = temporary();

interface Expected {
  why: string;
  columns: string[];
  rows: unknown[];
}

/** A cell as the fixtures' .json writes it; what that cannot say differs from everything it can. */
function written(cell: Cell): unknown {
  if (cell === undefined) return { missing: 1 };
  if (typeof cell === "bigint") return { bigint: String(cell) };
  if (typeof cell === "number") return Number.isSafeInteger(cell) ? cell : { nan: 1 };
  if (cell instanceof EpochDay) return { day: cell.day };
  if (cell instanceof Moment) return { micros: String(cell.micros), wall: cell.wall };
  if (Array.isArray(cell)) return cell.map(written);
  if (cell === null || typeof cell !== "object") return cell;
  return Object.fromEntries(Object.entries(cell).map(([name, value]) => [name, written(value)]));
}

function writtenRows({ rows }: Gathered): unknown[] {
  return rows.map(({ cells, reject }) => (reject ? { reject } : cells!.map(written)));
}

function expected(name: string): Expected {
  return JSON.parse(readFileSync(join(FIXTURES, `${name}.json`), "utf8"));
}

describe.each(names)("%s.parquet", (name) => {
  const { why, columns, rows } = expected(name);

  test(why, async () => {
    const found = await gatherFile(join(FIXTURES, `${name}.parquet`), columns);
    expect(writtenRows(found)).toEqual(rows);
    expect(found.rows.map(({ position }) => position)).toEqual(rows.map((_, k) => k + 1));
    expect(found.positions).toBe(rows.length);
  });

  test("row groups read one by one are the same rows", async () => {
    expect(writtenRows(await gatherFile(join(FIXTURES, `${name}.parquet`), columns, 1))).toEqual(rows);
  });
});

test("a Parquet file that is gzip as a whole is the same file", async () => {
  const path = files.write("list.parquet.gz", gzipSync(readFileSync(join(FIXTURES, "list.parquet"))));
  const { columns, rows } = expected("list");
  expect(writtenRows(await gatherFile(path, columns))).toEqual(rows);
});

test("columns are told where one is missing, and only then", async () => {
  const path = join(FIXTURES, "list.parquet");
  expect((await gatherFile(path, ["customer_id", "customerid"])).columns).toEqual(["ranking_id", "impressions", "customer_id"]);
  expect((await gatherFile(path, ["customer_id"])).columns).toEqual([]);
});

const converted = { type: "INT64", name: "t", repetition_type: "OPTIONAL" } as const;
test.each([
  ["TIMESTAMP_MILLIS", new Moment(-1000n, false)],
  ["TIMESTAMP_MICROS", new Moment(-1n, false)],
  ["TIME_MICROS", Number.NaN],
  ["INT_64", -1],
  ["UINT_64", 18446744073709551615n],
] as const)("converted type %s alone, as older writers have it", (converted_type, cell) => {
  expect(cellsOf({ ...converted, converted_type })(new BigInt64Array([-1n]))).toEqual([cell]);
});

test("nanoseconds before 1970 are cut off towards the past", () => {
  const logical_type = { type: "TIMESTAMP", unit: "NANOS", isAdjustedToUTC: true } as const;
  const cells = cellsOf({ ...converted, logical_type })([-1n, -1000n, -1001n, 999n, 1000n]);
  expect(cells.map((cell) => (cell as Moment).micros)).toEqual([-1n, -1n, -2n, 0n, 1n]);
});

describe("a file that is no Parquet", () => {
  const good = readFileSync(join(FIXTURES, "codec-snappy.parquet"));
  const encrypted = Buffer.concat([good.subarray(0, -4), Buffer.from("PARE")]);
  test.each([
    ["text", Buffer.from("customer_id,item_id\n1,2\n"), /is no Parquet file/],
    ["a few bytes", Buffer.from("PAR1"), /is no Parquet file/],
    ["cut", good.subarray(0, good.length - 100), /is no Parquet file, or is cut/],
    ["encrypted", encrypted, /is an encrypted Parquet file/],
    ["a footer of nonsense", Buffer.concat([Buffer.alloc(50, 0xff), good.subarray(-8)]), /footer is corrupt/],
    ["without its front", good.subarray(900), /row group 1 of 1, column n/],
  ])("%s is a BrokenFile", async (name, bytes, message) => {
    const path = files.write(`${name}.parquet`, bytes);
    const error = await gatherFile(path, ["n"]).catch((reason) => reason);
    expect(error).toBeInstanceOf(BrokenFile);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(path);
  });

  test("whatever byte of its pages is wrong, it is a BrokenFile or is read to its end", async () => {
    const plain = readFileSync(join(FIXTURES, "codec-none.parquet"));
    for (const [k, bytes] of [good, plain].flatMap((file) =>
      Array.from({ length: 200 }, (_, at) => [at * 7 + 4, Buffer.from(file)] as const),
    )) {
      bytes[k] ^= 0xff;
      const found: Gathered | Error = await gatherFile(files.write("flipped.parquet", bytes), ["n", "s", "l"]).catch((reason) => reason);
      if (found instanceof Error) expect(found).toBeInstanceOf(BrokenFile);
      else {
        expect(found.positions).toBe(60);
        // a column whose name is damaged is missing, and told so
        if (found.columns.length === 0) expect(found.rows.flatMap(({ cells }) => cells ?? [])).not.toContain(undefined);
      }
    }
  });
});

test("an error of the sink is not taken for the file's", async () => {
  const sinkError = new Error("disk full");
  const [file] = findFiles(join(FIXTURES, "list.parquet"), "clicks");
  const fail = () => {
    throw sinkError;
  };
  const reading = readSplit({ table: "clicks", file, index: 0, start: 0, end: 1 }, ["customer_id"], {
    row: fail,
    reject: fail,
    columns: fail,
    drain: async () => {},
  });
  await expect(reading).rejects.toBe(sinkError);
});

test("pages and rows that no bytes can be behind are refused before there is memory for them", async () => {
  const metadata = { codec: "GZIP", num_values: 2n ** 40n } as unknown as ColumnMetaData;
  const format = { metadata } as PageFormat;
  for (const size of [-1, 2 ** 29 + 1, 2 ** 31 - 1])
    expect(() => unpackPage(new Uint8Array(9), size, metadata)).toThrow("512 MB are the most");
  expect(() => checkEntries(2 ** 26 + 1, format)).toThrow("67108864 are the most");
  checkEntries(2 ** 26, format);
  const bytes = readFileSync(join(FIXTURES, "int64.parquet"));
  // thrift's compact protocol: a row group's 11 rows, before where in the file it is
  const broken = Buffer.from(bytes.toString("latin1").replace("\x16\x16\x26\x08", "\x16\xfe\xff\xff\xff\x7f\x26\x08"), "latin1");
  broken.writeUInt32LE(broken.readUInt32LE(broken.length - 8) + broken.length - bytes.length, broken.length - 8);
  expect(broken.length).toBe(bytes.length + 4);
  const [file] = findFiles(files.write("many.parquet", broken), "clicks");
  await expect(ParquetFile.open(file)).rejects.toThrow("17179869183 rows are more than 498 bytes can hold");
});

test("what unpacks to more than there may be in memory at once is refused", async () => {
  const [file] = findFiles(files.write("large.parquet.gz", gzipSync(Buffer.alloc(3 << 20))), "clicks");
  expect(await readWhole(file, 3 << 20)).toHaveLength(3 << 20);
  await expect(readWhole(file, (3 << 20) - 1)).rejects.toThrow(/more than 2 MB once it is unpacked/);
});
