/** The fast scanners with their careful reader, against the careful readers alone: a scan of either is to be the same. */

import { mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { parquetMetadata } from "hyparquet";
import { load } from "../../beam/spill";
import { batchesOf } from "../../pipeline/gather";
import { findFiles, planSplits } from "../../pipeline/io/files";
import { ParquetFile } from "../../pipeline/io/parquetfile";
import type { Split } from "../../pipeline/io/rows";
import { readRows, type ScanInput, scanSplit } from "../../pipeline/scansplit";
import type { ActionBatch } from "../../transforms/actions";
import { DAY_MICROS } from "../../transforms/calendar";
import { DEFAULT_RULES, type Rules } from "../../transforms/rules";
import { addLedger, type Ledger, unbalanced } from "../../transforms/tablecounts";
import { cases } from "../cases";
import { SLOW } from "../suite";
import { plainRankings, SOME_DAY } from "../transforms/plain";
import { type CsvFile, csvFile } from "./csvcases";
import { temporary } from "./io/gather";
import { longParquet, parquetFile } from "./parquetcases";
import {
  type Action,
  actionsFile,
  asBefore,
  type Change,
  cutBounds,
  DATES,
  DOUBLES,
  INSTANTS,
  sortedFile,
  TEXTS,
  type TimeKind,
  WALL_TIMES,
} from "./sortedcases";

jest.setTimeout(300_000);

/** Whether scans are without the fast scanners. */
let mockCareful = false;
jest.mock("../../pipeline/fastscan", () => {
  const actual = jest.requireActual("../../pipeline/fastscan");
  return { ...actual, isFast: (split: Split) => !mockCareful && actual.isFast(split) };
});

const folder = temporary();
const rejectsFolder = join(folder.path, "rejects");

const byText = (rows: readonly unknown[]): string[] =>
  rows.map((row) => JSON.stringify(row, (_, value) => (typeof value === "bigint" ? `${value}n` : value))).sort();

/** All that a scan gives, but for the order of rows. */
async function scanned(split: Split, rules: Rules, shown: ScanInput["shown"]) {
  const actions: unknown[] = [];
  const rankings: unknown[] = [];
  const rest: unknown[] = [];
  const ledger: Ledger = {};
  let rows = 0;
  await scanSplit({ split, rules, shown, rejectsFolder }, (output) => {
    if ("rows" in output) rows += output.rows;
    else if ("actions" in output) {
      for (const { key, value: batch } of batchesOf(output.actions)) {
        const value = load(batch) as ActionBatch;
        for (const [i, customer] of value.customers.entries())
          actions.push([key, customer, value.items[i], value.times[i], value.types[i], value.ownDays[i] ?? null]);
      }
    } else if ("rankings" in output)
      for (const { key, value } of output.rankings) for (const each of plainRankings(load(value))) rankings.push([key, each]);
    else if ("ledger" in output) addLedger(ledger, output.ledger);
    else {
      const { rejects, ...extent } = output.extents;
      rest.push({ ...extent, rejects: rejects === null ? [] : readFileSync(rejects, "utf8").trim().split("\n") });
      if (rejects !== null) rmSync(rejects);
    }
  });
  return { actions: byText(actions), rankings: byText(rankings), ledger, rows, rest };
}

type Scanned = Awaited<ReturnType<typeof scanned>>;

/** The scan, or why there is none. */
async function outcomeOf(split: Split, rules: Rules, shown: ScanInput["shown"], careful: boolean): Promise<Scanned | { error: string }> {
  mockCareful = careful;
  try {
    return await scanned(split, rules, shown);
  } catch (error) {
    if (!/BrokenFile|ConfigError/.test((error as Error).name)) throw error;
    return { error: (error as Error).message };
  } finally {
    mockCareful = false;
  }
}

/** Scans a file both ways, split by split. @returns what was found, all splits together */
async function expectSame(path: string, table: string, rules: Rules, shown: ScanInput["shown"] = null, splitBytes = 1 << 30) {
  const found = { actions: 0, rankings: 0, rejects: 0, lines: 0 };
  for (const split of await planSplits(table, findFiles(path, table), splitBytes)) {
    const fast = await outcomeOf(split, rules, shown, false);
    const careful = await outcomeOf(split, rules, shown, true);
    expect(fast).toEqual(careful);
    if ("error" in fast) continue;
    const [{ positions, rejects }] = fast.rest as { positions: number; rejects: string[] }[];
    found.actions += fast.actions.length;
    found.rankings += fast.rankings.length;
    found.rejects += rejects.length;
    found.lines += positions;
    if (fast.actions.length + fast.rankings.length === 0) expect(unbalanced(fast.ledger)).toEqual([]);
  }
  return found;
}

const tables = ["impressions", "clicks", "add_to_carts", "previous_orders"] as const;

const someRules: fc.Arbitrary<Rules> = fc
  .record({
    timezone: fc.constantFrom("UTC", "UTC", "Europe/Berlin", "America/Sao_Paulo"),
    timeUnit: fc.constantFrom<Rules["timeUnit"]>(null, "s", "ms", "us", "ns"),
    orderTime: fc.constantFrom<Rules["orderTime"]>("order-date", "occurred-at"),
    actionClock: fc.constantFrom<Rules["actionClock"]>("time", "dt", "both"),
    lookbackDays: fc.constantFrom(null, 1, 365),
    buckets: fc.constantFrom(1, 3),
    days: fc.constantFrom<Rules["days"][]>(null, [SOME_DAY], [SOME_DAY - 1, SOME_DAY, SOME_DAY + 1]),
  })
  .map((some) => ({ ...DEFAULT_RULES, ...some }));

let shownId = 1;
/** Some of the customers that the lines have; a number names each set. */
const someShown = fc
  .option(fc.uniqueArray(fc.constantFrom(1n, 2n, 2n ** 53n, -(2n ** 63n), 2n ** 32n + 1n), { maxLength: 4 }), { freq: 2 })
  .map((some) => {
    if (some === null) return null;
    const day = (plus: number) => Int32Array.from(some, () => SOME_DAY + plus);
    return { id: shownId++, customers: { customers: BigInt64Array.from(some), firstDays: day(-1), lastDays: day(1) } };
  });

const framing = fc.record({ crlf: fc.boolean(), bom: fc.boolean(), ended: fc.boolean(), dated: fc.boolean() });
type Framing = typeof framing extends fc.Arbitrary<infer T> ? T : never;

function write(lines: readonly string[], name: string, { crlf, bom, ended, dated }: Framing): string {
  const newline = crlf ? "\r\n" : "\n";
  const text = `${bom ? "\ufeff" : ""}${lines.join(newline)}${ended && lines.length > 0 ? newline : ""}`;
  const place = dated ? "dt=2025-03-30" : "plain";
  mkdirSync(join(folder.path, place), { recursive: true });
  return folder.write(join(place, name), text);
}

test("NDJSON: the same batches, ledger, rejects and positions, however it is split and its lines end", async () => {
  const all = { actions: 0, rankings: 0, rejects: 0 };
  await fc.assert(
    fc.asyncProperty(
      cases,
      fc.nat(3),
      someRules,
      someShown,
      framing,
      fc.integer({ min: 1, max: 9 }),
      async (each, t, rules, shown, frame, splits) => {
        const path = write(each[tables[t]], "all.ndjson", frame);
        const found = await expectSame(path, tables[t], rules, t === 0 ? null : shown, 1 + statSync(path).size / splits);
        for (const name of ["actions", "rankings", "rejects"] as const) all[name] += found[name];
      },
    ),
    { numRuns: SLOW ? 300 : 50 },
  );
  expect(Math.min(all.actions, all.rankings, all.rejects)).toBeGreaterThan(5);
});

test("CSV: the same batches, ledger, rejects and positions, quotes open at its end included", async () => {
  const all = { actions: 0, rankings: 0, rejects: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.nat(3).chain((t) => csvFile(tables[t])),
      someRules,
      someShown,
      framing,
      async (file: CsvFile, rules, shown, frame) => {
        const path = write(file.lines, "all.csv", frame);
        const found = await expectSame(path, file.table, rules, file.table === "impressions" ? null : shown);
        for (const name of ["actions", "rankings", "rejects"] as const) all[name] += found[name];
      },
    ),
    { numRuns: SLOW ? 600 : 100 },
  );
  expect(Math.min(all.actions, all.rankings, all.rejects)).toBeGreaterThan(5);
});

