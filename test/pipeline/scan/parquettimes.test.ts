/** Columns of times, against the careful cells and what values.ts makes of them. */
import fc from "fast-check";
import type { SchemaElement, SchemaTree } from "hyparquet";
import { ByteWriter } from "hyparquet-writer";
import { writePageHeader } from "hyparquet-writer/src/datapage.js";
import type { PageFormat } from "../../../pipeline/io/parquetpage";
import { OddRows } from "../../../pipeline/scan/parquetscan";
import { timeColumn } from "../../../pipeline/scan/parquettimes";
import type { TimeUnit } from "../../../transforms/rules";
import { Rejection, Timestamps } from "../../../transforms/values";

/** A chunk of one plain page. */
function chunkOf(values: Uint8Array, count: number): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  writePageHeader(writer, {
    type: "DATA_PAGE",
    uncompressed_page_size: values.length,
    compressed_page_size: values.length,
    data_page_header: { num_values: count, encoding: "PLAIN", definition_level_encoding: "RLE", repetition_level_encoding: "RLE" },
  });
  writer.appendBytes(values);
  return writer.getBytes().slice();
}

/** Reads times as a column, and cell by cell; what only one of them takes is not the same. */
function expectSame(element: SchemaElement, unit: TimeUnit | null, values: Uint8Array, count: number): number {
  const root = {
    children: [{ element, children: [], count: 1, path: ["t"] }],
    element: { name: "root" },
    count: 1,
    path: [],
  } as SchemaTree;
  const column = timeColumn(root, "t", unit, true)!;
  const metadata = { num_values: BigInt(count), codec: "UNCOMPRESSED", type: element.type } as PageFormat["metadata"];
  column.leaf.open(metadata, chunkOf(values, count));
  column.leaf.begin();
  const odd = new OddRows(count);
  const times = new Float64Array(count);
  column.read(count, times, odd);
  const careful = new Timestamps("UTC", unit);
  let taken = 0;
  for (let row = 0; row < count; row++) {
    try {
      const expected = careful.instant(column.leaf.cell(row));
      expect(odd.flags[row] === 1 ? "odd" : times[row]).toBe(expected);
      taken++;
    } catch (error) {
      if (!(error instanceof Rejection)) throw error;
      expect(odd.flags[row]).toBe(1);
    }
  }
  return taken;
}

const required = { name: "t", repetition_type: "REQUIRED" } as const;
const YEARS = [-8520336000n, 7258118400n]; // seconds of 1700 and 2200

test("INT96 of any day and nanosecond", () => {
  let taken = 0;
  const day = fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 2_341_972 - 9, max: 2_524_594 + 9 }) }, fc.integer());
  const nanos = fc.oneof(
    { weight: 9, arbitrary: fc.bigInt({ min: 0n, max: 86_399_999_999_999n }) },
    fc.constantFrom(86_400_000_000_000n, 2n ** 50n - 1n),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(day, nanos), { minLength: 1, maxLength: 50 }), (some) => {
      const view = new DataView(new ArrayBuffer(12 * some.length));
      for (const [k, [d, n]] of some.entries()) {
        view.setBigInt64(12 * k, n, true);
        view.setInt32(12 * k + 8, d, true);
      }
      taken += expectSame({ ...required, type: "INT96" }, null, new Uint8Array(view.buffer), some.length);
    }),
  );
  expect(taken).toBeGreaterThan(150);
});

// biome-ignore format: a table
test.each<[string, Omit<SchemaElement, "name">, TimeUnit | null, bigint]>([
  ["milliseconds", { type: "INT64", logical_type: { type: "TIMESTAMP", unit: "MILLIS", isAdjustedToUTC: true } }, null, 1000n],
  ["microseconds", { type: "INT64", logical_type: { type: "TIMESTAMP", unit: "MICROS", isAdjustedToUTC: true } }, null, 1_000_000n],
  ["nanoseconds", { type: "INT64", logical_type: { type: "TIMESTAMP", unit: "NANOS", isAdjustedToUTC: true } }, null, 1_000_000_000n],
  ["numbers of seconds", { type: "INT64" }, "s", 1n],
  ["numbers of nanoseconds", { type: "INT64" }, "ns", 1_000_000_000n],
])("INT64 of %s, around the first and last year and anywhere", (_, element, unit, perSecond) => {
  const near = fc.tuple(fc.constantFrom(...YEARS, 0n), fc.bigInt({ min: -3000n, max: 3000n })).map(([at, plus]) => at * perSecond + plus);
  const inside = fc.bigInt({ min: YEARS[0] * perSecond, max: YEARS[1] * perSecond });
  const any = fc.oneof(near, inside, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })).map((value) => BigInt.asIntN(64, value));
  let taken = 0;
  fc.assert(
    fc.property(fc.array(any, { minLength: 1, maxLength: 50 }), (some) => {
      taken += expectSame({ ...required, ...element }, unit, new Uint8Array(BigInt64Array.from(some).buffer), some.length);
    }),
  );
  expect(taken).toBeGreaterThan(150);
});
