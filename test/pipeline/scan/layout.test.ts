import fc from "fast-check";
import { type ActionFields, type ScanOptions, scannedActions } from "../../../pipeline/scan/columns";
import { type LayoutReader, layoutReader } from "../../../pipeline/scan/layout";
import { Role } from "../../../pipeline/scan/literals";
import { NdjsonActions } from "../../../pipeline/scan/ndjsonactions";
import { CarefulActions, fastActions } from "./both";
import { dates, mutated, scalars, timestamps } from "./lines";

jest.setTimeout(30_000);

/** lines that a reader made for their layout has taken, and left */
let mockTaken = 0;
let mockLeft = 0;

jest.mock("../../../pipeline/scan/layout", () => {
  const actual = jest.requireActual("../../../pipeline/scan/layout");
  const counting =
    (reader: LayoutReader): LayoutReader =>
    (...line) => {
      const next = reader(...line);
      if (next > 0) mockTaken++;
      else mockLeft++;
      return next;
    };
  return {
    layoutReader: (...args: Parameters<typeof layoutReader>) => {
      const reader = actual.layoutReader(...args);
      return reader && counting(reader);
    },
  };
});

const CLICKS: ActionFields = { customer: "customer_id", item: "item_id", time: "click_time", timeIs: "timestamp", ownDay: null };
const CLICKS_OF_DAYS: ActionFields = { ...CLICKS, ownDay: "dt" };
const ORDERS_OF_DAYS: ActionFields = { ...CLICKS, time: "dt", timeIs: "date", ownDay: "dt" };
const fields = fc.constantFrom(CLICKS, CLICKS_OF_DAYS, ORDERS_OF_DAYS);
const options = fc.constantFrom<ScanOptions>({ utc: false }, { utc: true }, { utc: false, partition: { dt: "2024-02-29" } });

const quoted = (text: string): string => `"${text}"`;
const ids = fc.oneof(fc.nat(100_000_000).map(String), fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }).map(String));
const texts = fc.constantFrom('""', '"a"', '"2024-02-29"', '"Zürich"', "null", "-1.5", "true");
const VALUES: Record<string, fc.Arbitrary<string>> = {
  dt: fc.oneof(fc.constant("2024-02-29"), dates).map(quoted),
  customer_id: fc.oneof(ids, ids.map(quoted)),
  item_id: ids,
  click_time: timestamps.map(quoted),
};
const valuesOf = (key: string): fc.Arbitrary<string> => (Object.hasOwn(VALUES, key) ? VALUES[key] : texts);

/** Keys of all lengths, the wanted ones among them most of the time, in any order; blanks in the same places in each line. */
const layouts = fc.record({
  keys: fc
    .tuple(
      fc.oneof({ weight: 9, arbitrary: fc.constant(Object.keys(VALUES)) }, fc.subarray(Object.keys(VALUES))),
      fc.uniqueArray(fc.stringMatching(/^[a-z_ ]{0,30}$/), { maxLength: 3 }),
    )
    .chain(([wanted, others]) => {
      const all = [...new Set([...wanted, ...others])];
      return fc.shuffledSubarray(all, { minLength: all.length });
    }),
  blanks: fc.array(fc.constantFrom("", "", "", "", "", " ", "  ", "\t"), { minLength: 5, maxLength: 5 }),
  end: fc.constantFrom("", "", "\r", " "),
});

type Layout = { keys: string[]; blanks: readonly string[]; end: string };

const lineOf = ({ keys, blanks: [a, b, c, d, e], end }: Layout, values: readonly string[]): string =>
  `${a}{${b}${keys.map((key, i) => `"${key}"${c}:${d}${values[i]}`).join(`${e},${b}`)}}${end}`;

const usual = (layout: Layout): fc.Arbitrary<string> => fc.tuple(...layout.keys.map(valuesOf)).map((values) => lineOf(layout, values));
const odd = (layout: Layout): fc.Arbitrary<Buffer> =>
  mutated(fc.tuple(...layout.keys.map((key) => fc.oneof(valuesOf(key), scalars))).map((values) => lineOf(layout, values)));

