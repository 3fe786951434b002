import fc from "fast-check";
import { Calendar, DAY_MICROS, dayName, END_DAY, epochDay, FIRST_DAY } from "../../transforms/calendar";
import { naiveDayStart, naiveInstant } from "./wall";

jest.setTimeout(30_000);

/** Zones whose clocks change at midnight, by half an hour, by two hours, by a day, by seconds, often, and never. */
const ZONES = [
  "Europe/Berlin",
  "America/New_York",
  "America/Sao_Paulo",
  "America/Havana",
  "America/St_Johns",
  "Africa/Cairo",
  "Africa/Casablanca",
  "Africa/Monrovia",
  "Antarctica/Troll",
  "Asia/Beirut",
  "Asia/Kathmandu",
  "Atlantic/Azores",
  "Australia/Lord_Howe",
  "Pacific/Apia",
  "Pacific/Kwajalein",
  "UTC",
];
const zone = fc.constantFrom(...ZONES);
const dayOf = (text: string): number => Date.parse(text) / 86_400_000;
const day = fc.integer({ min: dayOf("1970-01-01"), max: dayOf("2037-12-31") });
const micros = (text: string): number => Date.parse(text) * 1000;

/** Days on which some zone does something odd, and their neighbours. */
const ODD: [string, string][] = [
  ["America/Sao_Paulo", "2018-11-04"], // midnight skipped
  ["America/Sao_Paulo", "2018-02-18"], // 23:00 to 24:00 twice on the day before
  ["Africa/Cairo", "2014-05-16"], // midnight skipped
  ["Africa/Cairo", "2023-04-28"],
  ["Africa/Cairo", "2023-10-27"],
  ["Asia/Beirut", "2023-03-30"],
  ["Asia/Beirut", "2021-03-28"], // midnight skipped
  ["Asia/Beirut", "2021-10-31"],
  ["America/Havana", "2021-03-14"], // midnight skipped
  ["America/Havana", "2021-11-07"], // midnight twice
  ["America/St_Johns", "2010-11-07"], // 00:01 back to 23:01 of the day before
  ["Pacific/Apia", "2011-12-30"], // no such day
  ["Pacific/Kwajalein", "1993-08-21"], // no such day
  ["Europe/Berlin", "2025-03-30"],
  ["Europe/Berlin", "2025-10-26"],
  ["Australia/Lord_Howe", "2024-04-07"],
  ["Antarctica/Troll", "2024-03-31"],
  ["Africa/Monrovia", "1972-01-07"], // an offset with seconds ends
];

test.each(ODD)("in %s, the days around %s begin where a search through the wall clock says", (name, date) => {
  for (let d = dayOf(date) - 2; d <= dayOf(date) + 2; d++) expect(new Calendar(name).midnight(d)).toBe(naiveDayStart(name, d));
});

test.each([
  ["America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"], // clocks go from 00:00 to 01:00
  ["America/Havana", "2021-11-07", "2021-11-07T04:00:00Z"], // the first of two midnights
  ["Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"], // lasts no time:
  ["Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"],
  ["Europe/Berlin", "2025-03-31", "2025-03-30T22:00:00Z"],
  ["Europe/Berlin", "1800-01-01", "1799-12-31T23:06:32Z"], // local mean time
  ["UTC", "1969-12-31", "1969-12-31T00:00:00Z"],
])("in %s, %s begins at %s", (name, date, instant) => {
  expect(new Calendar(name).midnight(dayOf(date))).toBe(micros(instant));
});

test("days begin where a search through the wall clock says, 1970 to 2037", () =>
  fc.assert(
    fc.property(zone, day, (name, d) => expect(new Calendar(name).midnight(d)).toBe(naiveDayStart(name, d))),
    { numRuns: 200 },
  ));

const oddWall = fc
  .tuple(fc.constantFrom(...ODD), fc.integer({ min: -6 * 3600, max: 30 * 3600 }))
  .map(([[name, date], seconds]) => [name, dayOf(date) * DAY_MICROS + seconds * 1e6] as const);
const anyWall = fc.tuple(zone, day, fc.nat(86_399)).map(([name, d, seconds]) => [name, d * DAY_MICROS + seconds * 1e6] as const);

test("wall times mean what a search through the wall clock says: repeated ones the first, skipped ones by the offset before", () =>
  fc.assert(
    fc.property(fc.oneof(oddWall, anyWall), ([name, wall]) => expect(new Calendar(name).instant(wall)).toBe(naiveInstant(name, wall))),
    { numRuns: 150 },
  ));

