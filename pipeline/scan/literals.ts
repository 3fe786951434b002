const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const LF = 0x0a;

/** roles of literals; those of 2 and more are the owner's, told by the key */
export const SKIP = 0;
export const END = 1;

/** what stands in `table` for a literal, counted in int32 from where it begins; that is even */
export const LENGTH = 0; // in bytes
export const ROLE = 1; // of the value behind it
export const NEXT = 2; // the literal that came next the last time; it always may come there; START if there is none yet
const OPENS = 3; // 1 if an object begins with it
export const MASKS = 4; // of its first two words: of a text below 8 bytes, what is left over is masked off
/** its first 8 bytes, its last 8 bytes, then from its ninth byte on 8 bytes at a time */
export const TEXT = 6;

/** stands for the literal before the first one; it has no text */
export const START = 0;
const FIRST = TEXT;

const TABLE_WORDS = 1 << 13;
const MAX_BYTES = 256;

/**
 * The texts between the values of an object: `{"dt":`, `,"item_id":`, `}` with the line feed behind it. They are learned from the
 * lines themselves, and after each of them the one that came next the last time is tried first. So keys are compared four
 * bytes at a time and never parsed, and whatever their order is, a line costs no more than a few comparisons.
 *
 * Only whole pieces of JSON's grammar are learned, and an opening one is never taken in the middle: a text that goes from a
 * literal to a scalar value to a literal, up to an END, is an object. Keys with escapes or beyond ASCII are not learned.
 *
 * The scanners compare the expected literal in their own loops, since that is a third of all their work.
 */
export class Literals {
  /** One array for all, as the loops that read it have few registers to spare. */
  readonly table = new Int32Array(TABLE_WORDS);
  private readonly texts = new Float64Array(this.table.buffer);
  private end = FIRST;

  /**
   * @param roleOf the role of the value of a key
   * @param lineEnd whether an object takes a line, so that END has the line feed in it
   * @param quote what quotes a key: `""` within a CSV cell
   */
  constructor(
    private readonly roleOf: (key: string) => number,
    private readonly lineEnd: boolean,
    private readonly quote: '"' | '""',
  ) {}

  /** Which literal stands at `at`, behind literal `before`; a new one is learned. @returns -1 if there is none */
  find(bytes: Uint8Array, view: DataView, at: number, before: number): number {
    const opens = before === START ? 1 : 0;
    for (let literal = FIRST; literal < this.end; literal = this.behind(literal)) {
      if (this.table[literal + OPENS] !== opens || !this.matches(view, at, literal)) continue;
      return (this.table[before + NEXT] = literal);
    }
    const known = this.end;
    const learned = this.learn(bytes, at, opens);
    if (learned === known) this.table[before + NEXT] = learned;
    return learned;
  }

  private behind(literal: number): number {
    return literal + TEXT + 4 + 2 * Math.max(0, Math.ceil((this.table[literal + LENGTH] - 16) / 8));
  }

  /** Whether the text at `at` is that of a literal. Texts are compared as doubles, which is exact: bytes of ASCII are no NaN and no zero. */
  matches(view: DataView, at: number, literal: number): boolean {
    const { table, texts } = this;
    const length = table[literal + LENGTH];
    if (length < 8) {
      const first = (view.getInt32(at, true) ^ table[literal + TEXT]) & table[literal + MASKS];
      const second = (view.getInt32(at + 4, true) ^ table[literal + TEXT + 1]) & table[literal + MASKS + 1];
      return (first | second) === 0;
    }
    const text = (literal + TEXT) >> 1;
    if (view.getFloat64(at, true) !== texts[text] || view.getFloat64(at + length - 8, true) !== texts[text + 1]) return false;
    return length <= 16 || this.matchesWithin(view, at, text + 2, length);
  }

  private matchesWithin(view: DataView, at: number, text: number, length: number): boolean {
    for (let k = 8; k < length - 8; k += 8) if (view.getFloat64(at + k, true) !== this.texts[text + (k >> 3) - 1]) return false;
    return true;
  }

  private learn(bytes: Uint8Array, start: number, opens: number): number {
    let at = pastBlanks(bytes, start);
    if (opens === 0 && bytes[at] === CLOSE_BRACE) {
      if (this.lineEnd) at = pastBlanks(bytes, at + 1);
      return this.lineEnd && bytes[at] !== LF ? -1 : this.add(bytes.subarray(start, at + 1), END, opens);
    }
    if (bytes[at] !== (opens === 1 ? OPEN_BRACE : COMMA)) return -1;
    const name = this.pastQuote(bytes, pastBlanks(bytes, at + 1));
    at = name;
    while (isPlain(bytes[at])) at++;
    const key = bytes.subarray(name, at);
    at = pastBlanks(bytes, this.pastQuote(bytes, at));
    if (bytes[at] !== COLON) return -1;
    return this.add(bytes.subarray(start, at + 1), this.roleOf(Buffer.from(key).toString("latin1")), opens);
  }

  /** Where there is no quote, the position of the bytes' end, where there is nothing more. */
  private pastQuote(bytes: Uint8Array, at: number): number {
    for (let k = 0; k < this.quote.length; k++) if (bytes[at + k] !== QUOTE) return bytes.length;
    return at + this.quote.length;
  }

  private add(text: Uint8Array, role: number, opens: number): number {
    if (text.length > MAX_BYTES) return -1;
    if (this.end + TEXT + 4 + MAX_BYTES / 4 > TABLE_WORDS) this.clear();
    const literal = this.end;
    const { length } = text;
    const masks = [-1 >>> (8 * Math.max(0, 4 - length)), length <= 4 ? 0 : -1 >>> (8 * Math.max(0, 8 - length))];
    this.table.set([length, role, START, opens, ...masks], literal);
    this.end = this.behind(literal);
    this.table.fill(0, literal + TEXT, this.end);
    const bytes = new Uint8Array(this.table.buffer, (literal + TEXT) * 4);
    bytes.set(text.subarray(0, 8));
    if (length >= 8) bytes.set(text.subarray(length - 8), 8);
    for (let k = 8; k < length - 8; k += 8) bytes.set(text.subarray(k, k + 8), k + 8);
    return literal;
  }

  /** Keys that never come again must not keep out those that do. */
  private clear() {
    this.end = FIRST;
    this.table[START + NEXT] = START;
  }
}

const isPlain = (byte: number): boolean => byte >= 0x20 && byte < 0x7f && byte !== QUOTE && byte !== 0x5c;

function pastBlanks(bytes: Uint8Array, start: number): number {
  let at = start;
  while (bytes[at] === 0x20 || bytes[at] === 0x09 || bytes[at] === 0x0d) at++;
  return at;
}
