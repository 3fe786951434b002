import type { KV } from "../beam/cogroup";
import { fits, type MaybeSpilled, type Spilled } from "../beam/spill";
import type { Emit } from "../beam/threads";
import { END_DAY, FIRST_DAY } from "../transforms/calendar";
import type { Cell } from "../transforms/cells";
import { Lateness } from "../transforms/lateness";
import { ActionNormaliser, type Normaliser, type OutsideDates, RankingNormaliser, type Source } from "../transforms/normalise";
import { type RankingBatch, RankingBuilder } from "../transforms/rankings";
import type { Rules } from "../transforms/rules";
import { type Shown, ShownIndex } from "../transforms/shownindex";
import {
  type Ledger,
  MOST_EXAMPLES,
  noCounts,
  place,
  placeOutside,
  rejectedRows,
  seeColumns,
  type TableCounts,
} from "../transforms/tablecounts";
import { type FastSink, isFast, readFast } from "./fastscan";
import { ActionGather, type BucketedActions, cutHot, keptActions, keptBatches } from "./gather";
import { parseJson } from "./io/json";
import { readSplit } from "./io/readers";
import type { Split } from "./io/rows";
import { RejectsFile } from "./rejectsfile";
import type { ScannedActions, ScannedRankings } from "./scan/columns";

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
  | { actions: BucketedActions | KV<Spilled>[] }
  | { rankings: KV<MaybeSpilled<RankingBatch>>[] }
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
  /** by reason: the first positions of its rejects, ascending */
  examples: Record<string, number[]>;
}

/** Rows gathered before they are handed on as batches; with those of one chunk more they fit into memory that is used again. */
const BATCH_ROWS = 3 << 16;
/** Rows read before they are told: each message wakes the runner's thread. */
const TOLD_ROWS = 1 << 16;

/** Kernel: reads a split; rows to batches by bucket of customers, the rest to ledger and rejects. */
export async function scanSplit(input: ScanInput, emit: Emit<ScanOutput>): Promise<void> {
  const { split } = input;
  const scan = new Scan(input);
  scan.drain = async () => {
    if (scan.newRows >= TOLD_ROWS) await emit({ rows: scan.takeRows() });
    if (scan.gathered >= BATCH_ROWS) for (const output of scan.batches()) await emit(output);
  };
  try {
    const positions = await readRows(split, scan.normaliser.columns, input.rules, scan);
    for (const output of scan.batches()) await emit(output);
    await emit({ rows: scan.takeRows() });
    await emit({ ledger: scan.finish() });
    const rejects = (await scan.rejectsFile?.finish()) ?? null;
    await emit({ extents: { table: split.table, path: split.file.path, index: split.index, positions, rejects, examples: scan.examples } });
  } finally {
    scan.rejectsFile?.discard();
  }
}

/** Of a customer in the index, about. */
const SHOWN_BYTES = 64;

let cached: { id: number; index: ShownIndex | null } | undefined;

/** The index of the customers shown: the same for all splits of a run. None if there are too many of them: the join leaves the same actions out. */
function indexOf(shown: ScanInput["shown"], rules: Rules): ShownIndex | null {
  if (shown === null) return null;
  const { id, customers } = shown;
  if (cached?.id !== id)
    cached = { id, index: fits("shown", SHOWN_BYTES * customers.customers.length) ? new ShownIndex(customers, rules) : null };
  return cached.index;
}

let known: { id: number; dts: [number, number] } | undefined;

/** The first and the last dt that has a ranking, the wrong way round where none has; null if that is not known. */
function dtsOf(shown: ScanInput["shown"]): [number, number] | null {
  if (shown === null) return null;
  const { id, customers } = shown;
  if (known?.id !== id) {
    const first = customers.firstDays.reduce((a, b) => Math.min(a, b), END_DAY);
    const last = customers.lastDays.reduce((a, b) => Math.max(a, b), FIRST_DAY);
    known = { id, dts: [first, last] };
  }
  return known.dts;
}

/** Whether one of the slots [from, to) has the item 0. */
function hasZero(items: Int32Array, from: number, to: number): boolean {
  for (let slot = from; slot < to; slot++) if (items[2 * slot] === 0 && items[2 * slot + 1] === 0) return true;
  return false;
}

