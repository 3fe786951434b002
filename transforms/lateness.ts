/**
 * Rows of a table of actions that are not from when they say, or came later than a run assumes. They are counted, by day, and used like any other:
 * the rule goes by times alone. Rows from before every lookback are passed over: no history can have them, and footers of Parquet files often prove
 * that there is nothing else. Counts travel with those of the ledger.
 */
import { Window } from "./bounds";
import { Calendar, DAY_MICROS, dayName, END_DAY, FIRST_DAY } from "./calendar";
import type { Cell } from "./cells";
import { timeFromDate } from "./normalise";
import { type ActionTable, ORDER, type Rules } from "./rules";
import { date } from "./values";

/** Why rows are late; a row may be so for more than one. The first is no fault: every export of a day ends after the day's cutoff. */
export const LATE_KINDS = [
  /** at or after the newest dt's cutoff, on that dt, or on a later day where the days were chosen: counted by the day of the time */
  "after the last cutoff",
  /** from after the newest dt: counted by the day of the time */
  "after the last dt",
  /** the day of its time is another than its dt, or than the date of an order: counted by dt */
  "time of another day",
  /** an order whose timestamp is more days after its date than --order-lag-days: counted by its date */
  "beyond the order lag",
] as const;
export type LateKind = (typeof LATE_KINDS)[number];

export interface LateCounts {
  /** rows of any kind but the first, each counted once */
  rows: number;
  /** rows by kind and day, YYYY-MM-DD */
  days: Partial<Record<LateKind, Record<string, number>>>;
}

/** Instead of a day: a row says none, or one that is that of its time as text. */
export const NO_DAY_SAID = -0x80000000;
export const SAME_DAY_SAID = -0x7fffffff;

/** The columns that are only compared; null where there is none that nobody reads anyway. */
export interface Compared {
  /** the day that a row with a timestamp says it is of */
  said: string | null;
  /** the timestamp of a row whose time is a date's midnight */
  clock: string | null;
}

export function comparedOf(table: ActionTable, rules: Rules): Compared {
  const { customer, item, time, dt, date: dated } = table;
  if (timeFromDate(table, rules)) return { said: null, clock: [customer, item, dated, dt].includes(time) ? null : time };
  return { said: rules.actionClock !== "time" || [customer, item, time].includes(dt) ? null : dt, clock: null };
}

/** `YYYY-MM-DD`, or a Parquet DATE; NO_DAY_SAID for everything else, since nobody has to say a day. */
export function saidDay(cell: Cell): number {
  if (typeof cell === "string" && cell.length !== 10) return NO_DAY_SAID;
  try {
    return date(cell);
  } catch {
    return NO_DAY_SAID;
  }
}

/** Counts the late rows of one table. */
export class Lateness {
  private readonly calendar: Calendar;
  private readonly dated: boolean;
  private readonly lagDays: number;
  /** no lookback reaches back beyond it */
  private readonly firstTime: number;
  private readonly lastDay: number;
  private readonly chosen: boolean;
  private readonly lastCutoff: number;
  /** the day that the folder says, and its bounds in time, for rows that say none */
  private readonly folderDay: number;
  private readonly folderStart: number;
  private readonly folderEnd: number;
  private readonly midnights: Midnights | undefined;
  private readonly days = LATE_KINDS.map(() => new Map<number, number>());
  private rows = 0;

  /**
   * @param dts the first and the last dt that has a ranking, the wrong way round where none has; null if that is not known
   * @param partition what the folders supply
   */
  constructor(table: ActionTable, rules: Rules, dts: readonly [number, number] | null, partition: Readonly<Record<string, string>>) {
    this.calendar = new Calendar(rules.timezone);
    this.dated = timeFromDate(table, rules);
    this.lagDays = table.type === ORDER ? rules.orderLagDays : Infinity;
    const nobody = dts !== null && dts[0] > dts[1];
    this.firstTime = dts === null ? -Infinity : nobody ? Infinity : new Window(rules).start(dts[0]);
    this.lastDay = dts === null ? Infinity : dts[1];
    this.chosen = rules.daysChosen;
    this.lastCutoff = dts === null ? Infinity : this.calendar.midnight(dts[1]);
    this.folderDay = this.dated ? NO_DAY_SAID : saidDay(partition[table.dt]);
    const said = this.folderDay !== NO_DAY_SAID;
    this.folderStart = said ? this.calendar.midnight(this.folderDay) : -Infinity;
    this.folderEnd = said ? this.calendar.midnight(this.folderDay + 1) : Infinity;
    this.midnights = rules.timezone === "UTC" ? undefined : new Midnights(this.calendar);
  }

  /**
   * One row. @param time an instant @param said the day that it says, NO_DAY_SAID if none
   * @param clock for a time that is a date's midnight: the row's timestamp, NaN if it has none
   */
  see(time: number, said: number, clock: number): void {
    const { dated, calendar } = this;
    if (time < this.firstTime) return;
    const day = calendar.dayAt(time);
    const own = dated ? day : said === NO_DAY_SAID ? this.folderDay : said;
    const event = dated ? (Number.isNaN(clock) ? own : calendar.dayAt(clock)) : day;
    const other = own !== NO_DAY_SAID && event !== own;
    const future = day > this.lastDay && !this.chosen;
    if (other) this.count("time of another day", own);
    if (other && event > own + this.lagDays) this.count("beyond the order lag", own);
    if (future) this.count("after the last dt", day);
    else if (day >= this.lastDay) this.count("after the last cutoff", day);
    if (other || future) this.rows++;
  }