test("Parquet: the same batches, ledger, rejects and positions, whatever its columns and pages are made of", async () => {
  const all = { actions: 0, rankings: 0, rejects: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.nat(3).chain((t) => parquetFile(tables[t])),
      someRules,
      someShown,
      fc.constantFrom("plain", "plain", "dt=2025-03-30", "dt=x", "customer_id=1"),
      fc.integer({ min: 1, max: 9 }),
      async ({ table, bytes }, rules, shown, place, splits) => {
        mkdirSync(join(folder.path, place), { recursive: true });
        const path = folder.write(join(place, "all.parquet"), bytes);
        const found = await expectSame(path, table, rules, table === "impressions" ? null : shown, 1 + bytes.length / splits);
        for (const name of ["actions", "rankings", "rejects"] as const) all[name] += found[name];
      },
    ),
    { numRuns: SLOW ? 300 : 40 },
  );
  expect(Math.min(all.actions, all.rankings, all.rejects)).toBeGreaterThan(2);
});

/** Rows in pages of their own for each column, with something odd now and then. In the slow suite they are several batches. */
const LONG_ROWS = SLOW ? 20_000 : 5000;
test.each([1, 3000, 100_000])("Parquet of many pages, in row groups of %d rows", async (groupRows) => {
  const rows = groupRows === 1 ? 30 : LONG_ROWS;
  const [clicks, rankings] = longParquet(rows, groupRows);
  const found = await expectSame(folder.write("long.parquet", clicks), "clicks", DEFAULT_RULES);
  expect(found).toEqual({ actions: rows - 2 * Math.ceil(rows / 10), rankings: 0, rejects: 2 * Math.ceil(rows / 10), lines: rows });
  expect(await expectSame(folder.write("lists.parquet", rankings), "impressions", DEFAULT_RULES)).toEqual({
    actions: 0,
    rankings: rows - Math.ceil(rows / 10),
    rejects: Math.ceil(rows / 10),
    lines: rows,
  });
});

