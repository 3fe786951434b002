import fc from "fast-check";
import type { ActionFields, ScanOptions } from "../../../pipeline/scan/columns";
import { CsvActions } from "../../../pipeline/scan/csvactions";
import { CarefulActions, csvRecords, fastActions } from "./both";
import { dates, mutated, records, timestamps } from "./lines";

const CLICKS: ActionFields = { customer: "customer_id", item: "item_id", time: "click_time", timeIs: "timestamp", ownDay: null };
const ORDERS: ActionFields = { customer: "customer_id", item: "item_id", time: "dt", timeIs: "date", ownDay: "dt" };
const HEADER = ["dt", "customer_id", "page", "item_id", "click_time"];

const ids = fc.oneof(fc.nat(10_000_000).map(String), fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }).map(String));
const texts = fc.oneof(fc.stringMatching(/^[a-z0-9 \\]*$/), fc.string(), fc.constantFrom("é", "a\rb", "a,b", "a\nb", 'a"b', "\r", "\t"));
const lines = mutated(records([dates, ids, texts, ids, timestamps]), true);
const fields = fc.constantFrom(CLICKS, { ...CLICKS, ownDay: "dt" }, ORDERS);
const options = fc.constantFrom<ScanOptions>({ utc: false }, { utc: true }, { utc: false, partition: { dt: "2024-02-29" } });

function scan(text: Buffer | string, which: ActionFields, how: ScanOptions = { utc: false }, header = HEADER) {
  return fastActions(Buffer.from(text), (sink) => new CsvActions(which, header, how, sink));
}

test("CsvActions: what it takes is what the careful reader takes, and it hands on all other records whole", () =>
  fc.assert(
    fc.property(fc.array(lines, { maxLength: 8 }), fields, options, (given, which, how) => {
      const careful = new CarefulActions(which, how, true);
      const text = Buffer.concat(given.flatMap((line) => [line, Buffer.from("\n")]));
      const { records, unfinished } = csvRecords(text);
      const fast = scan(text, which, how);
      expect(fast.next).toBe(unfinished);
      expect(fast.lines).toBe(records.reduce((sum, { lines }) => sum + lines, 0));
      let line = 0;
      for (const { start, end, lines } of records) {
        const left = fast.careful.find((c) => c[2] === line);
        if (left) expect(left).toEqual([start, end - 1, line]);
        else expect(fast.rows[line]?.slice(0, 4)).toEqual(careful.ofCsv(text.subarray(start, end), HEADER));
        line += lines;
      }
    }),
    { numRuns: Number(process.env.RUNS ?? 700) },
  ));

const ROW = [7166695n, 2n, Date.UTC(2024, 1, 29, 10, 16, 17) * 1000 + 364845, 0, 1];

test.each([
  "2024-02-29,7166695,a page,2,2024-02-29 10:16:17.364845\n",
  "2024-02-29,7166695,,2,2024-02-29T10:16:17.364845999\r\n",
  '"2024-02-29","7166695","a, b","2","2024-02-29 10:16:17.364845"\r\n',
])("CsvActions: takes %j", (line) => {
  expect(scan(line, CLICKS).rows).toEqual([ROW]);
});

test("CsvActions: columns may stand in any order, and a wanted one that is missing leaves all to the careful reader", () => {
  expect(scan("2,2024-02-29 10:16:17.364845,7166695\n", CLICKS, { utc: false }, ["item_id", "click_time", "customer_id"]).rows).toEqual([
    ROW,
  ]);
  expect(scan("2,7166695\n", CLICKS, { utc: false }, ["item_id", "customer_id"]).rows).toEqual([undefined]);
});

test("CsvActions: a record over several lines is handed on whole, one without end is kept for the next scan", () => {
  const first = '2024-02-29,1,"a\n\nb",2,2024-02-29 10:16:17\n';
  const second = "2024-02-29,7166695,,2,2024-02-29 10:16:17.364845\n";
  const scanned = scan(`${first}${second}2024-02-29,1,"a\n`, CLICKS);
  expect(scanned.careful).toEqual([[0, first.length - 1, 0]]);
  expect(scanned.rows[3]).toEqual(ROW);
  expect([scanned.lines, scanned.next]).toEqual([4, first.length + second.length]);
});

test.each([
  ["a carriage return in front of a comma", "2024-02-29,1\r,,2,2024-02-29 10:16:17"],
  ["a carriage return within", "2024-02-29,1,,2,2024-02-29 10:16:17\rx"],
  ["a stray quote", '2024-02-29,1,a"b,2,2024-02-29 10:16:17'],
  ["a quote that is not closed", '2024-02-29,1,,2,"2024-02-29 10:16:17'],
  ["bytes that are no UTF-8", "2024-02-29,1,\xff,2,2024-02-29 10:16:17"],
  ["a cell too many", "2024-02-29,1,,2,2024-02-29 10:16:17,"],
  ["a cell too few", "2024-02-29,1,2,2024-02-29 10:16:17"],
  ["nothing", ""],
  ["nothing but a carriage return", "\r"],
])("CsvActions: leaves %s to the careful reader", (_, line) => {
  const known = "2024-02-29,1,,2,2024-02-29 10:16:17\n";
  const { careful, next } = scan(Buffer.from(`${known}${line}\n${known}`, "latin1"), CLICKS);
  if (line.includes('"2024')) expect([careful, next]).toEqual([[], known.length]);
  else expect(careful).toEqual([[known.length, known.length + line.length, 1]]);
});
