/** Cells to ids, days and instants, by SPEC, "Inputs". */
import type { Rules } from "../rules";
import { DAY_MICROS, END_DAY, FIRST_DAY, type Zone } from "../zone";
import { type Cell, Day, Instant } from "./cells";

/** A value that SPEC does not take; its row is a reject. */
export class Reject extends Error {}

export function integer(cell: Cell): bigint {
  const isText = typeof cell === "string" && /^-?(?:0|[1-9][0-9]{0,18})$/.test(cell);
  const isWhole = typeof cell === "bigint" || (typeof cell === "number" && Number.isSafeInteger(cell));
  if (!isText && !isWhole) throw new Reject("not a 64-bit integer");
  const value = BigInt(cell as string | number | bigint);
  if (BigInt.asIntN(64, value) !== value) throw new Reject("not a 64-bit integer");
  return value;
}

/** An epoch day. */
export function date(cell: Cell): number {
  const day = cell instanceof Day ? cell.day : typeof cell === "string" ? dayOf(cell.replace(/^dt=/, "")) : undefined;
  if (day === undefined || day < FIRST_DAY || day >= END_DAY) throw new Reject("not a date");
  return day;
}

/** Few days come again and again. */
const days = new Map<string, number | undefined>();

function dayOf(text: string): number | undefined {
  if (!days.has(text)) {
    if (days.size > 100_000) days.clear();
    days.set(text, parseDay(text));
  }
  return days.get(text);
}

function parseDay(text: string): number | undefined {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text)) return undefined;
  const millis = Date.parse(`${text}T00:00:00Z`);
  // 2025-02-30 comes back as another day
  return Number.isNaN(millis) || new Date(millis).toISOString().slice(0, 10) !== text ? undefined : millis / 86_400_000;
}

const STAMP =
  /^([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(?:\.([0-9]{1,9}))?(?:(Z| UTC)|([+-])([0-9]{2})(?::?([0-5][0-9]))?)?$/;

/** Microseconds since the epoch. */
export function instant(cell: Cell, { timeUnit }: Rules, zone: Zone, csv: boolean): number {
  if (cell instanceof Instant) {
    const micros = inRange(cell.micros);
    const day = Math.floor(micros / DAY_MICROS);
    return cell.wall ? zone.instant(day, micros - day * DAY_MICROS) : micros;
  }
  if (
    timeUnit !== null &&
    (typeof cell === "number" || typeof cell === "bigint" || (csv && /^-?(?:0|[1-9][0-9]{0,18})$/.test(String(cell))))
  )
    return fromNumber(integer(cell), timeUnit);
  const match = typeof cell === "string" ? STAMP.exec(cell) : null;
  const day = match === null ? undefined : dayOf(match[1]);
  if (match === null || day === undefined || day < FIRST_DAY || day >= END_DAY) throw new Reject("not a timestamp");
  const [, , hours, minutes, seconds, fraction = "", utc, sign, offsetHours, offsetMinutes = "0"] = match;
  const micros = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1e6 + Number(fraction.padEnd(6, "0").slice(0, 6));
  if (utc !== undefined) return day * DAY_MICROS + micros;
  if (sign === undefined) return zone.instant(day, micros);
  const offset = Number(offsetHours) * 60 + Number(offsetMinutes);
  if (offset > 18 * 60) throw new Reject("not a timestamp");
  return day * DAY_MICROS + micros - (sign === "-" ? -offset : offset) * 60e6;
}

function fromNumber(value: bigint, unit: "s" | "ms" | "us" | "ns"): number {
  if (unit === "ns") return inRange((value - (((value % 1000n) + 1000n) % 1000n)) / 1000n);
  return inRange(value * { s: 1_000_000n, ms: 1000n, us: 1n }[unit]);
}

function inRange(micros: bigint): number {
  const number = Number(micros);
  if (number < FIRST_DAY * DAY_MICROS || number >= END_DAY * DAY_MICROS) throw new Reject("not a timestamp");
  return number;
}
