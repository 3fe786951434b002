import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { inspect } from "../../pipeline/inspect";
import { ranking, writeOutput } from "./output";

const BIG = 9_007_199_254_740_993n;
let folder: string;
let file: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "inspect-"));
  const rows = [
    ...ranking("a", -BIG, 2, [BIG, 7n, 8n, 0n, 0n, 0n], [1, 3, 9, 2, 0, 0]),
    ...ranking("b", 4n, 2, [0n, 0n, 0n, 0n, 0n, 0n], [0, 0, 0, 0, 0, 0]),
  ];
  file = writeOutput(folder, "2025-08-03", rows);
  writeOutput(folder, "2025-08-04", ranking("c", 5n, 1, [1n, 2n, 3n, 4n, 5n, 6n], [1, 1, 1, 1, 1, 1]));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function linesOf(path: string, options = {}): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of inspect(path, options)) lines.push(line);
  return lines;
}

const FIRST = [
  `dt 2025-08-03, ranking a, customer ${-BIG}`,
  `  history: ${BIG}(click) 7(order) 8(9) 0(cart) + 2 padding`,
  "  slot 0: item 100, is_order false",
  "  slot 1: item 101, is_order true",
];
const SECOND = [
  "dt 2025-08-03, ranking b, customer 4",
  "  history: none + 6 padding",
  "  slot 0: item 100, is_order false",
  "  slot 1: item 101, is_order true",
];

test("a folder is told ranking by ranking, day by day; ids stay exact, item 0 is an item, types without a name are numbers", async () => {
  const third = ["dt 2025-08-04, ranking c, customer 5", `  history: ${[1, 2, 3, 4, 5, 6].map((n) => `${n}(click)`).join(" ")}`];
  expect(await linesOf(folder)).toEqual([...FIRST, ...SECOND, ...third, "  slot 0: item 100, is_order false"]);
});

test("a file and its partition folder tell the same", async () => {
  expect(await linesOf(file)).toEqual([...FIRST, ...SECOND]);
  expect(await linesOf(dirname(file))).toEqual([...FIRST, ...SECOND]);
});

test("as many rows as asked for, over the end of a file too", async () => {
  const slots = async (rows: number) => (await linesOf(folder, { rows })).filter((line) => line.startsWith("  slot")).length;
  expect(await Promise.all([1, 3, 4, 5, 6].map(slots))).toEqual([1, 3, 4, 5, 5]);
});

test("actions beyond those asked for are counted", async () => {
  expect((await linesOf(folder, { actions: 1 }))[1]).toBe(`  history: ${BIG}(click) + 3 more + 2 padding`);
  expect((await linesOf(folder, { actions: 0 }))[1]).toBe("  history: + 4 more + 2 padding");
});

test("what is no output is said to be none", async () => {
  await expect(linesOf(join(folder, "nowhere"))).rejects.toThrow("there is no output at");
  const empty = mkdtempSync(join(tmpdir(), "inspect-"));
  await expect(linesOf(empty)).rejects.toThrow("has no Parquet file");
  writeFileSync(join(empty, "text.parquet"), "no Parquet");
  await expect(linesOf(join(empty, "text.parquet"))).rejects.toThrow("cannot be read as Parquet");
  rmSync(empty, { recursive: true });
});

test("pages of which hyparquet leaves out values are told to be broken", async () => {
  const broken = readFileSync(join(__dirname, "../fuzz/corpus/manifest/d3f50bec0017")).subarray("part\n".length);
  const path = join(folder, "broken.parquet");
  writeFileSync(path, broken);
  await expect(linesOf(path)).rejects.toThrow(/broken\.parquet" cannot be read as Parquet \(a row has no action_types/);
  rmSync(path);
});
