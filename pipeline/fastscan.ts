import { Calendar, DAY_MICROS } from "../transforms/calendar";
import { comparedOf, type Lateness, SAME_DAY_SAID } from "../transforms/lateness";
import { timeFromDate } from "../transforms/normalise";
import type { ActionTable, Rules } from "../transforms/rules";
import { CsvTable, MAX_CSV_RECORD_BYTES } from "./io/csv";
import { JsonRecords } from "./io/jsonrecords";
import { type LineReader, scanLines } from "./io/lines";
import type { RowSink, Split } from "./io/rows";
import { MAX_RECORD_BYTES } from "./io/window";
import {
  type ActionFields,
  type ActionSink,
  type Careful,
  type LineScanner,
  type RankingSink,
  type ScannedActions,
  ScannedRankings,
  type ScanOptions,
  scannedActions,
  type Useful,
} from "./scan/columns";
import { CsvActions } from "./scan/csvactions";
import { CsvRankings } from "./scan/csvrankings";
import { NdjsonActions } from "./scan/ndjsonactions";
import { NdjsonRankings } from "./scan/ndjsonrankings";

/** Where rows go: those that a fast scanner has understood as columns, the others one by one through the careful reader. */
export interface FastSink extends RowSink {
  /** as ScanOptions has it */
  readonly useful?: Useful;
  /** when no row of a row group can be late, as far as its footer proves it */
  readonly late?: Pick<Lateness, "isSure">;
  /** times are instants */
  actions(rows: ScannedActions): void;
  rankings(rows: ScannedRankings): void;
}

/** Whether a split is read by a fast scanner. */
export const isFast = ({ file }: Split): boolean => file.format !== "json";

/**
 * Reads a split at the speed of its bytes. Everything that is not plain goes to the careful reader, row by row, so
 * the rows and the rejects are the same as without. @returns the split's positions
 */
export function readFast(
  split: Split,
  table: ActionTable | undefined,
  columns: readonly string[],
  rules: Rules,
  sink: FastSink,
): Promise<number> {
  const calendar = new Calendar(rules.timezone);
  const options = {
    utc: rules.timezone === "UTC",
    partition: split.file.partition,
    instant: (wall: number) => calendar.instant(wall),
  };
  if (split.file.format === "parquet") return readColumns(split, table, columns, rules, sink);
  const make = table === undefined ? rankingScanner(options, sink) : actionScanner(fieldsOf(table, rules), options, rules.timezone, sink);
  const csv = split.file.format === "csv";
  const reader = csv
    ? new CsvLineReader(split.file.path, columns, sink, make)
    : new NdjsonReader(columns, split.file.partition, sink, make);
  return scanLines(split, reader, csv ? MAX_CSV_RECORD_BYTES : MAX_RECORD_BYTES, () => sink.drain());
}

/** As readFast, for Parquet, which has columns already. */
async function readColumns(split: Split, table: ActionTable | undefined, columns: readonly string[], rules: Rules, sink: FastSink) {
  const calendar = new Calendar(rules.timezone);
  const instant = (wall: number) => calendar.instant(wall);
  const options = {
    utc: rules.timezone === "UTC",
    partition: split.file.partition,
    timeUnit: rules.timeUnit,
    useful: sink.useful,
    late: sink.late,
    instant,
  };
  const { ParquetActions, ParquetRankings, readParquet } = await import("./scan/parquet.js");
  const { positions } = await readParquet(split, columns, sink, (root) =>
    table === undefined
      ? ParquetRankings.of(root, columns, options, sink, rankingSink(sink))
      : ParquetActions.of(root, columns, fieldsOf(table, rules), options, sink, actionSink(options, rules.timezone, sink)),
  );
  return positions;
}

/** Makes a scanner; `header` is a CSV's. */
type Make = (careful: Careful, header: string[] | undefined) => LineScanner;

