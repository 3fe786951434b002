import * as zlib from "node:zlib";
import type { ColumnMetaData, Compressors, PageHeader, SchemaElement } from "hyparquet";
import { decompressPage } from "hyparquet/src/datapage.js";
import { deltaBinaryUnpack, deltaByteArray, deltaLengthByteArray } from "hyparquet/src/delta.js";
import { byteStreamSplit } from "hyparquet/src/encoding.js";
import { readPlain } from "hyparquet/src/plain.js";
import { compressors } from "hyparquet-compressors";
import { readHybrid } from "./hybrid";
import type { RawValues } from "./parquettypes";

/** Node's own where it has one, since those are native, and stop at the length that the page is to have. */
const CODECS: Compressors = {
  ...compressors,
  GZIP: (input, length) => zlib.gunzipSync(input, { maxOutputLength: length || 1 }),
  BROTLI: (input, length) => zlib.brotliDecompressSync(input, { maxOutputLength: length || 1 }),
  // zstd came to Node with 22.15
  ...(zlib.zstdDecompressSync && { ZSTD: (input, length) => zlib.zstdDecompressSync(input, { maxOutputLength: length || 1 }) }),
};

type HeaderV1 = NonNullable<PageHeader["data_page_header"]>;
type HeaderV2 = NonNullable<PageHeader["data_page_header_v2"]>;

/** More than writers put into a page: a header that asks for more is wrong, or is meant to take the memory. */
const MAX_PAGE_BYTES = 512 << 20;
const MAX_PAGE_ENTRIES = 1 << 26;

/** What the pages of a leaf column have in common. */
export interface PageFormat {
  element: SchemaElement;
  metadata: ColumnMetaData;
  maxRepetition: number;
  maxDefinition: number;
}

/** The entries of a data page. A level that is the same for all has no array. */
export interface Page {
  entries: number;
  repetitions?: Int32Array;
  definitions?: Int32Array;
  /** of the entries whose definition is the highest: values, or where in the dictionary they are */
  values: RawValues | undefined;
  indexes: Int32Array | undefined;
}

export function readDictionary(packed: Uint8Array, header: PageHeader, { element, metadata }: PageFormat): RawValues {
  const page = unpackPage(packed, header.uncompressed_page_size, metadata);
  const reader = { view: new DataView(page.buffer, page.byteOffset, page.byteLength), offset: 0 };
  const { num_values: count } = header.dictionary_page_header!;
  if (!(count >= 0 && count <= 8 * page.length)) throw new RangeError("a dictionary has more values than bits");
  return readPlain(reader, metadata.type, count, element.type_length);
}

/** A page of version 1 is compressed as a whole, and its levels say how long they are; in version 2 the header does, and they are plain. */
export function readPage(packed: Uint8Array, header: PageHeader, format: PageFormat): Page {
  const { data_page_header: v1, data_page_header_v2: v2 } = header;
  if (v1) return readPageV1(unpackPage(packed, header.uncompressed_page_size, format.metadata), v1, format);
  if (v2) return readPageV2(packed, header.uncompressed_page_size, v2, format);
  throw new RangeError("a page has no header");
}

function readPageV1(bytes: Uint8Array, { num_values: entries, encoding, ...levels }: HeaderV1, format: PageFormat): Page {
  checkEntries(entries, format);
  let at = 0;
  const read = (max: number, levelEncoding: string) => {
    if (max === 0) return undefined;
    if (levelEncoding !== "RLE") throw new RangeError(`the encoding ${levelEncoding} of levels is not supported`);
    const length = uint32(bytes, at);
    at += 4 + length;
    return readHybrid(bytes, at - length, at, bitWidth(max), entries);
  };
  const repetitions = read(format.maxRepetition, levels.repetition_level_encoding);
  const definitions = read(format.maxDefinition, levels.definition_level_encoding);
  return {
    entries,
    repetitions,
    definitions,
    ...readValues(bytes.subarray(at), encoding, countValues(entries, definitions, format), format),
  };
}

function readPageV2(packed: Uint8Array, uncompressedSize: number, header: HeaderV2, format: PageFormat): Page {
  const { num_values: entries, encoding, repetition_levels_byte_length: first, definition_levels_byte_length: second } = header;
  checkEntries(entries, format);
  const read = (max: number, start: number, end: number) =>
    max === 0 ? undefined : readHybrid(packed, start, end, bitWidth(max), entries);
  const repetitions = read(format.maxRepetition, 0, first);
  const definitions = read(format.maxDefinition, first, first + second);
  const rest = packed.subarray(first + second);
  const bytes = header.is_compressed === false ? rest : unpackPage(rest, uncompressedSize - first - second, format.metadata);
  return { entries, repetitions, definitions, ...readValues(bytes, encoding, countValues(entries, definitions, format), format) };
}

/** The `count` values that the bytes of a data page begin with, behind its levels. */
export function readValues(bytes: Uint8Array, encoding: string, count: number, { element, metadata: { type } }: PageFormat) {
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
  const integers = () => (type === "INT32" ? new Int32Array(count) : new BigInt64Array(count));
  const plain = (values: RawValues) => ({ values, indexes: undefined });
  const into = <T extends RawValues>(values: T, read: (reader: { view: DataView; offset: number }, count: number, values: T) => void) => {
    if (count > 0) read(reader, count, values);
    return plain(values);
  };
  switch (encoding) {
    case "PLAIN":
      return plain(readPlain(reader, type, count, element.type_length));
    case "PLAIN_DICTIONARY":
    case "RLE_DICTIONARY":
      return { values: undefined, indexes: readHybrid(bytes, 1, bytes.length, count === 0 ? 0 : bytes[0], count) };
    case "RLE":
      return plain(readHybrid(bytes, 4, bytes.length, 1, count));
    case "DELTA_BINARY_PACKED":
      return into(integers(), deltaBinaryUnpack);
    case "DELTA_LENGTH_BYTE_ARRAY":
      return into(new Array<Uint8Array>(count), deltaLengthByteArray);
    case "DELTA_BYTE_ARRAY":
      return into(new Array<Uint8Array>(count), deltaByteArray);
    case "BYTE_STREAM_SPLIT":
      return plain(byteStreamSplit(reader, count, type, element.type_length));
    default:
      throw new RangeError(`the encoding ${encoding} is not supported`);
  }
}

/** @param size how long it says that it is unpacked */
export function unpackPage(packed: Uint8Array, size: number, { codec }: ColumnMetaData): Uint8Array {
  if (!(size >= 0 && size <= MAX_PAGE_BYTES)) throw new RangeError(`a page says that it has ${size} bytes; 512 MB are the most`);
  return decompressPage(packed, size, codec, CODECS);
}

/** A page cannot hold more than its column, nor can a corrupt header then ask for memory. */
export function checkEntries(entries: number, { metadata }: PageFormat) {
  if (!(entries >= 0 && entries <= Number(metadata.num_values))) throw new RangeError("a page has more values than its column");
  if (entries > MAX_PAGE_ENTRIES) throw new RangeError(`a page says that it has ${entries} values; ${MAX_PAGE_ENTRIES} are the most`);
}

function countValues(entries: number, definitions: Int32Array | undefined, { maxDefinition }: PageFormat): number {
  if (!definitions) return entries;
  let count = 0;
  for (let k = 0; k < entries; k++) if (definitions[k] === maxDefinition) count++;
  return count;
}

function bitWidth(max: number): number {
  return 32 - Math.clz32(max);
}

function uint32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true);
}
