import fc from "fast-check";
import { DAY_MICROS, dayName, END_DAY, FIRST_DAY } from "../../transforms/calendar";
import { type Cell, EpochDay, Moment } from "../../transforms/cells";
import type { TimeUnit } from "../../transforms/rules";
import { date, integer, Rejection, Timestamps } from "../../transforms/values";
import { naiveInstant } from "./wall";

/** What a call gives, or the reason for which it refuses. */
function outcome<T>(call: () => T): T | string {
  try {
    return call();
  } catch (error) {
    if (error instanceof Rejection) return error.reason;
    throw error;
  }
}

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);

test.each<[Cell, bigint]>([
  [0, 0n],
  [-0, 0n],
  [-1, -1n],
  [Number.MAX_SAFE_INTEGER, 2n ** 53n - 1n],
  [2n ** 53n + 1n, 2n ** 53n + 1n],
  [MAX, MAX],
  [MIN, MIN],
  ["0", 0n],
  ["-0", 0n],
  ["10", 10n],
  ["-7", -7n],
  ["9223372036854775807", MAX],
  ["-9223372036854775808", MIN],
])("integer %p is %p", (cell, expected) => expect(BigInt(integer(cell))).toBe(expected));

const NO_INTEGERS: Cell[] = [
  undefined,
  null,
  true,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 53,
  MAX + 1n,
  MIN - 1n,
  "",
  " 1",
  "1 ",
  "+1",
  "01",
  "-01",
  "--1",
  "-",
  "1.0",
  "1e3",
  "0x10",
  "1_000",
  "1n",
  "\u0661",
  "9223372036854775808",
  "-9223372036854775809",
  "1".repeat(21),
  [],
  [1],
  {},
  new EpochDay(1),
  new Moment(1n, false),
  new Date(0),
];
test.each(NO_INTEGERS.map((cell) => [cell]))("integer %p is refused", (cell) =>
  expect(outcome(() => integer(cell))).toBe("not a 64-bit integer"),
);

test("integers are exact over all of int64, as numbers, bigints and text", () =>
  fc.assert(
    fc.property(fc.bigInt({ min: MIN, max: MAX }), (id) => {
      expect(BigInt(integer(id))).toBe(id);
      expect(BigInt(integer(String(id)))).toBe(id);
      if (Number.isSafeInteger(Number(id))) expect(BigInt(integer(Number(id)))).toBe(id);
    }),
  ));

test.each<[Cell, string]>([
  ["2025-08-16", "2025-08-16"],
  ["dt=2025-08-16", "2025-08-16"],
  ["1700-01-01", "1700-01-01"],
  ["2199-12-31", "2199-12-31"],
  ["2024-02-29", "2024-02-29"],
  [new EpochDay(0), "1970-01-01"],
  [new EpochDay(FIRST_DAY), "1700-01-01"],
  [new EpochDay(END_DAY - 1), "2199-12-31"],
])("date %p is %s", (cell, expected) => expect(dayName(date(cell))).toBe(expected));

const NO_DATES: Cell[] = [
  undefined,
  null,
  20_000,
  "",
  "2025-8-16",
  "2025-08-16 ",
  " 2025-08-16",
  "2025/08/16",
  "20250816",
  "2025-08-16T00:00:00",
  "2025-08-16 00:00:00",
  "dt=dt=2025-08-16",
  "DT=2025-08-16",
  "d=2025-08-16",
  "2025-02-29",
  "1900-02-29",
  "2025-13-01",
  "2025-00-10",
  "2025-01-00",
  "2025-04-31",
  "1699-12-31",
  "2200-01-01",
  "9999-12-31",
  "\u0662\u0660\u0662\u0665-08-16",
  "-025-08-16",
  new EpochDay(FIRST_DAY - 1),
  new EpochDay(END_DAY),
  new Moment(0n, false),
  new Date(0),
];
test.each(NO_DATES.map((cell) => [cell]))("date %p is refused", (cell) => expect(outcome(() => date(cell))).toBe("not a date"));

const utc = (text: string): number => Date.parse(`${text.slice(0, 19).replace(" ", "T")}Z`) * 1000;
const TEN = "2025-03-30 10:00:00";

test.each<[string, number]>([
  ["2025-03-30 10:00:00", 0],
  ["2025-03-30T10:00:00", 0],
  ["2025-03-30 10:00:00Z", 0],
  ["2025-03-30T10:00:00Z", 0],
  ["2025-03-30 10:00:00 UTC", 0],
  ["2025-03-30 10:00:00.1", 100_000],
  ["2025-03-30 10:00:00.12", 120_000],
  ["2025-03-30 10:00:00.123456", 123_456],
  ["2025-03-30 10:00:00.000001Z", 1],
  ["2025-03-30 10:00:00.0000019", 1], // finer digits are cut off
  ["2025-03-30 10:00:00.999999999 UTC", 999_999],
  ["2025-03-30 10:00:00+00", 0],
  ["2025-03-30 10:00:00+02", -2 * 3600e6],
  ["2025-03-30 10:00:00-0330", 3.5 * 3600e6],
  ["2025-03-30 10:00:00+05:45", -5.75 * 3600e6],
  ["2025-03-30 10:00:00.5-18:00", 18 * 3600e6 + 500_000],
  ["2025-03-30 10:00:00+18:00", -18 * 3600e6],
  ["2025-03-30 10:00:00+1759", -(17 * 60 + 59) * 60e6],
])("timestamp %s", (text, shift) => expect(new Timestamps("UTC", null).instant(text)).toBe(utc(TEN) + shift));

