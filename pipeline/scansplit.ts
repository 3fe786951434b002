import { randomUUID } from "node:crypto";
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { KV } from "../beam/cogroup";
import type { Emit, Kernel } from "../beam/threads";
import type { ActionBatch } from "../transforms/actions";
import { Calendar } from "../transforms/calendar";
import type { Cell } from "../transforms/cells";
import { ActionNormaliser, type Normaliser, RankingNormaliser, type Source, timeFromDate } from "../transforms/normalise";
import { type RankingBatch, RankingBuilder } from "../transforms/rankings";
import type { ActionTable, Rules } from "../transforms/rules";
import { type Shown, ShownIndex } from "../transforms/shownindex";
import { type Ledger, noCounts, place, type TableCounts } from "../transforms/tablecounts";
import { ActionGather } from "./gather";
import { parseJson } from "./io/json";
import { JsonRecords } from "./io/jsonrecords";
import { scanLines } from "./io/lines";
import { readSplit } from "./io/readers";
import type { RowSink, Split } from "./io/rows";
import { type ActionFields, type ActionSink, type ScannedActions, scannedActions } from "./scan/columns";
import { NdjsonActions } from "./scan/ndjsonactions";

export interface ScanInput {
  split: Split;
  rules: Rules;
  /** the customers shown and a number that names them, so that an index is made once; null for impressions, or if not known */
  shown: { id: number; customers: Shown } | null;
  /** where rejects are written, null for nowhere */
  rejectsFolder: string | null;
}

/** What a scan hands on, one field at a time. */
export type ScanOutput =
  | { actions: KV<ActionBatch>[] }
  | { rankings: KV<RankingBatch>[] }
  | { ledger: Ledger }
  | { extents: SplitExtent }
  | { rows: number };

/** How many positions a split has, and where its rejects lie: rejects count positions from the start of their split. */
export interface SplitExtent {
  table: string;
  path: string;
  index: number;
  positions: number;
  /** file of the split's rejects, one JSON object a line; null if it has none or nobody wants them */
  rejects: string | null;
}

/** Rows gathered before they are handed on as batches. */
const BATCH_ROWS = 1 << 19;

/** Kernel: reads a split; rows to batches by bucket of customers, the rest to ledger and rejects. */
export async function scanSplit(input: ScanInput, emit: Emit<ScanOutput>): Promise<void> {
  const { split } = input;
  const scan = new Scan(input);
  scan.drain = async () => {
    await emit({ rows: scan.takeRows() });
    if (scan.gathered >= BATCH_ROWS) for (const output of scan.batches()) await emit(output);
  };
  const positions = await scan.read();
  for (const output of scan.batches()) await emit(output);
  await emit({ rows: scan.takeRows() });
  await emit({ ledger: scan.finish() });
  await emit({ extents: { table: split.table, path: split.file.path, index: split.index, positions, rejects: scan.rejectsFile } });
}

export const SCAN_SPLIT: Kernel<ScanInput, ScanOutput> = { module: "backstory/pipeline/scansplit", run: scanSplit };

let cached: { id: number; index: ShownIndex } | undefined;

/** The index of the customers shown: the same for all splits of a run. */
function indexOf(shown: ScanInput["shown"], rules: Rules): ShownIndex | null {
  if (shown === null) return null;
  if (cached?.id !== shown.id) cached = { id: shown.id, index: new ShownIndex(shown.customers, rules) };
  return cached.index;
}

const CR = 0x0d;

/** What a fast scanner looks for. */
function fieldsOf(table: ActionTable, rules: Rules): ActionFields {
  const dated = timeFromDate(table, rules);
  return {
    customer: table.customer,
    item: table.item,
    time: dated ? table.date! : table.time,
    timeIs: dated ? "date" : "timestamp",
    ownDay: rules.actionClock === "time" ? null : table.dt,
  };
}

/** What the file of a split says about its rows. */
export function sourceOf({ file }: Split): Source {
  return { partition: file.partition, csv: file.format === "csv", json: jsonCell };
}

/** The value that a cell's JSON text stands for; undefined if it is none. */
function jsonCell(text: string): Cell | undefined {
  const parsed = parseJson(text);
  return "cell" in parsed ? parsed.cell : undefined;
}

class Scan implements RowSink {
  readonly normaliser: Normaliser;
  rejectsFile: string | null = null;
  drain: () => Promise<void> = async () => {};

  private readonly actions: ActionGather;
  private readonly rankings = new RankingBuilder();
  private readonly split: Split;
  private readonly rules: Rules;
  private readonly rejectsFolder: string | null;
  private readonly calendar: Calendar;
  private readonly counts: TableCounts = noCounts();
  private readonly source: Source;
  private rejects: string[] = [];
  private seenRows = 0;

