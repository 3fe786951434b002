import type { CompressionCodec } from "hyparquet";
import { snappyCompress } from "hyparquet-writer/src/snappy.js";
import type { Compression } from "./schema";

export const CODECS: Record<Compression, CompressionCodec> = { snappy: "SNAPPY", zstd: "ZSTD", none: "UNCOMPRESSED" };

/** Level 1: higher ones gain a few percent on these files and take several times as long. */
const ZSTD_LEVEL = 1;

let zstdCompress: ((bytes: Uint8Array, level: number) => Uint8Array) | undefined;
let loading: Promise<void> | undefined;

/** Loads what a compression needs. To be awaited once before files are written with it. */
export async function prepare(compression: Compression): Promise<void> {
  if (compression === "zstd") await (loading ??= loadZstd());
}

/** WebAssembly of a pinned version, not the runtime's own zlib: the same input must give the same bytes under every Node. */
async function loadZstd(): Promise<void> {
  const zstd = await import("@bokuweb/zstd-wasm");
  await zstd.init();
  zstdCompress = zstd.compress;
}

/** A whole page's bytes, compressed. */
export function compress(compression: Compression, bytes: Uint8Array): Uint8Array {
  if (compression === "none") return bytes;
  if (compression === "snappy") return snappyCompress(bytes);
  if (zstdCompress === undefined) throw new Error('zstd is not loaded yet; await prepare("zstd") before writing.');
  return zstdCompress(bytes, ZSTD_LEVEL);
}
