/**
 * Integers as Parquet stores levels and dictionary indexes: runs of one value, and groups of eight packed bit by bit
 * (parquet-format's Encodings.md, "Run Length Encoding / Bit-Packing Hybrid"). Runs longer than `count` are cut off, so that a
 * corrupt length costs no memory.
 * @param width bits of a value, at most 25
 * @returns `count` values
 */
export function readHybrid(bytes: Uint8Array, start: number, end: number, width: number, count: number): Int32Array {
  const values = new Int32Array(count);
  if (width === 0) return values;
  if (!(width <= 25 && start <= end && end <= bytes.length)) throw new RangeError("packed integers are not what they should be");
  let at = start;
  for (let done = 0; done < count; ) {
    let header = 0;
    let shift = 0;
    do {
      if (at >= end || shift > 28) throw new RangeError("packed integers are cut");
      header |= (bytes[at] & 0x7f) << shift;
      shift += 7;
    } while (bytes[at++] & 0x80);
    const length = header >>> 1;
    if (header & 1) {
      const packed = Math.min(length * 8, count - done);
      if (at + Math.ceil((packed * width) / 8) > end) throw new RangeError("packed integers are cut");
      unpack(bytes, at, width, values.subarray(done, done + packed));
      at += length * width;
      done += packed;
    } else {
      const until = Math.min(count, done + length);
      values.fill(littleEndian(bytes, at, Math.ceil(width / 8)), done, until);
      at += Math.ceil(width / 8);
      done = until;
    }
  }
  return values;
}

function unpack(bytes: Uint8Array, start: number, width: number, values: Int32Array) {
  const mask = 2 ** width - 1;
  for (let k = 0; k < values.length; k++) {
    const bit = k * width;
    values[k] = (littleEndian(bytes, start + Math.floor(bit / 8), 4) >>> (bit % 8)) & mask;
  }
}

/** Bytes past the end count as 0: a value never needs them, but all of its four may not be there. */
export function littleEndian(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let k = 0; k < length && at + k < bytes.length; k++) value |= bytes[at + k] << (8 * k);
  return value;
}
