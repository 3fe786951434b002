import { countBefore } from "./digits";

const QUOTE = 0x22;
const ONES = 0x01010101;
const BLANKS = 0x20202020;

/** What ends a text besides quotes, four times in a word. */
export const BACKSLASHES = 0x5c5c5c5c;
export const COMMAS = 0x2c2c2c2c;
export const QUOTES = 0x22222222;

/**
 * Goes past the ASCII text at `at`. @returns where the first quote, byte of `stops`, control, or byte that is not ASCII stands;
 * a line feed at the latest
 */
export function skipText(view: DataView, at: number, stops: number): number {
  let end = at - 4;
  let marks: number;
  do {
    const word = view.getInt32((end += 4), true);
    const quote = word ^ QUOTES;
    const stop = word ^ stops;
    // x - 0x01 sets bit 7 of a byte x = 0, and x - 0x20 that of x < 0x20; a borrow reaches later bytes only
    marks = (word | ((quote - ONES) & ~quote) | ((stop - ONES) & ~stop) | ((word - BLANKS) & ~word)) & 0x80808080;
  } while (marks === 0);
  return end + countBefore(marks);
}

/** The same for text that may be UTF-8: it stops at what is none. */
export function skipUtf8(bytes: Uint8Array, view: DataView, at: number, stops: number): number {
  const end = skipText(view, at, stops);
  return bytes[end] < 0x80 ? end : skipWide(bytes, view, end, stops);
}

function skipWide(bytes: Uint8Array, view: DataView, start: number, stops: number): number {
  let at = start;
  while (bytes[at] >= 0x80) {
    const length = sequenceLength(bytes, at);
    if (length === 0) break;
    at = skipText(view, at + length, stops);
  }
  return at;
}

/** Bytes of the UTF-8 sequence at `at`, 0 if there is none. Unicode 16, table 3-7. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at];
  const length = lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (length === 0 || bytes[at + 1] < least || bytes[at + 1] > most) return 0;
  for (let k = 2; k < length; k++) if ((bytes[at + k] & 0xc0) !== 0x80) return 0;
  return length;
}

/** Goes past a JSON string without escapes, a number, true, false or null. @returns the position behind it, -1 if there is none */
export function skipScalar(bytes: Uint8Array, view: DataView, at: number): number {
  if (bytes[at] !== QUOTE) return skipWord(bytes, view, at);
  if (isLikeDate(view, at + 1)) return at + 12;
  const end = skipText(view, at + 1, BACKSLASHES);
  return bytes[end] === QUOTE ? end + 1 : skipWideString(bytes, view, end);
}

/** Whether ten characters `9999-99-99` and a quote stand there, as they often do; a 9 is a digit or one of `:;<=>?`, which will do. */
export function isLikeDate(view: DataView, at: number): boolean {
  const year = (view.getInt32(at, true) ^ 0x30303030) & 0xf0f0f0f0;
  const month = (view.getInt32(at + 4, true) ^ 0x2d30302d) & 0xfff0f0ff;
  const day = (view.getInt32(at + 7, true) ^ 0x2230302d) & 0xfff0f0ff;
  return (year | month | day) === 0;
}

function skipWideString(bytes: Uint8Array, view: DataView, at: number): number {
  const end = skipWide(bytes, view, at, BACKSLASHES);
  return bytes[end] === QUOTE ? end + 1 : -1;
}

function skipWord(bytes: Uint8Array, view: DataView, at: number): number {
  const byte = bytes[at];
  if (byte === 0x2d || isDigit(byte)) return skipNumber(bytes, at);
  const word = view.getInt32(at, true);
  if (word === TRUE || word === NULL) return at + 4;
  return word === FALS && bytes[at + 4] === 0x65 ? at + 5 : -1;
}

export const TRUE = 0x65757274;
export const FALS = 0x736c6166;
export const NULL = 0x6c6c756e;

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

/** As RFC 8259 has it: no leading zeros, digits on both sides of a point. */
function skipNumber(bytes: Uint8Array, start: number): number {
  let at = bytes[start] === 0x2d ? start + 1 : start;
  const first = at;
  while (isDigit(bytes[at])) at++;
  if (at === first || (bytes[first] === 0x30 && at > first + 1)) return -1;
  if (bytes[at] === 0x2e) {
    const point = at++;
    while (isDigit(bytes[at])) at++;
    if (at === point + 1) return -1;
  }
  return (bytes[at] | 0x20) === 0x65 ? skipExponent(bytes, at + 1) : at;
}

function skipExponent(bytes: Uint8Array, start: number): number {
  let at = bytes[start] === 0x2b || bytes[start] === 0x2d ? start + 1 : start;
  const first = at;
  while (isDigit(bytes[at])) at++;
  return at > first ? at : -1;
}
