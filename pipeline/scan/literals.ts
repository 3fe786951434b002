const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const LF = 0x0a;

/** What the value behind a literal is, which its key tells. */
// biome-ignore lint/suspicious/noConstEnum: the compiler's constants are the machine's; those of another module's exports are loaded each time
export const enum Role {
  /** nobody wants it */
  skip,
  /** there is no value: the object ends */
  end,
  customer,
  item,
  timestamp,
  date,
  ownDay,
  /** one column for both, as order_date is */
  dateAndOwnDay,
  rankingId,
  slots,
  isOrder,
  /** a day and a timestamp that are only compared, where a row has them */
  said,
  clock,
}

/** What stands in `table` for a literal, counted in int32 from where it begins; that is even. */
// biome-ignore lint/suspicious/noConstEnum: as above
export const enum At {
  /** in bytes */
  length,
  role,
  /** the literal that came next the last time; it always may come there; Literal.start if there is none yet */
  next,
  /** the one that came next before that, if it was another */
  other,
  /** 1 if an object begins with it */
  opens,
  /** not used: keeps the texts at whole doubles */
  spare,
  /** of its first two words: of a text below 8 bytes, what is left over is masked off */
  masks,
  /** its first 8 bytes, its last 8 bytes, then from its ninth byte on 8 bytes at a time */
  text = 8,
}

// biome-ignore lint/suspicious/noConstEnum: as above
export const enum Literal {
  /** stands before the first one; it has no text */
  start,
}
const FIRST = At.text;

const TABLE_WORDS = 1 << 13;
const MAX_BYTES = 256;
const MAX_PIECES = 100;

/**
 * The texts between the values of an object: `{"dt":`, `,"item_id":`, `}` with the line feed behind it (an object within a line
 * is ended by its owner). They are learned from the lines themselves, and after each of them the one that came next the last
 * time is tried first. So keys are compared eight bytes at a time and never parsed, and a line whose keys come in another
 * order costs a few comparisons more.
 *
 * Only whole pieces of JSON's grammar are learned, and an opening one is never taken in the middle: a text that goes from a
 * literal to a scalar value to a literal, up to an end, is an object. Keys with escapes or beyond ASCII are not learned.
 */
export class Literals {
  /** One array for all, as the loops that read it have few registers to spare. */
  readonly table = new Int32Array(TABLE_WORDS);
  private readonly texts = new Float64Array(this.table.buffer);
  private end = FIRST;
  /** how often a literal was not the one that came next the last time */
  surprises = 0;

  /**
   * @param roleOf the role of the value of a key
   * @param quote what quotes a key: `""` within a CSV cell
   */
  constructor(
    private readonly roleOf: (key: string) => Role,
    private readonly quote: '"' | '""',
  ) {}

  /** Which literal stands at `at`, behind literal `before`. @returns -1 if there is none */
  step(bytes: Uint8Array, view: DataView, at: number, before: number): number {
    const literal = this.table[before + At.next];
    return literal !== Literal.start && this.matches(view, at, literal) ? literal : this.find(bytes, view, at, before);
  }

  /** The literals that came one after the other the last time, to the end of the line; none if they do not tell. */
  last(): { text: Uint8Array; role: Role }[] {
    const { table } = this;
    const pieces: { text: Uint8Array; role: Role }[] = [];
    let literal: number = Literal.start;
    do {
      literal = table[literal + At.next];
      // a literal that came twice leads round in circles
      if (literal === Literal.start || pieces.length === MAX_PIECES) return [];
      pieces.push({ text: this.textOf(literal), role: table[literal + At.role] });
    } while (table[literal + At.role] !== Role.end);
    return pieces;
  }

  private textOf(literal: number): Uint8Array {
    const length = this.table[literal + At.length];
    const kept = new Uint8Array(this.table.buffer, (literal + At.text) * 4);
    const text = new Uint8Array(length);
    text.set(kept.subarray(0, Math.min(8, length)));
    for (let k = 8; k < length - 8; k += 8) text.set(kept.subarray(k + 8, k + 16), k);
    if (length >= 8) text.set(kept.subarray(8, 16), length - 8);
    return text;
  }