test("a column of Parquet that breaks off is left to the careful reader from there, which says what is wrong", async () => {
  const [clicks] = longParquet(LONG_ROWS, 100_000);
  let broken = 0;
  for (let at = 200; at < clicks.length - 2000; at += Math.floor(clicks.length / 25)) {
    const bytes = Buffer.from(clicks);
    bytes[at] ^= 0xff;
    const { lines } = await expectSame(folder.write("flipped.parquet", bytes), "clicks", DEFAULT_RULES);
    if (lines === 0) broken++;
  }
  expect(broken).toBeGreaterThan(1);
});

test("the cells of Parquet are made only where they must be", async () => {
  const [clicks, rankings] = longParquet(10_000, 3000);
  for (const [table, bytes] of [
    ["clicks", clicks],
    ["impressions", rankings],
  ] as const) {
    const [split] = await planSplits(table, findFiles(folder.write("some.parquet", bytes), table), 1 << 30);
    const counts = { columns: 0, cells: 0 };
    const add = ({ length }: { length: number }) => void (counts.columns += length);
    const ignore = () => {};
    const sink = { actions: add, rankings: add, row: () => void counts.cells++, reject: ignore, columns: ignore, drain: async () => {} };
    const columns = table === "clicks" ? ["customer_id", "item_id", "click_time"] : ["dt", "ranking_id", "customer_id", "impressions"];
    await readRows(split, columns, DEFAULT_RULES, sink);
    expect(counts).toEqual(table === "clicks" ? { columns: 8000, cells: 2000 } : { columns: 9000, cells: 1000 });
  }
});

