import { ActionRows } from "./actionrows";
import type { ActionFields, ActionSink, ScanOptions } from "./columns";
import { CsvLines, pastCell } from "./csvlines";
import { readId } from "./digits";
import { Role } from "./literals";
import { COMMAS, QUOTES, skipUtf8 } from "./skip";

const QUOTE = 0x22;

/** Actions from the records of a CSV below its header. Takes at most what the careful reader takes, and says the same of it. */
export class CsvActions extends CsvLines {
  private readonly rows: ActionRows;
  /** of the columns, from left to right */
  private readonly roles: Uint8Array;
  private readonly seen: number;

  /** @param header names of all columns, the wanted ones not twice */
  constructor(fields: ActionFields, header: readonly string[], options: ScanOptions, sink: ActionSink) {
    super((start, end, line) => sink.careful(start, end, line));
    this.rows = new ActionRows(fields, options, sink);
    this.roles = rolesOf(header, this.rows.roleOf);
    this.seen = bitsOf(this.roles) & ~((1 << Role.said) | (1 << Role.clock));
  }

  finish() {
    this.rows.finish();
  }

  protected override record(bytes: Uint8Array, view: DataView, start: number): number {
    const { rows, roles } = this;
    const { out, times } = rows;
    const last = roles.length - 1;
    const row = out.length;
    let at = start;
    rows.begin();
    for (let column = 0; column <= last; column++) {
      const role = roles[column];
      // an id's quotes are seen to where it is read
      const quoted = bytes[at] === QUOTE && (role < Role.customer || role > Role.item);
      if (quoted) at++;
      if (role === Role.skip) at = skipUtf8(bytes, view, at, quoted ? QUOTES : COMMAS);
      else if (role >= Role.said) at = this.compared(bytes, view, at, role, quoted ? QUOTES : COMMAS);
      else if (role <= Role.item) at = readId(bytes, view, at, role === Role.customer ? out.customers : out.items, 2 * row);
      else at = role === Role.timestamp ? times.timestamp(bytes, view, at, out.times, row) : rows.day(view, at, role);
      if (at < 0 || (quoted && bytes[at++] !== QUOTE)) return -1;
      at = pastCell(bytes, at, column === last);
      if (at < 0) return -1;
    }
    return rows.commit(this.seen) ? at : -1;
  }

  /** A cell that is only compared, up to where it ends; -1 if it is for the careful reader. */
  private compared(bytes: Uint8Array, view: DataView, at: number, role: Role, stops: number): number {
    const end = skipUtf8(bytes, view, at, stops);
    if (role === Role.said) {
      if (end === at + 10) this.rows.saidAt(view, at);
      return end;
    }
    return end === at ? end : this.rows.clockAt(bytes, view, at);
  }
}

/** As the careful reader: the first of several columns of the same name. */
export function rolesOf(header: readonly string[], roleOf: (column: string) => Role): Uint8Array {
  return Uint8Array.from(header, (column, place) => (header.indexOf(column) === place ? roleOf(column) : Role.skip));
}

/** Bits of all the roles but `skip`. */
export function bitsOf(roles: Uint8Array): number {
  return roles.reduce((bits, role) => bits | (1 << role), 0) & ~(1 << Role.skip);
}
