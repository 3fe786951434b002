import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { readJsonArray } from "../../../pipeline/io/jsonarray";
import { BrokenFile } from "../../../pipeline/io/rows";
import { gatherFile, temporary } from "./gather";

const files = temporary();
const COLUMNS = ["a", "b"];
const read = (content: string) => gatherFile(files.write("a.json", content), COLUMNS);

const element = () =>
  fc.oneof(
    fc.record({
      a: fc.jsonValue({ noUnicodeString: false }),
      b: fc.array(fc.constantFrom("\\", '"', "]", "}", ",", "é")).map((parts) => parts.join("")),
    }),
    fc.record({ a: fc.integer() }),
    fc.constantFrom(1, null, "]", [], [{}], {}, "", true),
  );

test("an array, pretty-printed or not, is NDJSON of the same elements", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(element()),
      fc.constantFrom(undefined, 1, "\t", "  "),
      fc.constantFrom("", "\ufeff", " \r\n"),
      async (elements, indent, before) => {
        const array = await read(`${before + JSON.stringify(elements, null, indent)}\n`);
        const lines = await gatherFile(files.write("a.ndjson", elements.map((one) => `${JSON.stringify(one)}\n`).join("")), COLUMNS);
        expect(array).toEqual(lines);
      },
    ),
  ));

test("positions are the elements' numbers, whatever lines they are on", async () => {
  const { rows, positions } = await read('[{"a":1},\n\n3, tru\n,\n{"a":2}]');
  expect(rows).toEqual([
    { position: 1, cells: [1, undefined] },
    { position: 2, reject: "not an object" },
    { position: 3, reject: "not JSON" },
    { position: 4, cells: [2, undefined] },
  ]);
  expect(positions).toBe(4);
});

test.each([
  ["no array", '{"a":1}'],
  ["nothing but blanks", " \n"],
  ["cut before an element", "["],
  ["cut in an element", '[{"a":1},{"a":"]'],
  ["cut behind an element", '[{"a":1}'],
  ["cut behind a comma", '[{"a":1},'],
  ["a comma too many", '[{"a":1},]'],
  ["a comma at the front", '[,{"a":1}]'],
  ["two commas", '[{"a":1},,{"a":2}]'],
  ["no comma", '[{"a":1}{"a":2}]'],
  ["junk between elements", '[{"a":1} x,{"a":2}]'],
  ["junk behind it", '[{"a":1}]x'],
  ["a second array", "[][]"],
])("%s is a BrokenFile", async (_, content) => {
  const path = files.write("a.json", content);
  // not by its name, which would make NDJSON of what is no array
  const file = { path, size: content.length, format: "json", compression: "none", partition: {} } as const;
  const sink = { row: () => {}, reject: () => {}, columns: () => {}, drain: async () => {} };
  await expect(readJsonArray({ table: "clicks", file, index: 0, start: 0, end: file.size }, COLUMNS, sink)).rejects.toThrow(BrokenFile);
});

test("elements across the bounds of chunks, and one of 5 MB, plain and gzip", async () => {
  const elements = Array.from({ length: 30_000 }, (_, k) => ({ a: k, b: '\\"]}'.repeat(k === 20_000 ? 1_300_000 : k % 31) }));
  const content = JSON.stringify(elements, null, 1);
  for (const path of [files.write("b.json", content), files.write("b.json.gz", gzipSync(content))]) {
    const { rows } = await gatherFile(path, COLUMNS);
    expect(rows.map(({ cells }) => cells?.[0])).toEqual(elements.map(({ a }) => a));
    expect(rows[20_000].cells?.[1]).toBe(elements[20_000].b);
  }
});

test("an element that is not UTF-8 is refused, and no other", async () => {
  const content = Buffer.concat([Buffer.from('[{"a":"'), Buffer.from([0xff]), Buffer.from('"},{"a":2}]')]);
  const { rows } = await gatherFile(files.write("c.json", content), ["a"]);
  expect(rows).toEqual([
    { position: 1, reject: "not JSON" },
    { position: 2, cells: [2] },
  ]);
});
