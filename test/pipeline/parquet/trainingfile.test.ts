import { crc32 } from "node:zlib";
import fc from "fast-check";
import { parquetHeader } from "hyparquet/src/column.js";
import { readColumnIndex, readOffsetIndex } from "hyparquet/src/indexes.js";
import { type Content, ROW_GROUP_BYTES } from "../../../pipeline/parquet/schema";
import { rowsPerGroup, TrainingFile } from "../../../pipeline/parquet/trainingfile";
import { SLOW, slowTest } from "../../suite";
import { anyHistory, columnsOf, metadataOf, naiveRows, optionsOf, read, STANDARD, type TestHistory, write } from "./rows";

const EXTRA: Content[] = [...STANDARD, "history_length", "action_times"];
const compression = fc.constantFrom("snappy" as const, "zstd" as const, "none" as const);
const padding = fc.constantFrom("zeros" as const, "none" as const);

/** A history of plain numbers. */
const historyOf = (customer: number, actions: number, slots: number, item = (i: number) => i): TestHistory => ({
  customer: BigInt(customer),
  actions: Array.from({ length: actions }, (_, i) => ({ item: BigInt(item(i)), type: 1 + (i % 3), time: 1e15 + i })),
  slots: Array.from({ length: slots }, (_, i) => ({ id: `r${customer}`, index: i, item: BigInt(item(i)), isOrder: i % 7 === 0 })),
});

test("what is read is what was written, for any history length, row group, compression and dictionary limit", () =>
  fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 17 }).chain((k) => fc.record({ k: fc.constant(k), histories: fc.array(anyHistory(k), { maxLength: 8 }) })),
      fc.record({
        compression,
        padding,
        rowGroupBytes: fc.constantFrom(1, 300, 1500, 1e7),
        dictionaryValues: fc.constantFrom(undefined, 1, 20),
      }),
      async ({ k, histories }, given) => {
        const options = optionsOf({ ...given, historyLength: k, columns: columnsOf(EXTRA) });
        const { bytes, summary } = await write(histories, options);
        const expected = naiveRows(histories, options);
        expect(await read(bytes)).toEqual(expected);
        expect(summary.rows).toBe(expected.length);
        expect(summary.bytes).toBe(bytes.length);
        const { row_groups, num_rows } = metadataOf(bytes);
        expect(summary.rowGroups).toBe(row_groups.length);
        expect(Number(num_rows)).toBe(expected.length);
        const most = rowsPerGroup(given.rowGroupBytes, k);
        for (const group of row_groups) expect(Number(group.num_rows)).toBeLessThanOrEqual(most);
      },
    ),
    { numRuns: SLOW ? 300 : 50 },
  ));

test("history length 1000: what is read is what was written", () =>
  fc.assert(
    fc.asyncProperty(fc.array(anyHistory(1000), { minLength: 1, maxLength: 3 }), compression, padding, async (histories, codec, pad) => {
      const options = optionsOf({ historyLength: 1000, compression: codec, padding: pad, rowGroupBytes: 200_000 });
      expect(await read((await write(histories, options)).bytes)).toEqual(naiveRows(histories, options));
    }),
    { numRuns: 10 },
  ));

test("the same calls give the same bytes, also with a file in between", async () => {
  const histories = [historyOf(5, 10, 3), historyOf(6, 0, 2), historyOf(7, 4, 20)];
  for (const codec of ["snappy", "zstd", "none"] as const) {
    const options = optionsOf({ compression: codec, rowGroupBytes: 1000 });
    const first = await write(histories, options);
    await write([historyOf(1, 9, 9)], options);
    expect(Buffer.compare(first.bytes, (await write(histories, options)).bytes)).toBe(0);
  }
});

test("columns can be left out, renamed and put in any order", () =>
  fc.assert(
    fc.asyncProperty(fc.shuffledSubarray(EXTRA, { minLength: 1 }), compression, async (contents, codec) => {
      const columns = contents.map((holds, i) => ({ holds, name: `${holds}_${i}` }));
      const options = optionsOf({ columns, compression: codec, rowGroupBytes: 500 });
      const histories = [historyOf(1, 10, 4), historyOf(-2, 3, 9)];
      const rows = await read((await write(histories, options)).bytes);
      expect(rows).toEqual(naiveRows(histories, options));
      expect(Object.keys(rows[0])).toEqual(columns.map(({ name }) => name));
    }),
    { numRuns: 40 },
  ));

