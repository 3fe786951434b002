import { DAY_MICROS } from "../../transforms/calendar";
import { NO_DAY_SAID } from "../../transforms/lateness";
import type { ActionFields, ActionSink, ScannedActions, ScanOptions } from "./columns";
import { Role } from "./literals";
import { isLikeDate, NULL, skipScalar } from "./skip";
import { dayAt, NO_DAY, TimeReader } from "./times";
import { Wanted } from "./wanted";

const QUOTE = 0x22;

/** The way of an action into the batch: its values are written where the next row goes, `commit` makes them one. */
export class ActionRows extends Wanted {
  readonly out: ScannedActions;
  readonly times: TimeReader;
  /** whether there is a column that is only compared */
  readonly said: boolean;
  readonly clock: boolean;
  private readonly clockReader: TimeReader;
  private wall = true;

  constructor(
    fields: ActionFields,
    private readonly options: ScanOptions,
    private readonly sink: ActionSink,
  ) {
    super();
    this.out = sink.out;
    this.times = new TimeReader(options.utc);
    this.clockReader = new TimeReader(options.utc);
    this.add(fields.customer, Role.customer);
    this.add(fields.item, Role.item);
    const shared = fields.timeIs === "date" && fields.ownDay === fields.time;
    this.add(fields.time, shared ? Role.dateAndOwnDay : fields.timeIs === "date" ? Role.date : Role.timestamp);
    if (fields.ownDay !== null && !shared) this.add(fields.ownDay, Role.ownDay);
    this.said = this.compare(fields.said, Role.said);
    this.clock = this.compare(fields.clock, Role.clock);
    this.supply(options.partition ?? {});
  }

  /** Reads a date into the row. @returns the position behind it, -1 if there is none */
  day(view: DataView, at: number, role: Role): number {
    const day = dayAt(view, at);
    if (day === NO_DAY) return -1;
    this.putDay(day, role);
    return at + 10;
  }

  /** Before a line of which it is not known what it has. */
  begin() {
    const { out } = this;
    if (this.said) out.ownDays[out.length] = NO_DAY_SAID;
    if (this.clock) out.clocks[out.length] = Number.NaN;
  }

  /** Reads the JSON value at `at`, which is only compared. @returns the position behind it, -1 if it is for the careful reader */
  compared(bytes: Uint8Array, view: DataView, at: number, role: Role): number {
    if (role === Role.said) {
      if (bytes[at] !== QUOTE || !isLikeDate(view, at + 1)) {
        this.out.ownDays[this.out.length] = NO_DAY_SAID;
        return skipScalar(bytes, view, at);
      }
      this.saidAt(view, at + 1);
      return at + 12;
    }
    if (bytes[at] !== QUOTE) {
      this.out.clocks[this.out.length] = Number.NaN;
      return view.getInt32(at, true) === NULL ? at + 4 : -1;
    }
    const end = this.clockAt(bytes, view, at + 1);
    return bytes[end] === QUOTE ? end + 1 : -1;
  }

  /** Ten characters that look like a day; NO_DAY is NO_DAY_SAID. */
  saidAt(view: DataView, at: number): number {
    return (this.out.ownDays[this.out.length] = dayAt(view, at));
  }

  /** @returns the position behind it, -1 if there is none */
  clockAt(bytes: Uint8Array, view: DataView, at: number): number {
    const { out, clockReader } = this;
    const { clocks, length: row } = out;
    const end = clockReader.timestamp(bytes, view, at, clocks, row);
    if (end >= 0 && clockReader.wall && !this.options.utc) clocks[row] = this.options.instant!(clocks[row]);
    return end;
  }

  protected override putDay(day: number, role: Role) {
    const { out } = this;
    if (role !== Role.ownDay) out.times[out.length] = day * DAY_MICROS;
    if (role !== Role.date) out.ownDays[out.length] = day;
  }

  protected override dayOf(role: Role): number {
    const { out } = this;
    return role === Role.ownDay ? out.ownDays[out.length] : out.times[out.length] / DAY_MICROS;
  }

  /** Makes what was written a row, if the roles `seen`, as bits, are all there are to be. */
  commit(seen: number): boolean {
    const { out } = this;
    // small, so that the compiler puts it and all that reads a line into one piece
    if (seen !== this.ownBits || this.times.wall !== this.wall || out.length + 1 === out.capacity) return this.commitOdd(seen);
    out.length++;
    return true;
  }

  private commitOdd(seen: number): boolean {
    if (seen !== this.ownBits && !this.folderAgrees(seen)) return false;
    if (this.times.wall !== this.wall) this.turn();
    if (++this.out.length === this.out.capacity) this.finish();
    return true;
  }

  /** Times of the other kind begin with the row just written. */
  private turn() {
    const { out } = this;
    const row = out.length;
    this.finish();
    this.wall = this.times.wall;
    out.customers.copyWithin(0, 2 * row, 2 * row + 2);
    out.items.copyWithin(0, 2 * row, 2 * row + 2);
    out.times.copyWithin(0, row, row + 1);
    out.ownDays.copyWithin(0, row, row + 1);
    out.clocks.copyWithin(0, row, row + 1);
  }

  finish() {
    if (this.out.length > 0) this.sink.flush(this.wall && !this.options.utc);
    this.out.length = 0;
  }
}
