// Digits four at a time: a little-endian word of text, exclusive-or "0000", holds a digit in each byte if it is all digits,
// the first one lowest. Long runs of digits have no branch for each digit, which is what makes them fast: ids differ in
// length from row to row, and a loop's end would be mispredicted.

const QUOTE = 0x22;
const MINUS = 0x2d;
const ZERO = 0x30;
const ZEROS = 0x30303030;
const POWERS = Int32Array.of(1, 10, 100, 1000);

/** The word at `at` as up to four digits. */
export function digitsAt(view: DataView, at: number): number {
  return view.getInt32(at, true) ^ ZEROS;
}

/** Bit 7 of the first byte that is no digit is set, and of none before it. */
export function nonDigits(digits: number): number {
  return (digits | (digits + 0x76767676)) & 0x80808080;
}

/** How many digits stand before the first of `marks`, which are not 0. */
export function countBefore(marks: number): number {
  return (31 - Math.clz32(marks & -marks)) >>> 3;
}

/** The number that four digits say. */
export function fourDigits(digits: number): number {
  const pairs = Math.imul(digits, 10) + (digits >>> 8);
  return (pairs & 0xff) * 100 + ((pairs >>> 16) & 0xff);
}

/**
 * Reads an integer at `at`, bare or in quotes, into words[word] (low) and words[word + 1] (high).
 * @returns the position behind it, -1 if there is no int64
 */
export function readId(bytes: Uint8Array, view: DataView, at: number, words: Int32Array, word: number): number {
  let end = at;
  let value = 0;
  let digits = view.getInt32(at, true) ^ ZEROS;
  if (((digits | (digits + 0x76767676)) & 0x80808080) === 0) {
    value = fourDigits(digits);
    digits = view.getInt32((end += 4), true) ^ ZEROS;
  }
  const marks = (digits | (digits + 0x76767676)) & 0x80808080;
  const count = countBefore(marks);
  end += count;
  // eight digits or more, or none, or something that begins with a zero
  if (marks === 0 || end === at || bytes[at] === ZERO) return readLongId(bytes, at, words, word);
  words[word] = value * POWERS[count] + fourDigits((digits << 8) << (24 - 8 * count));
  words[word + 1] = 0;
  return end;
}

/** Quotes, a sign, up to 19 digits. */
function readLongId(bytes: Uint8Array, start: number, words: Int32Array, word: number): number {
  const quoted = bytes[start] === QUOTE;
  let at = quoted ? start + 1 : start;
  const negative = bytes[at] === MINUS;
  if (negative) at++;
  const first = at;
  // what is behind the first ten digits is gathered apart, so that both parts are exact
  let head = 0;
  for (; isDigit(bytes[at]) && at < first + 10; at++) head = head * 10 + bytes[at] - 0x30;
  let tail = 0;
  let scale = 1;
  for (; isDigit(bytes[at]) && at < first + 19; at++, scale *= 10) tail = tail * 10 + bytes[at] - 0x30;
  if (at === first || (bytes[first] === ZERO && at > first + 1) || isDigit(bytes[at])) return -1;
  if (at > first + 15) {
    if (!putWide(head, scale, tail, words, word, negative)) return -1;
  } else putSafe(head * scale + tail, words, word, negative);
  if (!quoted) return at;
  return bytes[at] === QUOTE ? at + 1 : -1;
}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

function putSafe(value: number, words: Int32Array, word: number, negative: boolean) {
  const high = Math.floor(value / 2 ** 32);
  put(value - high * 2 ** 32, high, words, word, negative);
}

/** Stores head * scale + tail, with head < 10^10, scale <= 10^9 and tail < scale. @returns whether it is an int64 */
function putWide(head: number, scale: number, tail: number, words: Int32Array, word: number, negative: boolean): boolean {
  // head = upper * 2^17 + lower: both products stay below 2^48, so they are exact
  const upper = Math.floor(head / 2 ** 17) * scale;
  const lower = (head % 2 ** 17) * scale + tail;
  const lowSum = (upper % 2 ** 15) * 2 ** 17 + (lower % 2 ** 32);
  const low = lowSum % 2 ** 32;
  const high = Math.floor(upper / 2 ** 15) + Math.floor(lower / 2 ** 32) + Math.floor(lowSum / 2 ** 32);
  if (high >= 2 ** 31 && !(negative && high === 2 ** 31 && low === 0)) return false;
  put(low, high, words, word, negative);
  return true;
}

function put(low: number, high: number, words: Int32Array, word: number, negative: boolean) {
  words[word] = negative ? -low : low;
  words[word + 1] = negative ? ~high + (low === 0 ? 1 : 0) : high;
}