/** The parts of Parquet files that scans have read since, footers apart: where each begins, by the way of reading. */
function watchReads() {
  const reads: { fast: number[]; careful: number[] } = { fast: [], careful: [] };
  jest.restoreAllMocks();
  const { slice } = ParquetFile.prototype;
  jest.spyOn(ParquetFile.prototype, "slice").mockImplementation(function (this: ParquetFile, start, end) {
    reads[mockCareful ? "careful" : "fast"].push(start);
    return slice.call(this, start, end);
  });
  return reads;
}

afterEach(() => jest.restoreAllMocks());

/** Mostly such that windows have an end on both sides. */
const sortedRules = fc
  .tuple(someRules, fc.nat(5))
  .map(([rules, k]): Rules => (k === 0 ? rules : { ...rules, lookbackDays: 1, actionClock: "time" }));
const sortedShown = fc.tuple(someShown, someShown).map(([one, other]) => one ?? other);

test("Parquet sorted by time: the same, whatever windows its row groups lie in, and less is read", async () => {
  const reads = watchReads();
  const all = { actions: 0, rejects: 0, lines: 0 };
  await fc.assert(
    fc.asyncProperty(
      sortedFile,
      sortedRules,
      sortedShown,
      fc.constantFrom("plain", "order_date=2025-03-31"),
      async (file, rules, shown, place) => {
        mkdirSync(join(folder.path, place), { recursive: true });
        const path = folder.write(join(place, "sorted.parquet"), file.bytes);
        const found = await expectSame(path, file.table, rules, shown);
        for (const name of ["actions", "rejects", "lines"] as const) all[name] += found[name];
      },
    ),
    { numRuns: SLOW ? 1000 : 150 },
  );
  expect(Math.min(all.actions, all.rejects)).toBeGreaterThan(5);
  expect(reads.fast.length).toBeLessThan(0.95 * reads.careful.length);
});

/** Of customer 1, who is shown on SOME_DAY. */
const at = (micros: number, item = 7n): Action => ({ customer: 1n, item, micros, dt: "2025-03-30" });
const MIDNIGHT = SOME_DAY * DAY_MICROS;
const OLD = at(MIDNIGHT - 9 * DAY_MICROS);
const WEEK: Rules = { ...DEFAULT_RULES, lookbackDays: 7, days: [SOME_DAY] };
const oneShown = (): ScanInput["shown"] => ({
  id: shownId++,
  customers: { customers: BigInt64Array.of(1n), firstDays: Int32Array.of(SOME_DAY), lastDays: Int32Array.of(SOME_DAY) },
});

/** Scans a file of one row group both ways. @returns the columns of which the fast scan has read anything, in the file's order */
async function columnsRead({ table, bytes }: ReturnType<typeof actionsFile>, rules = WEEK, shown = oneShown()): Promise<string[]> {
  const reads = watchReads();
  await expectSame(folder.write("group.parquet", bytes), table, rules, shown);
  const [{ columns }] = parquetMetadata(bytes).row_groups;
  return columns.flatMap(({ meta_data: chunk }) =>
    reads.fast.includes(Number(chunk!.dictionary_page_offset ?? chunk!.data_page_offset)) ? chunk!.path_in_schema : [],
  );
}

const CLICK = ["customer_id", "item_id", "click_time"];
const [CUSTOMER] = CLICK;
const ALL = ["dt", ...CLICK];
const hours = (n: number) => MIDNIGHT + n * 3_600_000_000;
const berlin: Rules = { ...WEEK, timezone: "Europe/Berlin" };

