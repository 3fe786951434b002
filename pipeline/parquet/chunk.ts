import { crc32 } from "node:zlib";
import type { ColumnChunk, ColumnMetaData, Encoding, PageType, RowGroup } from "hyparquet";
import type { ByteWriter } from "hyparquet-writer/src/bytewriter.js";
import { type Bound, boundBytes } from "./bound";
import { Bytes } from "./bytes";
import { CODECS } from "./compression";
import { putColumnIndex } from "./footer";
import type { Compression, Leaf } from "./schema";
import { PageEncoding, PageKind, type PageLocation, putOffsetIndex, putPageHeader } from "./thrift";

/** Smallest and largest value of a page or a chunk. */
export interface Bounds {
  min: Bound;
  max: Bound;
}

/** A column of a row group as it was written. */
export interface WrittenChunk {
  leaf: Leaf;
  meta: ColumnMetaData;
  pages: PageLocation[];
  /** of each page, as bytes for the column index; none for lists */
  bounds: { min: Uint8Array; max: Uint8Array }[];
}

/** Bytes of one data page as a reader sees them, counted without the header. */
export interface PageContent {
  rows: number;
  /** elements of lists; rows of other columns */
  values: number;
  rawLength: number;
  /** compressed bytes, one part after the other */
  parts: Uint8Array[];
  bounds?: Bounds;
}

/** Writes the pages of one column of a row group and keeps the books: offsets, sizes, encodings. */
export class Chunk {
  private rows = 0;
  private values = 0;
  private rawBytes = 0;
  private compressedBytes = 0;
  private dictionaryOffset: number | undefined;
  private readonly pages: PageLocation[] = [];
  private readonly bounds: WrittenChunk["bounds"] = [];

  constructor(
    private readonly out: ByteWriter,
    private readonly leaf: Leaf,
    private readonly compression: Compression,
  ) {}

  dictionary(values: number, rawLength: number, compressed: Uint8Array): void {
    this.dictionaryOffset = this.out.offset;
    this.page(PageKind.dictionary, values, PageEncoding.plain, rawLength, [compressed]);
  }

  data({ rows, values, rawLength, parts, bounds }: PageContent): void {
    const offset = this.out.offset;
    const encoding = this.dictionaryOffset === undefined ? PageEncoding.plain : PageEncoding.rleDictionary;
    this.page(PageKind.data, values, encoding, rawLength, parts);
    this.pages.push({ offset, bytes: this.out.offset - offset, firstRow: this.rows });
    const { type } = this.leaf;
    if (bounds) this.bounds.push({ min: boundBytes(bounds.min, type, false), max: boundBytes(bounds.max, type, true) });
    this.rows += rows;
    this.values += values;
  }

  private page(kind: PageKind, values: number, encoding: PageEncoding, rawBytes: number, parts: Uint8Array[]): void {
    const start = this.out.offset;
    let compressedBytes = 0;
    let crc = 0; // lets a reader tell a damaged page from a wrong value
    for (const part of parts) {
      compressedBytes += part.length;
      crc = crc32(part, crc);
    }
    const head = new Bytes(64);
    putPageHeader(head, { kind, rawBytes, compressedBytes, crc: crc | 0, values, encoding });
    this.out.appendBytes(head.view());
    this.rawBytes += this.out.offset - start + rawBytes;
    for (const part of parts) this.out.appendBytes(part);
    this.compressedBytes += this.out.offset - start;
  }

  /** @param bounds of all values; none for lists, whose smallest and largest element help nobody */
  end(bounds?: Bounds): WrittenChunk {
    const { dictionaryOffset, pages } = this;
    const dictionary = dictionaryOffset !== undefined;
    const encoding: Encoding = dictionary ? "RLE_DICTIONARY" : "PLAIN";
    const meta: ColumnMetaData = {
      type: this.leaf.type,
      encodings: dictionary ? ["PLAIN", "RLE", "RLE_DICTIONARY"] : ["PLAIN", "RLE"],
      path_in_schema: this.leaf.path,
      codec: CODECS[this.compression],
      num_values: BigInt(this.values),
      total_uncompressed_size: BigInt(this.rawBytes),
      total_compressed_size: BigInt(this.compressedBytes),
      data_page_offset: BigInt(pages[0].offset),
      dictionary_page_offset: dictionary ? BigInt(dictionaryOffset) : undefined,
      statistics: bounds && { min_value: bounds.min, max_value: bounds.max, null_count: 0n },
      encoding_stats: [
        ...(dictionary ? [{ page_type: "DICTIONARY_PAGE" as PageType, encoding: "PLAIN" as Encoding, count: 1 }] : []),
        { page_type: "DATA_PAGE", encoding, count: pages.length },
      ],
    };
    return { leaf: this.leaf, meta, pages, bounds: this.bounds };
  }
}

/** The books of the same bytes once more, `by` bytes further on, under another column's name. */
export function copyOf(chunk: WrittenChunk, leaf: Leaf, by: number): WrittenChunk {
  const { meta, pages } = chunk;
  return {
    ...chunk,
    leaf,
    meta: {
      ...meta,
      path_in_schema: leaf.path,
      data_page_offset: meta.data_page_offset + BigInt(by),
      dictionary_page_offset: meta.dictionary_page_offset === undefined ? undefined : meta.dictionary_page_offset + BigInt(by),
    },
    pages: pages.map((page) => ({ ...page, offset: page.offset + by })),
  };
}

/**
 * Writes the page index (parquet-format, PageIndex.md): where the pages of every chunk are, and the bounds of their values.
 * Also for chunks of one page, because readers skip pages only if all columns they read have an index.
 */
function writePageIndex(out: ByteWriter, chunks: readonly WrittenChunk[]): ColumnChunk[] {
  const columns: ColumnChunk[] = chunks.map(({ meta }) => ({ file_offset: 0n, meta_data: meta }));
  chunks.forEach(({ bounds }, i) => {
    if (bounds.length === 0) return;
    const start = out.offset;
    const index = new Bytes(1024);
    putColumnIndex(index, bounds);
    out.appendBytes(index.view());
    columns[i].column_index_offset = BigInt(start);
    columns[i].column_index_length = out.offset - start;
  });
  chunks.forEach(({ pages }, i) => {
    const start = out.offset;
    const index = new Bytes(1024);
    putOffsetIndex(index, pages);
    out.appendBytes(index.view());
    columns[i].offset_index_offset = BigInt(start);
    columns[i].offset_index_length = out.offset - start;
  });
  return columns;
}

/** A row group of which all chunks are written, as the footer has it; its page index is written now. */
export function withPageIndex(
  out: ByteWriter,
  { rows, offset, chunks }: { rows: number; offset: number; chunks: readonly WrittenChunk[] },
): RowGroup {
  const sum = (bytes: (meta: ColumnMetaData) => bigint) => chunks.reduce((total, { meta }) => total + bytes(meta), 0n);
  return {
    columns: writePageIndex(out, chunks),
    num_rows: BigInt(rows),
    file_offset: BigInt(offset),
    total_byte_size: sum((meta) => meta.total_uncompressed_size),
    total_compressed_size: sum((meta) => meta.total_compressed_size),
  };
}
