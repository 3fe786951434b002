import type { LineScanner } from "../scan/columns";
import type { Split } from "./rows";
import { Window } from "./window";

const LF = 0x0a;

/**
 * Hands the lines of a split to a scanner, block by block. A line belongs to the split in which its first byte lies.
 * `block` is told of each block before it is scanned: its memory, and how many lines came before. @returns the number of lines
 * @throws BrokenFile as the careful readers do
 */
export async function scanLines(
  { file, start, end }: Split,
  scanner: LineScanner,
  block: (bytes: Buffer, linesBefore: number) => void,
  drain: () => Promise<void>,
): Promise<number> {
  if (file.size === 0) return 0;
  const packed = file.compression !== "none";
  const inside = !packed && start > 0;
  const window = await Window.open(file, inside ? start - 1 : 0);
  let lines = 0;
  let view = new DataView<ArrayBufferLike>(new ArrayBuffer(0));
  try {
    if (inside) await skipLine(window);
    else await window.skipBom();
    const stop = packed ? Number.POSITIVE_INFINITY : start === 0 && end > 0 ? Math.max(end, window.offset + 1) : end;
    while (window.offset < stop) {
      let to = blockEnd(window, stop);
      if (to === window.start) {
        await drain();
        if (await window.more()) continue;
        if (window.end === 0) break;
        to = window.closeLine();
      }
      if (window.bytes.buffer !== view.buffer) view = new DataView(window.bytes.buffer, window.bytes.byteOffset, window.bytes.length);
      block(window.bytes, lines);
      lines += scanner.scan(window.bytes, view, window.start, to);
      window.start = scanner.next;
    }
    scanner.finish();
    return lines;
  } finally {
    await window.close();
  }
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
