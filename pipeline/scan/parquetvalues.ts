import { dayName } from "../../transforms/calendar";
import { type PageFormat, readValues } from "../io/parquetpage";
import { unpackHybrid } from "./parquetbits";
import { grown, Leaf, type LeafPlace, Words } from "./parquetleaf";
import { dayAt, NO_DAY } from "./times";

const isDictionary = (encoding: string): boolean => encoding === "RLE_DICTIONARY" || encoding === "PLAIN_DICTIONARY";

/** The dictionary indexes of a page. */
class Indexes {
  /** undefined where the page is not made of them */
  array: Int32Array | undefined;
  private readonly words = new Words();

  none() {
    this.array = undefined;
  }

  /** @param size of the dictionary */
  read(bytes: Uint8Array, at: number, count: number, size: number) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const out = this.words.of(count);
    if (count > 0 && unpackHybrid(bytes, view, at + 1, bytes.length, bytes[at], count, out) >= size)
      throw new RangeError("a value is not in the dictionary");
    this.array = out;
  }
}

/** INT32 and INT64: (low, high) pairs of int32. */
export class IntegerLeaf extends Leaf {
  /** of the batch */
  pairs: Int32Array;
  private readonly words = new Words();
  private dictionary = new Int32Array(0);
  private readonly indexes = new Indexes();
  private readonly narrow: boolean;

  /** @param pairs where batches go, as long as they fit */
  constructor(place: LeafPlace, pairs: Int32Array = new Int32Array(2 << 12)) {
    super(place);
    this.narrow = place.element.type === "INT32";
    this.pairs = pairs;
  }

  protected override dictionaryPage(bytes: Uint8Array, count: number) {
    this.dictionary = new Int32Array(2 * counted(bytes, count, this.narrow ? 4 : 8));
    this.plain(bytes, 0, count, this.dictionary);
  }

  protected override dataPage(bytes: Uint8Array, at: number, count: number, encoding: string, format: PageFormat) {
    if (isDictionary(encoding)) return this.indexes.read(bytes, at, count, this.dictionary.length / 2);
    this.indexes.none();
    const words = this.words.of(2 * count);
    if (encoding === "PLAIN") return this.plain(bytes, at, count, words);
    const { values } = readValues(bytes.subarray(at), encoding, count, format);
    if (values instanceof Int32Array) widen(values, count, words);
    else if (values instanceof BigInt64Array) words.set(new Int32Array(values.buffer, values.byteOffset, 2 * count));
    else throw new RangeError("values are no integers");
  }

  protected override copy(from: number, count: number, to: number) {
    const { pairs, dictionary } = this;
    const { array: indexes } = this.indexes;
    if (indexes === undefined) return pairs.set(this.words.array.subarray(2 * from, 2 * (from + count)), 2 * to);
    for (let k = 0; k < count; k++) {
      const at = 2 * indexes[from + k];
      pairs[2 * (to + k)] = dictionary[at];
      pairs[2 * (to + k) + 1] = dictionary[at + 1];
    }
  }

  protected override lack() {}

  protected override reserve(entries: number) {
    if (this.pairs.length < 2 * entries) this.pairs = grown(this.pairs, new Int32Array(4 * entries));
  }

  protected override raw(entry: number): number | bigint {
    const low = this.pairs[2 * entry];
    return this.narrow ? low : (BigInt(this.pairs[2 * entry + 1]) << 32n) | BigInt(low >>> 0);
  }

  private plain(bytes: Uint8Array, at: number, count: number, out: Int32Array) {
    copyBytes(bytes, at, count * (this.narrow ? 4 : 8), out);
    if (this.narrow) widen(out, count, out);
  }
}

/** How many values a dictionary has: a corrupt header must not ask for memory. */
function counted(bytes: Uint8Array, count: number, valueBytes: number): number {
  if (!(count >= 0 && count * valueBytes <= bytes.length)) throw new RangeError("a dictionary is cut");
  return count;
}

/** A page's values may begin at any byte, those of typed arrays not. */
function copyBytes(bytes: Uint8Array, at: number, size: number, out: Int32Array) {
  if (at + size > bytes.length) throw new RangeError("values are cut");
  new Uint8Array(out.buffer, out.byteOffset, size).set(bytes.subarray(at, at + size));
}

/** From the last one on, so that both may be the same memory. */
function widen(from: Int32Array, count: number, to: Int32Array) {
  for (let k = count - 1; k >= 0; k--) {
    const value = from[k];
    to[2 * k] = value;
    to[2 * k + 1] = value >> 31;
  }
}

