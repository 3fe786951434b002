import { brotliDecompressSync, gunzipSync } from "node:zlib";
import type { ColumnMetaData, Compressors, PageHeader, SchemaTree } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import { DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import { decompressPage, readDataPage, readDataPageV2 } from "hyparquet/src/datapage.js";
import { readPlain } from "hyparquet/src/plain.js";
import { compressors } from "hyparquet-compressors";
import type { Cell } from "../../transforms/cells";
import { cellsOf, type RawValues } from "./parquettypes";
import { BrokenFile } from "./rows";

/** Node's own where Node has one in every version, since they are native. */
const CODECS: Compressors = {
  ...compressors,
  GZIP: (input, length) => gunzipSync(input, { maxOutputLength: length || 1 }),
  BROTLI: (input, length) => brotliDecompressSync(input, { maxOutputLength: length || 1 }),
};

/**
 * One leaf column of a row group, entry by entry; pages are unpacked as they are come to, so that memory holds one at a time.
 * `repetition` and `definition` are the levels of the entry at hand, as in Google's Dremel paper.
 */
export class LeafColumn {
  repetition = 0;
  definition = 0;
  /** entries of the page at hand, and which of them is next */
  private entries = 0;
  private entry = 0;
  private nextValue = 0;
  private repetitions: ArrayLike<number> = [];
  private definitions: ArrayLike<number> = [];
  private cells: Cell[] = [];
  private dictionary: Cell[] = [];
  private readonly reader: { view: DataView; offset: number };
  private readonly toCells: (values: RawValues) => Cell[];
  private readonly decoder;

  /**
   * @param path schema nodes from the root to the leaf
   * @param maxDefinition the level at which a value is there
   * @param bytes the whole column chunk
   */
  constructor(
    path: SchemaTree[],
    readonly maxDefinition: number,
    metadata: ColumnMetaData,
    bytes: ArrayBuffer,
    /** for messages */
    private readonly where: string,
  ) {
    const { element, path: pathInSchema } = path[path.length - 1];
    this.reader = { view: new DataView(bytes), offset: 0 };
    this.toCells = cellsOf(element);
    // the parsers are there for the type only: hyparquet's own conversion is not called
    this.decoder = {
      pathInSchema,
      element,
      schemaPath: path,
      codec: metadata.codec,
      type: metadata.type,
      compressors: CODECS,
      parsers: DEFAULT_PARSERS,
    };
    this.look();
  }

  /** True where all entries have been taken. */
  get ended() {
    return this.entry === this.entries;
  }

  /** Takes the entry at hand. @returns its value, null if it or anything it is part of is null or empty */
  take(): Cell {
    if (this.entry === this.entries) throw this.broken("it has fewer values than there are rows");
    const cell = this.definition === this.maxDefinition ? this.cells[this.nextValue++] : null;
    this.entry++;
    this.look();
    return cell;
  }

  private look() {
    while (this.entry === this.entries) {
      if (this.reader.offset >= this.reader.view.byteLength) return;
      this.nextPage();
    }
    this.repetition = this.repetitions.length === 0 ? 0 : this.repetitions[this.entry];
    this.definition = this.definitions.length === 0 ? this.maxDefinition : this.definitions[this.entry];
  }

  /** A page that is not what its header says shows as an error of hyparquet, a DataView or a decompressor. */
  private nextPage() {
    try {
      const { reader } = this;
      const header = parquetHeader(reader);
      const packed = new Uint8Array(reader.view.buffer, reader.offset, header.compressed_page_size);
      reader.offset += header.compressed_page_size;
      if (header.type === "DICTIONARY_PAGE") this.readDictionary(packed, header);
      else if (header.type === "DATA_PAGE" || header.type === "DATA_PAGE_V2") this.readPage(packed, header);
    } catch (error) {
      throw this.broken((error as Error).message);
    }
  }

  private broken(what: string) {
    return new BrokenFile(`${this.where} is corrupt: ${what}.`);
  }

  private readDictionary(packed: Uint8Array, header: PageHeader) {
    const page = decompressPage(packed, header.uncompressed_page_size, this.decoder.codec, CODECS);
    const reader = { view: new DataView(page.buffer, page.byteOffset, page.byteLength), offset: 0 };
    const { type, element } = this.decoder;
    this.dictionary = this.toCells(readPlain(reader, type, header.dictionary_page_header!.num_values, element.type_length));
  }

  private readPage(packed: Uint8Array, header: PageHeader) {
    const about = (header.data_page_header ?? header.data_page_header_v2)!;
    const page = header.data_page_header
      ? readDataPage(
          decompressPage(packed, header.uncompressed_page_size, this.decoder.codec, CODECS),
          header.data_page_header,
          this.decoder,
        )
      : readDataPageV2(packed, header, this.decoder);
    this.repetitions = page.repetitionLevels;
    this.definitions = page.definitionLevels ?? [];
    this.cells = about.encoding.endsWith("_DICTIONARY") ? this.lookUp(page.dataPage as ArrayLike<number>) : this.toCells(page.dataPage);
    this.entries = about.num_values;
    this.entry = 0;
    this.nextValue = 0;
  }

  private lookUp(indexes: ArrayLike<number>): Cell[] {
    const cells: Cell[] = new Array(indexes.length);
    for (let k = 0; k < cells.length; k++) {
      if (!(indexes[k] < this.dictionary.length)) throw new RangeError("a value is not in the dictionary");
      cells[k] = this.dictionary[indexes[k]];
    }
    return cells;
  }
}
