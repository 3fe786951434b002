import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { findFiles } from "../../../pipeline/io/files";
import { BrokenFile } from "../../../pipeline/io/rows";
import { Window } from "../../../pipeline/io/window";
import { type Gathered, gather, gatherFile, temporary } from "./gather";

const files = temporary();
const COLUMNS = ["a", "b"];
const BOM = "\ufeff";

const line = () =>
  fc.oneof(
    fc.record({ a: fc.integer(), b: fc.string({ unit: "grapheme" }) }).map((row) => JSON.stringify(row)),
    fc.constantFrom("", " \t", "not json", "[]", '{"a":1}', "\r"),
  );
const text = () =>
  fc
    .tuple(
      fc.constantFrom("", BOM),
      fc.array(fc.tuple(line(), fc.constantFrom("\n", "\r\n")), { maxLength: 20 }),
      fc.constantFrom("", '{"a":"last"}', " "),
    )
    .map(([bom, lines, last]) => bom + lines.flat().join("") + last);

test("windows that are open at the same time have memory of their own; one that is closed has none", async () => {
  const [a, b] = ["a", "b"].map((letter) => findFiles(files.write(`${letter}.ndjson`, letter.repeat(100)), "clicks")[0]);
  const text = ({ bytes, start, end }: Window) => bytes.toString("latin1", start, end);
  for (let round = 0; round < 2; round++) {
    const [first, second] = [await Window.open(a), await Window.open(b)];
    await Promise.all([first.more(), second.more()]);
    expect([text(first), text(second)]).toEqual(["a".repeat(100), "b".repeat(100)]);
    for (const window of [first, second, first]) await window.close().catch(() => {});
    expect(text(first)).toBe("");
  }
});

/** Line by line, as SPEC.md says it. */
function naively(content: string): Pick<Gathered, "rows" | "positions"> {
  const lines = content.replace(/^\ufeff/, "").split("\n");
  const positions = lines.at(-1) === "" ? lines.length - 1 : lines.length;
  const rows = lines.flatMap((full, k): Gathered["rows"] => {
    const one = full.replace(/\r$/, "");
    if (/^[ \t]*$/.test(one)) return [];
    try {
      const row = JSON.parse(one);
      if (Array.isArray(row)) return [{ position: k + 1, reject: "not an object" }];
      return [{ position: k + 1, cells: COLUMNS.map((name) => row[name]) }];
    } catch {
      return [{ position: k + 1, reject: "not JSON" }];
    }
  });
  return { rows, positions };
}

test("a file gives its lines, with their numbers", () =>
  fc.assert(
    fc.asyncProperty(text(), async (content) => {
      expect(await gatherFile(files.write("a.ndjson", content), COLUMNS)).toMatchObject(naively(content));
    }),
  ));

test("however a file is cut into splits, rows and positions are those of the whole file", () =>
  fc.assert(
    fc.asyncProperty(text(), fc.array(fc.nat({ max: 400 })), async (content, cuts) => {
      const [file] = findFiles(files.write("a.ndjson", content), "clicks");
      const ends = [0, ...cuts.map((cut) => Math.min(cut, file.size)), file.size].sort((a, b) => a - b);
      const splits = ends.slice(1).map((end, k) => ({ table: "clicks", file, index: k, start: ends[k], end }));
      expect(await gather(splits, COLUMNS)).toMatchObject(naively(content));
    }),
  ));

test("splits of one byte each, over several chunks", async () => {
  const content = Array.from({ length: 50 }, (_, k) => JSON.stringify({ a: k })).join("\n");
  expect(await gatherFile(files.write("a.ndjson", content), COLUMNS, 1)).toMatchObject(naively(content));
});

test("a split that ends within the byte order mark has the first line", async () => {
  const content = `${BOM}{"a":1}\n{"a":2}\n`;
  expect(await gatherFile(files.write("a.ndjson", content), COLUMNS, 1)).toMatchObject(naively(content));
});

test("lines across the bounds of chunks", async () => {
  const lines = Array.from({ length: 40_000 }, (_, k) => JSON.stringify({ a: k, b: "é".repeat(k % 97) }));
  const found = await gatherFile(files.write("a.ndjson", lines.join("\r\n")), ["a"], 1_000_000);
  expect(found.rows.map(({ cells }) => cells![0])).toEqual(lines.map((_, k) => k));
});

