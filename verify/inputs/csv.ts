/** CSV: RFC 4180 with a header, written as plainly as it can be. */
import { isUtf8 } from "node:buffer";
import { BrokenFile } from "../../pipeline/io/rows";
import type { RawFile, RawRow } from "./cells";
import { bytesOf } from "./files";

const MAX_RECORD_BYTES = 256 << 20;
const BOM = "\u00ef\u00bb\u00bf";

/** A record of a text; without cells if a quote stands where none may, or is never closed. */
interface CsvRecord {
  cells: string[] | null;
  /** where the next one begins */
  end: number;
}

/**
 * Rows of a CSV file; positions are the lines on which records begin. Cells are cut out of bytes as characters, since not all
 * need be UTF-8.
 * @throws BrokenFile where there is no legible header, or no end of a record
 */
export async function* csvRows(file: RawFile): AsyncGenerator<RawRow[]> {
  let names: string[] | undefined;
  let line = 1;
  for await (const { text, records } of recordsOf(file)) {
    const rows: RawRow[] = [];
    let start = 0;
    for (const { cells, end } of records) {
      const whole = text.slice(start, end);
      if (!/^\r?\n?$/.test(whole)) {
        if (names === undefined) names = headerOf(file, cells);
        else rows.push(rowOf(names, cells, line));
      }
      line += whole.split("\n").length - 1;
      start = end;
    }
    yield rows;
  }
}

/** Stretches of the text, each with the records in it. */
async function* recordsOf(file: RawFile): AsyncGenerator<{ text: string; records: CsvRecord[] }> {
  let text = "";
  // what is no whole record is looked at again once it is twice as long, so that a long one takes no quadratic time
  let wanted = BOM.length;
  let first = true;
  for await (const chunk of bytesOf(file)) {
    text += chunk.toString("latin1");
    if (text.length < wanted) continue;
    if (first && text.startsWith(BOM)) text = text.slice(BOM.length);
    first = false;
    const records = recordsIn(text, false);
    yield { text, records };
    text = text.slice(records.at(-1)?.end ?? 0);
    if (text.length > MAX_RECORD_BYTES) throw new BrokenFile(`"${file.name}" has a record longer than 256 MB.`);
    wanted = 2 * text.length;
  }
  if (first && text.startsWith(BOM)) text = text.slice(BOM.length);
  yield { text, records: recordsIn(text, true) };
}

/** @param last whether nothing follows the text, so that its last record ends with it */
function recordsIn(text: string, last: boolean): CsvRecord[] {
  const records: CsvRecord[] = [];
  for (let start = 0; start < text.length; ) {
    const record = recordAt(text, start, last);
    if (record === undefined) break;
    records.push(record);
    start = record.end;
  }
  return records;
}

/** The record that begins at a place; undefined if it goes on behind the text. */
export function recordAt(text: string, start: number, last: boolean): CsvRecord | undefined {
  const cells: string[] = [];
  let fine = true;
  for (let at = start; ; ) {
    const close = text[at] === '"' ? closing(text, at) : at;
    if (close < 0) return last ? { cells: null, end: text.length } : undefined;
    const isQuoted = text[at] === '"';
    const from = isQuoted ? close + 1 : at;
    const end = endOfCell(text, from);
    if (end === text.length && !last) return undefined;
    const isLast = text[end] !== ",";
    const plain = text.slice(from, isLast && end > from && text[end - 1] === "\r" ? end - 1 : end);
    // behind a closing quote there is nothing, and elsewhere no quote
    fine &&= isQuoted ? plain === "" : !plain.includes('"');
    cells.push(isQuoted ? text.slice(at + 1, close).replaceAll('""', '"') : plain);
    if (isLast) return { cells: fine ? cells : null, end: Math.min(end + 1, text.length) };
    at = end + 1;
  }
}

/** The quote that closes the one at a place, which is the first that is not doubled; -1 if there is none. */
function closing(text: string, open: number): number {
  let at = text.indexOf('"', open + 1);
  while (at >= 0 && text[at + 1] === '"') at = text.indexOf('"', at + 2);
  return at;
}

function endOfCell(text: string, from: number): number {
  const cell = /[^,\n]*/y;
  cell.lastIndex = from;
  cell.test(text);
  return cell.lastIndex;
}

function headerOf(file: RawFile, cells: readonly string[] | null): string[] {
  const names = cells?.map(utf8) ?? [null];
  if (names.includes(null)) throw new BrokenFile(`"${file.name}": the CSV header cannot be read.`);
  return names as string[];
}

function rowOf(names: readonly string[], cells: readonly string[] | null, position: number): RawRow {
  if (cells === null) return { position, fault: "not CSV" };
  const texts = cells.map(utf8);
  if (texts.includes(null)) return { position, fault: "not UTF-8" };
  if (texts.length !== names.length) return { position, fault: "wrong number of cells" };
  return { position, cells: Object.fromEntries(names.map((name, i) => [name, texts[i]])) };
}

/** Bytes as characters to the text that they are in UTF-8. */
function utf8(cell: string): string | null {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: everything but ASCII
  if (/^[\x00-\x7f]*$/.test(cell)) return cell;
  const bytes = Buffer.from(cell, "latin1");
  return isUtf8(bytes) ? bytes.toString("utf8") : null;
}
