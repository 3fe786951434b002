/** `backstory generate`: a synthetic workload of any size, in the four tables of the input. */
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ConfigError } from "./errors";
import { parquetWriter } from "./generate/parquet";
import { type RowWriter, TABLE_NAMES, type TableName } from "./generate/tables";
import { textWriter } from "./generate/text";
import { traffic } from "./generate/traffic";
import { path } from "./optiontypes";

const whole = (low: number, high: number) => z.coerce.number<number | string>().int().min(low).max(high);

/** A day of the calendar, such that a long history before it and the impression days after it are within the input's range. */
const isDay = (text: string) =>
  /^(18|19|20|21[0-8])\d+-\d\d-\d\d$/.test(text) && new Date(`${text}T00:00:00Z`).toJSON()?.slice(0, 10) === text;

/** "5..15" or "10"; both ends are included. */
function slotRange(text: string): { from: number; to: number } {
  const [from, to = from] = text.split("..").map(Number);
  return { from, to };
}

export const GenerateOptions = z
  .object({
    output: path("folder to write to, made where missing").default("workload"),
    rankings: whole(0, 1e9).default(10_000).describe("number of rankings, each a row of impressions"),
    actions: whole(0, 1e10).default(1_000_000).describe("number of clicks, add-to-carts and orders together (85%, 12%, 3%)"),
    customers: whole(1, 1e9).default(5_000).describe("number of customers; few of them have most of the traffic"),
    items: whole(1, 1e9).default(400_000).describe("number of items; few of them have most of the traffic"),
    days: whole(1, 3_650).default(14).describe("days with impressions, the newest ones of the history"),
    firstDay: z
      .string()
      .refine(isDay, "must be a day from 1800 to 2189, such as 2025-08-03")
      .default("2025-08-03")
      .describe("first day with impressions, YYYY-MM-DD (UTC)"),
    historySpanDays: whole(1, 36_500).default(420).describe("days from the first action to the end of the last day"),
    slots: z
      .string()
      .regex(/^[1-9]\d{0,3}(\.\.[1-9]\d{0,3})?$/, "must be a number of slots or a range such as 5..15")
      .default("5..15")
      .describe("slots per ranking, FROM..TO, both included"),
    seed: whole(0, Number.MAX_SAFE_INTEGER).default(7).describe("number that the random numbers start from; same seed, same bytes"),
    format: z.enum(["ndjson", "csv", "parquet"]).default("ndjson").describe("file format"),
    compression: z.enum(["none", "gzip"]).default("none").describe("of text files as a whole, of Parquet inside (none: snappy)"),
    hive: z.boolean().default(false).describe("write folders dt=YYYY-MM-DD, one per day, instead of one file per table"),
    wideIds: z
      .boolean()
      .default(false)
      .describe("give one customer and item in eight an id beyond 2^53, where doubles are no longer exact"),
    overwrite: z.boolean().default(false).describe("replace the tables of an earlier workload in the folder"),
  })
  .refine(({ slots }) => slotRange(slots).from <= slotRange(slots).to, {
    path: ["slots"],
    message: "must have the smaller number first, such as 5..15",
  })
  .refine(({ slots, items }) => slotRange(slots).to <= items, {
    path: ["items"],
    message: "must be at least the slots of a ranking, which are all different items",
  })
  .refine(({ days, historySpanDays }) => days <= historySpanDays, {
    path: ["historySpanDays"],
    message: "must be at least the days with impressions",
  });

export type GenerateOptions = z.infer<typeof GenerateOptions>;

export interface Generated {
  /** paths written, by table and name */
  files: string[];
  /** rows by table */
  rows: Record<TableName, number>;
  /** slots of all rankings: the rows that a build makes of them */
  slots: number;
}

/** Removes what an earlier run has left, or refuses to: two workloads in one folder would be read as one. */
function clear(out: string, overwrite: boolean): void {
  const mine = new RegExp(`^(${TABLE_NAMES.join("|")})(\\.(ndjson|csv)(\\.gz)?|\\.parquet)?$`);
  const found = existsSync(out) ? readdirSync(out).filter((name) => mine.test(name)) : [];
  if (found.length > 0 && !overwrite) {
    throw new ConfigError(`generate does not write over tables; "${out}" has ${found[0]}. Try another --output, or --overwrite.`);
  }
  for (const name of found) rmSync(join(out, name), { recursive: true });
}

/** One writer per table, in `options.output`. */
function writers(options: GenerateOptions): Record<TableName, RowWriter> {
  const { output: out, format, compression, hive } = options;
  const writerOf = (table: TableName) =>
    format === "parquet" ? parquetWriter(out, table, { compression, hive }) : textWriter(out, table, { format, compression, hive });
  return Object.fromEntries(TABLE_NAMES.map((table) => [table, writerOf(table)])) as Record<TableName, RowWriter>;
}

/**
 * Writes the four tables. The same options give the same rows, and with the same version of Node the same bytes.
 * @throws ZodError for options that make no sense, ConfigError where the folder holds tables already
 */
export async function generate(options: z.input<typeof GenerateOptions>): Promise<Generated> {
  const given = GenerateOptions.parse(options);
  mkdirSync(given.output, { recursive: true });
  clear(given.output, given.overwrite);
  const tables = writers(given);
  const rows: Record<TableName, number> = { impressions: 0, clicks: 0, add_to_carts: 0, previous_orders: 0 };
  let slots = 0;
  const firstDay = Date.parse(`${given.firstDay}T00:00:00Z`) / 86_400_000;
  traffic({ ...given, firstDay, slots: slotRange(given.slots) }, (table, row) => {
    rows[table]++;
    if (table === "impressions") slots += (row[3] as unknown[]).length;
    tables[table].write(row);
  });
  return { files: TABLE_NAMES.flatMap((table) => tables[table].close()), rows, slots };
}
