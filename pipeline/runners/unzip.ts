import { inflateRawSync } from "node:zlib";
import { ServiceError } from "./services";

const END = 0x06054b50;
const ENTRY = 0x02014b50;
/** The comment that may follow the end record. */
const MOST_COMMENT = 0xffff;
const END_BYTES = 22;

/** One file of a zip archive (APPNOTE.TXT 6.3.10, 4.3), whose checksum was verified as a whole. No encryption, no Zip64. */
export function unzip(zip: Buffer, name: string): Buffer {
  const end = findEnd(zip);
  for (let entry = zip.readUInt32LE(end + 16), left = zip.readUInt16LE(end + 10); left > 0; left--) {
    if (zip.readUInt32LE(entry) !== ENTRY) break;
    const [nameBytes, extra, comment] = [28, 30, 32].map((at) => zip.readUInt16LE(entry + at));
    if (zip.toString("utf8", entry + 46, entry + 46 + nameBytes) === name) return contentOf(zip, entry);
    entry += 46 + nameBytes + extra + comment;
  }
  throw new ServiceError(`the archive has no file "${name}".`);
}

function findEnd(zip: Buffer): number {
  for (let at = zip.length - END_BYTES; at >= Math.max(0, zip.length - END_BYTES - MOST_COMMENT); at--)
    if (zip.readUInt32LE(at) === END) return at;
  throw new ServiceError("what was fetched is no zip archive.");
}

/** The sizes are the central directory's; the local header may have none. */
function contentOf(zip: Buffer, entry: number): Buffer {
  const local = zip.readUInt32LE(entry + 42);
  const from = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  const bytes = zip.subarray(from, from + zip.readUInt32LE(entry + 20));
  return zip.readUInt16LE(entry + 10) === 0 ? bytes : inflateRawSync(bytes);
}
