import { Calendar } from "./calendar";
import type { Cell } from "./cells";
import { comparedOf, type Lateness, saidDay } from "./lateness";
import type { Slot } from "./rankings";
import { type ActionTable, ORDER, type Rules } from "./rules";
import { date, integer, Rejection, Timestamps } from "./values";

/**
 * Rows of one table to the common form, or the reason why not. A normaliser is asked with the cells of its `columns`, in
 * that order; `parts` are the columns that the row's folder supplies (Hive).
 */
export interface Normaliser {
  /** the columns it reads */
  readonly columns: readonly string[];
  /** rows taken so far that have an item 0: legal, but often a default of an exporter */
  readonly zeroItems: number;
  /** Takes the row, or says why it cannot: `column: reason`. */
  take(cells: readonly Cell[], source: Source): string | undefined;
}

/** Whatever gathers actions. */
export interface ActionTaker {
  push(customer: bigint | number, item: bigint | number, timeMicros: number, type: number, ownDay: number): void;
}

/** Whatever gathers rankings. */
export interface RankingTaker {
  push(customer: bigint | number, day: number, id: string, slots: readonly Slot[]): void;
}

/** What a row's file says about all of its rows. */
export interface Source {
  /** columns that the folders supply */
  partition: Readonly<Record<string, string>>;
  /** every cell is text: numbers, booleans and lists are written as such */
  csv: boolean;
  /** parses JSON text within a cell; undefined where the text is none */
  json?: (text: string) => Cell | undefined;
}

abstract class TableNormaliser implements Normaliser {
  abstract readonly columns: readonly string[];
  zeroItems = 0;
  protected abstract row(cell: (column: string) => Cell, source: Source): void;

  private cells: readonly Cell[] = [];
  private source: Source = { partition: {}, csv: false };
  /** the column last asked for, so that a rejection can name it */
  private asked = "";

  take(cells: readonly Cell[], source: Source): string | undefined {
    this.cells = cells;
    this.source = source;
    try {
      this.row(this.cell, source);
      return undefined;
    } catch (error) {
      if (error instanceof Rejection) return `${this.asked}: ${error.reason}`;
      throw error;
    }
  }

  /** A cell as it is in the file. */
  protected extra(place: number): Cell {
    return place < 0 ? undefined : this.cells[place];
  }

  private readonly cell = (column: string): Cell => {
    this.asked = column;
    const own = this.cells[this.columns.indexOf(column)];
    const folder = this.source.partition[column];
    if (folder === undefined) return own;
    if (own !== undefined && !agree(own, folder)) throw new Rejection("not the one of its folder");
    return own === undefined ? folder : own;
  };
}

/** A column that is both in the file and in the folder's name must say the same twice. */
function agree(own: Cell, folder: string): boolean {
  if (own === folder) return true;
  try {
    return date(own) === date(folder);
  } catch {
    return (typeof own === "number" || typeof own === "bigint") && String(own) === folder;
  }
}

/** Whether the time of a table's actions is the midnight of a date. */
export const timeFromDate = ({ type, date }: ActionTable, { orderTime }: Rules): boolean =>
  date !== null && !(type === ORDER && orderTime === "occurred-at");

/** Clicks, add-to-carts, orders and tables of the user's own. */
export class ActionNormaliser extends TableNormaliser {
  readonly columns: readonly string[];
  private readonly timestamps: Timestamps;
  private readonly calendar: Calendar;
  private readonly timeFromDate: boolean;
  private readonly readsOwnDay: boolean;
  /** midnights by day: the same few days come again and again */
  private readonly midnights = new Map<number, number>();
  /** those of the columns that a row may lack: they are only compared */
  readonly optional: readonly string[];
  private readonly saidAt: number;
  private readonly clockAt: number;

  /** @param late counts late rows, if anyone asks for them */
  constructor(
    private readonly table: ActionTable,
    rules: Rules,
    private readonly out: ActionTaker,
    private readonly late?: Lateness,
  ) {
    super();
    this.timestamps = new Timestamps(rules.timezone, rules.timeUnit);
    this.calendar = new Calendar(rules.timezone);
    this.timeFromDate = timeFromDate(table, rules);
    this.readsOwnDay = rules.actionClock !== "time";
    const wanted = [table.customer, this.timeFromDate ? table.date! : table.time, table.item, ...(this.readsOwnDay ? [table.dt] : [])];
    const { said, clock } = late === undefined ? { said: null, clock: null } : comparedOf(table, rules);
    this.optional = [said, clock].filter((column) => column !== null);
    this.columns = [...new Set([...wanted, ...this.optional])];
    this.saidAt = said === null ? -1 : this.columns.indexOf(said);
    this.clockAt = clock === null ? -1 : this.columns.indexOf(clock);
  }

