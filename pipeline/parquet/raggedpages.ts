import { Bytes } from "./bytes";
import type { Chunk } from "./chunk";
import type { Dictionary } from "./dictionary";
import { bitWidth, type Indexes, packRow } from "./packing";
import {
  bodyFor,
  compressedBodies,
  type Histories,
  type HistoryPages,
  levelRun,
  PAGE_BYTES,
  PAGE_ELEMENTS,
  writeDictionary,
} from "./pages";
import type { Compression } from "./schema";
import type { PageBody } from "./snappy";

/**
 * Pages of a list column whose rows have the real elements of their history and no others, maybe none. As in `ListPages` a history is encoded once
 * and repeated for its other slots, and so are its levels. A page (data page v1) is
 *
 *   repetition levels   4 bytes of length, then of every row a 0, and a 1 for each further element
 *   definition levels   4 bytes of length, then a 1 for each element, and a 0 for a list without any
 *   values              the bit width, then the rows' indexes
 */
export class RaggedPages implements HistoryPages {
  private readonly repetition: Levels;
  private readonly definition: Levels;
  private readonly body: PageBody;
  private readonly width: PageBody;
  private readonly row = new Bytes();
  private rows = 0;
  private levels = 0;

  constructor(private readonly compression: Compression) {
    this.repetition = new Levels(compression);
    this.definition = new Levels(compression);
    this.body = bodyFor(compression);
    this.width = bodyFor(compression);
  }

  write(chunk: Chunk, dictionary: Dictionary, indexes: Indexes, histories: Histories): void {
    writeDictionary(chunk, dictionary, this.compression);
    const width = bitWidth(dictionary.size);
    for (let h = 0; h < histories.size; h++) {
      const count = histories.counts[h];
      this.encode(indexes, histories.starts[h], count, width);
      this.add(chunk, width, Math.max(1, count), histories.slots[h]);
    }
    this.flush(chunk, width);
  }

  /** One row of a history, and its levels. */
  private encode(indexes: Indexes, start: number, count: number, width: number): void {
    const { row, repetition, definition } = this;
    row.clear();
    packRow(row, indexes, start, count, count, width);
    repetition.row.clear();
    levelRun(repetition.row, 1, 0);
    if (count > 1) levelRun(repetition.row, count - 1, 1);
    definition.row.clear();
    levelRun(definition.row, Math.max(1, count), count > 0 ? 1 : 0);
  }

  /** Puts the encoded row there `slots` times, over as many pages as it takes. */
  private add(chunk: Chunk, width: number, levels: number, slots: number): void {
    const rowBytes = this.row.length + this.repetition.row.length + this.definition.row.length;
    for (let rest = slots; rest > 0; ) {
      const fit = Math.min(rest, Math.floor((PAGE_BYTES - this.bytes) / rowBytes), Math.floor((PAGE_ELEMENTS - this.levels) / levels));
      if (fit <= 0 && this.rows > 0) {
        this.flush(chunk, width);
        continue;
      }
      const rows = Math.max(1, fit); // a row larger than a page has a page of its own
      put(this.body, this.row, rows);
      put(this.repetition.body, this.repetition.row, rows);
      put(this.definition.body, this.definition.row, rows);
      this.rows += rows;
      this.levels += rows * levels;
      rest -= rows;
    }
  }

  /** raw bytes of the rows so far */
  private get bytes(): number {
    return this.body.rawLength + this.repetition.body.rawLength + this.definition.body.rawLength;
  }

  private flush(chunk: Chunk, width: number): void {
    const { rows, levels, repetition, definition, body, compression } = this;
    if (rows === 0) return;
    this.width.clear();
    this.width.literal(Uint8Array.of(width), 0, 1);
    const bodies = [repetition.head(), repetition.body, definition.head(), definition.body, this.width, body];
    const rawLength = bodies.reduce((sum, each) => sum + each.rawLength, 0);
    chunk.data({ rows, values: levels, rawLength, parts: compressedBodies(compression, rawLength, bodies) });
    this.rows = this.levels = 0;
    for (const each of [body, repetition.body, definition.body]) each.clear();
  }
}

/** The levels of one kind: of a row, and of the page, before which their length stands. */
class Levels {
  readonly row = new Bytes();
  readonly body: PageBody;
  private readonly length: PageBody;

  constructor(compression: Compression) {
    this.body = bodyFor(compression);
    this.length = bodyFor(compression);
  }

  head(): PageBody {
    const bytes = new Bytes(4);
    bytes.littleEndian(this.body.rawLength, 4);
    this.length.clear();
    this.length.literal(bytes.array, 0, bytes.length);
    return this.length;
  }
}

function put(body: PageBody, row: Bytes, times: number): void {
  body.literal(row.array, 0, row.length);
  if (times > 1) body.repeat(row.length, times - 1);
}
