/** The four tables that are written, their columns as SPEC.md names them, and where the rows of each go. */

/** How a value is written: `dt` and `date` are days, `micros` a time of UTC, `int64` a number or, beyond 2^53, a bigint. */
export type Kind = "dt" | "date" | "string" | "int64" | "micros" | "slots";

export interface Slot {
  item: number | bigint;
  isOrder: boolean;
}

/** Days are whole days and times whole microseconds since 1970-01-01. */
export type Value = number | bigint | string | Slot[];

export interface Column {
  name: string;
  kind: Kind;
}

const column = (name: string, kind: Kind): Column => ({ name, kind });

export const TABLES = {
  impressions: [column("dt", "dt"), column("ranking_id", "string"), column("customer_id", "int64"), column("impressions", "slots")],
  clicks: [column("dt", "dt"), column("customer_id", "int64"), column("item_id", "int64"), column("click_time", "micros")],
  add_to_carts: [
    column("dt", "dt"),
    column("customer_id", "int64"),
    column("config_id", "int64"),
    column("simple_id", "int64"),
    column("occurred_at", "micros"),
  ],
  previous_orders: [
    column("order_date", "date"),
    column("customer_id", "int64"),
    column("config_id", "int64"),
    column("simple_id", "int64"),
    column("occurred_at", "micros"),
  ],
} as const satisfies Record<string, readonly Column[]>;

export type TableName = keyof typeof TABLES;
export const TABLE_NAMES = Object.keys(TABLES) as TableName[];

/** Takes the rows of one table. A row is reused by the caller: what is kept has to be copied. */
export interface RowWriter {
  /** @param row the values in the order of the columns; the first is the day, which names the folder of a Hive table */
  write(row: readonly Value[]): void;
  /** Writes what is left. @returns the files written, in order of name */
  close(): string[];
}

/** The columns inside the files of a table: a Hive folder `dt=` stands for the column `dt`. */
export function columnsInside(table: TableName, hive: boolean): { columns: readonly Column[]; skip: number } {
  const columns: readonly Column[] = TABLES[table];
  const skip = hive && columns[0].kind === "dt" ? 1 : 0;
  return { columns: columns.slice(skip), skip };
}

const MICROS_PER_DAY = 86_400_000_000;
const dayTexts = new Map<number, string>();
const twoDigits = Array.from({ length: 100 }, (_, n) => String(n).padStart(2, "0"));

/** Day 0 is "1970-01-01". */
export function dayText(day: number): string {
  let text = dayTexts.get(day);
  if (text === undefined) {
    text = new Date(day * 86_400_000).toISOString().slice(0, 10);
    dayTexts.set(day, text);
  }
  return text;
}

export function dayOf(timeMicros: number): number {
  return Math.floor(timeMicros / MICROS_PER_DAY);
}

/** "2025-08-16 09:30:00.000001", always with six digits. */
export function timeText(timeMicros: number): string {
  const day = dayOf(timeMicros);
  const ofDay = timeMicros - day * MICROS_PER_DAY;
  const seconds = Math.floor(ofDay / 1e6);
  const fraction = String((ofDay % 1e6) + 1e6).slice(1);
  const hour = twoDigits[Math.floor(seconds / 3600)];
  const minute = twoDigits[Math.floor(seconds / 60) % 60];
  return `${dayText(day)} ${hour}:${minute}:${twoDigits[seconds % 60]}.${fraction}`;
}
