import type { LineScanner } from "../scan/columns";
import type { Split } from "./rows";
import { Window } from "./window";

const LF = 0x0a;

/** A fast scanner, and the careful reader for what it does not understand. */
export interface LineReader {
  /** undefined until the header has come, for a format that has one */
  readonly scanner: LineScanner | undefined;
  /** lines gone past: the header's at first, kept up to date from then on */
  lines: number;
  /** Reads on towards the header. @returns where the first record that is not complete begins; `last`: there is no more */
  header(bytes: Buffer, start: number, end: number, last: boolean): number;
  /** The memory that the scanner is about to see. */
  block(bytes: Buffer): void;
  /** Takes bytes [start, end) at the end of the text, which the scanner has left: a quote that nobody has closed. */
  rest(bytes: Buffer, start: number, end: number): void;
}

/**
 * Hands the lines of a split to a reader, block by block. A line belongs to the split in which its first byte lies.
 * @returns the number of lines
 * @throws BrokenFile as the careful readers do
 */
export async function scanLines({ file, start, end }: Split, reader: LineReader, maxRecordBytes: number, drain: () => Promise<void>) {
  if (file.size === 0) return 0;
  const whole = file.compression !== "none" || file.format !== "ndjson";
  const inside = !whole && start > 0;
  const window = await Window.open(file, inside ? start - 1 : 0, maxRecordBytes, end);
  try {
    if (inside) await skipLine(window);
    else await window.skipBom();
    await findHeader(window, reader);
    // the first line begins at byte 0, even where the split ends within the byte order mark before it
    const stop = whole ? Number.POSITIVE_INFINITY : start === 0 && end > 0 ? Math.max(end, window.offset + 1) : end;
    await scanBlocks(window, stop, reader, drain);
    return reader.lines;
  } finally {
    await window.close();
  }
}

async function findHeader(window: Window, reader: LineReader): Promise<void> {
  for (let last = false; reader.scanner === undefined && !last; ) {
    last = !(await window.more());
    window.start = reader.header(window.bytes, window.start, window.end, last);
  }
}

async function scanBlocks(window: Window, stop: number, reader: LineReader, drain: () => Promise<void>): Promise<void> {
  const { scanner } = reader;
  if (scanner === undefined) return;
  let view = new DataView<ArrayBufferLike>(new ArrayBuffer(0));
  let closed = false;
  for (let last = false; window.offset < stop; ) {
    const to = blockEnd(window, stop);
    if (to > window.start) {
      if (window.bytes.buffer !== view.buffer) view = new DataView(window.bytes.buffer, window.bytes.byteOffset, window.bytes.length);
      reader.block(window.bytes);
      reader.lines += scanner.scan(window.bytes, view, window.start, to);
      window.start = scanner.next;
      if (scanner.next === to) continue;
    }
    // What is left is no whole line, or a quoted cell that is still open.
    if (last) {
      reader.rest(window.bytes, window.start, closed ? window.end - 1 : window.end);
      break;
    }
    await drain();
    last = !(await window.more());
    if (last) closed = window.closeLine();
  }
  scanner.finish();
}

async function skipLine(window: Window) {
  for (;;) {
    const lf = window.bytes.subarray(0, window.end).indexOf(LF, window.start);
    window.start = lf < 0 ? window.end : lf + 1;
    if (lf >= 0 || !(await window.more())) return;
  }
}

/** Where the whole lines at hand end that begin before `stop`; `start` if there is none. */
function blockEnd({ bytes, start, end, offset }: Window, stop: number): number {
  const text = bytes.subarray(0, end);
  const last = stop - 1 - offset + start; // the last place where a line may begin
  const lf = last < end ? text.indexOf(LF, Math.max(last, start)) : -1;
  return Math.max(start, (lf < 0 ? text.lastIndexOf(LF) : lf) + 1);
}
