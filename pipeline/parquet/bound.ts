import type { ParquetType } from "hyparquet";

/** A smallest or largest value. Texts are UTF-8. */
export type Bound = bigint | number | boolean | Uint8Array;

/** Longer texts are cut: a bound need not be a value that occurs. */
const MOST_TEXT_BYTES = 16;

/** A bound as statistics and page indexes have it: PLAIN, without a length; texts cut, rounded down for a minimum and up for a maximum. */
export function boundBytes(bound: Bound, type: ParquetType, isMax: boolean): Uint8Array {
  if (bound instanceof Uint8Array) return bound.length > MOST_TEXT_BYTES ? cutText(bound, isMax) : bound.slice();
  if (typeof bound === "boolean") return Uint8Array.of(bound ? 1 : 0);
  const bytes = new Uint8Array(type === "INT32" ? 4 : 8);
  const view = new DataView(bytes.buffer);
  if (type === "INT32") view.setInt32(0, Number(bound), true);
  else view.setBigInt64(0, BigInt(bound), true);
  return bytes;
}

function cutText(text: Uint8Array, isMax: boolean): Uint8Array {
  const end = startOfCharacter(text, MOST_TEXT_BYTES);
  return isMax ? (roundedUp(text, end) ?? text.slice()) : text.slice(0, end);
}

/** The least text above all that begin like the first `end` bytes, in at most MOST_TEXT_BYTES; undefined if there is none or they are no UTF-8. */
function roundedUp(text: Uint8Array, end: number): Uint8Array | undefined {
  let characters: string[];
  try {
    characters = [...new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text.subarray(0, end))];
  } catch {
    return undefined;
  }
  let start = end;
  for (const character of characters.reverse()) {
    start = startOfCharacter(text, start - 1);
    const next = following(character.codePointAt(0)!);
    if (next !== undefined && start + Buffer.byteLength(next) <= MOST_TEXT_BYTES)
      return Uint8Array.from([...text.subarray(0, start), ...Buffer.from(next)]);
  }
  return undefined;
}

/** The next character in the order of code points, which is the order of their UTF-8; surrogates are none. */
function following(code: number): string | undefined {
  if (code === 0x10ffff) return undefined;
  return String.fromCodePoint(code === 0xd7ff ? 0xe000 : code + 1);
}

/** Where the character begins that has the byte at `at`. */
function startOfCharacter(text: Uint8Array, at: number): number {
  let start = at;
  while (start > 0 && (text[start] & 0xc0) === 0x80) start--;
  return start;
}
