import { littleEndian } from "../io/hybrid";

/**
 * Integers as Parquet stores levels and dictionary indexes, like readHybrid but into memory that is used again.
 * `view` looks at the memory of `bytes`, position for position.
 * @param width bits of a value, at most 25
 * @returns the greatest of the `count` values now in `out`, 0 if there are none
 * @throws RangeError where they are cut
 */
export function unpackHybrid(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  width: number,
  count: number,
  out: Int32Array,
): number {
  if (!(width <= 25 && start <= end && end <= bytes.length)) throw new RangeError("packed integers are not what they should be");
  if (width === 0) {
    out.fill(0, 0, count);
    return 0;
  }
  const valueBytes = (width + 7) >> 3;
  let greatest = 0;
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
    let most: number;
    if (header & 1) {
      const packed = Math.min(length * 8, count - done);
      if (at + Math.ceil((packed * width) / 8) > end) throw new RangeError("packed integers are cut");
      most = unpackGroup(bytes, view, at, width, out, done, done + packed);
      at += length * width;
      done += packed;
    } else {
      if (at + valueBytes > end) throw new RangeError("packed integers are cut");
      most = length === 0 ? 0 : littleEndian(bytes, at, valueBytes);
      const until = Math.min(count, done + length);
      out.fill(most, done, until);
      at += valueBytes;
      done = until;
    }
    if (most > greatest) greatest = most;
  }
  return greatest;
}

/**
 * Whether all of `count` levels are `level`, as far as that can be seen at once: they are one run of it.
 */
export function isOneRun(bytes: Uint8Array, start: number, end: number, level: number, count: number): boolean {
  let header = 0;
  let at = start;
  for (let shift = 0; shift <= 28 && at < end; shift += 7) {
    header |= (bytes[at] & 0x7f) << shift;
    if ((bytes[at++] & 0x80) === 0) return (header & 1) === 0 && header >>> 1 >= count && at < end && bytes[at] === level;
  }
  return false;
}

function unpackGroup(bytes: Uint8Array, view: DataView, start: number, width: number, out: Int32Array, from: number, to: number): number {
  const mask = (1 << width) - 1;
  // the last ones are too near to the end for a word of four bytes
  const words = Math.min(to, from + Math.max(0, Math.floor(((view.byteLength - 4 - start) * 8) / width)));
  let greatest = 0;
  let bit = start * 8;
  let k = from;
  for (; k < words; k++, bit += width) {
    const value = (view.getInt32(bit >>> 3, true) >>> (bit & 7)) & mask;
    out[k] = value;
    if (value > greatest) greatest = value;
  }
  for (; k < to; k++, bit += width) {
    const value = (littleEndian(bytes, bit >>> 3, 4) >>> (bit & 7)) & mask;
    out[k] = value;
    if (value > greatest) greatest = value;
  }
  return greatest;
}
