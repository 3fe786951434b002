import { parquetHeader } from "hyparquet/src/column.js";
import type { Cell } from "../../transforms/cells";
import { type PageFormat, readDictionary, readPage } from "./parquetpage";
import { cellsOf, type RawValues } from "./parquettypes";
import { BrokenFile } from "./rows";

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
  private nextCell = 0;
  /** entries of the pages still to come */
  private left: number;
  private repetitions: Int32Array | undefined;
  private definitions: Int32Array | undefined;
  private cells: Cell[] = [];
  private dictionary: Cell[] = [];
  private readonly maxDefinition: number;
  private readonly reader: { view: DataView; offset: number };
  private readonly toCells: (values: RawValues) => Cell[];

  /**
   * @param bytes the whole column chunk
   * @param where for messages: which column of which file
   */
  constructor(
    private readonly format: PageFormat,
    bytes: ArrayBuffer,
    private readonly where: string,
  ) {
    this.maxDefinition = format.maxDefinition;
    this.left = Number(format.metadata.num_values);
    this.reader = { view: new DataView(bytes), offset: 0 };
    this.toCells = cellsOf(format.element);
    this.look();
  }

  /** True where all entries have been taken. */
  get ended() {
    return this.entry === this.entries;
  }

  /** Takes the entry at hand. @returns its value, null if it or anything it is part of is null or empty */
  take(): Cell {
    if (this.entry === this.entries) throw this.broken("it has fewer values than there are rows");
    const cell = this.definition === this.maxDefinition ? this.cells[this.nextCell++] : null;
    this.entry++;
    this.look();
    return cell;
  }

  private look() {
    while (this.entry === this.entries) {
      if (this.left <= 0 || this.reader.offset >= this.reader.view.byteLength) return;
      this.nextPage();
    }
    this.repetition = this.repetitions ? this.repetitions[this.entry] : 0;
    this.definition = this.definitions ? this.definitions[this.entry] : this.maxDefinition;
  }

  /** A page that is not what its header says shows as an error of hyparquet, a DataView or a decompressor. */
  private nextPage() {
    try {
      const { reader } = this;
      const header = parquetHeader(reader);
      const size = header.compressed_page_size;
      if (!(size >= 0 && size <= reader.view.byteLength - reader.offset)) throw new RangeError("a page is cut");
      const packed = new Uint8Array(reader.view.buffer, reader.offset, size);
      reader.offset += size;
      if (header.type === "DICTIONARY_PAGE") this.dictionary = this.toCells(readDictionary(packed, header, this.format));
      else if (header.type === "DATA_PAGE" || header.type === "DATA_PAGE_V2") this.turn(readPage(packed, header, this.format));
    } catch (error) {
      throw this.broken((error as Error).message);
    }
  }

  private turn({ entries, repetitions, definitions, values, indexes }: ReturnType<typeof readPage>) {
    this.cells = indexes ? this.lookUp(indexes) : this.toCells(values!);
    this.repetitions = repetitions;
    this.definitions = definitions;
    this.left -= entries;
    this.entries = entries;
    this.entry = this.nextCell = 0;
  }

  private lookUp(indexes: Int32Array): Cell[] {
    const { dictionary } = this;
    const cells: Cell[] = new Array(indexes.length);
    for (let k = 0; k < cells.length; k++) {
      if (indexes[k] >= dictionary.length) throw new RangeError("a value is not in the dictionary");
      cells[k] = dictionary[indexes[k]];
    }
    return cells;
  }

  private broken(what: string) {
    return new BrokenFile(`${this.where} is corrupt: ${what}.`);
  }
}
