import { type Pinned, readRange } from "./range";

/** A footer with little before it: what hyparquet asks for at once. */
const TAIL_BYTES = 1 << 19;
const PART_BYTES = 8 << 20;

/** An object to look into here and there, as hyparquet's AsyncBuffer does. Its end is kept, since a footer is asked for in pieces. */
export class RemoteFile {
  readonly version: string;
  private tail: Promise<Buffer> | undefined;
  private readonly closing = new AbortController();

  constructor(
    private readonly object: Pinned,
    readonly byteLength: number,
  ) {
    this.version = `${object.generation}`;
  }

  async slice(start: number, end = this.byteLength): Promise<ArrayBuffer> {
    if (start < 0 || end > this.byteLength || start > end) throw new RangeError("a column lies outside the file");
    const from = Math.max(0, this.byteLength - TAIL_BYTES);
    if (start < from) return memoryOf(await this.parts(start, end));
    this.tail ??= this.read(from, this.byteLength);
    return memoryOf([(await this.tail).subarray(start - from, end - from)]);
  }

  async close(): Promise<void> {
    this.closing.abort();
  }

  /** Side by side. */
  private parts(start: number, end: number): Promise<Buffer[]> {
    const count = Math.ceil((end - start) / PART_BYTES);
    const at = (k: number) => Math.min(end, start + k * PART_BYTES);
    return Promise.all(Array.from({ length: count }, (_, k) => this.read(at(k), at(k + 1))));
  }

  private read(start: number, end: number): Promise<Buffer> {
    return readRange(this.object, start, end, this.closing.signal);
  }
}

function memoryOf(parts: readonly Buffer[]): ArrayBuffer {
  const [only] = parts;
  if (parts.length === 1 && only.length === only.buffer.byteLength) return only.buffer as ArrayBuffer;
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all.buffer;
}
