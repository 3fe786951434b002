import { ActionRows } from "./actionrows";
import type { ActionFields, ActionSink, ScanOptions } from "./columns";
import { readId } from "./digits";
import { At, Literal, Literals, Role } from "./literals";
import { NdjsonLines } from "./ndjsonlines";
import { skipScalar } from "./skip";

const QUOTE = 0x22;
const BLANK = 0x20;

/** Actions from lines of one flat JSON object each. Takes at most what the careful reader takes, and says the same of it. */
export class NdjsonActions extends NdjsonLines {
  private readonly rows: ActionRows;
  private readonly literals: Literals;

  constructor(fields: ActionFields, options: ScanOptions, sink: ActionSink) {
    super((start, end, line) => sink.careful(start, end, line));
    this.rows = new ActionRows(fields, options, sink);
    this.literals = new Literals(this.rows.roleOf, '"');
  }

  finish() {
    this.rows.finish();
  }

  protected override line(bytes: Uint8Array, view: DataView, start: number): number {
    const { rows, literals } = this;
    const { out, times } = rows;
    const { table } = literals;
    const row = out.length;
    let at = start;
    let seen = 0;
    let literal: number = Literal.start;
    for (;;) {
      literal = literals.step(bytes, view, at, literal);
      if (literal < 0) return -1;
      at += table[literal + At.length];
      const role = table[literal + At.role];
      if (role === Role.end) return rows.commit(seen) ? at : -1;
      while (bytes[at] === BLANK) at++;
      if (role === Role.skip) {
        at = skipScalar(bytes, view, at);
        if (at < 0) return -1;
        continue;
      }
      // the careful reader takes the last of duplicate keys; here nobody has to remember
      if (seen & (1 << role)) return -1;
      seen |= 1 << role;
      // one call for both ids: the compiler inlines only so much
      if (role <= Role.item) at = readId(bytes, view, at, role === Role.customer ? out.customers : out.items, 2 * row);
      else {
        if (bytes[at] !== QUOTE) return -1;
        at = role === Role.timestamp ? times.timestamp(bytes, view, at + 1, out.times, row) : rows.day(view, at + 1, role);
        if (at < 0 || bytes[at++] !== QUOTE) return -1;
      }
      if (at < 0) return -1;
    }
  }
}