test.each([
  ["2025-03-30T01:59:59.999999", "2025-03-30T00:59:59.999Z", 999],
  ["2025-03-30T02:30:00", "2025-03-30T01:30:00Z", 0], // skipped
  ["2025-10-26T02:30:00", "2025-10-26T00:30:00Z", 0], // the first of two
  ["2025-10-26T03:00:00", "2025-10-26T02:00:00Z", 0],
])("%s in Berlin is %s", (wall, instant, more) => {
  const fraction = wall.includes(".") ? 999_999 : 0;
  expect(new Calendar("Europe/Berlin").instant(micros(`${wall.slice(0, 19)}Z`) + fraction)).toBe(micros(instant) + more);
});

const instants = fc.oneof(
  fc.tuple(zone, fc.integer({ min: micros("1970-01-01"), max: micros("2037-12-31") })),
  fc
    .tuple(fc.constantFrom(...ODD), fc.integer({ min: -36 * 3600e6, max: 36 * 3600e6 }))
    .map(([[name, date], shift]): [string, number] => [name, micros(date) + shift]),
);

test("midnight(dayAt(t)) <= t < midnight(dayAt(t) + 1)", () =>
  fc.assert(
    fc.property(instants, ([name, t]) => {
      const calendar = new Calendar(name);
      const at = calendar.dayAt(t);
      expect(calendar.midnight(at)).toBeLessThanOrEqual(t);
      expect(calendar.midnight(at + 1)).toBeGreaterThan(t);
    }),
    { numRuns: 1000 },
  ));

test("the last microsecond of a day is of that day, the next one of the next day", () =>
  fc.assert(
    fc.property(zone, day, (name, d) => {
      const calendar = new Calendar(name);
      if (calendar.midnight(d) === calendar.midnight(d + 1)) return;
      expect(calendar.dayAt(calendar.midnight(d + 1) - 1)).toBe(d);
      expect(calendar.dayAt(calendar.midnight(d))).toBe(d);
    }),
    { numRuns: 300 },
  ));

test("midnights never go back", () =>
  fc.assert(
    fc.property(zone, day, (name, d) => expect(new Calendar(name).midnight(d)).toBeLessThanOrEqual(new Calendar(name).midnight(d + 1))),
    { numRuns: 300 },
  ));

test("an instant of UTC is its own wall time, also before 1970", () =>
  fc.assert(
    fc.property(fc.integer({ min: FIRST_DAY * DAY_MICROS, max: END_DAY * DAY_MICROS }), (t) => {
      expect(new Calendar("UTC").instant(t)).toBe(t);
      expect(new Calendar("UTC").dayAt(t)).toBe(Math.floor(t / DAY_MICROS));
    }),
  ));

test.each([FIRST_DAY - 1_000_000, FIRST_DAY, END_DAY - 1, END_DAY + 200_000])(
  "day %p has a midnight, however far a lookback or lag reaches",
  (d) => {
    expect(Math.abs(new Calendar("America/New_York").midnight(d) - d * DAY_MICROS - 5 * 3600e6)).toBeLessThanOrEqual(3600e6);
  },
);

test("epochDay takes the days that exist from 1700 up to 2200, as Date does", () =>
  fc.assert(
    fc.property(fc.integer({ min: 1690, max: 2210 }), fc.integer({ min: -1, max: 14 }), fc.integer({ min: -1, max: 33 }), (y, m, d) => {
      const date = new Date(Date.UTC(y, m - 1, d));
      const exists = date.getUTCFullYear() === y && date.getUTCMonth() === m - 1 && date.getUTCDate() === d && y >= 1700 && y < 2200;
      expect(epochDay(y, m, d)).toBe(exists ? date.getTime() / 86_400_000 : undefined);
    }),
    { numRuns: 1000 },
  ));

test.each([
  [1900, undefined],
  [2000, 11_016],
  [2024, 19_782],
  [2025, undefined],
])("29 February of %p", (year, expected) => expect(epochDay(year, 2, 29)).toBe(expected));

test("dayName is the reverse of epochDay", () =>
  fc.assert(
    fc.property(fc.integer({ min: FIRST_DAY, max: END_DAY - 1 }), (d) => {
      const [year, month, dayOfMonth] = dayName(d).split("-").map(Number);
      expect(epochDay(year, month, dayOfMonth)).toBe(d);
    }),
  ));
