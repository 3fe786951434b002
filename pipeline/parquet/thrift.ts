/**
 * Thrift's compact protocol: a writer of structs, and by itself what Parquet has of every page, a header before it and its place in the offset index. Of
 * those there are thousands, and the library's writer, which asks each value what it is and is large to compile, costs as much as packing the rows.
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
  putListHeader(out, pages.length, Element.struct);
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
  zigzag(out, value);
}

/** The next field, an i64 of at least 0. */
function putLong(out: Bytes, value: number): void {
  out.byte(I64);
  zigzagLong(out, value);
}

function zigzag(out: Bytes, value: number): void {
  out.varint((value << 1) ^ (value >> 31));
}

/** At least 0, below 2^52. */
function zigzagLong(out: Bytes, value: number): void {
  let rest = 2 * value;
  for (; rest > 127; rest = Math.floor(rest / 128)) out.byte((rest % 128) | 128);
  out.byte(rest);
}

/** What the elements of a list are. */
export enum Element {
  bool = 2,
  i32 = 5,
  i64 = 6,
  binary = 8,
  struct = 12,
}

/** Values as they stand in a list, or behind the header of a field. */
export class Values {
  constructor(private readonly out: Bytes) {}

  int(value: number): void {
    zigzag(this.out, value);
  }

  /** At least 0, below 2^52. */
  long(value: number | bigint): void {
    zigzagLong(this.out, Number(value));
  }

  /** Binary: of a string, its UTF-8. */
  text(value: string | Uint8Array): void {
    const bytes = typeof value === "string" ? Buffer.from(value) : value;
    this.out.varint(bytes.length);
    this.out.put(bytes);
  }

  /** In a list only: a field has it in its header. */
  flag(value: boolean): void {
    this.out.byte(value ? 1 : 0);
  }
}

/** A struct in the making: its fields in ascending order, those that are undefined left out, then `end`. */
export class Struct {
  private last = 0;
  private readonly values: Values;

  constructor(private readonly out: Bytes) {
    this.values = new Values(out);
  }

  int(field: number, value: number | undefined): this {
    if (value === undefined) return this;
    this.header(field, Element.i32);
    this.values.int(value);
    return this;
  }

  long(field: number, value: number | bigint | undefined): this {
    if (value === undefined) return this;
    this.header(field, Element.i64);
    this.values.long(value);
    return this;
  }

  text(field: number, value: string | Uint8Array | undefined): this {
    if (value === undefined) return this;
    this.header(field, Element.binary);
    this.values.text(value);
    return this;
  }

  flag(field: number, value: boolean | undefined): this {
    if (value !== undefined) this.header(field, value ? 1 : 2);
    return this;
  }

  struct(field: number, put: (struct: Struct) => void): this {
    this.header(field, Element.struct);
    const struct = new Struct(this.out);
    put(struct);
    struct.end();
    return this;
  }

  list<T>(field: number, element: Element, values: readonly T[] | undefined, put: (value: T, values: Values) => void): this {
    if (values === undefined) return this;
    this.header(field, LIST & 15);
    putListHeader(this.out, values.length, element);
    for (const value of values) put(value, this.values);
    return this;
  }

  structs<T>(field: number, values: readonly T[] | undefined, put: (struct: Struct, value: T) => void): this {
    return this.list(field, Element.struct, values, (value) => {
      const struct = new Struct(this.out);
      put(struct, value);
      struct.end();
    });
  }

  end(): void {
    this.out.byte(END);
  }

  private header(field: number, type: number): void {
    this.out.byte(((field - this.last) << 4) | type);
    this.last = field;
  }
}

function putListHeader(out: Bytes, length: number, element: Element): void {
  if (length < 15) out.byte((length << 4) | element);
  else {
    out.byte(0xf0 | element);
    out.varint(length);
  }
}