/** INT96: (nanoseconds of the day, low and high; Julian day) as three int32. */
export class Int96Leaf extends Leaf {
  /** of the batch */
  triples = new Int32Array(3 << 12);
  private readonly words = new Words();
  private dictionary = new Int32Array(0);
  private readonly indexes = new Indexes();

  protected override dictionaryPage(bytes: Uint8Array, count: number) {
    this.dictionary = new Int32Array(3 * counted(bytes, count, 12));
    copyBytes(bytes, 0, 12 * count, this.dictionary);
  }

  protected override dataPage(bytes: Uint8Array, at: number, count: number, encoding: string) {
    if (isDictionary(encoding)) return this.indexes.read(bytes, at, count, this.dictionary.length / 3);
    if (encoding !== "PLAIN") throw new RangeError("INT96 is in an unusual encoding");
    this.indexes.none();
    copyBytes(bytes, at, 12 * count, this.words.of(3 * count));
  }

  protected override copy(from: number, count: number, to: number) {
    const { triples, dictionary } = this;
    const { array: indexes } = this.indexes;
    if (indexes === undefined) return triples.set(this.words.array.subarray(3 * from, 3 * (from + count)), 3 * to);
    for (let k = 0; k < count; k++) for (let j = 0; j < 3; j++) triples[3 * (to + k) + j] = dictionary[3 * indexes[from + k] + j];
  }

  protected override lack() {}

  protected override reserve(entries: number) {
    if (this.triples.length < 3 * entries) this.triples = grown(this.triples, new Int32Array(6 * entries));
  }

  /** As hyparquet puts it together: it takes the nanoseconds for a signed number. */
  protected override raw(entry: number): bigint {
    const [low, high, day] = this.triples.subarray(3 * entry, 3 * entry + 3);
    return (BigInt(day) << 64n) | (BigInt(high) << 32n) | BigInt(low >>> 0);
  }
}

/** BOOLEAN: 0 or 1. */
export class BooleanLeaf extends Leaf {
  flags = new Uint8Array(1 << 12);
  private readonly words = new Words();

  protected override dictionaryPage(bytes: Uint8Array) {
    if (bytes.length > 0) throw new RangeError("booleans have no dictionary");
  }

  protected override dataPage(bytes: Uint8Array, at: number, count: number, encoding: string) {
    const out = this.words.of(count);
    if (encoding === "PLAIN") {
      if (at + Math.ceil(count / 8) > bytes.length) throw new RangeError("values are cut");
      for (let k = 0; k < count; k++) out[k] = (bytes[at + (k >> 3)] >> (k & 7)) & 1;
    } else if (encoding === "RLE") {
      // four bytes say how long they are
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      if (count > 0 && unpackHybrid(bytes, view, at + 4, bytes.length, 1, count, out) > 1) throw new RangeError("values are no booleans");
    } else throw new RangeError("booleans are in an unusual encoding");
  }

  protected override copy(from: number, count: number, to: number) {
    const { array } = this.words;
    for (let k = 0; k < count; k++) this.flags[to + k] = array[from + k];
  }

  protected override lack() {}

  protected override reserve(entries: number) {
    if (this.flags.length < entries) this.flags = grown(this.flags, new Uint8Array(2 * entries));
  }

  protected override raw(entry: number): boolean {
    return this.flags[entry] === 1;
  }
}

/** What may be read behind the last text. */
const SLACK = 64;

/** BYTE_ARRAY: the text of entry i is bytes[starts[i] … starts[i + 1]). */
export class TextLeaf extends Leaf {
  bytes = new Uint8Array(1 << 16);
  view = new DataView(this.bytes.buffer);
  starts = new Int32Array((1 << 12) + 1);
  private page: Texts = { bytes: new Uint8Array(0), starts: new Int32Array(0), ends: new Int32Array(0) };
  private dictionary = this.page;
  private readonly plainStarts = new Words();
  private readonly plainEnds = new Words();
  private readonly indexes = new Indexes();

  protected override dictionaryPage(bytes: Uint8Array, count: number) {
    counted(bytes, count, 4);
    this.dictionary = { bytes: bytes.slice(), starts: new Int32Array(count), ends: new Int32Array(count) };
    findTexts(this.dictionary, 0, count);
  }

  protected override dataPage(bytes: Uint8Array, at: number, count: number, encoding: string, format: PageFormat) {
    if (isDictionary(encoding)) {
      this.page = this.dictionary;
      return this.indexes.read(bytes, at, count, this.dictionary.starts.length);
    }
    this.indexes.none();
    this.page = { bytes, starts: this.plainStarts.of(count), ends: this.plainEnds.of(count) };
    if (encoding === "PLAIN") findTexts(this.page, at, count);
    else this.page.bytes = joined(readValues(bytes.subarray(at), encoding, count, format).values as Uint8Array[], this.page);
  }

