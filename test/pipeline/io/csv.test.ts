import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { ConfigError } from "../../../pipeline/errors";
import { BrokenFile } from "../../../pipeline/io/rows";
import { gatherFile, temporary } from "./gather";

const files = temporary();
const read = (content: string | Uint8Array, columns = ["a", "b"]) => gatherFile(files.write("a.csv", content), columns);
const cells = async (content: string | Uint8Array, columns?: string[]) =>
  (await read(content, columns)).rows.map((row) => row.reject ?? row.cells);

const cell = () =>
  fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.array(fc.constantFrom('"', ",", "\n", "\r", "é", "x", " "), { maxLength: 8 }).map((parts) => parts.join("")),
  );
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

test("any text comes back from a cell, in a column between others that nobody wants", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(cell(), cell(), cell()), { minLength: 1 }),
      fc.constantFrom("\n", "\r\n"),
      fc.boolean(),
      async (table, newline, ended) => {
        const lines = table.map((row) => row.map((text) => (/[",\n\r]/.test(text) ? quoted(text) : text)).join(","));
        const content = ["x,wanted,y", ...lines].join(newline) + (ended ? newline : "");
        expect(await cells(content, ["wanted"])).toEqual(table.map(([, text]) => [text]));
      },
    ),
  ));

test("a record's position is the line on which it begins", async () => {
  const { rows, positions } = await read('a,b\n1,"two\nlines"\n\n\r\n3,4\n5\n6,7');
  expect(rows).toEqual([
    { position: 2, cells: ["1", "two\nlines"] },
    { position: 6, cells: ["3", "4"] },
    { position: 7, reject: "wrong number of cells" },
    { position: 8, cells: ["6", "7"] },
  ]);
  expect(positions).toBe(8);
});

test.each([
  ["a BOM", "\ufeffa,b\n1,2\n", [["1", "2"]]],
  ["a BOM before a quote", '\ufeff"a",b\n1,2\n', [["1", "2"]]],
  ["blank lines before the header", "\n\r\na,b\n1,2\n", [["1", "2"]]],
  ["a header alone", "a,b", []],
  [
    "empty cells",
    'a,b\n,\n"",""\n1,\n',
    [
      ["", ""],
      ["", ""],
      ["1", ""],
    ],
  ],
  ["a last record without its line end", "a,b\n1,", [["1", ""]]],
  [
    "CRLF after a quote at the end",
    'a,b\r\n1,"2"\r\n3,"4"\r',
    [
      ["1", "2"],
      ["3", "4"],
    ],
  ],
  ["a CR within a line", "a,b\n1\r1,2\n", [["1\r1", "2"]]],
  ["blanks around cells", "a,b\n 1 , 2 \n", [[" 1 ", " 2 "]]],
  ["doubled quotes", 'a,b\n"""",""""""\n', [['"', '""']]],
  ["a stray quote", 'a,b\n1"1,2\n3,4\n', ["not CSV", ["3", "4"]]],
  ["text behind a quoted cell", 'a,b\n"1"1,2\n3,4\n', ["not CSV", ["3", "4"]]],
  ["blanks before a quoted cell", 'a,b\n "1",2\n3,4\n', ["not CSV", ["3", "4"]]],
  ["a quote without its other half", 'a,b\n1,2\n3,"4\n5,6\n', [["1", "2"], "not CSV"]],
  ["too many cells", "a,b\n1,2,3\n4,5\n", ["wrong number of cells", ["4", "5"]]],
  ["too few cells", "a,b\n1\n4,5\n", ["wrong number of cells", ["4", "5"]]],
])("%s", async (_, content, expected) => {
  expect(await cells(content)).toEqual(expected);
});

test("a record that is not UTF-8 anywhere is refused, and no other", async () => {
  const content = Buffer.concat([Buffer.from("a,b,c\né,2,x\n1,2,"), Buffer.from([0xe9]), Buffer.from("\n5,6,\n")]);
  expect(await cells(content)).toEqual([["é", "2"], "not UTF-8", ["5", "6"]]);
});

test("a missing column is undefined, and the header is told", async () => {
  const found = await read("a, b,c\n1,2,3\n");
  expect(found.columns).toEqual(["a", " b", "c"]);
  expect(found.rows[0].cells).toEqual(["1", undefined]);
  expect((await read("a,b,c\n1,2,3\n")).columns).toEqual([]);
});

test("a name twice in the header matters where it is wanted", async () => {
  expect(await cells("a,b,x,x\n1,2,3,4\n")).toEqual([["1", "2"]]);
  await expect(read("a,b,b\n1,2,3\n")).rejects.toThrow(ConfigError);
});

test("a header that is not legible is a BrokenFile", async () => {
  await expect(read('a,"b\n1,2\n')).rejects.toThrow(BrokenFile);
  await expect(read(Buffer.from([0xff, 0xfe, 0x61, 0, 0x2c, 0, 0x62, 0, 0x0a, 0]))).rejects.toThrow(BrokenFile);
});

test("records across the bounds of chunks, plain and gzip", async () => {
  const rows = Array.from({ length: 30_000 }, (_, k) => [String(k), `${'"\n,é'.repeat(k % 23)}`]);
  const content = `a,b\r\n${rows.map(([a, b]) => `${a},${quoted(b)}\r\n`).join("")}`;
  expect(await cells(content)).toEqual(rows);
  const found = await gatherFile(files.write("a.csv.gz", gzipSync(content)), ["a", "b"]);
  expect(found.rows.map((row) => row.cells)).toEqual(rows);
});

test("a quote at the very end, where the buffer still holds quotes of earlier records", async () => {
  const rows = Array.from({ length: 3 }, () => `"${'""'.repeat(300_000)}",2`);
  const found = await cells(`a,b\n${rows.join("\n")}\n1,"x"`);
  expect(found.slice(3)).toEqual([["1", "x"]]);
});

test("a quote that swallows more than 64 MB is a BrokenFile", async () => {
  await expect(read(`a,b\n1,"${"x\n".repeat(33 << 20)}`)).rejects.toThrow(/longer than 64 MB/);
});

test("a record of a thousand cells", async () => {
  const names = Array.from({ length: 1000 }, (_, k) => `c${k}`);
  expect(await cells(`${names.join(",")}\n${names.map((_, k) => k).join(",")}\n`, ["c999", "c0"])).toEqual([["999", "0"]]);
});
