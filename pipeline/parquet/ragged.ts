import { Bytes } from "./bytes";
import type { Chunk } from "./chunk";
import { compress } from "./compression";
import type { Dictionary } from "./dictionary";
import { bitWidth, type Indexes, packColumn } from "./packing";
import { type Histories, writeDictionary } from "./pages";
import type { Compression } from "./schema";

/** Most levels of a page. A row is never cut. */
const PAGE_LEVELS = 1 << 18;

/** Elements of all lists, one behind the other: indexes of a dictionary, or booleans as 0 and 1. */
export type Elements = { dictionary: Dictionary; indexes: Indexes } | { flags: Uint8Array };

/**
 * Pages of a list column whose rows have any number of elements, also none. A page (data page v1) is
 *
 *   repetition levels   4 bytes of length, then of every row a 0, and a 1 for each further element
 *   definition levels   4 bytes of length, then a 1 for each element, and a 0 for a list without any
 *   values              the bit width, then the elements' indexes; or booleans, eight a byte
 */
export function writeRagged(chunk: Chunk, elements: Elements, lists: Histories, compression: Compression): void {
  if ("dictionary" in elements) writeDictionary(chunk, elements.dictionary, compression);
  const page = new RaggedPage(chunk, elements, compression);
  for (let list = 0; list < lists.size; list++)
    for (let slot = 0; slot < lists.slots[list]; slot++) page.row(lists.starts[list], lists.counts[list]);
  page.flush();
}

class RaggedPage {
  private rows = 0;
  private levels = 0;
  private values = 0;
  private repetition = new Uint8Array(1024);
  private definition = new Uint8Array(1024);
  private indexes = new Int32Array(1024);

  constructor(
    private readonly chunk: Chunk,
    private readonly elements: Elements,
    private readonly compression: Compression,
  ) {}

  row(start: number, count: number): void {
    if (this.levels > 0 && this.levels + count > PAGE_LEVELS) this.flush();
    this.room(count + 1);
    const { repetition, definition, indexes, levels } = this;
    const more = Math.max(1, count);
    repetition.fill(1, levels, levels + more);
    repetition[levels] = 0;
    definition.fill(count > 0 ? 1 : 0, levels, levels + more);
    const from = "flags" in this.elements ? this.elements.flags : this.elements.indexes;
    for (let i = 0; i < count; i++) indexes[this.values++] = from[start + i];
    this.levels += more;
    this.rows++;
  }

  private room(more: number): void {
    const wanted = this.levels + more;
    if (wanted <= this.indexes.length) return;
    const longer = <A extends Int32Array | Uint8Array>(array: A): A => {
      const copy = new (array.constructor as new (length: number) => A)(2 * wanted);
      copy.set(array as never);
      return copy;
    };
    this.repetition = longer(this.repetition);
    this.definition = longer(this.definition);
    this.indexes = longer(this.indexes);
  }

  flush(): void {
    if (this.rows === 0) return;
    const page = new Bytes(this.levels);
    level(page, this.repetition, this.levels);
    level(page, this.definition, this.levels);
    if ("flags" in this.elements) this.booleans(page);
    else {
      const width = bitWidth(this.elements.dictionary.size);
      page.byte(width);
      packColumn(page, this.indexes, 0, this.values, width);
    }
    const parts = [compress(this.compression, page.view())];
    this.chunk.data({ rows: this.rows, values: this.levels, rawLength: page.length, parts });
    this.rows = this.levels = this.values = 0;
  }

  private booleans(page: Bytes): void {
    const bits = new Uint8Array((this.values + 7) >> 3);
    for (let i = 0; i < this.values; i++) bits[i >> 3] |= this.indexes[i] << (i & 7);
    page.put(bits);
  }
}

function level(page: Bytes, levels: Uint8Array, count: number): void {
  const packed = new Bytes();
  packColumn(packed, levels, 0, count, 1);
  page.littleEndian(packed.length, 4);
  page.put(packed.view());
}
