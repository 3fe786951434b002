import fc from "fast-check";
import type { ScanOptions } from "../../../pipeline/scan/columns";
import { CsvRankings } from "../../../pipeline/scan/csvrankings";
import { CarefulRankings, csvRecords, fastRankings } from "./both";
import { dates, mutated, slotLists } from "./lines";

const HEADER = ["dt", "ranking_id", "customer_id", "impressions", "note"];
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const maybe = (text: fc.Arbitrary<string>) => fc.oneof({ weight: 3, arbitrary: text }, text.map(quoted));
const names = fc.oneof({ weight: 4, arbitrary: fc.stringMatching(/^r[a-z0-9-]{0,12}$/) }, fc.string());
const record = fc.tuple(
  maybe(dates),
  maybe(names),
  maybe(fc.nat(10_000_000).map(String)),
  fc.oneof({ weight: 9, arbitrary: slotLists.map(quoted) }, slotLists),
  maybe(fc.constantFrom("", "a", "a,b", "é", "a\nb")),
);
const lines = mutated(
  record.map((cells) => cells.join(",")),
  true,
);
const options = fc.constantFrom<ScanOptions>({ utc: false }, { utc: true, partition: { dt: "2024-02-29" } });

const scan = (text: Buffer | string, how: ScanOptions = { utc: true }) =>
  fastRankings(Buffer.from(text), (sink) => new CsvRankings(HEADER, how, sink));

test("CsvRankings: what it takes is what the careful reader takes, and it hands on all other records whole", () =>
  fc.assert(
    fc.property(fc.array(lines, { maxLength: 8 }), options, (given, how) => {
      const careful = new CarefulRankings(how, true);
      const text = Buffer.concat(given.flatMap((line) => [line, Buffer.from("\n")]));
      const { records, unfinished } = csvRecords(text);
      const fast = scan(text, how);
      expect(fast.next).toBe(unfinished);
      let line = 0;
      for (const { start, end, lines } of records) {
        const left = fast.careful.find((c) => c[2] === line);
        if (left) expect(left).toEqual([start, end - 1, line]);
        else expect(fast.rows[line]).toEqual(careful.ofCsv(text.subarray(start, end), HEADER));
        line += lines;
      }
      expect(fast.lines).toBe(line);
    }),
    { numRuns: Number(process.env.RUNS ?? 500) },
  ));

test.each(["\n", "\r\n"])("CsvRankings: takes slots in a quoted cell, line end %j", (end) => {
  const list = '[{""item_id"":7,""is_order"":true}, {""item_id"": -8, ""is_order"": false, ""score"": 0.5}]';
  const row = [
    1n,
    Date.UTC(2024, 1, 29) / 864e5,
    "r-1",
    [
      [7n, 1],
      [-8n, 0],
    ],
  ];
  const text = `2024-02-29,r-1,1,"${list}",${end}"2024-02-29","r-1","1","${list}","a, b"${end}`;
  expect(scan(text).rows).toEqual([row, row]);
});
