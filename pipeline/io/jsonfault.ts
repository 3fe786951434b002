import { isUtf8 } from "node:buffer";
import type { RecordReason } from "../../transforms/reasons";

/** Why a text is no row. The words go to the rejects as they are. */
export type JsonFault = Extract<RecordReason, "not JSON" | "not an object" | "nested too deeply">;

/** brackets and braces open at once */
export const MAX_DEPTH = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = [0x5b, 0x7b];
const CLOSE = [0x5d, 0x7d];

/** Of a text that is no JSON. Brackets are counted whether they match or not: too deep is said first. */
export function whyMalformed(bytes: Buffer): JsonFault {
  if (!isUtf8(bytes)) return "not JSON";
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) quoted = !quoted;
    else if (quoted) at += byte === BACKSLASH ? 1 : 0;
    else if (OPEN.includes(byte)) {
      if (++depth > MAX_DEPTH) return "nested too deeply";
    } else if (CLOSE.includes(byte)) depth--;
  }
  return "not JSON";
}

/** Rare and slow: whether a lone surrogate is left once the last of duplicate keys has won. */
export function keepsLoneSurrogate(text: string): boolean {
  const lone = /\p{Surrogate}/u;
  const within = (value: unknown): boolean => {
    if (typeof value === "string") return lone.test(value);
    if (typeof value !== "object" || value === null) return false;
    return Object.entries(value).some(([key, member]) => lone.test(key) || within(member));
  };
  return within(JSON.parse(text));
}