  constructor({ split, rules, shown, rejectsFolder }: ScanInput) {
    this.split = split;
    this.rules = rules;
    this.rejectsFolder = rejectsFolder;
    const table = rules.tables.find(({ name }) => name === split.table);
    this.actions = new ActionGather(table?.type ?? 0, indexOf(shown, rules), rules.actionClock !== "time");
    this.normaliser = table === undefined ? new RankingNormaliser(rules, this.rankings) : new ActionNormaliser(table, rules, this.actions);
    this.source = sourceOf(split);
    this.calendar = new Calendar(rules.timezone);
  }

  /** Reads the split, by the fast scanner where there is one for its format. @returns its positions */
  async read(): Promise<number> {
    const { split, rules, normaliser } = this;
    const table = rules.tables.find(({ name }) => name === split.table);
    if (table === undefined || split.file.format !== "ndjson") return (await readSplit(split, normaliser.columns, this)).positions;
    const careful = new JsonRecords(normaliser.columns, this);
    let bytes: Buffer = Buffer.alloc(0);
    let before = 0;
    const { calendar } = this;
    const sink: ActionSink = {
      out: scannedActions(),
      flush: (wall) => this.scanned(sink.out, wall ? calendar : null),
      careful: (start, end, line) => {
        careful.count = before + line;
        careful.read(bytes, start, end > start && bytes[end - 1] === CR ? end - 1 : end);
      },
    };
    const scanner = new NdjsonActions(fieldsOf(table, rules), { utc: rules.timezone === "UTC", partition: split.file.partition }, sink);
    const block = (memory: Buffer, linesBefore: number) => {
      bytes = memory;
      before = linesBefore;
    };
    return scanLines(split, scanner, block, () => this.drain());
  }

  /** Takes rows that a fast scanner has understood. */
  private scanned(rows: ScannedActions, calendar: Calendar | null): void {
    const { length, customers, items, times, ownDays } = rows;
    if (calendar !== null) for (let i = 0; i < length; i++) times[i] = calendar.instant(times[i]);
    for (let i = 0; i < length; i++) if (items[2 * i] === 0 && items[2 * i + 1] === 0) this.counts.zeroItems++;
    this.counts.rows += length;
    this.actions.add(customers, items, times, ownDays, length);
  }

  get gathered(): number {
    return this.actions.length + this.rankings.length;
  }

  row(cells: Cell[], position: number): void {
    this.counts.rows++;
    for (let i = 0; i < cells.length; i++) if (cells[i] === undefined) this.lacks(this.normaliser.columns[i]);
    const reason = this.normaliser.take(cells, this.source);
    if (reason !== undefined) this.rejected(reason, position);
  }

  reject(reason: string, position: number): void {
    this.counts.rows++;
    this.rejected(reason, position);
  }

  columns(names: string[]): void {
    this.counts.columns = [...new Set([...this.counts.columns, ...names])].slice(0, 100);
  }

  /** Rows since last asked. */
  takeRows(): number {
    const rows = this.counts.rows - this.seenRows;
    this.seenRows = this.counts.rows;
    return rows;
  }

  *batches(): Generator<ScanOutput> {
    this.writeRejects();
    if (this.actions.length > 0) yield { actions: [...this.actions.take(this.rules.buckets)] };
    if (this.rankings.length > 0) yield { rankings: [...this.rankings.take(this.rules.buckets)] };
  }

  finish(): Ledger {
    const ledger: Ledger = { [this.split.table]: this.counts };
    this.counts.zeroItems += this.normaliser.zeroItems;
    if (this.normaliser instanceof RankingNormaliser) place(ledger, this.split.table, "outside the dates", this.normaliser.outside);
    const rejected = Object.values(this.counts.reasons).reduce((sum, n) => sum + n, 0);
    place(ledger, this.split.table, "rejected", rejected);
    place(ledger, this.split.table, "customer never shown", this.actions.neverShown);
    place(ledger, this.split.table, "outside every window", this.actions.outside);
    return ledger;
  }

  private lacks(column: string): void {
    if (column in this.split.file.partition) return;
    this.counts.lacking[column] = (this.counts.lacking[column] ?? 0) + 1;
  }

  private rejected(reason: string, position: number): void {
    const { reasons } = this.counts;
    reasons[reason] = (reasons[reason] ?? 0) + 1;
    if (this.rejectsFolder === null) return;
    this.rejects.push(JSON.stringify({ position, reason }));
    if (this.rejects.length >= 10_000) this.writeRejects();
  }

  /** A file of its own for each attempt at a split: a split may be read twice, even at once. */
  private writeRejects(): void {
    if (this.rejects.length === 0 || this.rejectsFolder === null) return;
    mkdirSync(this.rejectsFolder, { recursive: true });
    this.rejectsFile ??= join(this.rejectsFolder, `${this.split.table}-${this.split.index}-${randomUUID()}.ndjson`);
    appendFileSync(this.rejectsFile, `${this.rejects.join("\n")}\n`);
    this.rejects = [];
  }
}
