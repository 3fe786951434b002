/**
 * Whole numbers in few bytes: bit-packed or as varints, as they are or as differences, whichever is about the smallest. All arithmetic is in doubles,
 * exact since numbers are below 2^52 in magnitude, and so are differences of them.
 *
 *   packed   byte: form; byte: bits; 8 bytes: lowest (float64); then the numbers less the lowest
 *   bits     of each: those beyond 32 packed, then, where there are more than 32, the lower 32 as they are
 *   varint   groups of 7 bits, the lowest first; differences are zigzag first
 */
export const MOST = 2 ** 52;

const PACKED = 0;
const VARINT = 1;
const PACKED_STEPS = 2;
const VARINT_STEPS = 3;

const HEAD_BYTES = 10;
/** Numbers whose varints are looked at to tell how long they are. */
const LOOKS = 256;

/**
 * @param numbers the first n are whole and between `low` and `high`, which are less than MOST apart
 * @returns bytes, good until the next call
 */
export function packIntegers(numbers: Float64Array, n: number, low: number, high: number): Uint8Array {
  const bits = bitsOf(high - low);
  const { plain, steps } = looks(numbers, n, low);
  const smallest = Math.min(bits, plain, steps);
  if (smallest === steps && steps < bits) {
    const { least, most } = rangeOfSteps(numbers, n);
    const stepBits = bitsOf(most - least);
    return stepBits <= smallest ? packSteps(numbers, n, least, stepBits) : varintSteps(numbers, n, numbers[0]);
  }
  return smallest === plain && plain < bits ? varints(numbers, n, low) : packPlain(numbers, n, low, bits);
}

/** Bits of whole numbers from 0 to `most`. */
export const bitsOf = (most: number): number =>
  most < 4294967296 ? 32 - Math.clz32(most) : 64 - Math.clz32(Math.floor(most / 4294967296));

/** About the bits that a number takes as a varint, and as one of its difference to the number before. */
function looks(numbers: Float64Array, n: number, low: number): { plain: number; steps: number } {
  const stride = Math.max(1, Math.floor(n / LOOKS));
  let plain = 0;
  let steps = 0;
  let count = 0;
  for (let i = stride - 1; i < n; i += stride, count++) {
    plain += varintBytes(numbers[i] - low);
    steps += i === 0 ? 1 : varintBytes(zigzag(numbers[i] - numbers[i - 1]));
  }
  return { plain: (8 * plain) / count, steps: (8 * steps) / count };
}

const varintBytes = (x: number): number => Math.max(1, Math.ceil(bitsOf(x) / 7));
const zigzag = (x: number): number => (x < 0 ? -2 * x - 1 : 2 * x);

function rangeOfSteps(numbers: Float64Array, n: number): { least: number; most: number } {
  let least = 0;
  let most = 0;
  for (let i = 1; i < n; i++) {
    const step = numbers[i] - numbers[i - 1];
    if (step < least) least = step;
    if (step > most) most = step;
  }
  return { least, most };
}

/** Grows, and is used by one call at a time. */
let out = new Uint8Array(1 << 16);
let view = new DataView(out.buffer);
function reserve(bytes: number): void {
  if (bytes <= out.length) return;
  out = new Uint8Array(bytes + (bytes >> 1));
  view = new DataView(out.buffer);
}

function head(form: number, bits: number, lowest: number): void {
  out[0] = form;
  out[1] = bits;
  view.setFloat64(2, lowest, true);
}

let highs = new Int32Array(1 << 10);
let lows = new Int32Array(1 << 10);
function halves(n: number): void {
  if (n <= lows.length) return;
  highs = new Int32Array(n + (n >> 1));
  lows = new Int32Array(n + (n >> 1));
}

function packPlain(numbers: Float64Array, n: number, low: number, bits: number): Uint8Array {
  halves(n);
  const [toLows, toHighs] = [lows, highs];
  if (bits < 32) for (let i = 0; i < n; i++) toLows[i] = numbers[i] - low;
  else {
    for (let i = 0; i < n; i++) {
      const x = numbers[i] - low;
      const high = Math.floor(x / 4294967296);
      toHighs[i] = high;
      toLows[i] = x - high * 4294967296;
    }
  }
  return pack(PACKED, n, low, bits);
}

function packSteps(numbers: Float64Array, n: number, least: number, bits: number): Uint8Array {
  halves(n);
  const [toLows, toHighs] = [lows, highs];
  for (let i = 0; i < n; i++) {
    const x = i === 0 ? -least : numbers[i] - numbers[i - 1] - least;
    toHighs[i] = x / 4294967296;
    toLows[i] = x;
  }
  const packed = pack(PACKED_STEPS, n, least, bits, 8);
  new DataView(packed.buffer).setFloat64(HEAD_BYTES, numbers[0], true);
  return packed;
}

/** Packs what is in `lows` and, of more than 32 bits, `highs`; `extra` bytes stay free behind the head. */
function pack(form: number, n: number, lowest: number, bits: number, extra = 0): Uint8Array {
  const above = Math.max(0, bits - 32);
  const begin = HEAD_BYTES + extra;
  const packed = 4 * Math.ceil((n * (bits > 32 ? above : bits)) / 32);
  const end = begin + packed + (bits > 32 ? 4 * n : 0);
  reserve(end);
  head(form, bits, lowest);
  if (bits <= 32) packBits(lows, n, bits, begin);
  else {
    packBits(highs, n, above, begin);
    out.set(new Uint8Array(lows.buffer, 0, 4 * n), begin + packed);
  }
  return out.subarray(0, end);
}