/** Reads a split, by a fast scanner where there is one for its format. @returns its positions */
export async function readRows(split: Split, columns: readonly string[], rules: Rules, sink: FastSink): Promise<number> {
  const table = rules.tables.find(({ name }) => name === split.table);
  return isFast(split) ? readFast(split, table, columns, rules, sink) : (await readSplit(split, columns, sink)).positions;
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

class Scan implements FastSink {
  readonly normaliser: Normaliser;
  readonly useful: ShownIndex | undefined;
  /** the last of the normaliser's columns */
  readonly optional: readonly string[];
  rejectsFile: RejectsFile | undefined;
  drain: () => Promise<void> = async () => {};
  readonly examples: Record<string, number[]> = {};

  private readonly gatheredActions: ActionGather;
  private readonly gatheredRankings = new RankingBuilder();
  /** the days of the run, null if every day is wanted */
  private readonly wanted: ReadonlySet<number> | null;
  /** rankings of other days, be they read as rows or not */
  private readonly outside: OutsideDates | undefined;
  private readonly split: Split;
  private readonly rules: Rules;
  private readonly rejectsFolder: string | null;
  private readonly counts: TableCounts = noCounts();
  readonly late: Lateness | undefined;
  /** of the rankings, if that is known */
  private readonly firstDay: number | undefined;
  private readonly source: Source;
  private rejects: string[] = [];
  private toldRows = 0;

  constructor({ split, rules, shown, rejectsFolder }: ScanInput) {
    this.split = split;
    this.rules = rules;
    this.rejectsFolder = rejectsFolder;
    const table = rules.tables.find(({ name }) => name === split.table);
    const index = indexOf(shown, rules);
    this.useful = index ?? undefined;
    this.gatheredActions = new ActionGather(table?.type ?? 0, index, rules.actionClock !== "time");
    if (table === undefined) {
      const normaliser = new RankingNormaliser(rules, this.gatheredRankings);
      this.normaliser = normaliser;
      this.outside = normaliser.outside;
      this.optional = [];
    } else {
      const dts = dtsOf(shown);
      this.firstDay = dts?.[0];
      this.late = new Lateness(table, rules, dts, split.file.partition);
      const normaliser = new ActionNormaliser(table, rules, this.gatheredActions, this.late);
      this.normaliser = normaliser;
      this.optional = normaliser.optional;
    }
    this.source = sourceOf(split);
    this.wanted = rules.days === null ? null : new Set(rules.days);
  }

  actions({ length, customers, items, times, ownDays, clocks, unread }: ScannedActions): void {
    this.counts.rows += length;
    if (!unread) this.late?.seeAll(length, times, ownDays, clocks);
    for (let i = 0; i < length; i++) if (items[2 * i] === 0 && items[2 * i + 1] === 0) this.counts.zeroItems++;
    this.gatheredActions.add(customers, items, times, ownDays, length);
  }

  rankings(rows: ScannedRankings): void {
    this.counts.rows += rows.length;
    for (let r = 0; r < rows.length; r++) {
      if (hasZero(rows.slotItems, rows.slotStarts[r], rows.slotStarts[r + 1])) this.counts.zeroItems++;
      if (this.wanted === null || this.wanted.has(rows.days[r])) this.gatheredRankings.add(rows, r);
      else this.outside?.see(rows.days[r]);
    }
  }

  get gathered(): number {
    return this.gatheredActions.length + this.gatheredRankings.length;
  }

  row(cells: Cell[], position: number): void {
    this.counts.rows++;
    const required = cells.length - this.optional.length;
    for (let i = 0; i < required; i++) if (cells[i] === undefined) this.lacks(this.normaliser.columns[i]);
    const reason = this.normaliser.take(cells, this.source);
    if (reason !== undefined) this.rejected(reason, position);
  }

  reject(reason: string, position: number): void {
    this.counts.rows++;
    this.rejected(reason, position);
  }

  columns(names: string[]): void {
    seeColumns(this.counts, names);
  }

  /** rows that were not told yet */
  get newRows(): number {
    return this.counts.rows - this.toldRows;
  }

  takeRows(): number {
    const rows = this.newRows;
    this.toldRows += rows;
    return rows;
  }

  *batches(): Generator<ScanOutput> {
    this.writeRejects();
    if (this.gatheredActions.length > 0)
      yield { actions: keptActions(cutHot(this.gatheredActions.take(this.rules.buckets), this.rules, this.firstDay)) };
    if (this.gatheredRankings.length > 0) yield { rankings: keptBatches(this.gatheredRankings.take(this.rules.buckets)) };
  }

  finish(): Ledger {
    const ledger: Ledger = { [this.split.table]: this.counts };
    this.counts.zeroItems += this.normaliser.zeroItems;
    if (this.outside !== undefined) placeOutside(ledger, this.split.table, this.outside);
    place(ledger, this.split.table, "rejected", rejectedRows(this.counts));
    place(ledger, this.split.table, "customer never shown", this.gatheredActions.neverShown);
    place(ledger, this.split.table, "outside every window", this.gatheredActions.outside);
    const late = this.late?.counts();
    if (late !== undefined) this.counts.late = late;
    return ledger;
  }

  private lacks(column: string): void {
    if (Object.hasOwn(this.split.file.partition, column)) return;
    this.counts.lacking[column] = (this.counts.lacking[column] ?? 0) + 1;
  }

  private rejected(reason: string, position: number): void {
    const { reasons } = this.counts;
    reasons[reason] = (reasons[reason] ?? 0) + 1;
    this.exemplify(reason, position);
    if (this.rejectsFolder === null) return;
    this.rejects.push(JSON.stringify({ position, reason }));
    if (this.rejects.length >= 10_000) this.writeRejects();
  }

  /** Whatever the order in which a reader comes to its rows. */
  private exemplify(reason: string, position: number): void {
    const known = (this.examples[reason] ??= []);
    if (known.length === MOST_EXAMPLES && position > known[MOST_EXAMPLES - 1]) return;
    known.push(position);
    known.sort((a, b) => a - b).splice(MOST_EXAMPLES);
  }

  private writeRejects(): void {
    if (this.rejects.length === 0 || this.rejectsFolder === null) return;
    this.rejectsFile ??= new RejectsFile(this.rejectsFolder, `${this.split.table}-${this.split.index}`);
    this.rejectsFile.add(this.rejects);
    this.rejects = [];
  }
}
