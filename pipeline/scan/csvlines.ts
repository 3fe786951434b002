import type { Careful, LineScanner } from "./columns";

const QUOTE = 0x22;
const COMMA = 0x2c;
const LF = 0x0a;
const CR = 0x0d;

/** Records of a CSV one by one; what a scanner does not understand is handed on, whole. */
export abstract class CsvLines implements LineScanner {
  next = 0;

  constructor(private readonly careful: Careful) {}

  /** Reads one record into a row. @returns where the next one begins, -1 if this one was not understood */
  protected abstract record(bytes: Uint8Array, view: DataView, start: number): number;
  abstract finish(): void;

  scan(bytes: Uint8Array, view: DataView, from: number, to: number): number {
    let line = 0;
    for (let at = from; at < to; line++) {
      const next = this.record(bytes, view, at);
      if (next > 0) at = next;
      else {
        const end = recordEnd(bytes, at, to);
        if (end < 0) {
          this.next = at;
          return line;
        }
        this.careful(at, end - 1, line);
        // a quoted cell may go over several lines
        for (let lf = bytes.indexOf(LF, at) + 1; lf < end; lf = bytes.indexOf(LF, lf) + 1) line++;
        at = end;
      }
    }
    this.next = to;
    return line;
  }
}

/** Where the record behind the one at `start` begins, by the same rules as CsvRecord; -1 if a quoted cell is still open at `to`. */
export function recordEnd(bytes: Uint8Array, start: number, to: number): number {
  for (let at = start; at < to; ) {
    if (bytes[at] === QUOTE) {
      do at = bytes.indexOf(QUOTE, at + 1) + 1;
      while (at > 0 && at < to && bytes[at] === QUOTE);
      if (at === 0 || at >= to) return -1;
    }
    while (bytes[at] !== COMMA && bytes[at] !== LF) at++;
    if (bytes[at++] === LF) return at;
  }
  return -1;
}

/** What is behind a cell: the position of the next cell or, behind the last one, of the next line; -1 if the cell does not end at `at`. */
export function pastCell(bytes: Uint8Array, at: number, last: boolean): number {
  const byte = bytes[at];
  if (!last) return byte === COMMA ? at + 1 : -1;
  if (byte === LF) return at + 1;
  return byte === CR && bytes[at + 1] === LF ? at + 2 : -1;
}
