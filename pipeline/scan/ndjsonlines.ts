import type { Careful, LineScanner } from "./columns";

const LF = 0x0a;

/** Lines one by one; what a scanner does not understand is handed on. */
export abstract class NdjsonLines implements LineScanner {
  next = 0;

  constructor(private readonly careful: Careful) {}

  /** Reads one line into a row. @returns where the next line begins, -1 if this one was not understood */
  protected abstract line(bytes: Uint8Array, view: DataView, start: number): number;
  abstract finish(): void;

  scan(bytes: Uint8Array, view: DataView, from: number, to: number): number {
    let line = 0;
    for (let at = from; at < to; line++) {
      const next = this.line(bytes, view, at);
      if (next > 0) at = next;
      else {
        const end = bytes.indexOf(LF, at);
        this.careful(at, end, line);
        at = end + 1;
      }
    }
    this.next = to;
    return line;
  }
}
