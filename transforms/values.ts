import { Calendar, DAY_MICROS, END_DAY, epochDay, FIRST_DAY } from "./calendar";
import { type Cell, EpochDay, Moment } from "./cells";
import type { CellReason } from "./reasons";
import type { TimeUnit } from "./rules";

/** A value that SPEC.md does not accept. `reason` says so without the value. */
export class Rejection {
  constructor(readonly reason: CellReason) {}
}

const NO_INTEGER = new Rejection("not a 64-bit integer");
const NO_DATE = new Rejection("not a date");
const NO_TIMESTAMP = new Rejection("not a timestamp");
const INTEGER = /^-?(?:0|[1-9][0-9]*)$/;

/** An int64: a number within the safe range, or a bigint. */
export function integer(cell: Cell): number | bigint {
  if (typeof cell === "number" && Number.isSafeInteger(cell)) return cell;
  if (typeof cell === "string" && cell.length <= 20 && INTEGER.test(cell)) return inInt64(BigInt(cell));
  if (typeof cell === "bigint") return inInt64(cell);
  throw NO_INTEGER;
}

function inInt64(id: bigint): bigint {
  if (BigInt.asIntN(64, id) !== id) throw NO_INTEGER;
  return id;
}

/** The epoch day of `YYYY-MM-DD`, `dt=YYYY-MM-DD` or a Parquet DATE. */
export function date(cell: Cell): number {
  if (typeof cell === "string") {
    const text = cell.startsWith("dt=") ? cell.slice(3) : cell;
    const day = text.length === 10 ? dateAt(text) : undefined;
    if (day !== undefined) return day;
  } else if (cell instanceof EpochDay && cell.day >= FIRST_DAY && cell.day < END_DAY) return cell.day;
  throw NO_DATE;
}

/** Reads timestamps: text, typed moments, and numbers where a unit was given. */
export class Timestamps {
  private readonly calendar: Calendar;

  constructor(
    timezone: string,
    readonly unit: TimeUnit | null,
  ) {
    this.calendar = new Calendar(timezone);
  }

  /** Whole microseconds since the epoch; finer digits are cut off. */
  instant(cell: Cell): number {
    if (typeof cell === "string") return this.text(cell);
    if (cell instanceof Moment) {
      const micros = inRange(Number(cell.micros));
      return cell.wall ? this.calendar.instant(micros) : micros;
    }
    if (cell instanceof Date) return inRange(cell.getTime() * 1000);
    if (this.unit !== null && (typeof cell === "bigint" || Number.isSafeInteger(cell))) return this.number(cell as bigint | number);
    throw NO_TIMESTAMP;
  }

  /** A CSV cell of digits is a number, since a CSV has no other way to say so. */
  csvInstant(cell: Cell): number {
    if (this.unit !== null && typeof cell === "string" && INTEGER.test(cell)) return this.number(inInt64OrNoTimestamp(cell));
    return this.instant(cell);
  }

  private number(value: bigint | number): number {
    const unit = this.unit!;
    if (unit === "ns") return inRange(Number(floorDivide(BigInt(value), 1000n)));
    return inRange(Number(value) * (unit === "s" ? 1e6 : unit === "ms" ? 1000 : 1));
  }

  /** `YYYY-MM-DD HH:MM:SS[.f{1,9}][Z| UTC|+HH[[:]MM]]`, blank or T between day and time. */
  private text(text: string): number {
    const day = dateAt(text);
    const clock = day === undefined ? undefined : clockAt(text);
    if (day === undefined || clock === undefined) throw NO_TIMESTAMP;
    let at = 19;
    let fraction = 0;
    if (text.charCodeAt(at) === DOT) {
      let digits = 0;
      let scale = 100_000;
      for (at++; isDigit(text.charCodeAt(at)); at++, digits++) {
        fraction += (text.charCodeAt(at) - ZERO) * scale;
        scale = Math.floor(scale / 10);
      }
      if (digits === 0 || digits > 9) throw NO_TIMESTAMP;
    }
    const wall = day * DAY_MICROS + clock * 1e6;
    if (at === text.length) return this.calendar.instant(wall) + fraction;
    return wall - offset(text.slice(at)) + fraction;
  }
}

const ZERO = 48;
const DOT = 46;
const isDigit = (code: number): boolean => code >= ZERO && code <= 57;

/** The number made of the two digits at a place, -1 if they are none. */
function two(text: string, at: number): number {
  const tens = text.charCodeAt(at);
  const ones = text.charCodeAt(at + 1);
  return isDigit(tens) && isDigit(ones) ? (tens - ZERO) * 10 + ones - ZERO : -1;
}

/** The epoch day that a text begins with. */
function dateAt(text: string): number | undefined {
  const century = two(text, 0);
  const year = two(text, 2);
  if (century < 0 || year < 0 || text.charCodeAt(4) !== 45 || text.charCodeAt(7) !== 45) return undefined;
  return epochDay(century * 100 + year, two(text, 5), two(text, 8));
}

/** Seconds since midnight of the clock time after the date. */
function clockAt(text: string): number | undefined {
  const between = text.charCodeAt(10);
  if ((between !== 32 && between !== 84) || text.charCodeAt(13) !== 58 || text.charCodeAt(16) !== 58) return undefined;
  const hours = two(text, 11);
  const minutes = two(text, 14);
  const seconds = two(text, 17);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59) return undefined;
  return hours * 3600 + minutes * 60 + seconds;
}

/** Microseconds east of UTC of `Z`, ` UTC`, `+HH`, `+HHMM` or `+HH:MM`. */
function offset(text: string): number {
  if (text === "Z" || text === " UTC") return 0;
  const match = /^([+-])([0-9]{2})(?::?([0-9]{2}))?$/.exec(text);
  if (match === null) throw NO_TIMESTAMP;
  const minutes = Number(match[2]) * 60 + Number(match[3] ?? 0);
  if (Number(match[3] ?? 0) > 59 || minutes > 18 * 60) throw NO_TIMESTAMP;
  return (match[1] === "-" ? -minutes : minutes) * 60e6;
}

function inRange(micros: number): number {
  if (micros >= FIRST_DAY * DAY_MICROS && micros < END_DAY * DAY_MICROS) return micros;
  throw NO_TIMESTAMP;
}

function inInt64OrNoTimestamp(text: string): bigint {
  const value = text.length <= 20 ? BigInt(text) : 1n << 64n;
  if (BigInt.asIntN(64, value) !== value) throw NO_TIMESTAMP;
  return value;
}

const floorDivide = (a: bigint, b: bigint): bigint => (a - (((a % b) + b) % b)) / b;
