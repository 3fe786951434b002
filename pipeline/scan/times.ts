import { DAY_MICROS, daysIn, FIRST_DAY } from "../../transforms/calendar";
import { countBefore, digitsAt, fourDigits, nonDigits } from "./digits";

const DAY = DAY_MICROS; // a constant of this module is one to the compiler too
const FIRST_YEAR = 1700;
const YEARS = 500;
/** by (year - FIRST_YEAR) * 16 + month: the epoch day before the first of the month, and how many days it has (0: no such month) */
const monthStarts = new Int32Array(YEARS * 16);
const monthDays = new Uint8Array(YEARS * 16);
// months follow one another: each thread makes the table anew, and asking for every day took it 5 ms
for (let year = 0, day = FIRST_DAY - 1; year < YEARS; year++) {
  for (let month = 1; month <= 12; month++) {
    const at = year * 16 + month;
    monthStarts[at] = day;
    monthDays[at] = daysIn(FIRST_YEAR + year, month);
    day += monthDays[at];
  }
}

export const NO_DAY = -0x80000000;

/** The epoch day of the `YYYY-MM-DD` at `at`, or NO_DAY. */
export function dayAt(view: DataView, at: number): number {
  const year = view.getInt32(at, true) ^ 0x30303030;
  const month = view.getInt32(at + 4, true) ^ 0x2d30302d; // -MM-
  const day = view.getUint16(at + 8, true) ^ 0x3030;
  // A digit's byte is now 0 to 9, so that adding 6 leaves its upper half 0; a dash's byte is 0.
  const odd =
    ((year | (year + 0x06060606)) & 0xf0f0f0f0) | ((month | (month + 0x00060600)) & 0xfff0f0ff) | ((day | (day + 0x0606)) & 0xf0f0);
  if (odd !== 0) return NO_DAY;
  const years = fourDigits(year) - FIRST_YEAR;
  const months = ((month >>> 8) & 15) * 10 + ((month >>> 16) & 15);
  const days = (day & 15) * 10 + (day >>> 8);
  if (years < 0 || years >= YEARS || months > 12 || days === 0) return NO_DAY;
  const place = years * 16 + months;
  return days <= monthDays[place] ? monthStarts[place] + days : NO_DAY;
}

/** Reads the dates and timestamps of one column. */
export class TimeReader {
  /** of the timestamp read last: it names no zone, so that it is wall time; in UTC that is all the same, and always true */
  wall = true;

  constructor(private readonly utc: boolean) {}

  /**
   * Reads `YYYY-MM-DD HH:MM:SS[.f{1,9}][Z| UTC]`, blank or T between day and time, at `at` into micros[row].
   * @returns the position behind it, -1 if there is none
   */
  timestamp(bytes: Uint8Array, view: DataView, at: number, micros: Float64Array, row: number): number {
    const day = dayAt(view, at);
    const between = bytes[at + 10];
    if (day === NO_DAY || (between !== 0x20 && between !== 0x54)) return -1;
    const hours = view.getInt32(at + 11, true) ^ 0x303a3030; // HH:M
    const seconds = view.getInt32(at + 15, true) ^ 0x30303a30; // M:SS
    const odd = ((hours | (hours + 0x06000606)) & 0xf0fff0f0) | ((seconds | (seconds + 0x06060006)) & 0xf0f0fff0);
    const h = (hours & 15) * 10 + ((hours >>> 8) & 15);
    const m = ((hours >>> 24) & 15) * 10 + (seconds & 15);
    const s = ((seconds >>> 16) & 15) * 10 + ((seconds >>> 24) & 15);
    if (odd !== 0 || h > 23 || m > 59 || s > 59) return -1;
    const whole = day * DAY + (h * 3600 + m * 60 + s) * 1e6;
    this.wall = true;
    if (bytes[at + 19] !== DOT) {
      micros[row] = whole;
      return this.zone(bytes, view, at + 19);
    }
    const first = digitsAt(view, at + 20);
    const marks = nonDigits(first);
    if (marks !== 0) {
      micros[row] = whole + fourDigits(first & below(marks)) * 100;
      return marks & 0x80 ? -1 : this.zone(bytes, view, at + 20 + countBefore(marks));
    }
    return this.zone(bytes, view, this.fineDigits(bytes, view, at, whole + fourDigits(first) * 100, micros, row));
  }

  /** The fifth and sixth digit of a fraction count, up to three more are cut off. @returns the position behind them */
  private fineDigits(bytes: Uint8Array, view: DataView, at: number, rough: number, micros: Float64Array, row: number): number {
    const fine = digitsAt(view, at + 24);
    const marks = nonDigits(fine);
    const digits = marks === 0 ? fine : fine & below(marks);
    micros[row] = rough + (digits & 15) * 10 + ((digits >>> 8) & 15);
    if (marks !== 0) return at + 24 + countBefore(marks);
    return bytes[at + 28] >= 0x30 && bytes[at + 28] <= 0x39 ? at + 29 : at + 28;
  }

  /** What may stand behind a time: the end of the cell, which the caller checks, or the name of UTC. */
  private zone(bytes: Uint8Array, view: DataView, at: number): number {
    const byte = bytes[at];
    if (byte === 0x5a) {
      this.wall = this.utc;
      return at + 1;
    }
    if (byte !== 0x20 || view.getInt32(at, true) !== SPACE_UTC) return at;
    this.wall = this.utc;
    return at + 4;
  }
}

const DOT = 0x2e;
const SPACE_UTC = 0x43545520;

/** All bits of the bytes before the first of `marks`. */
const below = (marks: number): number => ((marks & -marks) - 1) >>> 7;
