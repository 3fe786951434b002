const QUOTE = 0x22;
const COMMA = 0x2c;
const LF = 0x0a;
const CR = 0x0d;

/** Finds the cells of one CSV record. Its fields tell of the record scanned last. */
export class CsvRecord {
  /** number of cells */
  width = 0;
  /** line feeds in the record, the one at its end included */
  lines = 0;
  /** has a quote where none may be, or lacks one */
  malformed = false;
  /** all bytes of the cells, or-ed: 0x80 is set where UTF-8 is to be checked */
  bits = 0;
  private starts = new Int32Array(16);
  private ends = new Int32Array(16);
  private readonly doubledQuotes: boolean[] = [];
  private quotedCells = 0;

  /**
   * Scans the record that begins at `start`, which is less than `end`.
   * @param last whether the text ends at `end`
   * @returns where the next record begins, or -1 where more bytes are needed to tell
   */
  scan(bytes: Buffer, start: number, end: number, last: boolean): number {
    this.width = this.lines = this.bits = this.quotedCells = 0;
    this.malformed = false;
    let at = start;
    for (;;) {
      at = at < end && bytes[at] === QUOTE ? this.quoted(bytes, at, end) : this.plain(bytes, at, end);
      if (at === end) break;
      if (bytes[at++] === LF) {
        this.lines++;
        return at;
      }
    }
    if (!last) return -1;
    this.lines++;
    return end;
  }

  /** A line with nothing on it. */
  isBlank(): boolean {
    return this.width === 1 && this.quotedCells === 0 && this.starts[0] === this.ends[0];
  }

  text(bytes: Buffer, cell: number): string {
    const text = bytes.toString(this.bits & 0x80 ? "utf8" : "latin1", this.starts[cell], this.ends[cell]);
    return this.doubledQuotes[cell] ? text.replaceAll('""', '"') : text;
  }

  /** @returns where the comma or line feed behind the cell is, or `end` */
  private plain(bytes: Buffer, start: number, end: number): number {
    const at = this.skip(bytes, start, end);
    this.add(start, this.beforeCr(bytes, start, at, end), false);
    return at;
  }

  private quoted(bytes: Buffer, start: number, end: number): number {
    let at = start + 1;
    let doubled = false;
    for (; at < end; at++) {
      const byte = bytes[at];
      this.bits |= byte;
      if (byte === LF) this.lines++;
      else if (byte === QUOTE) {
        if (at + 1 === end || bytes[at + 1] !== QUOTE) break;
        doubled = true;
        at++;
      }
    }
    this.quotedCells++;
    this.add(start + 1, at, doubled);
    if (at === end) this.malformed = true;
    const close = Math.min(at + 1, end);
    const next = this.skip(bytes, close, end);
    if (this.beforeCr(bytes, close, next, end) !== close) this.malformed = true;
    return next;
  }

  /** Goes to the next comma or line feed. A quote on the way is a stray one. */
  private skip(bytes: Buffer, start: number, end: number): number {
    let at = start;
    let bits = 0;
    for (; at < end; at++) {
      const byte = bytes[at];
      if (byte === COMMA || byte === LF) break;
      if (byte === QUOTE) this.malformed = true;
      bits |= byte;
    }
    this.bits |= bits;
    return at;
  }

  /** A CR before the line feed, or at the end of the text, belongs to the line's end. */
  private beforeCr(bytes: Buffer, start: number, at: number, end: number): number {
    return at > start && bytes[at - 1] === CR && (at === end || bytes[at] === LF) ? at - 1 : at;
  }

  private add(start: number, end: number, doubled: boolean) {
    if (this.width === this.starts.length) this.widen();
    this.starts[this.width] = start;
    this.ends[this.width] = end;
    this.doubledQuotes[this.width++] = doubled;
  }

  private widen() {
    const [starts, ends] = [this.starts, this.ends];
    this.starts = new Int32Array(starts.length * 2);
    this.ends = new Int32Array(starts.length * 2);
    this.starts.set(starts);
    this.ends.set(ends);
  }
}
