/** NDJSON and JSON arrays by JSON.parse. */
import { isUtf8 } from "node:buffer";
import { BrokenFile } from "../../pipeline/io/rows";
import type { Cell, RawFile, RawRow } from "./cells";
import { bytesOf } from "./files";

const MAX_DEPTH = 64;
const MAX_RECORD_BYTES = 256 << 20;
const LF = 0x0a;

/** A number that JSON.parse would round, or take for an integer where SPEC does not. Numbers follow a colon, a comma or a bracket. */
const INEXACT = /(?:"\s*:|[,[])\s*-?(?:[0-9]+[.eE]|[0-9]{16})/;

/** The value of a JSON text; undefined where it is none that SPEC takes. Integers are exact, other numbers NaN. */
export function parseJson(text: string): Cell {
  try {
    const value: Cell = INEXACT.test(text) || !/^\s*[[{]/.test(text) ? JSON.parse(text, exactly) : JSON.parse(text);
    if (text.length > 2 * MAX_DEPTH && isDeep(text)) return undefined;
    return text.includes("\\u") && hasLoneSurrogate(value) ? undefined : value;
  } catch {
    return undefined;
  }
}

function exactly(_key: string, value: Cell, { source }: { source?: string } = {}): Cell {
  if (typeof value !== "number" || source === undefined) return value;
  if (!/^-?[0-9]{1,20}$/.test(source)) return Number.NaN;
  return Number.isSafeInteger(value) ? value : BigInt(source);
}

/** Counts brackets outside of strings. */
function isDeep(text: string): boolean {
  if ((text.match(/[[{]/g)?.length ?? 0) <= MAX_DEPTH) return false;
  let depth = 0;
  for (const [bracket] of text.replaceAll(/"(?:[^"\\]|\\.)*"/g, "").matchAll(/[[\]{}]/g)) {
    depth += bracket === "[" || bracket === "{" ? 1 : -1;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

function hasLoneSurrogate(value: Cell): boolean {
  if (typeof value === "string") return !value.isWellFormed();
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([key, member]) => !key.isWellFormed() || hasLoneSurrogate(member));
}

function rowOf(text: string | null, position: number): RawRow {
  const value = text === null ? undefined : parseJson(text);
  if (value === undefined) return { position, fault: "not JSON" };
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { position, fault: "not an object" };
  return { position, cells: value as { [column: string]: Cell } };
}

/** Rows of an NDJSON file, a batch for each chunk of it; positions are lines from 1. */
export async function* ndjsonRows(file: RawFile): AsyncGenerator<RawRow[]> {
  let line = 0;
  for await (const lines of linesOf(file)) {
    const rows: RawRow[] = [];
    for (const text of lines) {
      line++;
      const bare = text?.endsWith("\r") ? text.slice(0, -1) : text;
      if (bare === null || !/^[ \t]*$/.test(bare)) rows.push(rowOf(bare, line));
    }
    yield rows;
  }
}

/** Lines of a text without their line feeds, null for one that is not UTF-8; a byte order mark is passed over. */
async function* linesOf(file: RawFile): AsyncGenerator<(string | null)[]> {
  let rest: Buffer = Buffer.alloc(0);
  let first = true;
  for await (const chunk of bytesOf(file)) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    if (first && rest.length >= 3) {
      if (rest.subarray(0, 3).toString("hex") === "efbbbf") rest = rest.subarray(3);
      first = false;
    }
    const end = rest.lastIndexOf(LF);
    if (end >= 0) yield decoded(rest.subarray(0, end));
    rest = rest.subarray(end + 1);
    if (rest.length > MAX_RECORD_BYTES) throw new BrokenFile(`"${file.name}" has a line longer than 256 MB.`);
  }
  if (rest.length > 0) yield decoded(rest);
}

function decoded(bytes: Buffer): (string | null)[] {
  if (isUtf8(bytes)) return bytes.toString("utf8").split("\n");
  const latin = bytes.toString("latin1").split("\n");
  return latin.map((line) => Buffer.from(line, "latin1")).map((line) => (isUtf8(line) ? line.toString("utf8") : null));
}

/**
 * Rows of a file that is one JSON array; positions are elements from 1.
 * @throws BrokenFile where it is no array, or is cut
 */
export async function* jsonArrayRows(file: RawFile): AsyncGenerator<RawRow[]> {
  const broken = (what: string) => new BrokenFile(`"${file.name}" ${what}.`);
  let position = 0;
  let text = "";
  let expected: "array" | "first" | "element" | "comma" | "nothing" = "array";
  const decoder = new TextDecoder("latin1");
  for await (const chunk of bytesOf(file)) {
    // bytes as characters: elements may be cut anywhere, and what is not UTF-8 is a matter of one element
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_RECORD_BYTES) throw broken("has an element longer than 256 MB");
    const rows: RawRow[] = [];
    let at = 0;
    if (expected === "array" && text.startsWith("\u00ef\u00bb\u00bf")) at = 3;
    for (;;) {
      while (at < text.length && " \t\r\n".includes(text[at])) at++;
      if (at === text.length) break;
      if (expected === "element" || (expected === "first" && text[at] !== "]")) {
        const end = elementEnd(text, at);
        if (end < 0) break;
        if (end === at) throw broken("is no JSON array: an element is missing");
        const bytes = Buffer.from(text.slice(at, end), "latin1");
        rows.push(rowOf(isUtf8(bytes) ? bytes.toString("utf8") : null, ++position));
        at = end;
        expected = "comma";
      } else {
        const mark = text[at++];
        if (expected === "array" && mark === "[") expected = "first";
        else if ((expected === "first" || expected === "comma") && mark === "]") expected = "nothing";
        else if (expected === "comma" && mark === ",") expected = "element";
        else throw broken(expected === "nothing" ? "has something behind its JSON array" : "is no JSON array");
      }
    }
    text = text.slice(at);
    yield rows;
  }
  if (position === 0 && expected === "array" && text === "" && file.size === 0) return;
  if (expected !== "nothing") throw broken("is no JSON array, or is cut");
}

/** Where the element that begins at a place ends, -1 if that has not been read yet. */
function elementEnd(text: string, from: number): number {
  let depth = 0;
  let quoted = false;
  for (let at = from; at < text.length; at++) {
    const mark = text[at];
    if (quoted) {
      if (mark === "\\") at++;
      else if (mark === '"') quoted = false;
    } else if (mark === '"') quoted = true;
    else if (mark === "[" || mark === "{") depth++;
    else if (depth === 0 && /[,\]}\s]/.test(mark)) return at;
    else if (mark === "]" || mark === "}") {
      if (--depth === 0) return at + 1;
    }
  }
  return -1;
}
