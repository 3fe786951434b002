/** CSV by csv-parse. */
import { isUtf8 } from "node:buffer";
import { Readable } from "node:stream";
import { parse } from "csv-parse";
import { BrokenFile } from "../../pipeline/io/rows";
import type { RawFile, RawRow } from "./cells";
import { bytesOf } from "./files";

const BATCH_ROWS = 4096;

interface Parsed {
  record: string[];
  info: { lines: number };
}

/** Rows of a CSV file; positions are the lines on which records end. Cells come as characters of bytes, since not all need be UTF-8. */
export async function* csvRows(file: RawFile): AsyncGenerator<RawRow[]> {
  if (file.size === 0) return;
  let rows: RawRow[] = [];
  const parser = parse({
    encoding: "latin1",
    info: true,
    record_delimiter: ["\r\n", "\n"],
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    on_skip: (error) => void rows.push({ position: Number(error?.lines ?? 0), fault: "not CSV" }),
  });
  let names: string[] | undefined;
  for await (const { record, info } of Readable.from(withoutLastReturn(withoutBom(file))).pipe(parser) as AsyncIterable<Parsed>) {
    if (names === undefined) {
      // the parser reads ahead, so that what it skipped may well be of later lines
      if (rows.some(({ position }) => position <= info.lines) || record.some((cell) => utf8(cell) === null))
        throw new BrokenFile(`"${file.name}": the CSV header cannot be read.`);
      names = record.map((cell) => utf8(cell)!);
      continue;
    }
    rows.push(rowOf(names, record, info.lines));
    if (rows.length < BATCH_ROWS) continue;
    yield rows;
    rows = [];
  }
  yield rows;
}

async function* withoutBom(file: RawFile): AsyncGenerator<Buffer> {
  let head: Buffer | null = Buffer.alloc(0);
  for await (const chunk of bytesOf(file)) {
    if (head === null) yield chunk;
    else {
      head = Buffer.concat([head, chunk]);
      if (head.length < 3) continue;
      yield head.subarray(0, 3).toString("hex") === "efbbbf" ? head.subarray(3) : head;
      head = null;
    }
  }
  if (head !== null) yield head;
}

/** A last line may lack its line feed, and still end in a carriage return. */
async function* withoutLastReturn(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer | undefined;
  for await (const chunk of chunks) {
    if (chunk.length === 0) continue;
    if (held !== undefined) yield held;
    held = chunk;
  }
  if (held !== undefined) yield held.at(-1) === 0x0d ? held.subarray(0, -1) : held;
}

function rowOf(names: readonly string[], record: readonly string[], position: number): RawRow {
  const texts = record.map(utf8);
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
