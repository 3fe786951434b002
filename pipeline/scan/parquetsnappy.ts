/** Literals from so many bytes on are worth a call. */
const LONG = 32;

/**
 * Unpacks a block of Snappy into memory that is used again (google/snappy's format_description.txt).
 * @param out exactly as long as what comes out
 * @throws RangeError where that is something else
 */
export function unsnap(packed: Uint8Array, out: Uint8Array) {
  let at = behindLength(packed, out.length);
  let to = 0;
  while (at < packed.length) {
    const tag = packed[at++];
    if ((tag & 3) === 0) {
      let length = (tag >>> 2) + 1;
      if (length > 60) {
        const bytes = length - 60;
        length = littleEndian(packed, at, bytes) + 1;
        at += bytes;
      }
      if (at + length > packed.length || to + length > out.length) throw new RangeError("Snappy is cut");
      if (length >= LONG) out.set(packed.subarray(at, at + length), to);
      else for (let k = 0; k < length; k++) out[to + k] = packed[at + k];
      at += length;
      to += length;
      continue;
    }
    let length: number;
    let back: number;
    if ((tag & 3) === 1) {
      length = ((tag >>> 2) & 7) + 4;
      back = ((tag >>> 5) << 8) | packed[at++];
    } else {
      const bytes = (tag & 3) === 2 ? 2 : 4;
      length = (tag >>> 2) + 1;
      back = littleEndian(packed, at, bytes);
      at += bytes;
    }
    if (at > packed.length || !(back > 0 && back <= to) || to + length > out.length) throw new RangeError("Snappy is cut");
    // byte by byte: what is copied may be what was copied just before
    for (const end = to + length; to < end; to++) out[to] = out[to - back];
  }
  if (to !== out.length) throw new RangeError("Snappy is cut");
}

function behindLength(packed: Uint8Array, expected: number): number {
  let length = 0;
  for (let at = 0; at < 5 && at < packed.length; at++) {
    length += (packed[at] & 0x7f) * 2 ** (7 * at);
    if (packed[at] >= 0x80) continue;
    if (length !== expected) break;
    return at + 1;
  }
  throw new RangeError("Snappy has another length");
}

/** Up to four bytes; behind the end there are none. */
function littleEndian(bytes: Uint8Array, at: number, count: number): number {
  if (at + count > bytes.length) throw new RangeError("Snappy is cut");
  let value = 0;
  for (let k = count - 1; k >= 0; k--) value = value * 256 + bytes[at + k];
  return value;
}
