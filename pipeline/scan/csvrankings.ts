import type { RankingSink, ScanOptions } from "./columns";
import { bitsOf, rolesOf } from "./csvactions";
import { CsvLines, pastCell } from "./csvlines";
import { readId } from "./digits";
import { Role } from "./literals";
import { RankingRows } from "./rankingrows";
import { COMMAS, QUOTES, skipText, skipUtf8 } from "./skip";
import { SlotReader } from "./slots";

const QUOTE = 0x22;

/** Rankings from the records of a CSV below its header; the slots are JSON in a quoted cell. Takes at most what the careful reader takes. */
export class CsvRankings extends CsvLines {
  private readonly rows: RankingRows;
  private readonly slots: SlotReader;
  private readonly roles: Uint8Array;
  private readonly seen: number;

  constructor(header: readonly string[], options: ScanOptions, sink: RankingSink) {
    super((start, end, line) => sink.careful(start, end, line));
    this.rows = new RankingRows(options, sink);
    this.slots = new SlotReader(this.rows, '""');
    this.roles = rolesOf(header, this.rows.roleOf);
    this.seen = bitsOf(this.roles);
  }

  finish() {
    this.rows.finish();
  }

  protected override record(bytes: Uint8Array, view: DataView, start: number): number {
    const { roles } = this;
    const last = roles.length - 1;
    let at = start;
    for (let column = 0; column <= last; column++) {
      at = this.cell(bytes, view, at, roles[column]);
      if (at < 0) return -1;
      at = pastCell(bytes, at, column === last);
      if (at < 0) return -1;
    }
    return this.rows.commit(this.seen) ? at : -1;
  }

  private cell(bytes: Uint8Array, view: DataView, at: number, role: Role): number {
    const { rows } = this;
    if (role === Role.customer) return readId(bytes, view, at, rows.out.customers, 2 * rows.out.length);
    const quoted = bytes[at] === QUOTE;
    const start = quoted ? at + 1 : at;
    let end: number;
    if (role === Role.slots) end = quoted ? this.slots.read(bytes, view, start) : -1;
    else if (role === Role.date) end = rows.day(view, start);
    else {
      const stops = quoted ? QUOTES : COMMAS;
      end = role === Role.skip ? skipUtf8(bytes, view, start, stops) : skipText(view, start, stops);
      if (role !== Role.skip && !rows.id(bytes, start, end)) return -1;
    }
    if (end < 0 || !quoted) return end;
    return bytes[end] === QUOTE ? end + 1 : -1;
  }
}
