/** Rows as lines of NDJSON or CSV, gathered into chunks and appended to their file, plain or as gzip. */
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Column, columnsInside, dayText, type RowWriter, type Slot, type TableName, timeText, type Value } from "./tables";

/** Bytes gathered before they go to the file: of a lone file, and of one of the hundreds in a Hive table. */
const CHUNK = 1 << 20;
const HIVE_CHUNK = 1 << 16;

export interface TextOptions {
  format: "ndjson" | "csv";
  compression: "none" | "gzip";
  hive: boolean;
}

const slotText = (slot: Slot) => `{"item_id":${slot.item},"is_order":${slot.isOrder}}`;

/** A value as text without quotes. Everything here is ASCII without quotes or commas, but for the slots. */
function bare(kind: Column["kind"], value: Value): string {
  if (kind === "dt" || kind === "date") return dayText(value as number);
  if (kind === "micros") return timeText(value as number);
  if (kind === "slots") return `[${(value as Slot[]).map(slotText).join(",")}]`;
  return `${value}`;
}

function jsonLine(columns: readonly Column[], row: readonly Value[], skip: number): string {
  let line = "{";
  for (let i = 0; i < columns.length; i++) {
    const { name, kind } = columns[i];
    const quote = kind === "int64" || kind === "slots" ? "" : '"';
    line += `${i ? "," : ""}"${name}":${quote}${bare(kind, row[i + skip])}${quote}`;
  }
  return `${line}}\n`;
}

function csvLine(columns: readonly Column[], row: readonly Value[], skip: number): string {
  let line = "";
  for (let i = 0; i < columns.length; i++) {
    const { kind } = columns[i];
    const text = bare(kind, row[i + skip]);
    line += (i ? "," : "") + (kind === "slots" ? `"${text.replaceAll('"', '""')}"` : text);
  }
  return `${line}\n`;
}

/** One file; a gzip file is a row of members, one per chunk, so that no compressor stays open. */
class TextFile {
  private readonly bytes: Buffer;
  private used = 0;

  constructor(
    readonly path: string,
    header: string,
    private readonly gzip: boolean,
    chunk: number,
  ) {
    this.bytes = Buffer.allocUnsafeSlow(chunk);
    this.add(header);
  }

  add(line: string): void {
    if (this.used + line.length > this.bytes.length) this.flush();
    if (line.length > this.bytes.length) this.append(Buffer.from(line, "latin1"));
    else this.used += this.bytes.write(line, this.used, "latin1");
  }

  /** Writes even nothing, so that a table without rows is a file without rows. */
  flush(): void {
    this.append(this.bytes.subarray(0, this.used));
    this.used = 0;
  }

  private append(bytes: Buffer): void {
    appendFileSync(this.path, this.gzip ? gzipSync(bytes) : bytes);
  }
}

export function textWriter(out: string, table: TableName, options: TextOptions): RowWriter {
  const { format, compression, hive } = options;
  const { columns, skip } = columnsInside(table, hive);
  const header = format === "csv" ? `${columns.map((c) => c.name).join(",")}\n` : "";
  const lineOf = format === "csv" ? csvLine : jsonLine;
  const suffix = `.${format}${compression === "gzip" ? ".gz" : ""}`;
  const open = (path: string) => new TextFile(path, header, compression === "gzip", hive ? HIVE_CHUNK : CHUNK);
  const files = new Map<number, TextFile>();
  const openDay = (day: number) => {
    const folder = join(out, table, `dt=${dayText(day)}`);
    mkdirSync(folder, { recursive: true });
    const file = open(join(folder, `part-0${suffix}`));
    files.set(day, file);
    return file;
  };
  if (!hive) files.set(0, open(join(out, table + suffix)));
  return {
    write(row) {
      const day = hive ? (row[0] as number) : 0;
      const file = files.get(day) ?? openDay(day);
      file.add(lineOf(columns, row, skip));
    },
    close() {
      const all = [...files.values()];
      for (const file of all) file.flush();
      return all.map((file) => file.path).sort();
    },
  };
}