test.each<[string, Action[], string[], TimeKind?, Rules?]>([
  ["before the window", [OLD, at(hours(-168) - 1)], [CUSTOMER]],
  ["with its last action at the window's start", [OLD, at(hours(-168))], ALL],
  ["with its first action before the cutoff", [at(hours(0) - 1), at(hours(9))], ALL],
  ["from the cutoff on, where it may be late", [at(hours(0)), at(hours(9))], ALL],
  ["around the window", [OLD, at(hours(0))], ALL],
  ["of wall times a day before", [OLD, at(hours(-168 - 24))], ALL, WALL_TIMES, berlin],
  ["of wall times two days before", [OLD, at(hours(-168 - 48))], [CUSTOMER], WALL_TIMES, berlin],
  ["of wall times a day after", [at(hours(24))], ALL, WALL_TIMES, berlin],
  ["of wall times two days after", [at(hours(48))], ALL, WALL_TIMES, berlin],
  ["of wall times that are UTC", [at(hours(-192))], [CUSTOMER], WALL_TIMES],
  ["of days", [OLD], [CUSTOMER], DATES],
  ["of days in the window", [at(hours(-48))], ["customer_id", "config_id", "order_date"], DATES],
  ["of texts", [OLD], ALL, TEXTS],
  ["of numbers that are no integers", [OLD], ALL, DOUBLES],
  ["with an item 0", [OLD, at(OLD.micros!, 0n)], ["customer_id", "item_id"]],
  ["with items on both sides of 0", [OLD, at(OLD.micros!, -7n)], ["customer_id", "item_id"]],
  ["with items below 0", [at(OLD.micros!, -7n)], [CUSTOMER]],
  ["out of all years", [at(Date.UTC(1699, 0) * 1000)], ALL],
  ["without a customer", [OLD, { ...OLD, customer: null }], ALL],
  ["without an item", [OLD, { ...OLD, item: null }], ALL],
  ["without a time", [OLD, { ...OLD, micros: null }], ALL],
  ["by their own days", [OLD], ALL, INSTANTS, { ...WEEK, actionClock: "both" }],
])("what is read of a row group %s", async (_, actions, columns, time = INSTANTS, rules = WEEK) => {
  expect(await columnsRead(actionsFile(actions, time, 1000), rules)).toEqual(columns);
});

test("all is read where it is not known who is shown, and only customers where nobody is", async () => {
  const file = actionsFile([OLD], INSTANTS, 1000);
  expect(await columnsRead(file, WEEK, null)).toEqual(ALL);
  const nobody = { customers: new BigInt64Array(0), firstDays: new Int32Array(0), lastDays: new Int32Array(0) };
  expect(await columnsRead(actionsFile([at(hours(-1))], INSTANTS, 1000), WEEK, { id: shownId++, customers: nobody })).toEqual([CUSTOMER]);
});

const of =
  (name: string, change: (footer: Parameters<Change>[1]) => void): Change =>
  (column, footer) => {
    if (column === name) change(footer);
  };

test.each<[string, Change, string[]]>([
  ["min and max as they were before", asBefore, [CUSTOMER]],
  ["bounds that are not exact", of("click_time", ({ statistics }) => Object.assign(statistics, { is_max_value_exact: false })), [CUSTOMER]],
  ...CLICK.flatMap((name): [string, Change, string[]][] => [
    [`no statistics of ${name}`, of(name, (footer) => delete (footer as { statistics?: unknown }).statistics), ALL],
    [`no minimum of ${name}`, of(name, ({ statistics }) => delete statistics.min_value), ALL],
    [`no maximum of ${name}`, of(name, ({ statistics }) => delete statistics.max_value), ALL],
    [`the bounds of ${name} swapped`, of(name, ({ statistics: s }) => ([s.min_value, s.max_value] = [2n ** 52n, 1n])), ALL],
    [`no count of nulls of ${name}`, of(name, ({ statistics }) => delete statistics.null_count), ALL],
    [`a null of ${name}`, of(name, ({ statistics }) => (statistics.null_count = 1n)), ALL],
    [`more values of ${name} than rows`, of(name, (footer) => (footer.num_values = 3n)), ALL],
  ]),
])("what is read where the footer has %s", async (_, change, columns) => {
  expect(await columnsRead(actionsFile([OLD, OLD], INSTANTS, 1000, change))).toEqual(columns);
});

