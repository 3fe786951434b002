import { ActionRows } from "./actionrows";
import type { ActionFields, ActionSink, ScanOptions } from "./columns";
import { readId } from "./digits";
import { type LayoutReader, layoutReader } from "./layout";
import { At, Literal, Literals, Role } from "./literals";
import { NdjsonLines } from "./ndjsonlines";
import { skipScalar } from "./skip";

const QUOTE = 0x22;
const BLANK = 0x20;
/** So many lines of one layout in succession make one expect more of it. */
const STEADY = 16;

/** Actions from lines of one flat JSON object each. Takes at most what the careful reader takes, and says the same of it. */
export class NdjsonActions extends NdjsonLines {
  private readonly rows: ActionRows;
  private readonly literals: Literals;
  /** for the layout that most lines have, while there is one */
  private layout: LayoutReader | undefined;
  /** lines in succession that had the layout of the one before, and Literals.surprises at that time */
  private steady = 0;
  private surprises = 0;
  /** lines of the present block that were understood and had another layout */
  private others = 0;

  constructor(fields: ActionFields, options: ScanOptions, sink: ActionSink) {
    super((start, end, line) => sink.careful(start, end, line));
    this.rows = new ActionRows(fields, options, sink);
    this.literals = new Literals(this.rows.roleOf, '"');
  }

  finish() {
    this.rows.finish();
  }

  override scan(bytes: Uint8Array, view: DataView, from: number, to: number): number {
    this.others = 0;
    const lines = super.scan(bytes, view, from, to);
    if (this.layout !== undefined && this.others * 2 > lines) {
      this.layout = undefined;
      this.steady = 0;
    }
    return lines;
  }

  protected override line(bytes: Uint8Array, view: DataView, start: number): number {
    if (this.layout !== undefined) {
      const next = this.layout(bytes, view, start, this.rows);
      if (next > 0) return next;
    }
    const next = this.anyLine(bytes, view, start);
    if (next > 0) this.understood();
    return next;
  }

  private understood() {
    this.others++;
    if (this.layout !== undefined) return;
    if (this.literals.surprises !== this.surprises) {
      this.surprises = this.literals.surprises;
      this.steady = 0;
    } else if (++this.steady === STEADY) this.layout = layoutReader(this.literals.last(), this.rows);
  }

  private anyLine(bytes: Uint8Array, view: DataView, start: number): number {
    const { rows, literals } = this;
    const { out, times } = rows;
    const { table } = literals;
    const row = out.length;
    let at = start;
    let seen = 0;
    rows.begin();
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
      if (role >= Role.said) {
        at = rows.compared(bytes, view, at, role);
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
