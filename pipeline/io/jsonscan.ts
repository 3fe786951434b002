import { isUtf8 } from "node:buffer";
import type { Cell } from "../../transforms/cells";
import { type JsonFault, keepsLoneSurrogate, MAX_DEPTH } from "./jsonfault";
import { Names } from "./names";

/** More digits than int64 or any other id has; BigInt() takes quadratic time, so a line of a million digits must not reach it. */
const MAX_DIGITS = 40;

/** Thrown at the first byte that no JSON can have there; one object, since a stack trace for each bad line would cost more than the line. */
export const MALFORMED = new Error("not JSON");

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * Reads one JSON text in one pass over its bytes. As strict as RFC 8259 and Python's json.loads without NaN; on top of it
 * nesting is bounded, and a surrogate without its other half is refused. Members that nobody wants are checked and skipped,
 * nothing is built for them.
 */
export class JsonScanner {
  protected bytes: Buffer = Buffer.alloc(0);
  protected at = 0;
  protected end = 0;
  protected depth = 0;
  /** all bytes of all strings, or-ed: 0x80 is set where UTF-8 is still to be checked */
  private bits = 0;
  /** of the string read last */
  private escaped = false;
  private stringStart = 0;
  /** a surrogate escape without its other half was seen; the last of duplicate keys may still hide it */
  private loneSurrogate = false;
  private readonly members = new Names();

  protected open(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    this.depth = 0;
    this.bits = 0;
    this.loneSurrogate = false;
  }

  /** After the last value: nothing but blanks may follow, and what the pass has put off is checked. */
  protected close(start: number): JsonFault | undefined {
    if (this.peek() !== -1) throw MALFORMED;
    if (this.bits & 0x80 && !isUtf8(this.bytes.subarray(start, this.end))) return "not JSON";
    if (this.loneSurrogate && keepsLoneSurrogate(this.bytes.toString("utf8", start, this.end))) return "not JSON";
    return undefined;
  }