test.each([5, 60])("a line of %d MB", async (megabytes) => {
  const content = `{"a":1}\n{"b":"${"x".repeat(megabytes << 20)}","a":2}\n{"a":3}\n{"a":4}\n{"a":5}`;
  for (const [name, bytes] of [["a.ndjson", content] as const, ["a.ndjson.gz", gzipSync(content, { level: 1 })] as const]) {
    const found = await gatherFile(files.write(name, bytes), ["a"], 1 << 20);
    expect(found.rows).toEqual([1, 2, 3, 4, 5].map((a) => ({ position: a, cells: [a] })));
    expect(found.positions).toBe(5);
  }
});

test("a line that is not UTF-8 is refused, and no other", async () => {
  const content = Buffer.concat([Buffer.from('{"a":"é"}\n{"a":"'), Buffer.from([0xff]), Buffer.from('"}\n{"a":2}\n')]);
  const { rows } = await gatherFile(files.write("a.ndjson", content), ["a"]);
  expect(rows).toEqual([
    { position: 1, cells: ["é"] },
    { position: 2, reject: "not JSON" },
    { position: 3, cells: [2] },
  ]);
});

test("columns are told where one is missing", async () => {
  const path = files.write("a.ndjson", '{"a":1,"b":2}\n{"a":1,"bb":2}\n');
  expect((await gatherFile(path, ["a"])).columns).toEqual([]);
  expect((await gatherFile(path, ["a", "b"])).columns).toEqual(["a", "bb"]);
});

test("an empty file has no rows, nor has one that is empty once unpacked", async () => {
  for (const [name, bytes] of [
    ["a.ndjson", ""],
    ["a.csv", ""],
    ["a.json", ""],
    ["a.parquet", ""],
    ["a.ndjson.gz", ""],
    ["b.ndjson.gz", gzipSync("")],
  ] as const) {
    expect(await gatherFile(files.write(name, bytes), ["a"])).toEqual({ rows: [], columns: [], positions: 0 });
  }
});

describe.each([
  ["gz", gzipSync],
  ["zst", zstdCompressSync],
])(".%s", (ending, pack) => {
  const rows = Array.from({ length: 100_000 }, (_, k) => JSON.stringify({ a: k, b: (k * 7919) % 100_003 }));
  const content = `${rows.join("\n")}\n`;
  const positions = (found: { rows: { cells?: unknown[] }[] }) => found.rows.map(({ cells }) => cells?.[0]);

  test("is read as what is in it", async () => {
    const found = await gatherFile(files.write(`a.ndjson.${ending}`, pack(content)), ["a"]);
    expect(positions(found)).toEqual(rows.map((_, k) => k));
  });

  test("in several parts behind one another is one text, wherever they are cut", async () => {
    const cuts = [0, 1, 300_000, 300_001, 1_200_000, content.length];
    const parts = cuts.slice(1).map((cut, k) => pack(content.slice(cuts[k], cut)));
    const found = await gatherFile(files.write(`a.ndjson.${ending}`, Buffer.concat(parts)), ["a"]);
    expect(positions(found)).toEqual(rows.map((_, k) => k));
  });

  test("cut anywhere is a BrokenFile that names the file", async () => {
    const packed = pack(content);
    const part = pack("{}\n");
    const cut = [1, 3, 10, packed.length >> 1, packed.length - 1].map((length) => packed.subarray(0, length));
    for (const bytes of [
      ...cut,
      Buffer.concat([part, packed.subarray(0, packed.length - 2)]),
      Buffer.concat([part, packed.subarray(0, 3)]),
    ]) {
      const path = files.write(`cut.ndjson.${ending}`, bytes);
      const error = await gatherFile(path, ["a"]).catch((reason) => reason);
      expect(error).toBeInstanceOf(BrokenFile);
      expect(error.message).toContain(path);
    }
  });

  test("with something else behind it, or nothing of it, is a BrokenFile", async () => {
    for (const bytes of [Buffer.concat([pack(content), Buffer.from("and so on")]), Buffer.from("{}\n")]) {
      await expect(gatherFile(files.write(`junk.ndjson.${ending}`, bytes), ["a"])).rejects.toThrow(BrokenFile);
    }
  });
});

test("zstd frames that carry no text are passed over", async () => {
  const skippable = Buffer.concat([Buffer.from([0x50, 0x2a, 0x4d, 0x18, 5, 0, 0, 0]), Buffer.from("hello")]);
  const path = files.write(
    "a.ndjson.zst",
    Buffer.concat([skippable, zstdCompressSync('{"a":1}\n'), skippable, zstdCompressSync('{"a":2}\n')]),
  );
  expect((await gatherFile(path, ["a"])).rows.map(({ cells }) => cells)).toEqual([[1], [2]]);
});