test("the schema is the promised one: all required, lists of three levels", async () => {
  const { bytes } = await write([historyOf(1, 2, 3)], optionsOf({ columns: columnsOf(EXTRA) }));
  const lines = metadataOf(bytes).schema.map(({ name, type, repetition_type, converted_type, num_children }) =>
    [name, repetition_type, type, converted_type, num_children].filter((part) => part !== undefined).join(" "),
  );
  const list = (name: string, type: string) => [`${name} REQUIRED LIST 1`, "list REPEATED 1", `element REQUIRED ${type}`];
  expect(lines).toEqual([
    "schema 10",
    "ranking_id REQUIRED BYTE_ARRAY UTF8",
    "customer_id REQUIRED INT64",
    "impression_index REQUIRED INT32",
    "item_id REQUIRED INT64",
    "is_order REQUIRED BOOLEAN",
    "impressions REQUIRED INT64",
    ...list("actions", "INT64"),
    ...list("action_types", "INT32"),
    "history_length REQUIRED INT32",
    ...list("action_times", "INT64"),
  ]);
});

test("a row group is 10,000 rows at the defaults, and never less than one", () => {
  expect(rowsPerGroup(ROW_GROUP_BYTES, 1000)).toBe(10_000);
  expect(rowsPerGroup(ROW_GROUP_BYTES, 100_000)).toBe(100);
  expect(rowsPerGroup(1, 100_000)).toBe(1);
});

test("a customer with more slots than a row group holds is split over row groups", async () => {
  const options = optionsOf({ rowGroupBytes: 7 * (12 * 10 + 64) });
  const histories = [historyOf(1, 5, 3), historyOf(0, 10, 40), historyOf(2, 0, 1)];
  const { bytes } = await write(histories, options);
  expect(metadataOf(bytes).row_groups.map((group) => Number(group.num_rows))).toEqual([7, 7, 7, 7, 7, 7, 2]);
  expect(await read(bytes)).toEqual(naiveRows(histories, options));
});

test("a row group ends before a history that would make its dictionary too large", async () => {
  const options = optionsOf({ dictionaryValues: 15 });
  const histories = [100, 200, 300, 400].map((start) => historyOf(start, 5, 2, (i) => start + i));
  const { bytes } = await write(histories, options);
  expect(metadataOf(bytes).row_groups.map((group) => Number(group.num_rows))).toEqual([4, 4]);
  expect(await read(bytes)).toEqual(naiveRows(histories, options));
});

test("a row group ends before ranking_ids that would make its dictionary too large", async () => {
  const histories = Array.from({ length: 5 }, (_, c) => ({
    ...historyOf(c, 1, 1),
    slots: [{ ...historyOf(c, 1, 1).slots[0], id: `${c}`.repeat(600) }],
  }));
  const options = optionsOf({ columns: columnsOf(["ranking_id", "actions"]), dictionaryValues: 100 });
  const { bytes } = await write(histories, options);
  expect(metadataOf(bytes).row_groups.map((group) => Number(group.num_rows))).toEqual([2, 2, 1]);
  expect(await read(bytes)).toEqual(naiveRows(histories, options));
});

test("a history without slots leaves no trace, and a file without rows is a file", async () => {
  const options = optionsOf();
  expect(await read((await write([historyOf(1, 9, 0)], options)).bytes)).toEqual([]);
  const { bytes } = await write([historyOf(1, 9, 0), historyOf(2, 3, 1), historyOf(3, 9, 0)], options);
  expect(await read(bytes)).toEqual(naiveRows([historyOf(2, 3, 1)], options));
});

test("the footer of a file without rows says what the list of row groups is of, as strict readers want", async () => {
  for (const createdBy of ["backstory version 0.0.0 (build 0)", `long ${"é".repeat(200)}`]) {
    const { bytes } = await write([], optionsOf({ createdBy }));
    expect(metadataOf(bytes)).toMatchObject({ row_groups: [], created_by: createdBy, num_rows: 0n });
    // num_rows 0: field 3, i64; row_groups: field 4, list; no elements of type struct; created_by: field 6, binary
    expect(Buffer.from(bytes).includes(Buffer.from([0x16, 0, 0x19, 0x0c, 0x28]))).toBe(true);
  }
});

test("a history that is too long, without the times it needs, or not given at all is an error", () => {
  const file = new TrainingFile(optionsOf({ columns: columnsOf(["action_times"]) }), () => undefined);
  expect(() => file.slot(0, 0, 0, 0)).toThrow("before any");
  expect(() => file.history(1, 0, new Int32Array(22), new Uint8Array(11), new Float64Array(11), 0, 11)).toThrow("at most 10 actions");
  expect(() => file.history(1, 0, new Int32Array(2), new Uint8Array(1), undefined, 0, 1)).toThrow("action_times");
});

