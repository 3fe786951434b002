import { closeSync, openSync, readSync } from "node:fs";
import { basename } from "node:path";
import { constants, gunzipSync, zstdDecompressSync } from "node:zlib";
import type { Compression, Format } from "./rows";

/** what is looked at where the name does not tell */
export const HEAD_BYTES = 1 << 16;

/** Maps, since a file may be named .constructor. */
const PACKED_ENDINGS = new Map<string, Compression>(Object.entries({ gz: "gzip", gzip: "gzip", zst: "zstd", zstd: "zstd" }));
const ENDINGS = new Map<string, Format>(
  Object.entries({ ndjson: "ndjson", jsonl: "ndjson", csv: "csv", parquet: "parquet", pq: "parquet" }),
);

/** What a file is: by its name, and by its first bytes where the name leaves it open (.json, or any other ending). */
export const formatOf = (path: string): Packed => formatByName(path) ?? formatByHead(path, readHead(path));

interface Packed {
  format: Format;
  compression: Compression;
}

/** What the name says; undefined where it leaves it open. */
export function formatByName(path: string): Packed | undefined {
  const { ending, packed } = endingsOf(path);
  const format = ENDINGS.get(ending);
  return format && { format, compression: packed ?? "none" };
}

function endingsOf(path: string): { ending: string; packed: Compression | undefined } {
  const endings = basename(path).toLowerCase().split(".").slice(1);
  const packed = PACKED_ENDINGS.get(endings.at(-1) ?? "");
  return { ending: endings.at(packed ? -2 : -1) ?? "", packed };
}

/** What the first bytes say. */
export function formatByHead(path: string, head: Buffer): Packed {
  const { ending, packed } = endingsOf(path);
  // a .json that is gzip all the same is found out by its bytes; a .gz that is none stays one, and is broken
  const compression = packed ?? sniffCompression(head);
  const format = sniffFormat(unpackHead(head, compression));
  return { format: ending === "json" && format !== "json" ? "ndjson" : format, compression };
}

function readHead(path: string): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  const file = openSync(path, "r");
  try {
    return head.subarray(0, readSync(file, head, 0, HEAD_BYTES, 0));
  } finally {
    closeSync(file);
  }
}

function sniffCompression(head: Buffer): Compression {
  if (head.length >= 2 && head.readUInt16BE(0) === 0x1f8b) return "gzip";
  if (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528) return "zstd";
  return "none";
}

/** As much of the head as comes out of a compressed one; nothing if it is broken, which its reader will say better. */
export function unpackHead(head: Buffer, compression: Compression): Buffer {
  try {
    if (compression === "gzip") return gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH });
    if (compression === "zstd") return zstdDecompressSync(head, { finishFlush: constants.ZSTD_e_continue });
    return head;
  } catch {
    return Buffer.alloc(0);
  }
}

function sniffFormat(head: Buffer): Format {
  if (head.subarray(0, 4).toString("latin1") === "PAR1") return "parquet";
  const first = /^(?:\xef\xbb\xbf)?[ \t\r\n]*(.?)/.exec(head.toString("latin1"))?.[1];
  return first === "[" ? "json" : first === "{" ? "ndjson" : "csv";
}
