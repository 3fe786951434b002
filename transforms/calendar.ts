/** Microseconds in a day of 24 hours. */
export const DAY_MICROS = 86_400_000_000;
/** The days that SPEC.md takes, [FIRST_DAY, END_DAY): 1700-01-01 up to 2200-01-01. Whole microseconds there fit a double exactly. */
export const FIRST_DAY = Date.UTC(1700, 0, 1) / 86_400_000;
export const END_DAY = Date.UTC(2200, 0, 1) / 86_400_000;

/** Whole days since 1970-01-01 of a date that exists, else undefined. Months and days count from 1. */
export function epochDay(year: number, month: number, day: number): number | undefined {
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  const days = Date.UTC(year, month - 1, day) / 86_400_000;
  return days >= FIRST_DAY && days < END_DAY ? days : undefined;
}

/** Of a month, which counts from 1. */
export function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** `YYYY-MM-DD` of a day. */
export const dayName = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);

/**
 * When the days of a time zone begin, and what instant a wall time means.
 * Instants and wall times are whole microseconds since 1970-01-01T00:00:00 (UTC, or on the wall).
 * A wall time that a clock change repeats means the first one; one that it skips is read with the offset before the
 * change, as ECMAScript's Temporal does by default ("compatible", tc39.es/proposal-temporal/docs/ambiguity.html).
 */
export class Calendar {
  /** undefined for UTC, which needs no table */
  private readonly zone: Zone | undefined;

  constructor(readonly timezone: string) {
    this.zone = zoneOf(timezone);
  }

  /** The instant at which `day` begins. */
  midnight(day: number): number {
    return this.instant(day * DAY_MICROS);
  }

  /** The instant of a wall time. */
  instant(wallMicros: number): number {
    const { zone } = this;
    if (zone === undefined) return wallMicros;
    // Every offset that can apply is in force a day earlier or a day later: no zone changes twice within 48 hours.
    const before = zone.offset(wallMicros - DAY_MICROS);
    const after = zone.offset(wallMicros + DAY_MICROS);
    if (before === after) return wallMicros - before;
    const earlier = wallMicros - Math.max(before, after);
    const later = wallMicros - Math.min(before, after);
    if (zone.offset(earlier) === wallMicros - earlier) return earlier;
    if (zone.offset(later) === wallMicros - later) return later;
    return wallMicros - before;
  }

  /** The newest day that has begun at an instant: midnight(day) <= micros < midnight(day + 1). */
  dayAt(micros: number): number {
    const { zone } = this;
    if (zone === undefined) return Math.floor(micros / DAY_MICROS);
    let day = Math.floor((micros + zone.offset(micros)) / DAY_MICROS);
    while (this.midnight(day) > micros) day--;
    while (this.midnight(day + 1) <= micros) day++;
    return day;
  }
}

/** The offsets of one zone, found a year at a time when first asked for. */
class Zone {
  private readonly format: Intl.DateTimeFormat;
  private readonly years = new Map<number, Changes>();

  constructor(timezone: string) {
    this.format = new Intl.DateTimeFormat("en-US", { timeZone: timezone, timeZoneName: "longOffset", year: "numeric" });
  }

  /** Microseconds that the wall clock is ahead of UTC at an instant. */
  offset(micros: number): number {
    // Blocks of a fixed length, not calendar years: a division is all it takes to find one.
    const block = Math.floor(micros / BLOCK_MICROS);
    let changes = this.years.get(block);
    if (changes === undefined) this.years.set(block, (changes = this.changes(block)));
    let i = changes.from.length - 1;
    while (changes.from[i] > micros) i--;
    return changes.offset[i];
  }

  private changes(block: number): Changes {
    const found: Changes = { from: [block * BLOCK_MICROS], offset: [this.probe(block * BLOCK_MICROS)] };
    for (let day = 0; day < BLOCK_DAYS; day++) {
      let low = block * BLOCK_MICROS + day * DAY_MICROS;
      let high = low + DAY_MICROS;
      const last = found.offset[found.offset.length - 1];
      const next = this.probe(high);
      if (next === last) continue;
      while (high - low > 1_000_000) {
        const middle = low + Math.floor((high - low) / 2_000_000) * 1_000_000;
        if (this.probe(middle) === last) low = middle;
        else high = middle;
      }
      found.from.push(high);
      found.offset.push(next);
    }
    return found;
  }

  private probe(micros: number): number {
    const name = this.format.formatToParts(Math.floor(micros / 1000)).find((part) => part.type === "timeZoneName")!.value;
    const [, sign, hours, minutes, seconds] = /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(name)!;
    const size = (Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0)) * 1_000_000;
    return sign === "-" ? -size : size;
  }
}

interface Changes {
  /** instants, ascending, from which on the offset beside it holds */
  from: number[];
  offset: number[];
}

const BLOCK_DAYS = 366;
const BLOCK_MICROS = BLOCK_DAYS * DAY_MICROS;
const zones = new Map<string, Zone | undefined>();

/** The zones of this process: a table is made once, however many calendars look at it. */
function zoneOf(timezone: string): Zone | undefined {
  if (!zones.has(timezone)) zones.set(timezone, timezone === "UTC" ? undefined : new Zone(timezone));
  return zones.get(timezone);
}
