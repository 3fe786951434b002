import type { RankingSink, ScanOptions } from "./columns";
import { readId } from "./digits";
import { At, Literal, Literals, Role } from "./literals";
import { NdjsonLines } from "./ndjsonlines";
import { RankingRows } from "./rankingrows";
import { BACKSLASHES, skipScalar, skipText } from "./skip";
import { SlotReader } from "./slots";

const QUOTE = 0x22;
const BLANK = 0x20;

/** Rankings from lines of one JSON object each. Takes at most what the careful reader takes, and says the same of it. */
export class NdjsonRankings extends NdjsonLines {
  private readonly rows: RankingRows;
  private readonly literals: Literals;
  private readonly slots: SlotReader;

  constructor(options: ScanOptions, sink: RankingSink) {
    super((start, end, line) => sink.careful(start, end, line));
    this.rows = new RankingRows(options, sink);
    this.literals = new Literals(this.rows.roleOf, '"');
    this.slots = new SlotReader(this.rows, '"');
  }

  finish() {
    this.rows.finish();
  }

  protected override line(bytes: Uint8Array, view: DataView, start: number): number {
    const { rows, literals } = this;
    const { table } = literals;
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
      if (role === Role.skip) at = skipScalar(bytes, view, at);
      else {
        if (seen & (1 << role)) return -1;
        seen |= 1 << role;
        at = this.value(bytes, view, at, role);
      }
      if (at < 0) return -1;
    }
  }

  private value(bytes: Uint8Array, view: DataView, at: number, role: Role): number {
    const { rows } = this;
    if (role === Role.customer) return readId(bytes, view, at, rows.out.customers, 2 * rows.out.length);
    if (role === Role.slots) return this.slots.read(bytes, view, at);
    if (bytes[at] !== QUOTE) return -1;
    let end: number;
    if (role === Role.date) end = rows.day(view, at + 1);
    else {
      end = skipText(view, at + 1, BACKSLASHES);
      if (!rows.id(bytes, at + 1, end)) return -1;
    }
    return end > 0 && bytes[end] === QUOTE ? end + 1 : -1;
  }
}
