import { DAY_MICROS } from "../../transforms/calendar";
import { date } from "../../transforms/values";
import type { ActionFields, ActionSink, ScannedActions, ScanOptions } from "./columns";
import { SKIP } from "./literals";
import { dayAt, NO_DAY, TimeReader } from "./times";

/** What a column of an action is, as a literal's role. */
export const CUSTOMER = 2;
export const ITEM = 3;
export const TIMESTAMP = 4;
export const DATE = 5;
export const OWN_DAY = 6;
/** one column for both, as order_date is */
export const DATE_AND_OWN_DAY = 7;

/** Which columns make an action, and the way of a row into the batch: values are written where the next row goes, `commit` makes them one. */
export class ActionRows {
  readonly out: ScannedActions;
  readonly times = new TimeReader();
  private readonly roles = new Map<string, number>();
  /** bits of the roles that a row must have */
  private wanted = 0;
  /** role of the column that the folder supplies, and what it says */
  private folderRole = 0;
  private folderDay = NO_DAY;
  private wall: boolean;

  constructor(
    fields: ActionFields,
    private readonly options: ScanOptions,
    private readonly sink: ActionSink,
  ) {
    this.out = sink.out;
    this.wall = !options.utc;
    this.add(fields.customer, CUSTOMER);
    this.add(fields.item, ITEM);
    const shared = fields.timeIs === "date" && fields.ownDay === fields.time;
    this.add(fields.time, shared ? DATE_AND_OWN_DAY : fields.timeIs === "date" ? DATE : TIMESTAMP);
    if (fields.ownDay !== null && !shared) this.add(fields.ownDay, OWN_DAY);
    for (const [column, text] of Object.entries(options.partition ?? {})) this.supply(column, text);
  }

  readonly roleOf = (column: string): number => this.roles.get(column) ?? SKIP;

  private add(column: string, role: number) {
    if (this.roles.has(column)) this.giveUp();
    this.roles.set(column, role);
    this.wanted |= 1 << role;
  }

  private supply(column: string, text: string) {
    const role = this.roleOf(column);
    if (role === SKIP) return;
    if (role < DATE || this.folderRole !== 0) return this.giveUp();
    try {
      this.folderRole = role;
      this.folderDay = date(text);
    } catch {
      this.giveUp();
    }
  }

  /** No row has this bit: every one is left to the careful reader. */
  private giveUp() {
    this.wanted |= 1 << 31;
  }

  /** Reads a date into the row. @returns the position behind it, or -1 */
  day(view: DataView, at: number, role: number): number {
    const day = dayAt(view, at);
    if (day === NO_DAY) return -1;
    this.putDay(day, role);
    return at + 10;
  }

  private putDay(day: number, role: number) {
    const { out } = this;
    if (role !== OWN_DAY) out.times[out.length] = day * DAY_MICROS;
    if (role !== DATE) out.ownDays[out.length] = day;
  }

  private dayOf(role: number): number {
    const { out } = this;
    return role === OWN_DAY ? out.ownDays[out.length] : out.times[out.length] / DAY_MICROS;
  }

  /** Makes what was written a row, if the roles `seen` (as bits) are all there are to be. */
  commit(seen: number): boolean {
    if (this.folderRole !== 0) {
      const bit = 1 << this.folderRole;
      if ((seen & bit) === 0) this.putDay(this.folderDay, this.folderRole);
      else if (this.dayOf(this.folderRole) !== this.folderDay) return false;
      if ((seen | bit) !== this.wanted) return false;
    } else if (seen !== this.wanted) return false;
    const { out } = this;
    const wall = this.times.wall && !this.options.utc;
    if (wall !== this.wall) this.turn(wall);
    if (++out.length === out.capacity) this.finish();
    return true;
  }

  /** Times of the other kind begin with the row just written. */
  private turn(wall: boolean) {
    const { out } = this;
    const row = out.length;
    this.finish();
    this.wall = wall;
    out.customers.copyWithin(0, 2 * row, 2 * row + 2);
    out.items.copyWithin(0, 2 * row, 2 * row + 2);
    out.times.copyWithin(0, row, row + 1);
    out.ownDays.copyWithin(0, row, row + 1);
  }

  finish() {
    if (this.out.length > 0) this.sink.flush(this.wall);
    this.out.length = 0;
  }
}
