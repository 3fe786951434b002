import { NO_DAY_SAID, SAME_DAY_SAID } from "../../transforms/lateness";
import type { ActionRows } from "./actionrows";
import { readId } from "./digits";
import { Role } from "./literals";
import { skipScalar } from "./skip";

/** A literal of a line, and what the value behind it is. */
export interface Piece {
  text: Uint8Array;
  role: Role;
}

/** Reads one line into a row. @returns where the next line begins, -1 if this one has another layout or was not understood */
export type LayoutReader = (bytes: Uint8Array, view: DataView, start: number, rows: ActionRows) => number;

const MAX_READERS = 200;
/** by their code: a thread that has made a reader, and the compiler that has made it fast, need not do so for the next split */
const readers = new Map<string, LayoutReader | undefined>();

/**
 * A reader made for the lines of one layout: the loop of NdjsonActions over just these literals, unrolled, with their bytes as
 * constants of its code, which takes about half the time. Nothing of the input becomes code but numbers.
 * @param compared which columns are only compared
 * @param pieces from the opening literal to the end of the line; each was learned by Literals
 * @returns undefined where there is none: a wanted key comes twice, or this process may not make code
 */
export function layoutReader(pieces: readonly Piece[], compared: Pick<ActionRows, "said" | "clock">): LayoutReader | undefined {
  const code = codeOf(pieces, compared);
  if (code === undefined) return undefined;
  if (!readers.has(code)) {
    if (readers.size >= MAX_READERS) readers.clear();
    readers.set(code, compiled(code));
  }
  return readers.get(code);
}

function compiled(code: string): LayoutReader | undefined {
  try {
    return new Function("readId", "skipScalar", code)(readId, skipScalar);
  } catch (error) {
    if (error instanceof EvalError) return undefined; // --disallow-code-generation-from-strings
    throw error;
  }
}

function codeOf(pieces: readonly Piece[], compared: Pick<ActionRows, "said" | "clock">): string | undefined {
  let seen = 0;
  let code = "";
  for (const { text, role } of pieces) {
    const bit = role === Role.skip || role === Role.end ? 0 : 1 << role;
    if (seen & bit) return undefined;
    seen |= bit;
    code += `if (${differs(Buffer.from(text)).join(" || ")}) return -1;\nat += ${text.length};\n`;
    if (role === Role.end) code += `${comparisonCode(seen, compared)}return rows.commit(${seen & ~COMPARED}) ? at : -1;\n`;
    else code += `${valueCode(role)}\n`;
  }
  return `"use strict"; return function line(bytes, view, start, rows) {
const { out, times } = rows;
const row = out.length;
let at = start;
let said = 0;
let stamp = 0;
${code}}`;
}

/**
 * Conditions of which one holds where the text at `at` differs. From front to back, as the text there may be shorter. Eight bytes
 * are compared as a double, which is exact: bytes of ASCII are no NaN and no zero.
 */
function differs(text: Buffer): string[] {
  const { length } = text;
  const all: string[] = [];
  let k = 0;
  for (; length - k >= 8; k += 8) all.push(`view.getFloat64(at + ${k}, true) !== ${text.readDoubleLE(k)}`);
  if (length > 8 && k < length) return [...all, `view.getFloat64(at + ${length - 8}, true) !== ${text.readDoubleLE(length - 8)}`];
  if (length - k >= 4) {
    all.push(`view.getInt32(at + ${k}, true) !== ${text.readInt32LE(k)}`);
    k += 4;
  }
  for (; k < length; k++) all.push(`bytes[at + ${k}] !== ${text[k]}`);
  return all;
}

/** As skip.ts has it, but no call: of all calls in a line the compiler would leave out some, and reading ids comes dearer than this. */
const LIKE_DATE = `bytes[at] === 34 && (((view.getInt32(at + 1, true) ^ 0x30303030) & 0xf0f0f0f0) |
((view.getInt32(at + 5, true) ^ 0x2d30302d) & 0xfff0f0ff) | ((view.getInt32(at + 8, true) ^ 0x2230302d) & 0xfff0f0ff)) === 0`;

const COMPARED = (1 << Role.said) | (1 << Role.clock);

/**
 * What is only compared, at the end of a line. A day that is the one of the time, as text, need not be read: ten bytes are compared as a double and
 * two more, and the time's are known to be a day.
 */
function comparisonCode(seen: number, { said, clock }: Pick<ActionRows, "said" | "clock">): string {
  let code = "";
  if (clock && !(seen & (1 << Role.clock))) code += "out.clocks[row] = NaN;\n";
  if (!said) return code;
  if (!(seen & (1 << Role.said))) return `${code}out.ownDays[row] = ${NO_DAY_SAID};\n`;
  const same =
    "view.getFloat64(said, true) === view.getFloat64(stamp, true) && view.getUint16(said + 8, true) === view.getUint16(stamp + 8, true)";
  return `${code}if (said === 0) out.ownDays[row] = ${NO_DAY_SAID};
else if (${same}) out.ownDays[row] = ${SAME_DAY_SAID};
else rows.saidAt(view, said);
`;
}

/** Reads the value at `at` and goes past it. */
function valueCode(role: Role): string {
  const blanks = "while (bytes[at] === 32) at++;\n";
  if (role === Role.skip)
    return `${blanks}if (${LIKE_DATE}) at += 12;\nelse {\nat = skipScalar(bytes, view, at);\nif (at < 0) return -1;\n}`;
  if (role === Role.said)
    return `${blanks}if (${LIKE_DATE}) { said = at + 1; at += 12; }\nelse {\nat = skipScalar(bytes, view, at);\nif (at < 0) return -1;\n}`;
  if (role === Role.clock) return `${blanks}at = rows.compared(bytes, view, at, ${role});\nif (at < 0) return -1;`;
  if (role <= Role.item)
    return `${blanks}at = readId(bytes, view, at, out.${role === Role.customer ? "customers" : "items"}, 2 * row);\nif (at < 0) return -1;`;
  const read = role === Role.timestamp ? "times.timestamp(bytes, view, at + 1, out.times, row)" : `rows.day(view, at + 1, ${role})`;
  const stamp = role === Role.timestamp ? "stamp = at + 1;\n" : "";
  return `${blanks}if (bytes[at] !== 34) return -1;\n${stamp}at = ${read};\nif (at < 0 || bytes[at++] !== 34) return -1;`;
}