test("what is read where the footer has bounds of items cut short", async () => {
  const file = actionsFile([OLD, OLD], INSTANTS, 1000);
  expect(await columnsRead({ ...file, bytes: cutBounds(file.bytes, OLD.item!) })).toEqual(ALL);
});

test("columns that cannot have nulls need no count of them", async () => {
  const uncounted: Change = (_, { statistics }) => delete statistics.null_count;
  expect(await columnsRead(actionsFile([OLD, OLD], INSTANTS, 1000, uncounted, false))).toEqual([CUSTOMER]);
});

test("a null where the footer has none goes to the careful reader, with what follows", async () => {
  const none = of(CUSTOMER, ({ statistics }) => (statistics.null_count = 0n));
  expect(await columnsRead(actionsFile([OLD, { ...OLD, customer: null }], INSTANTS, 1000, none))).toEqual(ALL);
});

test("NDJSON: splits of a few bytes, that begin in lines, line ends and the byte order mark", async () => {
  const lines = [JSON.stringify(click(1)), "", `${JSON.stringify(click(2))}\r`, "{", "\r", JSON.stringify(click(3))];
  for (const [bom, end] of [
    ["\ufeff", "\n"],
    ["", ""],
  ]) {
    const path = folder.write("few.ndjson", `${bom}${lines.join("\n")}${end}`);
    for (const bytes of [1, 2, 3, 7, 50, 1000])
      expect(await expectSame(path, "clicks", DEFAULT_RULES, null, bytes)).toEqual({ actions: 3, rankings: 0, rejects: 1, lines: 6 });
  }
});

const click = (i: number, time = "2025-03-29 10:00:00") => ({ customer_id: i % 5, item_id: i, click_time: time });
const HEADER = "customer_id,item_id,click_time";
const row = (i: number) => Object.values(click(i)).join();

test.each<[string, string, string | Uint8Array, { actions: number; rejects: number; lines: number }]>([
  ["an empty file", "ndjson", "", { actions: 0, rejects: 0, lines: 0 }],
  ["an empty file", "csv", "", { actions: 0, rejects: 0, lines: 0 }],
  ["a byte order mark alone", "ndjson", "\ufeff", { actions: 0, rejects: 0, lines: 0 }],
  ["empty lines alone", "ndjson", "\n\r\n\n", { actions: 0, rejects: 0, lines: 3 }],
  ["a header alone", "csv", HEADER, { actions: 0, rejects: 0, lines: 1 }],
  ["a header alone, ended", "csv", `${HEADER}\r\n`, { actions: 0, rejects: 0, lines: 1 }],
  ["empty lines around a header", "csv", `\n\r\n${HEADER}\n\n\r\n${row(1)}\n\n`, { actions: 1, rejects: 0, lines: 7 }],
  ["no last line feed", "csv", `${HEADER}\n${row(1)}\n${row(2)}`, { actions: 2, rejects: 0, lines: 3 }],
  ["no last line feed", "ndjson", `${JSON.stringify(click(1))}\n${JSON.stringify(click(2))}`, { actions: 2, rejects: 0, lines: 2 }],
  ["a carriage return at the end", "ndjson", `${JSON.stringify(click(1))}\r`, { actions: 1, rejects: 0, lines: 1 }],
  ["a carriage return at the end", "csv", `${HEADER}\n${row(1)}\r`, { actions: 1, rejects: 0, lines: 2 }],
  ["a quote open at the end", "csv", `${HEADER}\n${row(1)}\n1,2,"2025\n${row(2)}\n`, { actions: 1, rejects: 1, lines: 5 }],
  ["a quote open in the last cell", "csv", `${HEADER}\n${row(1)}\n1,2,"`, { actions: 1, rejects: 1, lines: 3 }],
  ["bytes that are not UTF-8", "csv", Buffer.from(`${HEADER}\n1,2,\xff\n${row(1)}`, "latin1"), { actions: 1, rejects: 1, lines: 3 }],
  [
    "bytes that are not UTF-8",
    "ndjson",
    Buffer.from(`{"x":"\xff"}\n${JSON.stringify(click(1))}`, "latin1"),
    { actions: 1, rejects: 1, lines: 2 },
  ],
])("%s (%s)", async (_, ending, content, expected) => {
  const path = folder.write(`some.${ending}`, content);
  expect(await expectSame(path, "clicks", DEFAULT_RULES)).toEqual({ ...expected, rankings: 0 });
  const packed = folder.write(`some.${ending}.gz`, gzipSync(content));
  expect(await expectSame(packed, "clicks", DEFAULT_RULES)).toEqual({ ...expected, rankings: 0 });
});

