/** Raw rows to actions and rankings. */
import type { ActionTable, Rules } from "../rules";
import { ORDER } from "../rules";
import type { Zone } from "../zone";
import type { Cell, RawFile, RawRow } from "./cells";
import { csvRows } from "./csv";
import { jsonArrayRows, ndjsonRows, parseJson } from "./json";
import { parquetRows } from "./parquet";
import { date, instant, integer, Reject } from "./values";

/** Where a row is in the inputs. */
export interface Place {
  file: RawFile;
  position: number;
}

export interface Action extends Place {
  table: ActionTable;
  item: bigint;
  /** microseconds */
  time: number;
  /** its own day, where the action clock asks for it */
  day: number;
}

export interface Slot {
  item: bigint;
  isOrder: boolean;
}

export interface Ranking extends Place {
  day: number;
  id: string;
  customer: bigint;
  slots: Slot[];
}

/** Rows read of a table, and how many of them are rejects. */
export interface Counts {
  rows: number;
  rejects: number;
}

/** Takes every ranking of the impressions. */
export async function eachRanking(files: readonly RawFile[], take: (ranking: Ranking) => void): Promise<Counts> {
  return eachRow(files, ["dt", "ranking_id", "customer_id", "impressions"], (cell, file, position) =>
    take(rankingOf(cell, file, position)),
  );
}

/** Takes every action of a table whose customer is wanted. Rows of others are looked at no further, so their faults are not counted. */
export async function eachAction(
  files: readonly RawFile[],
  table: ActionTable,
  rules: Rules,
  zone: Zone,
  wanted: (customer: bigint) => boolean,
  take: (customer: bigint, action: Action) => void,
): Promise<Counts> {
  const ownDay = rules.actionClock !== "time";
  const byDate = table.date !== null && !(table.type === ORDER && rules.orderTime === "occurred-at");
  const columns = [table.customer, table.item, byDate ? table.date! : table.time, ...(ownDay ? [table.dt] : [])];
  return eachRow(files, columns, (cell, file, position) => {
    const customer = integer(cell(table.customer));
    if (!wanted(customer)) return;
    const time = byDate ? zone.midnight(date(cell(table.date!))) : instant(cell(table.time), rules, zone, file.format === "csv");
    const item = integer(cell(table.item));
    take(customer, { table, item, time, day: ownDay ? date(cell(table.dt)) : 0, file, position });
  });
}

type Take = (cell: (column: string) => Cell, file: RawFile, position: number) => void;

async function eachRow(files: readonly RawFile[], columns: readonly string[], take: Take): Promise<Counts> {
  const counts: Counts = { rows: 0, rejects: 0 };
  for (const file of files) {
    const hasFolders = columns.some((column) => Object.hasOwn(file.folders, column));
    for await (const rows of rowsOf(file, columns)) for (const row of rows) if (!taken(row)) counts.rejects++;
    function taken(row: RawRow): boolean {
      counts.rows++;
      if ("fault" in row) return false;
      const { cells } = row;
      try {
        take(hasFolders ? (column) => withFolder(cells[column], file.folders[column]) : (column) => cells[column], file, row.position);
        return true;
      } catch (error) {
        if (error instanceof Reject) return false;
        throw error;
      }
    }
  }
  return counts;
}

function rowsOf(file: RawFile, columns: readonly string[]): AsyncGenerator<RawRow[]> {
  if (file.format === "csv") return csvRows(file);
  if (file.format === "parquet") return parquetRows(file, columns);
  return file.format === "json" ? jsonArrayRows(file) : ndjsonRows(file);
}

/** A folder supplies what its files lack; where both say something it must be the same. */
function withFolder(cell: Cell, folder: string | undefined): Cell {
  if (folder === undefined || cell === folder) return cell;
  if (cell === undefined) return folder;
  if ((typeof cell === "number" || typeof cell === "bigint") && String(cell) === folder) return cell;
  if (date(cell) !== date(folder)) throw new Reject("not the one of its folder");
  return cell;
}

function rankingOf(cell: (column: string) => Cell, file: RawFile, position: number): Ranking {
  const id = cell("ranking_id");
  if (typeof id !== "string" || id === "" || !id.isWellFormed()) throw new Reject("no ranking_id");
  const given = cell("impressions");
  const list = typeof given === "string" ? parseJson(given) : given;
  if (!Array.isArray(list) || list.length === 0) throw new Reject("no list of impressions");
  const slots = list.map((slot) => slotOf(slot, file.format === "csv"));
  return { day: date(cell("dt")), id, customer: integer(cell("customer_id")), slots, file, position };
}

function slotOf(cell: Cell, csv: boolean): Slot {
  if (typeof cell !== "object" || cell === null) throw new Reject("no slot");
  const { item_id: item, is_order: given } = cell as { [name: string]: Cell };
  const isOrder = csv ? { true: true, "1": true, false: false, "0": false }[String(given).toLowerCase()] : given;
  if (typeof isOrder !== "boolean") throw new Reject("is_order is not a boolean");
  return { item: integer(item), isOrder };
}