  /** As `see`, the first n rows of columns. Most are as they should be, which is all that is asked of those. */
  seeAll(n: number, times: Float64Array, said: Int32Array, clocks: Float64Array): void {
    if (this.dated) this.seeDated(n, times, clocks);
    else if (this.midnights === undefined) this.seeUtc(n, times, said);
    else this.seeZoned(n, times, said, this.midnights);
  }

  /**
   * Whether rows cannot be late, or after the last cutoff, of which nothing is known but within which span their times lie, and the day that all of
   * them say (NO_DAY_SAID: none), where that is known. @param zones how far wall times may be off
   */
  isSure(first: number, last: number, said: number | undefined, zones: number): boolean {
    if (last + zones < this.firstTime) return true;
    if (last + zones >= this.lastCutoff) return false;
    if (this.dated) return said === NO_DAY_SAID;
    if (said === undefined) return false;
    if (said === NO_DAY_SAID && this.folderDay === NO_DAY_SAID) return true;
    const day = said === NO_DAY_SAID ? this.folderDay : said;
    return first - zones >= this.calendar.midnight(day) && last + zones < this.calendar.midnight(day + 1);
  }

  private seeUtc(n: number, times: Float64Array, said: Int32Array): void {
    const { lastCutoff, folderStart, folderEnd } = this;
    for (let i = 0; i < n; i++) {
      const time = times[i];
      const day = said[i];
      if (day === SAME_DAY_SAID) {
        if (time >= lastCutoff) this.see(time, this.calendar.dayAt(time), Number.NaN);
      } else if (time >= lastCutoff) this.see(time, day, Number.NaN);
      else if (day === NO_DAY_SAID) {
        if (time < folderStart || time >= folderEnd) this.see(time, day, Number.NaN);
      } else if (time < day * DAY_MICROS || time >= (day + 1) * DAY_MICROS) this.see(time, day, Number.NaN);
    }
  }

  private seeZoned(n: number, times: Float64Array, said: Int32Array, midnights: Midnights): void {
    const { lastCutoff, folderStart, folderEnd } = this;
    for (let i = 0; i < n; i++) {
      const time = times[i];
      const day = said[i];
      const start = day === NO_DAY_SAID ? folderStart : midnights.of(day);
      const end = day === NO_DAY_SAID ? folderEnd : midnights.of(day + 1);
      if (time >= lastCutoff || time < start || time >= end) this.see(time, day, Number.NaN);
    }
  }

  private seeDated(n: number, times: Float64Array, clocks: Float64Array): void {
    const { lastCutoff } = this;
    const utc = this.midnights === undefined;
    for (let i = 0; i < n; i++) {
      const time = times[i];
      const clock = clocks[i];
      // a day of UTC begins at its midnight and has 24 hours; whatever is not a number is neither before nor after
      const same = utc ? !(clock < time || clock >= time + DAY_MICROS) : Number.isNaN(clock);
      if (time >= lastCutoff || !same) this.see(time, NO_DAY_SAID, clock);
    }
  }

  private count(kind: LateKind, day: number): void {
    const days = this.days[LATE_KINDS.indexOf(kind)];
    days.set(day, (days.get(day) ?? 0) + 1);
  }

  /** Undefined if no row was late, be it without fault. */
  counts(): LateCounts | undefined {
    const found = LATE_KINDS.flatMap((kind, k): [LateKind, Record<string, number>][] =>
      this.days[k].size === 0 ? [] : [[kind, Object.fromEntries(Array.from(this.days[k], ([day, rows]) => [dayName(day), rows]))]],
    );
    return found.length === 0 ? undefined : { rows: this.rows, days: Object.fromEntries(found) };
  }
}

/** Midnights of a zone by day: each takes a search in the zone's table, so it is made once. */
class Midnights {
  private readonly known = new Float64Array(END_DAY - FIRST_DAY + 2).fill(Number.NaN);

  constructor(private readonly calendar: Calendar) {}

  of(day: number): number {
    const at = day - FIRST_DAY;
    const known = this.known[at];
    return Number.isNaN(known) ? (this.known[at] = this.calendar.midnight(day)) : known;
  }
}

/** Adds counts of late rows, in any order: kinds and days come out in one order. */
export function addLate(to: LateCounts | undefined, from: LateCounts | undefined): LateCounts | undefined {
  if (to === undefined || from === undefined) return to ?? from;
  const days: LateCounts["days"] = {};
  for (const kind of LATE_KINDS) {
    const all = new Map<string, number>();
    for (const some of [to.days[kind], from.days[kind]])
      for (const [day, rows] of Object.entries(some ?? {})) all.set(day, (all.get(day) ?? 0) + rows);
    if (all.size > 0) days[kind] = Object.fromEntries([...all].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
  return { rows: to.rows + from.rows, days };
}