  protected override copy(from: number, count: number, to: number) {
    const { page } = this;
    const { array: indexes } = this.indexes;
    for (let k = 0; k < count; k++) {
      const text = indexes === undefined ? from + k : indexes[from + k];
      const start = page.starts[text];
      const length = page.ends[text] - start;
      let at = this.starts[to + k];
      if (at + length + SLACK > this.bytes.length) this.grow(at + length);
      const { bytes } = this;
      for (let byte = start; byte < start + length; byte++) bytes[at++] = page.bytes[byte];
      this.starts[to + k + 1] = at;
    }
  }

  protected override lack(from: number, to: number) {
    this.starts.fill(this.starts[from], from + 1, to + 1);
  }

  protected override reserve(entries: number) {
    if (this.starts.length <= entries) this.starts = grown(this.starts, new Int32Array(2 * entries + 1));
  }

  protected override raw(entry: number): Uint8Array {
    return this.bytes.slice(this.starts[entry], this.starts[entry + 1]);
  }

  private grow(length: number) {
    this.bytes = grown(this.bytes, new Uint8Array(2 * length + SLACK));
    this.view = new DataView(this.bytes.buffer);
  }
}

/** BYTE_ARRAY of days: of entry i the epoch day, NO_DAY for another text. Those of a dictionary are read once. */
export class DayTextLeaf extends Leaf {
  days = new Int32Array(1 << 12);
  private readonly words = new Words();
  private dictionary = new Int32Array(0);
  private readonly indexes = new Indexes();

  protected override dictionaryPage(bytes: Uint8Array, count: number) {
    this.dictionary = new Int32Array(counted(bytes, count, 4));
    readDays(bytes, 0, count, this.dictionary);
  }

  protected override dataPage(bytes: Uint8Array, at: number, count: number, encoding: string) {
    if (isDictionary(encoding)) return this.indexes.read(bytes, at, count, this.dictionary.length);
    if (encoding !== "PLAIN") throw new RangeError("days are in an unusual encoding");
    this.indexes.none();
    readDays(bytes, at, count, this.words.of(count));
  }

  protected override copy(from: number, count: number, to: number) {
    const { days, dictionary } = this;
    const { array: indexes } = this.indexes;
    if (indexes === undefined) return days.set(this.words.array.subarray(from, from + count), to);
    for (let k = 0; k < count; k++) days[to + k] = dictionary[indexes[from + k]];
  }

  protected override lack(from: number, to: number) {
    this.days.fill(NO_DAY, from, to);
  }

  protected override reserve(entries: number) {
    if (this.days.length < entries) this.days = grown(this.days, new Int32Array(2 * entries));
  }

  /** Only the day is kept: another text is as good as none. */
  protected override raw(entry: number): Uint8Array {
    const day = this.days[entry];
    return Buffer.from(day === NO_DAY ? "" : dayName(day));
  }
}

/** @throws RangeError for text that is not ASCII, which may be no text at all */
function readDays(bytes: Uint8Array, from: number, count: number, days: Int32Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = from;
  for (let k = 0; k < count; k++) {
    const start = at + 4;
    at = start + view.getUint32(at, true);
    if (at > bytes.length) throw new RangeError("a text is cut");
    days[k] = at - start === 10 ? dayAt(view, start) : NO_DAY;
    if (days[k] === NO_DAY) for (let byte = start; byte < at; byte++) if (bytes[byte] >= 0x80) throw new RangeError("a text is not ASCII");
  }
}

interface Texts {
  bytes: Uint8Array;
  starts: Int32Array;
  ends: Int32Array;
}

/** Plain texts: each has its length, 4 bytes, before it. */
function findTexts({ bytes, starts, ends }: Texts, from: number, count: number) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = from;
  for (let k = 0; k < count; k++) {
    starts[k] = at + 4;
    at += 4 + view.getUint32(at, true);
    if (at > bytes.length) throw new RangeError("a text is cut");
    ends[k] = at;
  }
}

/** @returns the texts one after another, as `starts` and `ends` then say */
function joined(texts: readonly Uint8Array[], { starts, ends }: Texts): Uint8Array {
  const bytes = new Uint8Array(texts.reduce((sum, text) => sum + text.length, 0));
  let at = 0;
  for (let k = 0; k < texts.length; k++) {
    starts[k] = at;
    bytes.set(texts[k], at);
    ends[k] = at += texts[k].length;
  }
  return bytes;
}
