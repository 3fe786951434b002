import { keptBytes } from "../../transforms/kept";
import { BrokenFile, type InputFile } from "./rows";
import { type ByteSource, CHUNK_BYTES, openBytes } from "./text";

/** A record longer than this is no record: a binary file, or an array without line breaks. */
export const MAX_RECORD_BYTES = 256 << 20;

/** A scanner looks at words, so that many bytes behind the last one must be memory, whatever is in them. */
const SLACK = 72;
const LF = 0x0a;

const memory = (size: number): Buffer => Buffer.from(keptBytes(size + SLACK).buffer);

/** Of the size that windows begin with, each in nobody's hands. */
const spare: Buffer[] = [];
const CLOSED = Buffer.alloc(0);

/**
 * A stretch of a text in memory, moved over it from front to back: `bytes[start, end)` are at hand. A reader consumes by
 * raising `start`, and asks for more when a record is not complete; so the buffer grows with the longest record only.
 */
export class Window {
  bytes: Buffer = spare.pop() ?? memory(CHUNK_BYTES);
  start = 0;
  end = 0;

  private constructor(
    private readonly source: ByteSource,
    private readonly file: InputFile,
    /** where in the text bytes[0] is */
    private base: number,
    private readonly maxRecordBytes: number,
  ) {}

  /** @param until where the reader means to stop, about */
  static async open(file: InputFile, from = 0, maxRecordBytes = MAX_RECORD_BYTES, until = file.size): Promise<Window> {
    return new Window(await openBytes(file, from, until), file, from, maxRecordBytes);
  }

  /** where in the text `start` is */
  get offset() {
    return this.base + this.start;
  }

  /** Keeps what is not consumed, moved to the front, and reads on behind it. @returns false at the end of the text */
  async more(): Promise<boolean> {
    this.bytes.copyWithin(0, this.start, this.end);
    this.base += this.start;
    this.end -= this.start;
    this.start = 0;
    if (this.end === this.size) this.grow();
    // filled to the brim, so that a record that has to be read anew each time is so only as often as the buffer doubles
    const before = this.end;
    const room = this.bytes.subarray(0, this.size);
    for (let count = -1; count !== 0 && this.end < this.size; this.end += count) count = await this.source.fill(room, this.end);
    return this.end > before;
  }

  private grow() {
    if (this.end >= this.maxRecordBytes) {
      throw new BrokenFile(
        `"${this.file.path}" has a record longer than ${this.maxRecordBytes >> 20} MB; is it ${this.file.format.toUpperCase()}?`,
      );
    }
    const larger = memory(this.size * 2);
    this.bytes.copy(larger, 0, 0, this.end);
    this.bytes = larger;
  }

  /** bytes that can be filled */
  private get size() {
    return this.bytes.length - SLACK;
  }

  /** Sees to it that the text, which has come to its end, ends in a line feed; an empty one stays empty. @returns whether it lacked one */
  closeLine(): boolean {
    if (this.end === this.start || this.bytes[this.end - 1] === LF) return false;
    this.bytes[this.end++] = LF;
    return true;
  }

  /** Goes past a byte order mark at the start of the text. */
  async skipBom() {
    while (this.end < 3 && (await this.more()));
    const [a, b, c] = this.bytes;
    if (this.end >= 3 && a === 0xef && b === 0xbb && c === 0xbf) this.start = 3;
  }

  /** Its memory is another's from now on. */
  close() {
    if (this.bytes.length === CHUNK_BYTES + SLACK) spare.push(this.bytes);
    this.bytes = CLOSED;
    return this.source.close();
  }
}
