/** Rows as Parquet: gathered column by column into row groups of bounded size, each appended to its file when full. */
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { SchemaElement } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { type Column, columnsInside, dayText, type RowWriter, type Slot, type TableName, type Value } from "./tables";

/** Rows in a row group, a ranking counting as many as it has slots. */
const ROW_GROUP = 100_000;

/** The same of all files of a Hive table together: then each of them is given a row group. */
const HIVE_ROWS = 500_000;

export interface ParquetOptions {
  /** of the pages inside: snappy, or gzip */
  compression: "none" | "gzip";
  hive: boolean;
}

/** Required columns throughout; lists in the three levels that every reader knows. */
function elements({ name, kind }: Column): SchemaElement[] {
  const required = { name, repetition_type: "REQUIRED" } as const;
  if (kind === "int64") return [{ ...required, type: "INT64" }];
  if (kind === "date") return [{ ...required, type: "INT32", converted_type: "DATE" }];
  if (kind === "micros") return [{ ...required, type: "INT64", converted_type: "TIMESTAMP_MICROS" }];
  if (kind !== "slots") return [{ ...required, type: "BYTE_ARRAY", converted_type: "UTF8" }];
  return [
    { ...required, converted_type: "LIST", num_children: 1 },
    { name: "list", repetition_type: "REPEATED", num_children: 1 },
    { name: "element", repetition_type: "REQUIRED", num_children: 2 },
    { name: "item_id", repetition_type: "REQUIRED", type: "INT64" },
    { name: "is_order", repetition_type: "REQUIRED", type: "BOOLEAN" },
  ];
}

const slotCell = (slot: Slot) => ({ item_id: BigInt(slot.item), is_order: slot.isOrder });

/** A value as hyparquet-writer takes it. */
function cell(kind: Column["kind"], value: Value): unknown {
  if (kind === "dt") return dayText(value as number);
  if (kind === "int64" || kind === "micros") return BigInt(value as number | bigint);
  if (kind === "slots") return (value as Slot[]).map(slotCell);
  return value;
}

/** Hands over to the file after each row group and keeps no buffer in between: a Hive table has hundreds of these. */
class AppendingBytes extends ByteWriter {
  constructor(readonly path: string) {
    super();
  }

  flush(): void {
    appendFileSync(this.path, this.getBytes());
    this.buffer = new ArrayBuffer(1024);
    this.view = new DataView(this.buffer);
    this.index = 0;
  }

  override finish(): void {
    this.flush();
  }
}

/** Values wait as they came, numbers mostly, which take a quarter of the memory of what the writer wants. */
class ParquetFile {
  private values: Value[][];
  private waiting = 0;
  private readonly writer: ParquetWriter;
  constructor(
    readonly path: string,
    private readonly columns: readonly Column[],
    gzip: boolean,
  ) {
    this.values = columns.map(() => []);
    this.writer = new ParquetWriter({
      writer: new AppendingBytes(path),
      schema: [{ name: "root", num_children: columns.length }, ...columns.flatMap(elements)],
      codec: gzip ? "GZIP" : "SNAPPY",
      compressors: { GZIP: (bytes) => gzipSync(bytes) },
      createdBy: "backstory generate",
    });
  }

  add(row: readonly Value[], skip: number, weight: number): void {
    for (let i = 0; i < this.columns.length; i++) this.values[i].push(row[i + skip]);
    this.waiting += weight;
    if (this.waiting >= ROW_GROUP) this.flush();
  }

  flush(): void {
    if (this.waiting === 0) return;
    const columnData = this.columns.map(({ name, kind }, i) => ({ name, data: this.values[i].map((value) => cell(kind, value)) }));
    this.writer.write({ columnData, rowGroupSize: ROW_GROUP });
    this.values = this.columns.map(() => []);
    this.waiting = 0;
  }

  close(): string {
    this.flush();
    this.writer.finish();
    return this.path;
  }
}

export function parquetWriter(out: string, table: TableName, { compression, hive }: ParquetOptions): RowWriter {
  const { columns, skip } = columnsInside(table, hive);
  const open = (path: string) => new ParquetFile(path, columns, compression === "gzip");
  const files = new Map<number, ParquetFile>();
  const openDay = (day: number) => {
    const folder = join(out, table, `dt=${dayText(day)}`);
    mkdirSync(folder, { recursive: true });
    const file = open(join(folder, "part-0.parquet"));
    files.set(day, file);
    return file;
  };
  if (!hive) files.set(0, open(join(out, `${table}.parquet`)));
  let gathered = 0;
  return {
    write(row) {
      const day = hive ? (row[0] as number) : 0;
      const file = files.get(day) ?? openDay(day);
      const weight = table === "impressions" ? (row[3] as Slot[]).length : 1;
      file.add(row, skip, weight);
      gathered += weight;
      if (!hive || gathered < HIVE_ROWS) return;
      for (const each of files.values()) each.flush();
      gathered = 0;
    },
    close() {
      return [...files.values()].map((file) => file.close()).sort();
    },
  };
}