test.each<[string, string]>([
  ["1700-01-01 00:00:00", "1700-01-01 00:00:00"],
  ["2199-12-31 23:59:59", "2199-12-31 23:59:59"],
  ["1969-12-31 23:59:59", "1969-12-31 23:59:59"],
  ["2024-02-29 00:00:00", "2024-02-29 00:00:00"],
])("timestamp %s, at the ends", (text, expected) => expect(new Timestamps("UTC", null).instant(text)).toBe(utc(expected)));

const NO_TIMESTAMPS: Cell[] = [
  undefined,
  null,
  true,
  "",
  "2025-03-30",
  "2025-03-30 10:00",
  "2025-03-30  10:00:00",
  "2025-03-30t10:00:00",
  "2025-03-30_10:00:00",
  "2025-03-30 10-00-00",
  "2025-03-30 10:00-00",
  "2025-03-30 1:00:00",
  "2025-03-30 24:00:00",
  "2025-03-30 23:60:00",
  "2025-03-30 23:59:60",
  "2025-03-30 aa:00:00",
  "2025-03-30 10:aa:00",
  "2025-03-30 10:00:aa",
  "2025-03-30 10:00:00.",
  "2025-03-30 10:00:00.Z",
  "2025-03-30 10:00:00.0123456789",
  "2025-03-30 10:00:00,5",
  "2025-03-30 10:00:00z",
  "2025-03-30 10:00:00 Z",
  "2025-03-30 10:00:00UTC",
  "2025-03-30 10:00:00 utc",
  "2025-03-30 10:00:00 +02",
  "2025-03-30 10:00:00+2",
  "2025-03-30 10:00:00+02:",
  "2025-03-30 10:00:00+023",
  "2025-03-30 10:00:00+02:60",
  "2025-03-30 10:00:00+0260",
  "2025-03-30 10:00:00+18:01",
  "2025-03-30 10:00:00-1801",
  "2025-03-30 10:00:00+19",
  "2025-03-30 10:00:00+02:00:00",
  "2025-03-30 10:00:00Z ",
  " 2025-03-30 10:00:00",
  "dt=2025-03-30 10:00:00",
  "2025-02-30 10:00:00",
  "1699-12-31 23:59:59",
  "2200-01-01 00:00:00",
  "9999-12-31 00:00:00",
  "2025-03-30 \u0661\u0660:00:00",
  "1743328800",
  1743328800,
  1743328800n,
  new EpochDay(20_000),
  new Moment(BigInt(END_DAY) * 86_400_000_000n, false),
  new Moment(BigInt(FIRST_DAY) * 86_400_000_000n - 1n, true),
  new Moment(-(2n ** 63n), false),
  new Date(Number.NaN),
  [],
  {},
];
test.each(NO_TIMESTAMPS.map((cell) => [cell]))("timestamp %p is refused", (cell) => {
  expect(outcome(() => new Timestamps("UTC", null).instant(cell))).toBe("not a timestamp");
  expect(outcome(() => new Timestamps("Europe/Berlin", null).instant(cell))).toBe("not a timestamp");
});

test("a moment is an instant, or wall time where it says so", () => {
  const ten = BigInt(utc(TEN));
  expect(new Timestamps("Europe/Berlin", null).instant(new Moment(ten, false))).toBe(utc(TEN));
  expect(new Timestamps("Europe/Berlin", null).instant(new Moment(ten + 7n, true))).toBe(utc(TEN) - 2 * 3600e6 + 7);
  expect(new Timestamps("UTC", null).instant(new Moment(ten, true))).toBe(utc(TEN));
  expect(new Timestamps("UTC", null).instant(new Moment(BigInt(END_DAY) * 86_400_000_000n - 1n, false))).toBe(END_DAY * DAY_MICROS - 1);
  expect(new Timestamps("Europe/Berlin", null).instant(new Date(5))).toBe(5000);
});