/** The lowest `bits` bits of each number, in words of 32 bits, from byte `at` on. */
function packBits(from: Int32Array, n: number, bits: number, at: number): void {
  if (bits === 0) return;
  const mask = bits === 32 ? -1 : (1 << bits) - 1;
  const into = view;
  let word = 0;
  let used = 0;
  let to = at;
  for (let i = 0; i < n; i++) {
    const x = from[i] & mask;
    word |= x << used;
    used += bits;
    if (used < 32) continue;
    into.setInt32(to, word, true);
    to += 4;
    used -= 32;
    word = used === 0 ? 0 : x >>> (bits - used);
  }
  if (used > 0) into.setInt32(to, word, true);
}

function varints(numbers: Float64Array, n: number, low: number): Uint8Array {
  reserve(HEAD_BYTES + 8 * n);
  head(VARINT, 0, low);
  let at = HEAD_BYTES;
  for (let i = 0; i < n; i++) at = varint(out, numbers[i] - low, at);
  return out.subarray(0, at);
}

function varintSteps(numbers: Float64Array, n: number, first: number): Uint8Array {
  reserve(HEAD_BYTES + 8 * n);
  head(VARINT_STEPS, 0, first);
  let at = HEAD_BYTES;
  for (let i = 1; i < n; i++) at = varint(out, zigzag(numbers[i] - numbers[i - 1]), at);
  return out.subarray(0, at);
}

/** @returns where it ends */
function varint(into: Uint8Array, x: number, at: number): number {
  if (x < 128) {
    into[at] = x;
    return at + 1;
  }
  let rest = x;
  let to = at;
  while (rest >= 2147483648) {
    into[to++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  let small = rest | 0;
  while (small >= 128) {
    into[to++] = small | 128;
    small >>>= 7;
  }
  into[to++] = small;
  return to;
}

/** Puts n numbers back into `numbers`. */
export function unpackIntegers(bytes: Uint8Array, n: number, numbers: Float64Array): void {
  const lowest = new DataView(bytes.buffer, bytes.byteOffset).getFloat64(2, true);
  const [form, bits] = bytes;
  if (form === VARINT || form === VARINT_STEPS) readVarints(bytes, n, numbers, lowest, form === VARINT_STEPS);
  else if (form === PACKED) unpack(bytes, HEAD_BYTES, n, bits, lowest, numbers);
  else {
    unpack(bytes, HEAD_BYTES + 8, n, bits, lowest, numbers);
    let sum = new DataView(bytes.buffer, bytes.byteOffset).getFloat64(HEAD_BYTES, true);
    for (let i = 0; i < n; i++) numbers[i] = sum += numbers[i];
  }
}

function unpack(bytes: Uint8Array, at: number, n: number, bits: number, lowest: number, numbers: Float64Array): void {
  const above = Math.max(0, bits - 32);
  const packed = Math.ceil((n * (bits > 32 ? above : bits)) / 32);
  const words = wordsOf(bytes, at, packed + (bits > 32 ? n : 0));
  if (bits > 32) {
    for (let i = 0; i < n; i++) numbers[i] = lowest + bitsAt(words, i, above) * 4294967296 + (words[packed + i] >>> 0);
  } else if (bits === 32) for (let i = 0; i < n; i++) numbers[i] = lowest + (words[i] >>> 0);
  else for (let i = 0; i < n; i++) numbers[i] = lowest + bitsAt(words, i, bits);
}

/** The i-th number of `bits` bits, fewer than 32. */
function bitsAt(words: Int32Array, i: number, bits: number): number {
  const from = i * bits;
  const shift = from & 31;
  const word = from >>> 5;
  // a shift by 32 would be none
  const both = shift + bits > 32 ? (words[word] >>> shift) | (words[word + 1] << (32 - shift)) : words[word] >>> shift;
  return both & ((1 << bits) - 1);
}

let aligned = new Int32Array(1 << 10);
/** The words from byte `at` on, aligned; good until the next call. */
function wordsOf(bytes: Uint8Array, at: number, words: number): Int32Array {
  if (words > aligned.length) aligned = new Int32Array(words + (words >> 1));
  new Uint8Array(aligned.buffer).set(bytes.subarray(at, at + 4 * words));
  return aligned;
}

function readVarints(bytes: Uint8Array, n: number, numbers: Float64Array, lowest: number, steps: boolean): void {
  let at = HEAD_BYTES;
  let sum = lowest;
  if (steps) numbers[0] = lowest;
  for (let i = steps ? 1 : 0; i < n; i++) {
    let x = bytes[at++];
    if (x >= 128) {
      x -= 128;
      let byte = 128;
      for (let power = 128; byte >= 128; power *= 128) {
        byte = bytes[at++];
        x += (byte & 127) * power;
      }
    }
    if (steps) numbers[i] = sum += x % 2 === 0 ? x / 2 : -(x + 1) / 2;
    else numbers[i] = lowest + x;
  }
}
