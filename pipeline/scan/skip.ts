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
    marks = (word | ((quote - ONES) & ~quote) | ((stop - ONES) & ~stop) | 0) & 0x80808080;
  } while (marks === 0);
  return end + countBefore(marks);
}

/** Goes past a JSON string without escapes, a number, true, false or null. @returns the position behind it, -1 if there is none */
export function skipScalar(bytes: Uint8Array, view: DataView, at: number): number {
  if (bytes[at] !== QUOTE) return skipWord(bytes, view, at);
  const end = skipText(view, at + 1, BACKSLASHES);
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
const NULL = 0x6c6c756e;

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
