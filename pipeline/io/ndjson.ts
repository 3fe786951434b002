import { JsonRecords } from "./jsonrecords";
import type { ReadEnd, RowSink, Split } from "./rows";
import { MAX_RECORD_BYTES, Window } from "./window";

const LF = 0x0a;
const CR = 0x0d;

/**
 * One JSON object a line. A line belongs to the split in which its first byte lies, so that any cut of a file into splits
 * gives each line once. Positions count the split's lines from 1, blank ones included.
 * @throws BrokenFile where the compression is cut or corrupt, or a line is longer than 256 MB
 */
export async function readNdjson(split: Split, columns: readonly string[], sink: RowSink): Promise<ReadEnd> {
  const { file } = split;
  if (file.size === 0) return { positions: 0 };
  const packed = file.compression !== "none";
  const inside = !packed && split.start > 0;
  // one byte early, to see whether a line begins at the split's first byte
  const window = await Window.open(file, inside ? split.start - 1 : 0, MAX_RECORD_BYTES, split.end);
  try {
    if (inside) await skipLine(window);
    else await window.skipBom();
    return {
      positions: await readLines(
        window,
        packed ? Number.POSITIVE_INFINITY : endOf(split, window),
        new JsonRecords(columns, sink, file.partition),
      ),
    };
  } finally {
    await window.close();
  }
}

/** The first line begins at byte 0, even where the split ends within the byte order mark before it. */
function endOf({ start, end }: Split, window: Window): number {
  return start === 0 && end > 0 ? Math.max(end, window.offset + 1) : end;
}

async function skipLine(window: Window) {
  for (;;) {
    const lf = window.bytes.subarray(0, window.end).indexOf(LF, window.start);
    window.start = lf < 0 ? window.end : lf + 1;
    if (lf >= 0 || !(await window.more())) return;
  }
}

/** Reads the lines that begin before `end`. @returns how many there are */
async function readLines(window: Window, end: number, lines: JsonRecords): Promise<number> {
  let searched = 0; // bytes of an unfinished line already known to hold no line feed
  for (;;) {
    const bytes = window.bytes.subarray(0, window.end);
    while (window.offset < end) {
      const lf = bytes.indexOf(LF, window.start + searched);
      if (lf < 0) break;
      lines.read(bytes, window.start, lf > window.start && bytes[lf - 1] === CR ? lf - 1 : lf);
      window.start = lf + 1;
      searched = 0;
    }
    if (window.offset >= end) return lines.count;
    await lines.sink.drain();
    searched = window.end - window.start;
    if (!(await window.more())) {
      if (window.end > 0) lines.read(window.bytes, 0, window.bytes[window.end - 1] === CR ? window.end - 1 : window.end);
      return lines.count;
    }
  }
}
