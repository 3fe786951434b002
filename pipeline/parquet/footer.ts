/**
 * The end of a file in Thrift's compact protocol: column indexes and FileMetaData. hyparquet-writer has both, but loads all of hyparquet for them,
 * which took every thread 15 ms of a start, and its general writer is large to compile. A test compares the bytes.
 * Fields: github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
 */
import type { ColumnChunk, ColumnMetaData, FileMetaData, RowGroup, SchemaElement, Statistics } from "hyparquet";
import { CompressionCodecs, ConvertedTypes, Encodings, FieldRepetitionTypes, PageTypes, ParquetTypes } from "hyparquet/src/constants.js";
import type { ByteWriter } from "hyparquet-writer/src/bytewriter.js";
import { type Bound, boundBytes } from "./bound";
import { Bytes } from "./bytes";
import { Element, Struct } from "./thrift";

const MAGIC = 0x31524150; // "PAR1"

/** What a file begins with. */
export function beginFile(out: ByteWriter): void {
  out.appendUint32(MAGIC);
}

/** What a file ends with: its metadata, how long that is, and who it is. */
export function endFile(out: ByteWriter, metadata: FileMetaData): void {
  const footer = new Bytes(1 << 12);
  putFooter(footer, metadata);
  out.appendBytes(footer.view());
  out.appendUint32(footer.length);
  out.appendUint32(MAGIC);
}

/** FileMetaData: the fields that files of this program have, no others. Statistics are as in memory. */
export function putFooter(out: Bytes, { version, schema, num_rows, row_groups, key_value_metadata, created_by }: FileMetaData): void {
  new Struct(out)
    .int(1, version)
    .structs(2, schema, putSchemaElement)
    .long(3, num_rows)
    .structs(4, row_groups, putRowGroup)
    .structs(5, key_value_metadata, (struct, { key, value }) => struct.text(1, key).text(2, value))
    .text(6, created_by)
    // the order of each column's values is that of its type
    .structs(
      7,
      schema.filter(({ type }) => type !== undefined),
      (struct) => struct.struct(1, () => {}),
    )
    .end();
}

function putSchemaElement(
  struct: Struct,
  { type, repetition_type, name, num_children, converted_type, logical_type }: SchemaElement,
): void {
  struct
    .int(1, numberOf(ParquetTypes, type))
    .int(3, numberOf(FieldRepetitionTypes, repetition_type))
    .text(4, name)
    .int(5, num_children)
    .int(6, numberOf(ConvertedTypes, converted_type));
  if (logical_type !== undefined)
    struct.struct(10, (logical) => logical.struct(numberOf(LOGICAL_TYPES, logical_type.type as (typeof LOGICAL_TYPES)[number])!, () => {}));
}

/** Their fields in LogicalType, from 1 on. */
const LOGICAL_TYPES = ["", "STRING", "MAP", "LIST"] as const;

/** Of an enumeration. Only what this program writes comes here, so that what is not in it is a fault. */
function numberOf<T>(names: readonly T[], name: T | undefined): number | undefined {
  if (name === undefined) return undefined;
  const number = names.indexOf(name);
  if (number < 0) throw new Error(`A footer cannot have "${name}". This is a bug.`);
  return number;
}

function putRowGroup(struct: Struct, { columns, total_byte_size, num_rows, file_offset, total_compressed_size }: RowGroup): void {
  struct.structs(1, columns, putColumn).long(2, total_byte_size).long(3, num_rows).long(5, file_offset).long(6, total_compressed_size);
}

function putColumn(struct: Struct, column: ColumnChunk): void {
  struct
    .long(2, column.file_offset)
    .struct(3, (meta) => putColumnMetaData(meta, column.meta_data!))
    .long(4, column.offset_index_offset)
    .int(5, column.offset_index_length)
    .long(6, column.column_index_offset)
    .int(7, column.column_index_length);
}

function putColumnMetaData(struct: Struct, meta: ColumnMetaData): void {
  struct
    .int(1, numberOf(ParquetTypes, meta.type))
    .list(2, Element.i32, meta.encodings, (encoding, put) => put.int(numberOf(Encodings, encoding)!))
    .list(3, Element.binary, meta.path_in_schema, (name, put) => put.text(name))
    .int(4, numberOf(CompressionCodecs, meta.codec))
    .long(5, meta.num_values)
    .long(6, meta.total_uncompressed_size)
    .long(7, meta.total_compressed_size)
    .long(9, meta.data_page_offset)
    .long(11, meta.dictionary_page_offset);
  if (meta.statistics !== undefined) struct.struct(12, (statistics) => putStatistics(statistics, meta.statistics!, meta.type));
  struct.structs(13, meta.encoding_stats, (stats, { page_type, encoding, count }) =>
    stats.int(1, numberOf(PageTypes, page_type)).int(2, numberOf(Encodings, encoding)).int(3, count),
  );
}

function putStatistics(struct: Struct, { null_count, max_value, min_value }: Statistics, type: ColumnMetaData["type"]): void {
  const max = boundBytes(max_value as Bound, type, true);
  const min = boundBytes(min_value as Bound, type, false);
  struct
    .long(3, null_count)
    .text(5, max)
    .text(6, min)
    .flag(7, isCut(max, max_value) ? false : undefined)
    .flag(8, isCut(min, min_value) ? false : undefined);
}

/** Whether it is not said that the bound occurs. */
const isCut = (bytes: Uint8Array, bound: unknown) => bound instanceof Uint8Array && bound.length !== bytes.length;

/** ColumnIndex of pages without nulls, in no order: rows are in the order of a hash. */
export function putColumnIndex(out: Bytes, bounds: readonly { min: Uint8Array; max: Uint8Array }[]): void {
  new Struct(out)
    .list(1, Element.bool, bounds, (_, put) => put.flag(false))
    .list(2, Element.binary, bounds, ({ min }, put) => put.text(min))
    .list(3, Element.binary, bounds, ({ max }, put) => put.text(max))
    .int(4, 0)
    .list(5, Element.i64, bounds, (_, put) => put.long(0))
    .end();
}
