import { Temporal } from "temporal-polyfill";

export const DAY_MICROS = 86_400_000_000;
const DAY_MILLIS = 86_400_000;

/** Epoch days of 1700-01-01 and 2200-01-01: SPEC takes days and times from the one up to the other. */
export const FIRST_DAY = Date.UTC(1700, 0, 1) / DAY_MILLIS;
export const END_DAY = Date.UTC(2200, 0, 1) / DAY_MILLIS;

/** `YYYY-MM-DD` of an epoch day. */
export function nameOf(day: number): string {
  if (named?.day !== day) named = { day, name: new Date(day * DAY_MILLIS).toISOString().slice(0, 10) };
  return named.name;
}

/** Asked for each row of a partition. */
let named: { day: number; name: string } | undefined;

/** A time zone as Temporal has it: a wall time that comes twice means the first, one that is skipped is read with the offset before. */
export class Zone {
  private readonly midnights = new Map<number, number>();

  constructor(readonly name: string) {}

  /** The instant at which a day begins, in microseconds. */
  midnight(day: number): number {
    if (this.name === "UTC") return day * DAY_MICROS;
    let micros = this.midnights.get(day);
    if (micros === undefined) this.midnights.set(day, (micros = this.ask(day, 0)));
    return micros;
  }

  /** The instant of a wall time. A day of 24 hours has one offset, so only the others have to be asked for each time. */
  instant(day: number, micros: number): number {
    const start = this.midnight(day);
    return this.midnight(day + 1) - start === DAY_MICROS ? start + micros : this.ask(day, micros);
  }

  private ask(day: number, micros: number): number {
    const wall = Temporal.PlainDateTime.from("1970-01-01").add({ days: day }).add({ microseconds: micros });
    return Number(wall.toZonedDateTime(this.name, { disambiguation: "compatible" }).epochNanoseconds / 1000n);
  }
}