/** A file whose pages are many: 40,000 short rows, some long lists, in few row groups. */
async function manyPages(codec: "snappy" | "zstd" | "none") {
  const options = optionsOf({ historyLength: 60, compression: codec, rowGroupBytes: 25_000 * (12 * 60 + 64), columns: columnsOf(EXTRA) });
  const histories = Array.from({ length: 2000 }, (_, c) =>
    historyOf((c * 7919) % 100_003, c % 61, c === 1000 ? 20_000 : 10, (i) => (c * 31 + i * 17) % 5000),
  );
  return { options, histories, ...(await write(histories, options)) };
}

/** Walks over a chunk's pages as a reader does that has only the chunk's first offset. */
function pagesOf(bytes: Uint8Array, from: number, length: number) {
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: from };
  const pages = [];
  while (reader.offset < from + length) {
    const offset = reader.offset;
    const header = parquetHeader(reader);
    const body = bytes.subarray(reader.offset, (reader.offset += header.compressed_page_size));
    pages.push({ offset, header, headerLength: reader.offset - body.length - offset, body });
  }
  expect(reader.offset).toBe(from + length);
  return pages;
}

test.each(["snappy", "zstd", "none"] as const)(
  "%s: sizes, offsets, counts, checksums and the page index agree with the pages",
  async (codec) => {
    const { bytes, options } = await manyPages(codec);
    const metadata = metadataOf(bytes);
    let end = 4;
    for (const group of metadata.row_groups) {
      expect(Number(group.file_offset)).toBe(end);
      let compressed = 0;
      let raw = 0;
      for (const { meta_data, offset_index_offset, column_index_offset } of group.columns) {
        const meta = meta_data!;
        const start = Number(meta.dictionary_page_offset ?? meta.data_page_offset);
        expect(start).toBe(end);
        end += Number(meta.total_compressed_size);
        const pages = pagesOf(bytes, start, Number(meta.total_compressed_size));
        const data = pages.filter(({ header }) => header.type === "DATA_PAGE");
        for (const { header, body } of pages) expect(header.crc! | 0).toBe(crc32(body) | 0);
        compressed += Number(meta.total_compressed_size);
        const rawSize = pages.reduce((sum, { header, headerLength }) => sum + headerLength + header.uncompressed_page_size, 0);
        expect(rawSize).toBe(Number(meta.total_uncompressed_size));
        raw += rawSize;
        expect(Number(meta.data_page_offset)).toBe(data[0].offset);
        const values = data.map(({ header }) => header.data_page_header!.num_values);
        expect(values.reduce((a, b) => a + b)).toBe(Number(meta.num_values));
        for (const stats of meta.encoding_stats!) {
          const counted = pages.filter(
            ({ header }) =>
              header.type === stats.page_type && (header.data_page_header ?? header.dictionary_page_header)!.encoding === stats.encoding,
          );
          expect(counted.length).toBe(stats.count);
        }
        expect(meta.encoding_stats!.reduce((sum, { count }) => sum + count, 0)).toBe(pages.length);
        const isList = meta.path_in_schema.length > 1;
        for (const { header } of data) expect(header.uncompressed_page_size).toBeLessThan((1 << 20) + 64);
        // the offset index
        const perRow = isList ? options.historyLength : 1;
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        const { page_locations } = readOffsetIndex({ view, offset: Number(offset_index_offset) });
        let firstRow = 0;
        const walked = data.map(({ offset, body, headerLength }, i) => {
          const location = { offset: BigInt(offset), compressed_page_size: headerLength + body.length, first_row_index: BigInt(firstRow) };
          firstRow += values[i] / perRow;
          return location;
        });
        expect(page_locations).toEqual(walked);
        expect(firstRow).toBe(Number(group.num_rows));
        expect(column_index_offset === undefined).toBe(isList);
      }
      expect(Number(group.total_compressed_size)).toBe(compressed);
      expect(Number(group.total_byte_size)).toBe(raw);
    }
    expect(metadata.row_groups[0].columns.some(({ meta_data }) => meta_data!.encoding_stats!.at(-1)!.count > 1)).toBe(true);
  },
);

slowTest("many pages: what is read is what was written", async () => {
  const { bytes, histories, options } = await manyPages("snappy");
  const rows = await read(bytes);
  const expected = naiveRows(histories, options);
  expect(rows.length).toBe(expected.length);
  for (let i = 0; i < rows.length; i += 97) expect(rows[i]).toEqual(expected[i]);
});

