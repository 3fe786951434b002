import { closeSync, createReadStream, openSync, readSync } from "node:fs";
import type { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { ConfigError } from "../errors";
import { isRemote, remoteSource } from "./remote";
import { BrokenFile, type InputFile } from "./rows";

/** bytes asked for at once; also what a reader works through before it lets its sink drain: so few that they and their columns stay in a core's cache */
export const CHUNK_BYTES = 1 << 18;

/** The bytes of a text, decompressed, from front to back. */
export interface ByteSource {
  /** Fills `into` from `at` on as far as it likes. @returns how many bytes it has put there, 0 only at the end */
  fill(into: Buffer, at: number): Promise<number>;
  close(): Promise<void>;
}

/**
 * Opens a file at byte `start`, which is 0 unless it is uncompressed.
 * @param until where the reader means to stop, about; it may go on
 */
export async function openBytes(file: InputFile, start = 0, until = file.size): Promise<ByteSource> {
  if (file.compression === "none")
    return isRemote(file.path) ? new (remoteSource().RemoteBytes)(file, start, until) : new PlainBytes(openSync(file.path, "r"), start);
  return new StreamedBytes(file.compression === "gzip" ? gunzipped(file) : unzstded(file));
}

/** What a packed file of such a format may come to: a few KB can be made to come to any size. */
const MAX_WHOLE_BYTES = 2 ** 30;

/**
 * Everything at once, for a format that cannot be streamed.
 * @throws BrokenFile where that is more than `most` bytes
 */
export async function readWhole(file: InputFile, most = MAX_WHOLE_BYTES): Promise<Buffer> {
  const source = await openBytes(file);
  const parts: Buffer[] = [];
  try {
    for (let bytes = 0; ; bytes += parts.at(-1)!.length) {
      if (bytes > most)
        throw new BrokenFile(`"${file.path}" has more than ${most >> 20} MB once it is unpacked, which are the most (${file.compression})`);
      const part = Buffer.allocUnsafe(CHUNK_BYTES);
      const count = await source.fill(part, 0);
      if (count === 0) return Buffer.concat(parts);
      parts.push(part.subarray(0, count));
    }
  } finally {
    await source.close();
  }
}

/** Read at once, not by asking and waiting: a local disk answers sooner than another thread can. */
class PlainBytes implements ByteSource {
  constructor(
    private readonly descriptor: number,
    private position: number,
  ) {}

  async fill(into: Buffer, at: number) {
    const count = readSync(this.descriptor, into, at, into.length - at, this.position);
    this.position += count;
    return count;
  }

  async close() {
    closeSync(this.descriptor);
  }
}

class StreamedBytes implements ByteSource {
  private chunk: Buffer = Buffer.alloc(0);

  constructor(private readonly chunks: AsyncGenerator<Buffer>) {}

  async fill(into: Buffer, at: number) {
    while (this.chunk.length === 0) {
      const next = await this.chunks.next();
      if (next.done) return 0;
      this.chunk = next.value;
    }
    const count = this.chunk.copy(into, at);
    this.chunk = this.chunk.subarray(count);
    return count;
  }

  async close() {
    await this.chunks.return(undefined);
  }
}

/** Several gzip members behind one another, as `cat` and block compressors make them, are one text: Node's gunzip sees to it. */
async function* gunzipped(file: InputFile): AsyncGenerator<Buffer> {
  const packed = openPacked(file);
  try {
    if (file.size > 0) yield* through(file, packed.from(0), createGunzip({ chunkSize: CHUNK_BYTES }));
  } finally {
    await packed.close();
  }
}

/**
 * Several zstd frames behind one another are one text too (pzstd writes them), but Node's decompressor may end after the
 * first: so go on where it has stopped, until the file is used up.
 */
async function* unzstded(file: InputFile): AsyncGenerator<Buffer> {
  if (!createZstdDecompress)
    throw new ConfigError(`"${file.path}" is zstd, which Node ${process.version} cannot unpack. Use Node 22.15 or newer.`);
  const packed = openPacked(file);
  try {
    for (let start = 0; start < file.size; ) {
      const frames = createZstdDecompress({ chunkSize: CHUNK_BYTES });
      yield* through(file, packed.from(start), frames);
      if (frames.bytesWritten === 0) throw new BrokenFile(`"${file.path}" is no complete zstd file`);
      start += frames.bytesWritten;
    }
  } finally {
    await packed.close();
  }
}

/** A file as streams that begin where one likes. */
interface PackedFile {
  from(start: number): Readable;
  close(): Promise<void>;
}

function openPacked(file: InputFile): PackedFile {
  if (isRemote(file.path)) return new (remoteSource().RemoteStream)(file);
  return { from: (start) => createReadStream(file.path, { start, highWaterMark: CHUNK_BYTES / 4 }), close: async () => {} };
}

async function* through(file: InputFile, packed: Readable, unpack: ReturnType<typeof createGunzip>): AsyncGenerator<Buffer> {
  packed.on("error", (error) => unpack.destroy(error));
  try {
    for await (const chunk of packed.pipe(unpack)) yield chunk;
  } catch (error) {
    throw brokenUnless(error, file);
  } finally {
    packed.destroy();
    unpack.destroy();
  }
}

/** What zlib objects to is the file's fault; what the disk objects to is not. */
function brokenUnless(error: unknown, file: InputFile): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  if (!/^(Z_|ERR_ZSTD|ZSTD_)/.test(code)) return error;
  const what = code === "Z_BUF_ERROR" ? "is cut short" : "is corrupt";
  return new BrokenFile(`"${file.path}" ${what}: ${(error as Error).message} (${file.compression})`);
}
