import { isUtf8 } from "node:buffer";
import { CsvRecord } from "../../../pipeline/io/csvrecord";
import { JsonRows, parseJson } from "../../../pipeline/io/json";
import {
  type ActionFields,
  type ActionSink,
  type LineScanner,
  type RankingSink,
  ScannedRankings,
  type ScanOptions,
  scannedActions,
} from "../../../pipeline/scan/columns";
import { ActionBuilder } from "../../../transforms/actions";
import { ActionNormaliser, RankingNormaliser, type Source } from "../../../transforms/normalise";
import { RankingBuilder } from "../../../transforms/rankings";
import { DEFAULT_RULES } from "../../../transforms/rules";

/** One line, as either tier sees it. */
export type Row = readonly (bigint | number)[] | undefined;

/** [start, end, line] of what was handed on. */
export type Left = [start: number, end: number, line: number];

/** Text as a scanner wants it: a line feed at its end and more bytes behind it, which nobody may look at. */
export function padded(text: Buffer): { bytes: Buffer; view: DataView; to: number } {
  const memory = new ArrayBuffer(text.length + 64);
  const bytes = Buffer.from(memory);
  bytes.fill('0"\n,"item_id":1}\n', text.length);
  text.copy(bytes);
  return { bytes, view: new DataView(memory), to: text.length };
}

const idAt = (words: Int32Array, row: number): bigint => new BigInt64Array(words.slice(2 * row, 2 * row + 2).buffer)[0];

/** What a scanner takes, by line: [customer, item, micros, own day, wall]; undefined where it leaves the line to the careful reader. */
export function fastActions(
  text: Buffer,
  scannerOf: (sink: ActionSink) => LineScanner,
  capacity = 3,
): { rows: Row[]; lines: number; careful: Left[]; next: number } {
  const out = scannedActions(capacity);
  const taken: Row[] = [];
  const careful: Left[] = [];
  const flush = (wall: boolean) => {
    for (let i = 0; i < out.length; i++)
      taken.push([idAt(out.customers, i), idAt(out.items, i), out.times[i], out.ownDays[i], wall ? 1 : 0]);
  };
  const scanner = scannerOf({ out, flush, careful: (start, end, line) => careful.push([start, end, line]) });
  const { bytes, view, to } = padded(text);
  const lines = scanner.scan(bytes, view, 0, to);
  scanner.finish();
  return { rows: byLine(taken, lines, careful, bytes), lines, careful, next: scanner.next };
}

/** A ranking as either tier sees it: [customer, day, id, [[item, is ordered], …]]. */
export type Ranking = readonly [bigint, number, string, [bigint, number][]] | undefined;

/** What a scanner takes of rankings, by line. */
export function fastRankings(text: Buffer, scannerOf: (sink: RankingSink) => LineScanner, capacity = 3) {
  const out = new ScannedRankings(capacity);
  const taken: Ranking[] = [];
  const careful: Left[] = [];
  const flush = () => {
    for (let r = 0; r < out.length; r++) {
      const slots: [bigint, number][] = [];
      for (let s = out.slotStarts[r]; s < out.slotStarts[r + 1]; s++) slots.push([idAt(out.slotItems, s), out.slotOrders[s]]);
      const id = Buffer.from(out.idBytes.slice(out.idStarts[r], out.idStarts[r + 1])).toString();
      taken.push([idAt(out.customers, r), out.days[r], id, slots]);
    }
  };
  const scanner = scannerOf({ out, flush, careful: (start, end, line) => careful.push([start, end, line]) });
  const { bytes, view, to } = padded(text);
  const lines = scanner.scan(bytes, view, 0, to);
  scanner.finish();
  return { rows: byLine(taken, lines, careful, bytes), lines, careful, next: scanner.next };
}

/** Puts the rows taken to the lines that nobody has handed on; a record handed on may be several lines. */
export function byLine<T>(taken: T[], lines: number, careful: Left[], bytes: Buffer): (T | undefined)[] {
  const left = new Set<number>();
  for (const [start, end, line] of careful) {
    const lineFeeds = bytes.subarray(start, end).filter((byte) => byte === 10).length;
    for (let k = 0; k <= lineFeeds; k++) left.add(line + k);
  }
  const rows = Array.from({ length: lines }, (_, line) => (left.has(line) ? undefined : taken.shift()));
  if (taken.length > 0 || rows.some((row, line) => row === undefined && !left.has(line))) throw new Error("rows and lines do not match");
  return rows;
}

