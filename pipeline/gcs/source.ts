import { Readable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import type { ByteSource } from "../io/text";
import { type Pinned, readRange } from "./range";

/** The first range of a stretch: small, so that work begins soon. */
const FIRST_BYTES = 1 << 20;
/** The others: large against what a request takes, small against a thread's share of memory, which holds AHEAD and one of them. */
const RANGE_BYTES = 4 << 20;
const AHEAD = 3;
/** Behind the end that was told, lines seldom go on for longer than this. */
const TAIL_BYTES = 64 << 10;

export interface Stretch extends Pinned {
  size: number;
}

/**
 * An object from a byte on, by ranges. Those up to `until` are asked for ahead, side by side, so that they arrive while
 * the ones before are worked on; what comes behind it is asked for only when it is wanted.
 */
export class RemoteBytes implements ByteSource {
  private readonly pending: Promise<Buffer>[] = [];
  private chunk: Buffer = Buffer.alloc(0);
  private readonly closing = new AbortController();
  private length = FIRST_BYTES;
  private readonly ahead: number;

  /** @param next where the next range begins */
  constructor(
    private readonly object: Stretch,
    private next: number,
    until: number,
  ) {
    this.ahead = Math.min(object.size, until + TAIL_BYTES);
    this.askAhead();
  }

  async fill(into: Buffer, at: number): Promise<number> {
    // what has arrived is taken in only when this thread turns to it
    if (this.pending.length > 0) await turn();
    if (this.chunk.length === 0) this.chunk = await this.take();
    const count = this.chunk.copy(into, at);
    this.chunk = this.chunk.subarray(count);
    return count;
  }

  /** The next bytes as they come; none at the end. */
  async take(): Promise<Buffer> {
    if (this.pending.length === 0) this.ask(this.object.size);
    const chunk = (await this.pending.shift()) ?? Buffer.alloc(0);
    this.askAhead();
    return chunk;
  }

  async close(): Promise<void> {
    this.closing.abort();
  }

  private askAhead() {
    while (this.pending.length < AHEAD && this.next < this.ahead) this.ask(this.ahead);
  }

  /** Asks for the next range before `until`, if there is any. */
  private ask(until: number) {
    if (this.next >= until) return;
    const end = Math.min(until, this.next + this.length);
    const range = readRange(this.object, this.next, end, this.closing.signal);
    range.catch(() => {}); // told to who takes it, if anyone does
    this.pending.push(range);
    this.next = end;
    this.length = RANGE_BYTES;
  }
}

/** Of an object that is read from front to back, what is kept so that a reader can go back a little: more than any stream holds. */
const KEPT_CHUNKS = 2;
const PIECE_BYTES = 64 << 10;

/** An object as a stream that may end and begin again where it was left, as unpackers want it that end with each frame. */
export class RemoteStream {
  private readonly source: RemoteBytes;
  private readonly kept: { start: number; bytes: Buffer }[] = [];
  private read = 0;
  private loading: Promise<boolean> | undefined;

  constructor(object: Stretch) {
    this.source = new RemoteBytes(object, 0, object.size);
  }

  /** @param start not before what is kept */
  from(start: number): Readable {
    return Readable.from(this.pieces(start), { objectMode: false, highWaterMark: 4 * PIECE_BYTES });
  }

  close(): Promise<void> {
    return this.source.close();
  }

  private async *pieces(start: number): AsyncGenerator<Buffer> {
    if (start < (this.kept[0]?.start ?? 0)) throw new RangeError("what was read is not kept");
    for (let at = start; ; ) {
      const chunk = this.kept.find(({ start, bytes }) => at < start + bytes.length);
      if (chunk === undefined) {
        if (await this.more()) continue;
        return;
      }
      const from = at - chunk.start;
      const piece = chunk.bytes.subarray(from, from + PIECE_BYTES);
      at += piece.length;
      yield piece;
    }
  }

  /** A stream that has been left may still wait for the chunk that its successor wants: it is taken once. @returns false at the end */
  private more(): Promise<boolean> {
    this.loading ??= this.load().finally(() => (this.loading = undefined));
    return this.loading;
  }

  private async load(): Promise<boolean> {
    const bytes = await this.source.take();
    if (bytes.length === 0) return false;
    this.kept.push({ start: this.read, bytes });
    this.read += bytes.length;
    if (this.kept.length > KEPT_CHUNKS) this.kept.shift();
    return true;
  }
}
