import fc from "fast-check";
import type { ActionFields, ScanOptions } from "../../../pipeline/scan/columns";
import { NdjsonActions } from "../../../pipeline/scan/ndjsonactions";
import { CarefulActions, fastActions, type Row } from "./both";
import { dates, mutated, objects, scalars, timestamps } from "./lines";

const CLICKS: ActionFields = { customer: "customer_id", item: "item_id", time: "click_time", timeIs: "timestamp", ownDay: null };
const CLICKS_OF_DAYS: ActionFields = { ...CLICKS, ownDay: "dt" };
const ORDERS: ActionFields = { customer: "customer_id", item: "item_id", time: "dt", timeIs: "date", ownDay: null };
const ORDERS_OF_DAYS: ActionFields = { ...ORDERS, ownDay: "dt" };

const quoted = (text: string): string => `"${text}"`;
const ids = fc.oneof(fc.nat(10_000_000).map(String), fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }).map(String));
const lines = mutated(
  objects({
    dt: dates.map(quoted),
    customer_id: fc.oneof(ids, ids.map(quoted)),
    item_id: ids,
    click_time: timestamps.map(quoted),
    page: scalars,
  }),
);
const fields = fc.constantFrom(CLICKS, CLICKS_OF_DAYS, ORDERS, ORDERS_OF_DAYS);
const options = fc.constantFrom<ScanOptions>({ utc: false }, { utc: true }, { utc: false, partition: { dt: "2024-02-29" } });

function scan(text: Buffer | string, which: ActionFields, how: ScanOptions = { utc: false }) {
  return fastActions(Buffer.from(text), (sink) => new NdjsonActions(which, how, sink));
}

const tidy = (line: Buffer): Buffer => (line.at(-1) === 13 ? line.subarray(0, -1) : line);
const withoutKind = (row: Row): Row => row?.slice(0, 4);

test("NdjsonActions: what it takes is what the careful reader takes, and it leaves no line out", () =>
  fc.assert(
    fc.property(fc.array(lines, { maxLength: 8 }), fields, options, (given, which, how) => {
      const careful = new CarefulActions(which, how, false);
      const text = Buffer.concat(given.flatMap((line) => [line, Buffer.from("\n")]));
      const fast = scan(text, which, how);
      expect(fast.lines).toBe(given.length);
      expect(fast.next).toBe(text.length);
      for (const [start, end, line] of fast.careful) expect(text.subarray(start, end)).toEqual(given[line]);
      fast.rows.forEach((row, i) => {
        if (row !== undefined) expect(withoutKind(row)).toEqual(careful.ofJson(tidy(given[i])));
      });
    }),
    { numRuns: Number(process.env.RUNS ?? 800) },
  ));

const EASY: Record<string, string> = {
  "as exporters write it": '{"dt":"2024-02-29","customer_id":7166695,"item_id":2,"click_time":"2024-02-29 10:16:17.364845"}',
  "with blanks": '{"dt": "2024-02-29", "customer_id": 7166695, "item_id": 2, "click_time": "2024-02-29 10:16:17.364845"}',
  "with a carriage return": '{"dt":"2024-02-29","customer_id":7166695,"item_id":2,"click_time":"2024-02-29T10:16:17.364845999"}\r',
  "with other columns":
    '{"a":-1.5e3,"b":null,"dt":"2024-02-29","c":true,"d":"text","e":false,"customer_id":7166695,"f":0,"item_id":2,"click_time":"2024-02-29 10:16:17.364845","g":""}',
  "with ids in quotes": '{"dt":"2024-02-29","customer_id":"7166695","item_id":"2","click_time":"2024-02-29 10:16:17.364845"}',
  "with text beyond ASCII":
    '{"city":"Z\u00fcrich \u4e2d \u{1f600}","dt":"2024-02-29","customer_id":7166695,"item_id":2,"click_time":"2024-02-29 10:16:17.364845"}',
  "in another order": '{"click_time":"2024-02-29 10:16:17.364845","item_id":2,"customer_id":7166695,"dt":"2024-02-29"}',
};
const EASY_ROW = [7166695n, 2n, Date.UTC(2024, 1, 29, 10, 16, 17) * 1000 + 364845, Date.UTC(2024, 1, 29) / 864e5, 1];

test("NdjsonActions: lines of several kinds, mixed, are taken", () => {
  const text = Object.values(EASY)
    .map((line) => `${line}\n`)
    .join("");
  expect(scan(text + text, CLICKS_OF_DAYS).rows).toEqual(Array(14).fill(EASY_ROW));
});

test.each(["9223372036854775807", "-9223372036854775808", "0", "-1", "1234567890123456789", "-4294967296", "99999999", "100000000"])(
  "NdjsonActions: takes the id %s exactly",
  (id) => {
    const line = `{"customer_id":${id},"item_id":"${id}","click_time":"1700-01-01 00:00:00"}\n`;
    expect(scan(line, CLICKS).rows).toEqual([[BigInt(id), BigInt(id), Date.UTC(1700, 0, 1) * 1000, 0, 1]]);
  },
);

