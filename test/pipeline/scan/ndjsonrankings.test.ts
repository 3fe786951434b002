import fc from "fast-check";
import type { ScanOptions } from "../../../pipeline/scan/columns";
import { NdjsonRankings } from "../../../pipeline/scan/ndjsonrankings";
import { CarefulRankings, fastRankings } from "./both";
import { dates, mutated, objects, slotLists } from "./lines";

const names = fc.oneof({ weight: 4, arbitrary: fc.stringMatching(/^r[a-z0-9-]{0,12}$/) }, fc.string());
const usual = {
  dt: dates.map((text) => `"${text}"`),
  ranking_id: names.map((text) => JSON.stringify(text)),
  customer_id: fc.nat(10_000_000).map(String),
  impressions: slotLists,
};
const lines = mutated(objects(usual));
const options = fc.constantFrom<ScanOptions>({ utc: false }, { utc: true, partition: { dt: "2024-02-29" } });

const scan = (text: Buffer | string, how: ScanOptions = { utc: true }) =>
  fastRankings(Buffer.from(text), (sink) => new NdjsonRankings(how, sink));
const tidy = (line: Buffer): Buffer => (line.at(-1) === 13 ? line.subarray(0, -1) : line);

test("NdjsonRankings: what it takes is what the careful reader takes, and it leaves no line out", () =>
  fc.assert(
    fc.property(fc.array(lines, { maxLength: 8 }), options, (given, how) => {
      const careful = new CarefulRankings(how, false);
      const text = Buffer.concat(given.flatMap((line) => [line, Buffer.from("\n")]));
      const fast = scan(text, how);
      expect(fast.lines).toBe(given.length);
      for (const [start, end, line] of fast.careful) expect(text.subarray(start, end)).toEqual(given[line]);
      fast.rows.forEach((row, i) => {
        if (row !== undefined) expect(row).toEqual(careful.ofJson(tidy(given[i])));
      });
    }),
    { numRuns: Number(process.env.RUNS ?? 500) },
  ));

const slots = (n: number) => Array.from({ length: n }, (_, i) => ({ item_id: i * 3001, is_order: i % 3 === 0 }));
const day = Date.UTC(2024, 1, 29) / 864e5;

test.each([1, 2, 3, 10_000])("NdjsonRankings: takes rankings of %d slots", (n) => {
  const line = (id: string) => `${JSON.stringify({ dt: "2024-02-29", ranking_id: id, customer_id: -5, impressions: slots(n) })}\n`;
  const shown = slots(n).map((slot) => [BigInt(slot.item_id), Number(slot.is_order)]);
  expect(scan(line("a") + line("b".repeat(20_000)) + line("c") + line("d")).rows).toEqual(
    ["a", "b".repeat(20_000), "c", "d"].map((id) => [-5n, day, id, shown]),
  );
});

test("NdjsonRankings: a ranking that breaks off leaves nothing behind", () => {
  const line = (end: string) =>
    `{"dt":"2024-02-29","ranking_id":"r","impressions":[{"item_id":1,"is_order":true},{"item_id":2,"is_order":false}${end}\n`;
  const row = [
    1n,
    day,
    "r",
    [
      [1n, 1],
      [2n, 0],
    ],
  ];
  expect(scan(line("") + line('],"customer_id":1}') + line("]") + line('],"customer_id":1}')).rows).toEqual([
    undefined,
    row,
    undefined,
    row,
  ]);
});

test("NdjsonRankings: the folder supplies the day", () => {
  const text = '{"ranking_id":"r","customer_id":1,"impressions":[{"item_id":1,"is_order":true}]}\n';
  expect(scan(text, { utc: true, partition: { dt: "2024-02-29" } }).rows).toEqual([[1n, day, "r", [[1n, 1]]]]);
  expect(scan(text).rows).toEqual([undefined]);
});

const SLOT = '{"item_id":1,"is_order":true}';

test.each([
  ["a slot without item", '[{"is_order":true}]'],
  ["a slot without order", `[${SLOT},{"item_id":1}]`],
  ["an item twice", '[{"item_id":1,"item_id":2,"is_order":true}]'],
  ["a slot that does not begin as one", '[,"item_id":1,"is_order":true}]'],
  ["no slots", "[]"],
  ["an empty slot", "[{}]"],
  ["a comma at the end", `[${SLOT},]`],
  ["a list that is not closed", `[${SLOT}`],
  ["a list that is closed like a slot", `[${SLOT}}`],
  ["an order that is no boolean", '[{"item_id":1,"is_order":1}]'],
  ["a slot, not a list", SLOT],
])("NdjsonRankings: leaves %s to the careful reader", (_, list) => {
  const line = (slots: string, id = "r") => `{"dt":"2024-02-29","ranking_id":"${id}","customer_id":1,"impressions":${slots}}\n`;
  const { careful } = scan(line(`[${SLOT}]`) + line(list) + line(`[${SLOT}]`) + line(`[${SLOT}]`, ""));
  expect(careful.map(([, , index]) => index)).toEqual([1, 3]);
});

test("NdjsonRankings: leaves a key that comes twice to the careful reader", () => {
  expect(scan(`{"customer_id":2,"dt":"2024-02-29","ranking_id":"r","customer_id":1,"impressions":[${SLOT}]}\n`).rows).toEqual([undefined]);
});