/** Longer than what is read at once. */
const LONG = (1 << 20) + 4321;

/** Lines of 3 MB: plain ones, one in ten odd, one longer than the buffer. */
function many(line: (i: number) => string, odd: (i: number) => string, long: string): string[] {
  const lines = Array.from({ length: 24_000 }, (_, i) => (i % 10 === 7 ? odd((i - 7) / 10) : line(i)));
  lines.splice(9000, 0, long, line(1), long);
  return lines;
}

test("NDJSON of several buffers, with lines longer than one, in splits of any size", async () => {
  const odd = (i: number) => ["", "{", JSON.stringify(click(i, `2025-03-29T10:00:00.${i}+02`)), ` ${JSON.stringify(click(i))} `][i % 4];
  const lines = many((i) => JSON.stringify(click(i)), odd, JSON.stringify({ x: "é".repeat(LONG / 2), ...click(3) }));
  const path = folder.write("long.ndjson", lines.join("\n"));
  const whole = await expectSame(path, "clicks", DEFAULT_RULES);
  expect(whole).toEqual({ actions: 22_803, rejects: 600, rankings: 0, lines: 24_003 });
  for (const bytes of [100_000, 700_001]) expect(await expectSame(path, "clicks", DEFAULT_RULES, null, bytes)).toEqual(whole);
});

test("CSV of several buffers, with records longer than one, over many lines", async () => {
  const odd = (i: number) => ["", "1,2", `"${i}","5","2025-03-29 10:00:00"`, `1,${i},\r`][i % 4];
  const lines = many(row, odd, `1,2,"${"é\n".repeat(LONG / 3)}"`);
  const path = folder.write("long.csv", [HEADER, ...lines].join("\n"));
  const { actions, rejects } = await expectSame(path, "clicks", DEFAULT_RULES);
  expect([actions, rejects]).toEqual([21_601 + 600, 1200 + 2]);
});

test("CSV whose last quote is open over several buffers", async () => {
  const path = folder.write("open.csv", `${HEADER}\n${row(1)}\n1,2,"${`${row(2)}\n`.repeat(LONG / 10)}`);
  const { actions, rejects } = await expectSame(path, "clicks", DEFAULT_RULES);
  expect([actions, rejects]).toEqual([1, 1]);
});

