import { ActionRows, CUSTOMER, ITEM, TIMESTAMP } from "./actionrows";
import type { ActionFields, ActionSink, LineScanner, ScanOptions } from "./columns";
import { readId } from "./digits";
import { END, LENGTH, Literals, NEXT, ROLE, SKIP, START } from "./literals";
import { skipScalar } from "./skip";

const LF = 0x0a;
const QUOTE = 0x22;
const BLANK = 0x20;

/** Actions from lines of one flat JSON object each. Takes at most what the careful reader takes, and says the same of it. */
export class NdjsonActions implements LineScanner {
  next = 0;
  private readonly rows: ActionRows;
  private readonly literals: Literals;

  constructor(
    fields: ActionFields,
    options: ScanOptions,
    private readonly sink: ActionSink,
  ) {
    this.rows = new ActionRows(fields, options, sink);
    this.literals = new Literals(this.rows.roleOf, true, '"');
  }

  scan(bytes: Uint8Array, view: DataView, from: number, to: number): number {
    let line = 0;
    for (let at = from; at < to; line++) {
      const next = this.line(bytes, view, at);
      if (next > 0) at = next;
      else {
        const end = bytes.indexOf(LF, at);
        this.sink.careful(at, end, line);
        at = end + 1;
      }
    }
    this.next = to;
    return line;
  }

  finish() {
    this.rows.finish();
  }

  /** Reads one line into a row. @returns where the next line begins, -1 if this one was not understood */
  private line(bytes: Uint8Array, view: DataView, start: number): number {
    const { rows, literals } = this;
    const { out, times } = rows;
    const { table } = literals;
    const row = out.length;
    let at = start;
    let seen = 0;
    let literal = START;
    for (;;) {
      const before = literal;
      literal = table[before + NEXT];
      if (literal === START || !literals.matches(view, at, literal)) {
        literal = literals.find(bytes, view, at, before);
        if (literal < 0) return -1;
      }
      at += table[literal + LENGTH];
      const role = table[literal + ROLE];
      if (role === END) return rows.commit(seen) ? at : -1;
      while (bytes[at] === BLANK) at++;
      if (role === SKIP) {
        at = skipScalar(bytes, view, at);
        if (at < 0) return -1;
        continue;
      }
      // the careful reader takes the last of duplicate keys; here nobody has to remember
      if (seen & (1 << role)) return -1;
      seen |= 1 << role;
      if (role === CUSTOMER) at = readId(bytes, view, at, out.customers, 2 * row);
      else if (role === ITEM) at = readId(bytes, view, at, out.items, 2 * row);
      else {
        if (bytes[at] !== QUOTE) return -1;
        at = role === TIMESTAMP ? times.timestamp(bytes, view, at + 1, out.times, row) : rows.day(view, at + 1, role);
        if (at < 0 || bytes[at++] !== QUOTE) return -1;
      }
      if (at < 0) return -1;
    }
  }
}
