import { bitsOf, MOST, packIntegers, unpackIntegers } from "./integers";
import { ARRAYS, type Column, type Letter } from "./spill";

/**
 * A column in few bytes, or null where it takes fewer as it lies in memory: numbers that are not whole, ids that are hashes, texts.
 *
 *   count (4 bytes), unit (1 byte: of times, a power of 1000), of int64 the first (8 bytes); then the numbers as integers.ts has them, of int64 less the first
 */
export function packColumn(column: Column): Uint8Array | null {
  const n = column.length;
  if (column.byteLength < LEAST_BYTES || 32 * n > MOST_BITS) return null;
  const numbers = scratchFor(n);
  const range = numbersOf(column, numbers);
  if (range === null) return null;
  const { low, high, unit, first } = range;
  if (high - low >= MOST || bitsOf(high - low) >= 8 * column.BYTES_PER_ELEMENT) return null;
  const packed = packIntegers(numbers, n, low, high);
  const start = first === undefined ? 5 : 13;
  if (start + packed.length >= column.byteLength) return null;
  const bytes = new Uint8Array(start + packed.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, n, true);
  bytes[4] = unit;
  if (first !== undefined) view.setBigInt64(5, first, true);
  bytes.set(packed, start);
  return bytes;
}

/** Smaller columns are not worth it. */
const LEAST_BYTES = 64;
/** Larger ones, of which there are none, are left as they are, since a bit's number must be an int32. */
const MOST_BITS = 2 ** 31;

interface Range {
  low: number;
  high: number;
  /** numbers are in units of 1000 to this power */
  unit: number;
  /** what numbers of int64 are counted from */
  first?: bigint;
}

/** The numbers of the column that is packed or unpacked. Each kind of column has loops of its own, which are compiled for it alone. */
let scratch = new Float64Array(1 << 10);
function scratchFor(n: number): Float64Array {
  if (n > scratch.length) scratch = new Float64Array(n + (n >> 1));
  return scratch;
}

/** Puts a column into `numbers`; null if they cannot hold it. */
function numbersOf(column: Column, numbers: Float64Array): Range | null {
  if (column instanceof BigInt64Array) return fromInt64(column, numbers);
  if (column instanceof Float64Array) return fromFloats(column, numbers);
  return column instanceof Uint8Array ? fromBytes(column, numbers) : fromInts(column, numbers);
}

function fromInts(column: Int32Array, numbers: Float64Array): Range {
  let low = column[0];
  let high = low;
  for (let i = 0; i < column.length; i++) {
    const x = column[i];
    if (x < low) low = x;
    else if (x > high) high = x;
    numbers[i] = x;
  }
  return { low, high, unit: 0 };
}

/** Codes and flags; texts have bytes beyond them, mostly soon. */
function fromBytes(column: Uint8Array, numbers: Float64Array): Range | null {
  let high = 0;
  for (let i = 0; i < column.length; i++) {
    const x = column[i];
    if (x > high) high = x;
    if (x >= 16) return null;
    numbers[i] = x;
  }
  return { low: 0, high, unit: 0 };
}

function fromInt64(column: BigInt64Array, numbers: Float64Array): Range | null {
  const words = new Int32Array(column.buffer, column.byteOffset, 2 * column.length);
  const firstLow = words[0] >>> 0;
  const firstHigh = words[1];
  let low = 0;
  let high = 0;
  for (let i = 0; i < column.length; i++) {
    // not exact where ids lie further apart, but far enough apart then
    const x = (words[2 * i + 1] - firstHigh) * 4294967296 + ((words[2 * i] >>> 0) - firstLow);
    if (x < low) low = x;
    else if (x > high) high = x;
    numbers[i] = x;
  }
  return high - low >= MOST ? null : { low, high, unit: 0, first: column[0] };
}

/** Whole numbers only: of 0 there are two, and of NaN many. */
function fromFloats(column: Float64Array, numbers: Float64Array): Range | null {
  let low = column[0];
  let high = low;
  let unit = 1e6;
  for (let i = 0; i < column.length; i++) {
    const x = column[i];
    if (x !== Math.floor(x) || (x === 0 && Object.is(x, -0))) return null;
    if (x < low) low = x;
    else if (x > high) high = x;
    while (unit > 1 && x % unit !== 0) unit /= 1000;
    numbers[i] = x;
  }
  if (low <= -MOST || high >= MOST) return null;
  if (unit === 1) return { low, high, unit: 0 };
  for (let i = 0; i < column.length; i++) numbers[i] /= unit;
  return { low: low / unit, high: high / unit, unit: unit === 1000 ? 1 : 2 };
}

export function unpackColumn(letter: Letter, bytes: Uint8Array): Column {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const n = view.getUint32(0, true);
  if (32 * n > MOST_BITS) throw new RangeError(`a packed column says that it has ${n} numbers, more than there can be`);
  const numbers = scratchFor(n);
  unpackIntegers(bytes.subarray(letter === "q" ? 13 : 5), n, numbers);
  const column = new ARRAYS[letter](n);
  if (column instanceof BigInt64Array) toInt64(numbers, view.getBigInt64(5, true), column);
  else if (column instanceof Float64Array) toFloats(numbers, 1000 ** bytes[4], column);
  else if (column instanceof Uint8Array) toBytes(numbers, column);
  else toInts(numbers, column);
  return column;
}

function toInts(numbers: Float64Array, column: Int32Array): void {
  for (let i = 0; i < column.length; i++) column[i] = numbers[i];
}

function toBytes(numbers: Float64Array, column: Uint8Array): void {
  for (let i = 0; i < column.length; i++) column[i] = numbers[i];
}

function toFloats(numbers: Float64Array, unit: number, column: Float64Array): void {
  if (unit === 1) column.set(numbers.subarray(0, column.length));
  else for (let i = 0; i < column.length; i++) column[i] = numbers[i] * unit;
}

function toInt64(numbers: Float64Array, first: bigint, column: BigInt64Array): void {
  const words = new Int32Array(column.buffer, column.byteOffset, 2 * column.length);
  const firstLow = Number(first & 0xffffffffn);
  const firstHigh = Number(first >> 32n);
  for (let i = 0; i < column.length; i++) {
    const low = numbers[i] + firstLow; // below 2^53
    words[2 * i] = low;
    words[2 * i + 1] = firstHigh + Math.floor(low / 4294967296);
  }
}