describe("rows that say another day than that of their time", () => {
  const offsets = fc.array(fc.tuple(fc.integer({ min: -30, max: 30 }), fc.integer({ min: -26, max: 26 }), fc.nat(19)), {
    minLength: 40,
    maxLength: 80,
  });
  const dayOf = (micros: number) => new Date(micros / 1000).toISOString().slice(0, 10);
  const textOf = (micros: number) => new Date(micros / 1000).toISOString().slice(0, 19).replace("T", " ");
  const zone = fc.constantFrom<Partial<Rules>>(
    { timezone: "UTC" },
    { timezone: "Europe/Berlin" },
    { lookbackDays: 1 },
    { orderLagDays: 1 },
  );

  /** Lines of one layout, but for a few: a day is lacking, null, or none. */
  const clickLine = ([hour, off, odd]: number[]) => {
    const micros = MIDNIGHT + hour * 3_600_000_000;
    const said = `"dt":"${dayOf(micros + off * 3_600_000_000)}",`;
    const dt = odd === 0 ? "" : odd === 1 ? '"dt":null,' : odd === 2 ? '"dt":"2025-02-30",' : odd === 3 ? '"dt":"x",' : said;
    return `{${dt}"customer_id":1,"item_id":2,"click_time":"${textOf(micros)}${odd === 4 ? "Z" : ""}"}`;
  };
  const orderLine = ([hour, off, odd]: number[]) => {
    const micros = MIDNIGHT + hour * 3_600_000_000;
    const at = `"${textOf(micros + off * 3_600_000_000)}${odd === 4 ? "Z" : odd === 5 ? "+02:00" : ""}"`;
    const clock = odd === 0 ? "" : `,"occurred_at":${odd === 1 ? "null" : odd === 2 ? '"x"' : odd === 3 ? "7" : at}`;
    return `{"order_date":"${dayOf(micros)}","customer_id":1,"config_id":2${clock}}`;
  };

  test.each([
    ["clicks", clickLine],
    ["previous_orders", orderLine],
  ])("NDJSON and CSV of %s: counted as the careful reader counts them", async (table, line) => {
    let found = 0;
    await fc.assert(
      fc.asyncProperty(offsets, zone, fc.constantFrom("plain", "dt=2025-03-30"), async (drawn, some, place) => {
        mkdirSync(join(folder.path, place), { recursive: true });
        const lines = drawn.map(line);
        const cells = lines.map((text) => JSON.parse(text));
        const header = Object.keys(Object.assign({}, ...cells));
        const csv = [header.join(), ...cells.map((row) => header.map((name) => row[name] ?? "").join())];
        for (const [name, text] of [
          ["late.ndjson", lines],
          ["late.csv", csv],
        ] as const) {
          const path = folder.write(join(place, name), text.map((each) => `${each}\n`).join(""));
          await expectSame(path, table, { ...DEFAULT_RULES, ...some }, oneShown());
          const [split] = await planSplits(table, findFiles(path, table), 1 << 30);
          found += (await scanned(split, { ...DEFAULT_RULES, ...some }, oneShown())).ledger[table].late?.rows ?? 0;
        }
      }),
      { numRuns: 40 },
    );
    expect(found).toBeGreaterThan(100);
  });

  test("Parquet: likewise, with days as texts, and timestamps of every kind", async () => {
    let rows = 0;
    await fc.assert(
      fc.asyncProperty(
        offsets,
        zone,
        fc.constantFrom(INSTANTS, WALL_TIMES, TEXTS),
        fc.integer({ min: 1, max: 50 }),
        async (drawn, some, kind, group) => {
          const actions = drawn.map(([hour, off, odd]): Action => {
            const micros = MIDNIGHT + hour * 3_600_000_000;
            return { customer: 1n, item: 2n, micros, dt: odd === 0 ? null : odd === 1 ? "x" : dayOf(micros + off * 3_600_000_000) };
          });
          const path = folder.write("late.parquet", actionsFile(actions, kind, group).bytes);
          await expectSame(path, "clicks", { ...DEFAULT_RULES, ...some }, oneShown());
          const [split] = await planSplits("clicks", findFiles(path, "clicks"), 1 << 30);
          rows += (await scanned(split, { ...DEFAULT_RULES, ...some }, oneShown())).ledger.clicks.late?.rows ?? 0;
        },
      ),
      { numRuns: 40 },
    );
    expect(rows).toBeGreaterThan(100);
  });
});