  /** The next byte that is not blank, or -1 at the end; it is not consumed. */
  protected peek(): number {
    const { bytes, end } = this;
    let at = this.at;
    while (at < end) {
      const byte = bytes[at];
      if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) {
        this.at = at;
        return byte;
      }
      at++;
    }
    this.at = at;
    return -1;
  }

  /** Reads a value. @returns it if it is to be kept, else undefined */
  protected value(keep: boolean): Cell {
    const byte = this.peek();
    if (byte === QUOTE) {
      this.string();
      return keep ? this.text() : undefined;
    }
    if (byte === MINUS || (byte >= ZERO && byte <= NINE)) return this.number(keep);
    if (byte === OPEN_BRACE) return this.object(keep);
    if (byte === OPEN_BRACKET) return this.array(keep);
    if (byte === 0x74) return this.word("true", true);
    if (byte === 0x66) return this.word("false", false);
    if (byte === 0x6e) return this.word("null", null);
    throw MALFORMED;
  }

  private word<T>(word: string, value: T): T {
    for (let k = 0; k < word.length; k++) {
      if (this.at === this.end || this.bytes[this.at++] !== word.charCodeAt(k)) throw MALFORMED;
    }
    return value;
  }

  protected down() {
    this.at++;
    if (++this.depth > MAX_DEPTH) throw MALFORMED;
  }

  /** After a member: true where another one follows, false where the object or array is closed. */
  protected more(close: number): boolean {
    const byte = this.peek();
    this.at++;
    if (byte === COMMA) return true;
    if (byte !== close) throw MALFORMED;
    this.depth--;
    return false;
  }

  /** True, and past the end, if the object or array just opened is empty. */
  protected empty(close: number): boolean {
    if (this.peek() !== close) return false;
    this.at++;
    this.depth--;
    return true;
  }

  private array(keep: boolean): Cell[] | undefined {
    const cells: Cell[] | undefined = keep ? [] : undefined;
    this.down();
    if (this.empty(CLOSE_BRACKET)) return cells;
    do {
      const cell = this.value(keep);
      if (cells) cells.push(cell);
    } while (this.more(CLOSE_BRACKET));
    return cells;
  }

  private object(keep: boolean): Cell {
    const cells: { [name: string]: Cell } | undefined = keep ? {} : undefined;
    this.down();
    if (this.empty(CLOSE_BRACE)) return cells;
    do {
      this.key();
      const name = keep ? this.name() : "";
      this.colon();
      const cell = this.value(keep);
      if (!cells) continue;
      if (name === "__proto__") Object.defineProperty(cells, name, { value: cell, enumerable: true, configurable: true, writable: true });
      else cells[name] = cell;
    } while (this.more(CLOSE_BRACE));
    return cells;
  }

  protected key() {
    if (this.peek() !== QUOTE) throw MALFORMED;
    this.string();
  }

  protected colon() {
    if (this.peek() !== COLON) throw MALFORMED;
    this.at++;
  }

  /** Goes past a string; where it was is remembered for text(). */
  private string() {
    const { bytes, end } = this;
    let at = this.at + 1;
    let bits = 0;
    this.stringStart = at;
    this.escaped = false;
    for (;;) {
      if (at >= end) throw MALFORMED;
      const byte = bytes[at++];
      if (byte === QUOTE) break;
      if (byte < 0x20) throw MALFORMED;
      if (byte === BACKSLASH) at = this.escape(at);
      bits |= byte;
    }
    this.bits |= bits;
    this.at = at;
  }

  /** @returns the position after the escape whose backslash is just before `at`, both halves of a surrogate pair together */
  private escape(at: number): number {
    this.escaped = true;
    const byte = at < this.end ? this.bytes[at] : -1;
    if (byte !== 0x75) {
      if (!SIMPLE_ESCAPES.includes(byte)) throw MALFORMED;
      return at + 1;
    }
    const unit = this.hex(at + 1);
    if (unit < 0xd800 || unit > 0xdfff) return at + 5;
    if (unit < 0xdc00 && at + 6 < this.end && this.bytes[at + 5] === BACKSLASH && this.bytes[at + 6] === 0x75) {
      const next = this.hex(at + 7);
      if (next >= 0xdc00 && next <= 0xdfff) return at + 11;
    }
    this.loneSurrogate = true;
    return at + 5;
  }

  private hex(at: number): number {
    if (at + 4 > this.end) throw MALFORMED;
    let unit = 0;
    for (let k = at; k < at + 4; k++) {
      const byte = this.bytes[k] | 0x20;
      const digit = this.bytes[k] <= NINE ? this.bytes[k] - ZERO : byte >= 0x61 && byte <= 0x66 ? byte - 0x57 : -1;
      if (digit < 0) throw MALFORMED;
      unit = unit * 16 + digit;
    }
    return unit;
  }

  /** What the string read last says. */
  private text(): string {
    const { bytes, stringStart, at } = this;
    if (this.escaped) return JSON.parse(bytes.toString("utf8", stringStart - 1, at));
    return bytes.toString(this.bits & 0x80 ? "utf8" : "latin1", stringStart, at - 1);
  }

  /** The string read last, as the key of a member that is kept: few names come again and again. */
  private name(): string {
    if (this.escaped) return this.text();
    const { members } = this;
    const known = members.find(this.bytes, this.stringStart, this.at - 1);
    if (known >= 0) return members.texts[known];
    const text = this.text();
    if (members.texts.length < 16) members.add(text);
    return text;
  }

  /** Which of `names` the string read last is, or -1. */
  protected which(names: Names): number {
    return this.escaped ? names.texts.indexOf(this.text()) : names.find(this.bytes, this.stringStart, this.at - 1);
  }

  /** An integer exactly: a number if it is safe, else a bigint. Anything with a point or an exponent is NaN, even 1.0. */
  private number(keep: boolean): number | bigint {
    const { bytes, end } = this;
    const start = this.at;
    const first = bytes[start] === MINUS ? start + 1 : start;
    let at = first;
    let value = 0;
    while (at < end && bytes[at] >= ZERO && bytes[at] <= NINE) value = value * 10 + bytes[at++] - ZERO;
    const digits = at - first;
    if (digits === 0 || (digits > 1 && bytes[first] === ZERO)) throw MALFORMED;
    this.at = at;
    if (this.fraction()) return Number.NaN;
    if (digits > 15) return keep ? longInteger(bytes.toString("latin1", start, at), digits) : Number.NaN;
    return first === start || value === 0 ? value : -value;
  }

  /** Goes past what makes a number no integer. @returns whether there was any */
  private fraction(): boolean {
    const start = this.at;
    if (this.byteAt(this.at) === 0x2e) {
      this.at++;
      this.digits();
    }
    if ((this.byteAt(this.at) | 0x20) === 0x65) {
      const sign = this.byteAt(++this.at);
      if (sign === MINUS || sign === 0x2b) this.at++;
      this.digits();
    }
    return this.at > start;
  }

  private digits() {
    const start = this.at;
    while (this.byteAt(this.at) >= ZERO && this.byteAt(this.at) <= NINE) this.at++;
    if (this.at === start) throw MALFORMED;
  }

  private byteAt(at: number): number {
    return at < this.end ? this.bytes[at] : -1;
  }
}

const SIMPLE_ESCAPES = [...Buffer.from('"\\/bfnrt')];

function longInteger(text: string, digits: number): number | bigint {
  if (digits > MAX_DIGITS) return Number.NaN;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}
