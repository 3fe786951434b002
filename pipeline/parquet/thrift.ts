/**
 * What Parquet has of every page, in Thrift's compact protocol: a header before it and its place in the offset index. There are thousands, and a
 * writer of any struct, which asks each value what it is and is large to compile, costs as much as packing the rows. The other structs are the library's.
 * Fields: github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift; bytes: github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */
import type { Bytes } from "./bytes";

/** As parquet.thrift numbers them. */
export enum PageKind {
  data = 0,
  dictionary = 2,
}
export enum PageEncoding {
  plain = 0,
  rle = 3,
  rleDictionary = 8,
}

export interface PageHead {
  kind: PageKind;
  /** of the page without its header */
  rawBytes: number;
  compressedBytes: number;
  /** CRC-32 of the compressed bytes, as a signed number */
  crc: number;
  values: number;
  encoding: PageEncoding;
}

export interface PageLocation {
  offset: number;
  /** header included */
  bytes: number;
  /** counted from the row group's first */
  firstRow: number;
}

/** A field is a byte: how much its number is above that of the field before it, and its type. */
const I32 = 0x15;
const I64 = 0x16;
const LIST = 0x19;
const STRUCT = 0x0c;
const END = 0;

/** PageHeader. Levels of data pages are RLE. */
export function putPageHeader(out: Bytes, { kind, rawBytes, compressedBytes, crc, values, encoding }: PageHead): void {
  putInt(out, kind);
  putInt(out, rawBytes);
  putInt(out, compressedBytes);
  putInt(out, crc);
  const field = kind === PageKind.data ? 5 : 7;
  out.byte(((field - 4) << 4) | STRUCT);
  putInt(out, values);
  putInt(out, encoding);
  if (kind === PageKind.data) {
    putInt(out, PageEncoding.rle);
    putInt(out, PageEncoding.rle);
  }
  out.byte(END);
  out.byte(END);
}

/** OffsetIndex. */
export function putOffsetIndex(out: Bytes, pages: readonly PageLocation[]): void {
  out.byte(LIST);
  if (pages.length < 15) out.byte((pages.length << 4) | STRUCT);
  else {
    out.byte(0xf0 | STRUCT);
    out.varint(pages.length);
  }
  for (const { offset, bytes, firstRow } of pages) {
    putLong(out, offset);
    putInt(out, bytes);
    putLong(out, firstRow);
    out.byte(END);
  }
  out.byte(END);
}

/** The next field, an i32. */
function putInt(out: Bytes, value: number): void {
  out.byte(I32);
  out.varint((value << 1) ^ (value >> 31));
}

/** The next field, an i64 of at least 0. */
function putLong(out: Bytes, value: number): void {
  out.byte(I64);
  let rest = 2 * value;
  for (; rest > 127; rest = Math.floor(rest / 128)) out.byte((rest % 128) | 128);
  out.byte(rest);
}