  private find(bytes: Uint8Array, view: DataView, at: number, before: number): number {
    const { table } = this;
    this.surprises++;
    const opens = before === Literal.start ? 1 : 0;
    let literal = table[before + At.other];
    if (literal === Literal.start || !this.matches(view, at, literal)) {
      literal = FIRST;
      while (literal < this.end && (table[literal + At.opens] !== opens || !this.matches(view, at, literal)))
        literal = this.behind(literal);
      if (literal === this.end) {
        literal = this.learn(bytes, at, opens);
        if (literal <= before) return literal; // none, or all others have been forgotten
      }
    }
    table[before + At.other] = table[before + At.next];
    return (table[before + At.next] = literal);
  }

  private behind(literal: number): number {
    return literal + At.text + 4 + 2 * Math.max(0, Math.ceil((this.table[literal + At.length] - 16) / 8));
  }

  /** Whether the text at `at` is that of a literal. Texts are compared as doubles, which is exact: bytes of ASCII are no NaN and no zero. */
  private matches(view: DataView, at: number, literal: number): boolean {
    const { table, texts } = this;
    const length = table[literal + At.length];
    const text = literal + At.text;
    if (length < 8) {
      const first = (view.getInt32(at, true) ^ table[text]) & table[literal + At.masks];
      return (first | ((view.getInt32(at + 4, true) ^ table[text + 1]) & table[literal + At.masks + 1])) === 0;
    }
    if (view.getFloat64(at, true) !== texts[text >> 1]) return false;
    return length > 16 ? this.matchesLong(view, at, literal) : view.getFloat64(at + length - 8, true) === texts[(text >> 1) + 1];
  }

  /** From front to back: the end of a long text may lie behind the end of the memory, if what is before it differs. */
  private matchesLong(view: DataView, at: number, literal: number): boolean {
    const { texts } = this;
    const last = this.table[literal + At.length] - 8;
    const text = (literal + At.text) >> 1;
    for (let k = 8; k < last; k += 8) if (view.getFloat64(at + k, true) !== texts[text + 1 + (k >> 3)]) return false;
    return view.getFloat64(at + last, true) === texts[text + 1];
  }

  private learn(bytes: Uint8Array, start: number, opens: number): number {
    let at = pastBlanks(bytes, start);
    if (opens === 0 && bytes[at] === CLOSE_BRACE) {
      at = pastBlanks(bytes, at + 1);
      return bytes[at] === LF ? this.add(bytes.subarray(start, at + 1), Role.end, opens) : -1;
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
    if (this.end + At.text + 4 + MAX_BYTES / 4 > TABLE_WORDS) this.clear();
    const literal = this.end;
    const { length } = text;
    const masks = [-1 >>> (8 * Math.max(0, 4 - length)), length <= 4 ? 0 : -1 >>> (8 * Math.max(0, 8 - length))];
    this.table.set([length, role, Literal.start, Literal.start, opens, 0, ...masks], literal);
    this.end = this.behind(literal);
    this.table.fill(0, literal + At.text, this.end);
    const bytes = new Uint8Array(this.table.buffer, (literal + At.text) * 4);
    bytes.set(text.subarray(0, 8));
    if (length >= 8) bytes.set(text.subarray(length - 8), 8);
    for (let k = 8; k < length - 8; k += 8) bytes.set(text.subarray(k, k + 8), k + 8);
    return literal;
  }

  /** Keys that never come again must not keep out those that do. */
  private clear() {
    this.end = FIRST;
    this.table[Literal.start + At.next] = this.table[Literal.start + At.other] = Literal.start;
  }
}

const isPlain = (byte: number): boolean => byte >= 0x20 && byte < 0x7f && byte !== QUOTE && byte !== 0x5c;

function pastBlanks(bytes: Uint8Array, start: number): number {
  let at = start;
  while (bytes[at] === 0x20 || bytes[at] === 0x09 || bytes[at] === 0x0d) at++;
  return at;
}
