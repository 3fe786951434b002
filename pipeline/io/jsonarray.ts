import { JsonRecords } from "./jsonrecords";
import { BrokenFile, type ReadEnd, type RowSink, type Split } from "./rows";
import { Window } from "./window";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * The elements of one JSON array, of any size: only one element need fit into memory. Positions are the elements' numbers from 1.
 * @throws BrokenFile where the file is no array, is cut, or has something else between its elements or behind it
 */
export async function readJsonArray(split: Split, columns: readonly string[], sink: RowSink): Promise<ReadEnd> {
  const { file } = split;
  if (file.size === 0) return { positions: 0 };
  const window = await Window.open(file);
  try {
    const elements = new JsonRecords(columns, sink, split.file.partition);
    const array = new ArrayScanner(window, elements, file.path);
    await window.skipBom();
    do {
      array.scan();
      await sink.drain();
    } while (await window.more());
    array.finish();
    return { positions: elements.count };
  } finally {
    await window.close();
  }
}

/** Finds where elements begin and end; whether they are JSON is for `elements` to say. Blanks may stand between all that is expected. */
class ArrayScanner {
  private expected: "array" | "element or end" | "element" | "separator" | "nothing" = "array";
  private readonly element = new ElementScanner();

  constructor(
    private readonly window: Window,
    private readonly elements: JsonRecords,
    private readonly path: string,
  ) {}

  /** Goes as far as the bytes at hand do; what is left in the window then is the beginning of an element. */
  scan() {
    const { window } = this;
    for (;;) {
      while (window.start < window.end && isBlank(window.bytes[window.start])) window.start++;
      if (window.start === window.end) return;
      if (this.expected === "element" || (this.expected === "element or end" && window.bytes[window.start] !== CLOSE_BRACKET)) {
        const length = this.element.length(window);
        if (length < 0) return;
        if (length === 0) throw this.broken("is no JSON array: an element is missing");
        this.elements.read(window.bytes, window.start, window.start + length);
        window.start += length;
        this.expected = "separator";
      } else this.punctuation(window.bytes[window.start++]);
    }
  }

  private punctuation(byte: number) {
    if (this.expected === "nothing") throw this.broken("has something behind its JSON array");
    if (this.expected === "array") {
      if (byte !== OPEN_BRACKET) throw this.broken("is no JSON array");
      this.expected = "element or end";
    } else if (byte === CLOSE_BRACKET) this.expected = "nothing";
    else if (byte === COMMA) this.expected = "element";
    else throw this.broken("is no JSON array: there is neither a comma nor the end behind an element");
  }

  /** At the end of the file. */
  finish() {
    if (this.expected !== "nothing")
      throw this.broken(this.expected === "array" ? "is no JSON array" : "is cut: its JSON array has no end");
  }

  private broken(what: string) {
    return new BrokenFile(`"${this.path}" ${what} (${this.elements.count} elements read).`);
  }
}

/** How long the element at the start of a window is. Remembers how far it has looked, since a window may hold only a part. */
class ElementScanner {
  private looked = 0;
  private depth = 0;
  private quoted = false;

  /** @returns bytes of the element, -1 if its end is not at hand yet */
  length(window: Window): number {
    const { bytes, start, end } = window;
    let at = start + this.looked;
    while (at < end) {
      const byte = bytes[at];
      if (this.quoted) {
        if (byte === QUOTE) this.quoted = false;
        at += byte === BACKSLASH ? 2 : 1;
        continue;
      }
      if (this.depth === 0 && (byte === COMMA || byte === CLOSE_BRACKET || byte === CLOSE_BRACE || isBlank(byte)))
        return this.found(at - start);
      at++;
      if (byte === QUOTE) this.quoted = true;
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.depth++;
      else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && --this.depth === 0) return this.found(at - start);
    }
    this.looked = at - start;
    return -1;
  }

  private found(length: number): number {
    this.looked = 0;
    this.depth = 0;
    this.quoted = false;
    return length;
  }
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