test("NdjsonActions: times of one batch are of one kind", () => {
  const line = (time: string) => `{"customer_id":1,"item_id":2,"click_time":"2024-01-01 00:00:0${time}"}\n`;
  const text = ["0", "1Z", "2Z", "3 UTC", "4Z", "5", "6Z"].map(line).join("");
  const start = Date.UTC(2024, 0, 1) * 1000;
  const kinds = [1, 0, 0, 0, 0, 1, 0];
  expect(scan(text, CLICKS).rows).toEqual(kinds.map((wall, i) => [1n, 2n, start + i * 1e6, 0, wall]));
  expect(scan(text, CLICKS, { utc: true }).rows).toEqual(kinds.map((_, i) => [1n, 2n, start + i * 1e6, 0, 0]));
});

test("NdjsonActions: a folder supplies the day, and a row that says otherwise is left to the careful reader", () => {
  const how = { utc: false, partition: { dt: "2024-02-29" } };
  const day = Date.UTC(2024, 1, 29) / 864e5;
  const line = (dt: string) => `{${dt}"customer_id":1,"item_id":2}\n`;
  const text = line("") + line('"dt":"2024-02-28",') + line('"dt":"2024-02-29",');
  const row = [1n, 2n, day * 864e8, day, 1];
  expect(scan(text, ORDERS_OF_DAYS, how).rows).toEqual([row, undefined, row]);
  expect(scan(line(""), ORDERS, { utc: false, partition: { dt: "__HIVE_DEFAULT_PARTITION__" } }).rows).toEqual([undefined]);
});

test("NdjsonActions: more keys than it can keep in mind", () => {
  const text = Array.from({ length: 2000 }, (_, i) => `{"key${i}":1,${EASY["with ids in quotes"].slice(1)}\n`).join("");
  expect(scan(text, CLICKS_OF_DAYS).rows).toEqual(Array(2000).fill(EASY_ROW));
});

const LAST = '"item_id":2,"click_time":"2024-02-29 10:16:17"}';
const LONG = "a_name_of_more_than_sixteen_bytes_and_some";

test.each([
  ["a wanted key twice", `{"customer_id":1,"customer_id":2,${LAST}`],
  ["an object in the middle", `{"customer_id":1{${LAST}`],
  ["no comma", `{"customer_id":1${LAST}`],
  ["a comma at the end", `{"customer_id":1,${LAST.slice(0, -1)},}`],
  ["an escaped key", `{"customer\\u005fid":1,${LAST}`],
  ["a key that ends with a backslash", `{"a\\":1,"customer_id":1,${LAST}`],
  ["a skipped number with a leading zero", `{"a":01,"customer_id":1,${LAST}`],
  ["a skipped number that ends with its point", `{"a":1.,"customer_id":1,${LAST}`],
  ["a skipped object", `{"a":{"customer_id":1},"customer_id":1,${LAST}`],
  ["bytes that are no UTF-8", `{"a":"\xff","customer_id":1,${LAST}`],
  ["an id above int64", `{"customer_id":9223372036854775808,${LAST}`],
  ["an id below int64", `{"customer_id":-9223372036854775809,${LAST}`],
  ["an id of twenty digits", `{"customer_id":12345678901234567890,${LAST}`],
  ["an id with a leading zero", `{"customer_id":01,${LAST}`],
  ["a semicolon for a colon", `{"a";1,"customer_id":1,${LAST}`],
  ["a colon for a digit", `{"customer_id":1,${LAST.replace("10:16", "1::16")}`],
  ["a fraction as id", `{"customer_id":1.0,${LAST}`],
  ["an id with an open quote", `{"customer_id":"1,${LAST}`],
  ["a month 13", `{"customer_id":1,${LAST.replace("-02-", "-13-")}`],
  ["a 30th of February", `{"customer_id":1,${LAST.replace("-29", "-30")}`],
  ["an offset", `{"customer_id":1,${LAST.replace(":17", ":17+02")}`],
  ["something behind the object", `{"customer_id":1,${LAST} x`],
  ["nothing", ""],
])("NdjsonActions: leaves %s to the careful reader", (_, line) => {
  // lines of all kinds first, so that there is something to be mistaken for
  const known = `{"${LONG}":1,"customer_id":1,${LAST}\n{"customer_id":1,${LAST}\n{"item_id":1}\n{"a":1}\n`;
  const text = Buffer.from(`${known}${line}\n${known}`, "latin1");
  expect(scan(text, CLICKS).careful.map(([, , index]) => index)).toEqual([2, 3, 4, 7, 8]);
});

test("NdjsonActions: long keys are told apart by their middle", () => {
  const which = { ...CLICKS, customer: LONG };
  const line = (key: string) => `{"${key}":1,${LAST}\n`;
  expect(scan(line(LONG) + line(LONG.replace("more", "less")) + line(LONG), which).careful.map(([, , index]) => index)).toEqual([1]);
});