/** Runs of lines that have one layout, with others in between. */
const manyLines = fc
  .array(
    layouts.chain((layout) =>
      fc.tuple(
        fc.array(
          usual(layout).map((line) => Buffer.from(line)),
          { minLength: 25, maxLength: 40 },
        ),
        fc.array(
          fc.oneof(
            usual(layout).map((line) => Buffer.from(line)),
            odd(layout),
          ),
          { maxLength: 8 },
        ),
      ),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((runs) => runs.flat(2));

const textOf = (lines: readonly Buffer[]): Buffer => Buffer.concat(lines.flatMap((line) => [line, Buffer.from("\n")]));
const scan = (text: Buffer, which: ActionFields, how: ScanOptions) => fastActions(text, (sink) => new NdjsonActions(which, how, sink));

test("a line is read the same whether or not a reader was made for its layout", () => {
  mockTaken = mockLeft = 0;
  fc.assert(
    fc.property(manyLines, fields, options, (lines, which, how) => {
      const careful = new CarefulActions(which, how, false);
      const all = scan(textOf(lines), which, how);
      expect(all.lines).toBe(lines.length);
      for (const [i, line] of lines.entries()) {
        const alone = scan(textOf([line]), which, how).rows[0];
        expect(all.rows[i]).toEqual(alone);
        if (alone !== undefined) expect(alone.slice(0, 4)).toEqual(careful.ofJson(line.at(-1) === 13 ? line.subarray(0, -1) : line));
      }
    }),
    { numRuns: Number(process.env.RUNS ?? 150) },
  );
  expect(mockTaken).toBeGreaterThan(1000);
  expect(mockLeft).toBeGreaterThan(500);
});

test.each([
  ['{"dt":"2024-02-29","customer_id":7166695,"a":"x","b":12,"item_id":2,"click_time":"2024-02-29 10:16:17.364845"}', CLICKS],
  ['{ "a_name_of_more_than_16_bytes": null, "customer_id": 71, "dt": "2024-02-29", "item_id": 234567890}\r', ORDERS_OF_DAYS],
  ['{"click_time":"2024-02-29T10:16:17Z","item_id":12345,"customer_id":"7","dt":"2024-02-29"}', CLICKS_OF_DAYS],
])("a line that differs from its layout in any byte, %#", (line, which) => {
  const given = Buffer.from(line);
  const others = [...Buffer.from('"\\,:{}[]0 9.x\r\x01\xff', "latin1")].map((byte) => Buffer.of(byte));
  const lines: Buffer[] = [];
  for (let at = 0; at <= given.length; at++) {
    const [before, from, behind] = [given.subarray(0, at), given.subarray(at), given.subarray(at + 1)];
    lines.push(before, Buffer.concat([before, behind]));
    for (const other of others) lines.push(Buffer.concat([before, other, behind]), Buffer.concat([before, other, from]));
  }
  mockTaken = mockLeft = 0;
  const { rows } = scan(textOf([...Array<Buffer>(20).fill(given), ...lines]), which, { utc: false });
  expect(mockLeft).toBeGreaterThan(lines.length / 2);
  expect(mockTaken).toBeGreaterThan(20);
  for (const [i, each] of lines.entries()) expect(rows[20 + i]).toEqual(scan(textOf([each]), which, { utc: false }).rows[0]);
});

const click = (customer: number, before = ""): Buffer =>
  Buffer.from(`{${before}"customer_id":${customer},"item_id":2,"click_time":"2024-02-29 10:16:17"}`);

test("most lines of one layout: few are not read by the reader made for it; a file of many layouts tries none", () => {
  const few = Array.from({ length: 1000 }, (_, i) => click(i, i % 10 === 0 && i > 20 ? '"page":1,' : ""));
  mockTaken = mockLeft = 0;
  expect(scan(textOf(few), CLICKS, { utc: true }).rows.map((row) => Number(row![0]))).toEqual(few.map((_, i) => i));
  expect([mockTaken, mockLeft]).toEqual([886, 97]);
  const many = Array.from({ length: 1000 }, (_, i) => click(i, `"page${i % 3}":1,`));
  mockTaken = mockLeft = 0;
  expect(scan(textOf(many), CLICKS, { utc: true }).rows.map((row) => Number(row![0]))).toEqual(many.map((_, i) => i));
  expect([mockTaken, mockLeft]).toEqual([0, 0]);
});

test("where the layout changes for good, another reader is made with the next block", () => {
  const sizes: number[] = [];
  const scanner = new NdjsonActions(CLICKS, { utc: true }, { out: scannedActions(), flush: () => {}, careful: () => sizes.push(-1) });
  const blocks = ["", '"page":1,', '"page":1,'].map((before) => textOf(Array.from({ length: 100 }, (_, i) => click(i, before))));
  for (const block of blocks) {
    mockTaken = 0;
    const memory = Buffer.concat([block, Buffer.alloc(64)]);
    const bytes = Buffer.from(new ArrayBuffer(memory.length));
    memory.copy(bytes);
    scanner.scan(bytes, new DataView(bytes.buffer), 0, block.length);
    sizes.push(mockTaken);
  }
  expect(sizes).toEqual([83, 0, 83]);
});

test("no reader is made for a layout that has a wanted key twice", () => {
  const text = (key: string) => ({ text: Buffer.from(`,"${key}":`), role: key === "id" ? Role.customer : Role.skip });
  expect(layoutReader([text("id"), text("a"), text("id")], { said: false, clock: false })).toBeUndefined();
});