/** Least and greatest by a plain comparison. */
const extremes = <T>(values: T[], before: (a: T, b: T) => boolean) =>
  [values.reduce((a, b) => (before(b, a) ? b : a)), values.reduce((a, b) => (before(a, b) ? b : a))] as const;
const bytesBefore = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;

test("statistics are the least and greatest values; those of long strings enclose them", () =>
  fc.assert(
    fc.asyncProperty(fc.array(anyHistory(3), { minLength: 1, maxLength: 6 }), async (histories) => {
      const options = optionsOf({ historyLength: 3, columns: columnsOf(EXTRA) });
      const rows = naiveRows(histories, options);
      if (rows.length === 0) return;
      const { bytes } = await write(histories, options);
      const { row_groups, schema } = metadataOf(bytes);
      for (const { meta_data, column_index_offset } of row_groups[0].columns) {
        const { path_in_schema, statistics } = meta_data!;
        const [name] = path_in_schema;
        if (path_in_schema.length > 1) {
          expect(statistics).toBeUndefined();
          continue;
        }
        const values = rows.map((row) => row[name]);
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        const element = schema.find((leaf) => leaf.name === name)!;
        const index = readColumnIndex({ view, offset: Number(column_index_offset) }, element);
        expect(statistics!.null_count).toBe(0n);
        expect(index.null_pages).toEqual([false]);
        for (const { min, max } of [
          { min: statistics!.min_value, max: statistics!.max_value },
          { min: index.min_values[0], max: index.max_values[0] },
        ]) {
          if (name !== "ranking_id") {
            expect([min, max]).toEqual(extremes(values as bigint[], (a, b) => a < b));
            continue;
          }
          const [least, greatest] = extremes(values as string[], bytesBefore);
          expect(bytesBefore(least, min as string)).toBe(false);
          expect(bytesBefore(max as string, greatest)).toBe(false);
          if (Buffer.byteLength(least) <= 16) expect(min).toBe(least);
          if (Buffer.byteLength(greatest) <= 16) expect(max).toBe(greatest);
        }
      }
    }),
    { numRuns: 80 },
  ));

test("the column index holds each page's least and greatest value, the statistics those of each row group", async () => {
  const { bytes, histories, options } = await manyPages("snappy");
  const scalars = options.columns.filter(({ holds }) => holds !== "actions" && holds !== "action_types" && holds !== "action_times");
  const rows = naiveRows(histories, { ...options, columns: scalars });
  const { row_groups, schema } = metadataOf(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let groupStart = 0;
  for (const group of row_groups) {
    for (const { meta_data, column_index_offset, offset_index_offset } of group.columns) {
      const [name] = meta_data!.path_in_schema;
      if (column_index_offset === undefined) continue;
      const { page_locations } = readOffsetIndex({ view, offset: Number(offset_index_offset) });
      const index = readColumnIndex({ view, offset: Number(column_index_offset) }, schema.find((leaf) => leaf.name === name)!);
      const starts = [...page_locations.map((page) => Number(page.first_row_index)), Number(group.num_rows)];
      const expected = page_locations.map((_, i) => {
        const values = rows.slice(groupStart + starts[i], groupStart + starts[i + 1]).map((row) => row[name]);
        return extremes(values as string[], name === "ranking_id" ? bytesBefore : (a, b) => a < b);
      });
      expect(index.min_values.map((min, i) => [min, index.max_values[i]])).toEqual(expected);
      const { min_value, max_value } = meta_data!.statistics!;
      const all = expected.flat() as string[];
      expect([min_value, max_value]).toEqual(extremes(all, name === "ranking_id" ? bytesBefore : (a, b) => a < b));
    }
    groupStart += Number(group.num_rows);
  }
});

slowTest("100,000 elements a row: a page may hold a single row", async () => {
  const options = optionsOf({ historyLength: 100_000, rowGroupBytes: ROW_GROUP_BYTES, columns: columnsOf(["actions", "action_types"]) });
  const histories = [historyOf(1, 100_000, 2, (i) => i * 3), historyOf(2, 1, 2)];
  const { bytes } = await write(histories, options);
  const rows = await read(bytes);
  const expected = naiveRows(histories, options);
  expect(rows.length).toBe(4);
  for (const [i, row] of rows.entries()) {
    expect(BigInt64Array.from(row.actions as bigint[])).toEqual(BigInt64Array.from(expected[i].actions as bigint[]));
    expect(Int32Array.from(row.action_types as number[])).toEqual(Int32Array.from(expected[i].action_types as number[]));
  }
});