/** What the careful reader and normaliser make of one row, with UTC as the zone: as above, without `wall`. */
export class CarefulActions {
  private readonly builder = new ActionBuilder();
  private readonly normaliser: ActionNormaliser;
  private readonly json: JsonRows;
  private readonly source: Source;

  constructor(
    fields: ActionFields,
    private readonly options: ScanOptions,
    csv: boolean,
  ) {
    const table = {
      name: "t",
      type: 1,
      customer: fields.customer,
      item: fields.item,
      time: fields.time,
      date: fields.timeIs === "date" ? fields.time : null,
      dt: fields.ownDay ?? "",
    };
    this.normaliser = new ActionNormaliser(table, { ...DEFAULT_RULES, actionClock: fields.ownDay === null ? "time" : "dt" }, this.builder);
    this.json = new JsonRows(this.normaliser.columns);
    this.source = { partition: this.options.partition ?? {}, csv, json: jsonCell };
  }

  ofJson(line: Buffer): Row {
    if (this.json.read(line, 0, line.length) !== undefined) return undefined;
    return this.take(this.json.cells);
  }

  ofCsv(record: Buffer, header: readonly string[]): Row {
    const cells = csvCells(record, header, this.normaliser.columns);
    return cells && this.take(cells);
  }

  private take(cells: Parameters<ActionNormaliser["take"]>[0]): Row {
    if (this.normaliser.take(cells, this.source) !== undefined) return undefined;
    const [{ value }] = [...this.builder.take(1)];
    return [value.customers[0], value.items[0], value.times[0], value.ownDays[0]];
  }
}

/** The same for rankings. */
export class CarefulRankings {
  private readonly builder = new RankingBuilder();
  private readonly normaliser = new RankingNormaliser(DEFAULT_RULES, this.builder);
  private readonly json = new JsonRows(this.normaliser.columns);
  private readonly source: Source;

  constructor(options: ScanOptions, csv: boolean) {
    this.source = { partition: options.partition ?? {}, csv, json: jsonCell };
  }

  ofJson(line: Buffer): Ranking {
    if (this.json.read(line, 0, line.length) !== undefined) return undefined;
    return this.take(this.json.cells);
  }

  ofCsv(record: Buffer, header: readonly string[]): Ranking {
    const cells = csvCells(record, header, this.normaliser.columns);
    return cells && this.take(cells);
  }

  private take(cells: Parameters<RankingNormaliser["take"]>[0]): Ranking {
    if (this.normaliser.take(cells, this.source) !== undefined) return undefined;
    const [{ value }] = [...this.builder.take(1)];
    const id = Buffer.from(value.idBytes.subarray(0, value.idStarts[1])).toString();
    const slots = [...value.slotItems.subarray(0, value.slotStarts[1])].map((item, s): [bigint, number] => [item, value.slotOrders[s]]);
    return [value.customers[0], value.days[0], id, slots];
  }
}

function jsonCell(text: string) {
  const parsed = parseJson(text);
  return "cell" in parsed ? parsed.cell : undefined;
}

const record = new CsvRecord();

/** The wanted cells of a record, undefined if it is none; as pipeline/io/csv.ts has it. */
export function csvCells(line: Buffer, header: readonly string[], columns: readonly string[]): (string | undefined)[] | undefined {
  if (line.length === 0) return undefined;
  if (record.scan(line, 0, line.length, true) !== line.length || record.isBlank() || record.malformed) return undefined;
  if (record.width !== header.length || !isUtf8(line)) return undefined;
  return columns.map((column) => (header.includes(column) ? record.text(line, header.indexOf(column)) : undefined));
}

/** Where the records of a CSV without header are, and where the one begins that does not end. */
export function csvRecords(text: Buffer): { records: { start: number; end: number; lines: number }[]; unfinished: number } {
  const records: { start: number; end: number; lines: number }[] = [];
  let start = 0;
  while (start < text.length) {
    const end = record.scan(text, start, text.length, false);
    if (end < 0) break;
    records.push({ start, end, lines: record.lines });
    start = end;
  }
  return { records, unfinished: start };
}
