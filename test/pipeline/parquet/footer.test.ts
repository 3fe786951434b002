import fc from "fast-check";
import type { ColumnChunk, ColumnMetaData, FileMetaData, SchemaElement } from "hyparquet";
import { ByteWriter } from "hyparquet-writer/src/bytewriter.js";
import { writeMetadata } from "hyparquet-writer/src/metadata.js";
import { serializeTCompactProtocol } from "hyparquet-writer/src/thrift.js";
import { unconvertMinMax } from "hyparquet-writer/src/unconvert.js";
import { boundBytes } from "../../../pipeline/parquet/bound";
import { Bytes } from "../../../pipeline/parquet/bytes";
import { endFile, putColumnIndex } from "../../../pipeline/parquet/footer";

const TEXT: SchemaElement = {
  name: "text",
  type: "BYTE_ARRAY",
  repetition_type: "REQUIRED",
  converted_type: "UTF8",
  logical_type: { type: "STRING" },
};
const LEAVES: SchemaElement[] = [
  { name: "id", type: "INT64", repetition_type: "REQUIRED" },
  { name: "place", type: "INT32", repetition_type: "REQUIRED" },
  { name: "flag", type: "BOOLEAN", repetition_type: "REQUIRED" },
  TEXT,
];
const SCHEMA: SchemaElement[] = [
  { name: "schema", num_children: LEAVES.length + 1 },
  ...LEAVES,
  { name: "list", repetition_type: "REQUIRED", num_children: 1, converted_type: "LIST", logical_type: { type: "LIST" } },
  { name: "list", repetition_type: "REPEATED", num_children: 1 },
  { name: "element", type: "INT64", repetition_type: "REQUIRED" },
];

const size = fc.oneof(fc.nat(200), fc.nat(2 ** 31 - 1), fc.constantFrom(127, 128, 2 ** 31, 2 ** 32, 2 ** 40 + 5));
const long = size.map(BigInt);
/** around the length at which texts are cut, with all that rounds up in a way of its own */
const character = fc.oneof(
  fc.constantFrom("a", "~", "\u007f", "é", "\u07ff", "\ud7ff", "\uffff", "\u{10ffff}", "\u{1f600}", "\ufeff"),
  fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
);
const text = fc
  .array(character, { maxLength: 24 })
  .map((some) => Uint8Array.from(Buffer.from(some.join("").replace(/\p{Surrogate}/gu, "x"))));
const VALUES = {
  INT64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  INT32: fc.integer(),
  BOOLEAN: fc.boolean(),
  BYTE_ARRAY: text,
};
type Type = keyof typeof VALUES;

const metaOf = (type: Type, path: string[], hasStatistics: boolean): fc.Arbitrary<ColumnMetaData> =>
  fc.record({
    type: fc.constant(type),
    encodings: fc.constantFrom<ColumnMetaData["encodings"][]>(["PLAIN", "RLE", "RLE_DICTIONARY"], ["PLAIN", "RLE"]),
    path_in_schema: fc.constant(path),
    codec: fc.constantFrom("SNAPPY", "ZSTD", "UNCOMPRESSED"),
    num_values: long,
    total_uncompressed_size: long,
    total_compressed_size: long,
    data_page_offset: long,
    dictionary_page_offset: fc.option(long, { nil: undefined }),
    statistics: hasStatistics
      ? fc.record({ min_value: VALUES[type], max_value: VALUES[type], null_count: fc.constant(0n) })
      : fc.constant(undefined),
    encoding_stats: fc.constantFrom<ColumnMetaData["encoding_stats"][]>(
      [{ page_type: "DATA_PAGE", encoding: "PLAIN", count: 3 }],
      [
        { page_type: "DICTIONARY_PAGE", encoding: "PLAIN", count: 1 },
        { page_type: "DATA_PAGE", encoding: "RLE_DICTIONARY", count: 20 },
      ],
    ),
  }) as fc.Arbitrary<ColumnMetaData>;

const columnOf = (meta: fc.Arbitrary<ColumnMetaData>): fc.Arbitrary<ColumnChunk> =>
  fc.record({ meta, bounded: fc.boolean(), at: long, bytes: fc.nat(2 ** 31 - 1) }).map(({ meta: meta_data, bounded, at, bytes }) => ({
    file_offset: 0n,
    meta_data,
    offset_index_offset: at,
    offset_index_length: bytes,
    ...(bounded ? { column_index_offset: at, column_index_length: bytes } : {}),
  }));

const columns = fc.tuple(
  ...LEAVES.map(({ name, type }) => columnOf(metaOf(type as Type, [name], true))),
  columnOf(metaOf("INT64", ["list", "list", "element"], false)),
);
const metadata: fc.Arbitrary<FileMetaData> = fc.record({
  version: fc.constant(2),
  schema: fc.constant(SCHEMA),
  num_rows: long,
  // of none the library does not say what they would be
  row_groups: fc.array(fc.record({ columns, num_rows: long, file_offset: long, total_byte_size: long, total_compressed_size: long }), {
    minLength: 1,
    maxLength: 17,
  }),
  key_value_metadata: fc.option(fc.array(fc.record({ key: fc.string(), value: fc.string({ unit: "binary" }) }), { minLength: 1 }), {
    nil: undefined,
  }),
  created_by: fc.constant("backstory version 0.1.0 (build 0)"),
  metadata_length: fc.constant(0),
});

test("footers are those of the library, byte for byte", () =>
  fc.assert(
    fc.property(metadata, (file) => {
      const theirs = new ByteWriter();
      writeMetadata(theirs, file);
      theirs.appendUint32(0x31524150);
      const ours = new ByteWriter();
      endFile(ours, file);
      expect(Buffer.from(ours.getBytes()).equals(Buffer.from(theirs.getBytes()))).toBe(true);
    }),
    { numRuns: 300 },
  ));

test("column indexes are those of the library, byte for byte", () =>
  fc.assert(
    fc.property(fc.array(fc.record({ min: text, max: text }), { minLength: 1, maxLength: 40 }), (bounds) => {
      const theirs = new ByteWriter();
      serializeTCompactProtocol(theirs, {
        field_1: bounds.map(() => false),
        field_2: bounds.map(({ min }) => min),
        field_3: bounds.map(({ max }) => max),
        field_4: 0,
        field_5: bounds.map(() => 0n),
      });
      const ours = new Bytes(1);
      putColumnIndex(ours, bounds);
      expect([...ours.view()]).toEqual([...theirs.getBytes()]);
    }),
    { numRuns: 200 },
  ));

test("bounds of texts are those of the library, and no text lies outside of its own", () =>
  fc.assert(
    fc.property(text, fc.boolean(), (value, isMax) => {
      const bound = boundBytes(value, "BYTE_ARRAY", isMax);
      expect([...bound]).toEqual([...unconvertMinMax(value, TEXT, isMax)!]);
      expect(Math.sign(Buffer.compare(bound, value)) * (isMax ? 1 : -1)).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 2000 },
  ));

test("a text that is no UTF-8 has itself as its upper bound, since nothing shorter is known to be above it", () => {
  const text = Uint8Array.from({ length: 20 }, () => 0xff);
  expect(boundBytes(text, "BYTE_ARRAY", true)).toEqual(text);
});