  protected row(cell: (column: string) => Cell, source: Source): void {
    const { table } = this;
    const customer = integer(cell(table.customer));
    const time = this.timeFromDate ? this.midnight(date(cell(table.date!))) : this.instant(cell(table.time), source);
    const item = integer(cell(table.item));
    const ownDay = this.readsOwnDay ? date(cell(table.dt)) : 0;
    if (isZero(item)) this.zeroItems++;
    this.out.push(customer, item, time, table.type, ownDay);
    this.late?.see(time, this.readsOwnDay ? ownDay : saidDay(this.extra(this.saidAt)), this.clock(this.extra(this.clockAt), source));
  }

  private clock(cell: Cell, source: Source): number {
    try {
      return this.instant(cell, source);
    } catch (error) {
      if (error instanceof Rejection) return Number.NaN;
      throw error;
    }
  }

  private instant(cell: Cell, source: Source): number {
    return source.csv ? this.timestamps.csvInstant(cell) : this.timestamps.instant(cell);
  }

  private midnight(day: number): number {
    let micros = this.midnights.get(day);
    if (micros === undefined) this.midnights.set(day, (micros = this.calendar.midnight(day)));
    return micros;
  }
}

export const IMPRESSION_COLUMNS = ["ranking_id", "impressions", "dt", "customer_id"] as const;

/** Rankings of other days than those wanted: how many, and the oldest and newest of their days. */
export class OutsideDates {
  rows = 0;
  oldest = Infinity;
  newest = -Infinity;

  see(day: number): void {
    this.rows++;
    this.oldest = Math.min(this.oldest, day);
    this.newest = Math.max(this.newest, day);
  }
}

/** Impressions: one row is one ranking. */
export class RankingNormaliser extends TableNormaliser {
  readonly columns: readonly string[] = IMPRESSION_COLUMNS;
  readonly outside = new OutsideDates();
  private readonly wanted: ReadonlySet<number> | null;

  constructor(
    rules: Rules,
    private readonly out: RankingTaker,
  ) {
    super();
    this.wanted = rules.days === null ? null : new Set(rules.days);
  }

  protected row(cell: (column: string) => Cell, source: Source): void {
    const id = cell("ranking_id");
    if (typeof id !== "string" || id === "") throw new Rejection("no ranking_id");
    if (!id.isWellFormed()) throw new Rejection("not UTF-8");
    const slots = slotsOf(cell("impressions"), source);
    const day = date(cell("dt"));
    const customer = integer(cell("customer_id"));
    if (slots.some((slot) => isZero(slot.item))) this.zeroItems++;
    if (this.wanted === null || this.wanted.has(day)) this.out.push(customer, day, id, slots);
    else this.outside.see(day);
  }
}

const isZero = (item: number | bigint): boolean => item === 0 || item === 0n;

function slotsOf(cell: Cell, source: Source): Slot[] {
  let list = cell;
  if (typeof cell === "string") {
    list = source.json?.(cell);
    if (list === undefined) throw new Rejection("impressions are not JSON");
  }
  if (!Array.isArray(list)) throw new Rejection("impressions are not a list");
  if (list.length === 0) throw new Rejection("no impressions");
  return list.map((slot) => slotOf(slot, source.csv));
}

function slotOf(cell: Cell, csv: boolean): Slot {
  const slot = typeof cell === "object" && cell !== null ? (cell as { [name: string]: Cell }) : {};
  const isOrder = csv ? csvBoolean(slot.is_order) : slot.is_order;
  if (typeof isOrder !== "boolean") throw new Rejection("is_order is not a boolean");
  return { item: integer(slot.item_id), isOrder };
}

/** CSV has no booleans: true, false, 0 and 1 in any case are taken for them. */
function csvBoolean(cell: Cell): Cell {
  if (typeof cell === "boolean") return cell;
  const text = String(cell).toLowerCase();
  return text === "true" || text === "1" ? true : text === "false" || text === "0" ? false : undefined;
}