function actionScanner(fields: ActionFields, options: ScanOptions, timezone: string, sink: FastSink): Make {
  const batch = actionSink(options, timezone, sink);
  return (careful, header) => {
    const to = { ...batch, careful };
    return header === undefined ? new NdjsonActions(fields, options, to) : new CsvActions(fields, header, options, to);
  };
}

function actionSink(options: ScanOptions, timezone: string, sink: FastSink): Omit<ActionSink, "careful"> {
  const calendar = new Calendar(timezone);
  const out = scannedActions();
  const flush = (wall: boolean) => {
    // as text it is the day of the time as written, be that on the wall or in UTC
    if (!options.utc)
      for (let i = 0; i < out.length; i++) if (out.ownDays[i] === SAME_DAY_SAID) out.ownDays[i] = Math.floor(out.times[i] / DAY_MICROS);
    if (wall && !options.utc) for (let i = 0; i < out.length; i++) out.times[i] = calendar.instant(out.times[i]);
    sink.actions(out);
  };
  return { out, flush };
}

function rankingSink(sink: FastSink): Omit<RankingSink, "careful"> {
  const out = new ScannedRankings();
  return { out, flush: () => sink.rankings(out) };
}

function rankingScanner(options: ScanOptions, sink: FastSink): Make {
  const batch = rankingSink(sink);
  return (careful, header) => {
    const to = { ...batch, careful };
    return header === undefined ? new NdjsonRankings(options, to) : new CsvRankings(header, options, to);
  };
}

/** What a fast scanner looks for. */
function fieldsOf(table: ActionTable, rules: Rules): ActionFields {
  const dated = timeFromDate(table, rules);
  return {
    customer: table.customer,
    item: table.item,
    time: dated ? table.date! : table.time,
    timeIs: dated ? "date" : "timestamp",
    ownDay: rules.actionClock === "time" ? null : table.dt,
    ...comparedOf(table, rules),
  };
}

const CR = 0x0d;

class NdjsonReader implements LineReader {
  lines = 0;
  readonly scanner: LineScanner;
  private readonly careful: JsonRecords;
  private bytes: Buffer = Buffer.alloc(0);

  constructor(columns: readonly string[], partition: Readonly<Record<string, string>>, sink: RowSink, make: Make) {
    this.careful = new JsonRecords(columns, sink, partition);
    this.scanner = make((start, end, line) => this.line(start, end, line), undefined);
  }

  header(_bytes: Buffer, start: number): number {
    return start;
  }

  block(bytes: Buffer): void {
    this.bytes = bytes;
  }

  rest(): void {}

  private line(start: number, end: number, line: number): void {
    this.careful.count = this.lines + line;
    this.careful.read(this.bytes, start, end > start && this.bytes[end - 1] === CR ? end - 1 : end);
  }
}

class CsvLineReader implements LineReader {
  lines = 0;
  scanner: LineScanner | undefined;
  private readonly careful: CsvTable;
  private bytes: Buffer = Buffer.alloc(0);

  constructor(
    path: string,
    columns: readonly string[],
    sink: RowSink,
    private readonly make: Make,
  ) {
    this.careful = new CsvTable(path, columns, sink);
  }

  header(bytes: Buffer, start: number, end: number, last: boolean): number {
    const next = this.careful.read(bytes, start, end, last, true);
    this.lines = this.careful.lines;
    if (this.careful.names !== undefined) this.scanner = this.make((from, to, line) => this.record(from, to, line), this.careful.names);
    return next;
  }

  block(bytes: Buffer): void {
    this.bytes = bytes;
  }

  rest(bytes: Buffer, start: number, end: number): void {
    this.careful.lines = this.lines;
    this.careful.read(bytes, start, end, true);
    this.lines = this.careful.lines;
  }

  /** `end` is where the line feed stands, which is the record's too. */
  private record(start: number, end: number, line: number): void {
    this.careful.lines = this.lines + line;
    this.careful.read(this.bytes, start, end + 1, false);
  }
}