test.each<[TimeUnit, Cell, number | string]>([
  ["s", 1, 1_000_000],
  ["s", -1n, -1_000_000],
  ["ms", 1, 1000],
  ["ms", 1743328800123n, 1743328800123000],
  ["us", 1743328800123456, 1743328800123456],
  ["us", -1, -1],
  ["ns", 1743328800123456789n, 1743328800123456],
  ["ns", 999, 0],
  ["ns", 1000n, 1],
  ["ns", -1, -1], // rounded down, as everything finer than a microsecond
  ["ns", -1000n, -1],
  ["ns", -1001, -2],
  ["s", (END_DAY * DAY_MICROS) / 1e6, "not a timestamp"],
  ["s", (END_DAY * DAY_MICROS) / 1e6 - 1, END_DAY * DAY_MICROS - 1e6],
  ["us", END_DAY * DAY_MICROS, "not a timestamp"],
  ["us", END_DAY * DAY_MICROS - 1, END_DAY * DAY_MICROS - 1],
  ["us", FIRST_DAY * DAY_MICROS, FIRST_DAY * DAY_MICROS],
  ["us", FIRST_DAY * DAY_MICROS - 1, "not a timestamp"],
  ["ns", BigInt(FIRST_DAY * DAY_MICROS) * 1000n, FIRST_DAY * DAY_MICROS],
  ["ns", BigInt(FIRST_DAY * DAY_MICROS) * 1000n - 1n, "not a timestamp"],
  ["ms", 2n ** 63n - 1n, "not a timestamp"],
  ["ns", 2n ** 63n - 1n, "not a timestamp"],
  ["us", 1.5, "not a timestamp"],
  ["us", Number.NaN, "not a timestamp"],
  ["us", "1743328800123456", "not a timestamp"], // a number is a number; text only counts as one in CSV
  ["us", true, "not a timestamp"],
])("in %s, %p is %p", (unit, cell, expected) => expect(outcome(() => new Timestamps("Asia/Kathmandu", unit).instant(cell))).toBe(expected));

test.each<[TimeUnit | null, Cell, number | string]>([
  ["ms", "1743328800123", 1743328800123000],
  ["ns", "-1", -1],
  ["s", "0", 0],
  ["s", "01", "not a timestamp"],
  ["s", "1.0", "not a timestamp"],
  ["s", "", "not a timestamp"],
  ["us", "9223372036854775808", "not a timestamp"],
  ["us", "-9223372036854775809", "not a timestamp"],
  ["us", "9".repeat(30), "not a timestamp"],
  [null, "1743328800", "not a timestamp"],
  ["ms", TEN, utc(TEN)],
  [null, TEN, utc(TEN)],
  ["ms", undefined, "not a timestamp"],
])("a CSV cell in %s, %p is %p", (unit, cell, expected) =>
  expect(outcome(() => new Timestamps("UTC", unit).csvInstant(cell))).toBe(expected),
);

const written = fc.record({
  day: fc.integer({ min: 0, max: 24_800 }),
  second: fc.nat(86_399),
  fraction: fc.option(fc.stringMatching(/^[0-9]{1,9}$/)),
  separator: fc.constantFrom(" ", "T"),
});
const textOf = ({
  day,
  second,
  fraction,
  separator,
}: {
  day: number;
  second: number;
  fraction: string | null;
  separator: string;
}): string =>
  new Date(day * 86_400_000 + second * 1000).toISOString().slice(0, 19).replace("T", separator) + (fraction === null ? "" : `.${fraction}`);
const fractionOf = (fraction: string | null): number => Math.trunc(Number((fraction ?? "").padEnd(9, "0")) / 1000);

test("text without an offset is wall time; the fraction counts on from there", () =>
  fc.assert(
    fc.property(written, fc.constantFrom("Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu"), (parts, zone) => {
      const wall = parts.day * DAY_MICROS + parts.second * 1e6;
      expect(new Timestamps(zone, null).instant(textOf(parts))).toBe(naiveInstant(zone, wall) + fractionOf(parts.fraction));
    }),
    { numRuns: 60 },
  ));

test("text with an offset is an instant, whatever the zone", () =>
  fc.assert(
    fc.property(written, fc.integer({ min: -18 * 60, max: 18 * 60 }), fc.constantFrom("", ":"), (parts, minutes, colon) => {
      const two = (n: number) => String(n).padStart(2, "0");
      const size = Math.abs(minutes);
      const offset = `${minutes < 0 ? "-" : "+"}${two(Math.trunc(size / 60))}${colon}${two(size % 60)}`;
      const expected = parts.day * DAY_MICROS + parts.second * 1e6 - minutes * 60e6 + fractionOf(parts.fraction);
      expect(new Timestamps("Europe/Berlin", null).instant(textOf(parts) + offset)).toBe(expected);
    }),
  ));

test("no text whatever throws anything but a rejection", () =>
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.stringMatching(/^2025-0[0-9]-[0-9]{2}[ T][0-2][0-9]:[0-9]{2}:[0-9]{2}[.Z+-]?[0-9:]{0,5}$/)),
      (text) => {
        for (const read of [() => date(text), () => integer(text), () => new Timestamps("UTC", "ns").csvInstant(text)])
          expect(["number", "bigint", "string"]).toContain(typeof outcome(read));
      },
    ),
    { numRuns: 500 },
  ));
