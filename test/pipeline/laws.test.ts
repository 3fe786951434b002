/** Laws of whole runs: from files, through build, to the bytes of files. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import { exitCodeOf } from "../../pipeline/cli";
import { parseFlags } from "../../pipeline/flags";
import { BuildOptions } from "../../pipeline/options";
import type { Outcome } from "../../pipeline/publish";
import { build } from "../../pipeline/run";
import { orderHash } from "../../transforms/ids";
import { cases, type Options } from "../cases";
import { click, ranking } from "../events";
import { ndjson } from "../graphs";
import { partsOf, rowsOf } from "../rows";
import { SLOW } from "../suite";

jest.setTimeout(300_000);

const TABLES = ["impressions", "clicks", "add_to_carts", "previous_orders"] as const;
type Table = (typeof TABLES)[number];
/** Files of each table: name, relative to the table's folder, to content. */
type Inputs = Record<Table, Record<string, string | Uint8Array>>;

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "backstory-laws-"))));
afterEach(() => rmSync(folder, { recursive: true }));

/** One NDJSON file for each table. */
const single = (tables: Partial<Record<Table, readonly string[]>>): Inputs =>
  Object.fromEntries(
    TABLES.map((table) => [table, { "all.ndjson": (tables[table] ?? []).map((line) => `${line}\n`).join("") }]),
  ) as unknown as Inputs;

async function run(inputs: Inputs, options: Options = {}, output = join(folder, "out")): Promise<Outcome> {
  const place = mkdtempSync(join(folder, "in-"));
  for (const table of TABLES) {
    for (const [name, content] of Object.entries(inputs[table])) {
      mkdirSync(dirname(join(place, table, name)), { recursive: true });
      writeFileSync(join(place, table, name), content);
    }
  }
  const flags = Object.entries<string | boolean>({ "max-rejects": "100%", ...options }).map(([name, value]) =>
    value === true ? `--${name}` : `--${name}=${value}`,
  );
  const paths = TABLES.map((table) => `--${table.replaceAll("_", "-")}=${join(place, table)}`);
  return build(parseFlags(BuildOptions, [...paths, `--output=${output}`, ...flags], 0).options);
}

/** Every file below a folder, by its path, with a hash of its bytes. */
function bytesBelow(path: string): Record<string, string> {
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const hashes = files.map((file): [string, string] => {
    const full = join(file.parentPath, file.name);
    return [full.slice(path.length + 1), createHash("sha256").update(readFileSync(full)).digest("hex")];
  });
  return Object.fromEntries(hashes.sort());
}

/** The same of the data alone: what is only true of a run, its name first of all, is in manifests and markers. */
function dataBelow(path: string): Record<string, string> {
  const files = Object.entries(bytesBelow(path)).filter(([name]) => !name.startsWith("_manifests/"));
  return Object.fromEntries(files.map(([name, hash]) => [name, name.endsWith("_SUCCESS") ? "" : hash]));
}

/** The bytes that a run writes to a fresh output; undefined where it has nothing to publish. */
async function bytesOf(inputs: Inputs, options: Options): Promise<Record<string, string> | undefined> {
  const output = mkdtempSync(join(folder, "out-"));
  try {
    await run(inputs, options, output);
  } catch (error) {
    if (/no impressions in the dates|has no column/.test((error as Error).message)) return undefined;
    throw error;
  }
  return dataBelow(output);
}

/** Lines dealt to files in an order of their own; a table without lines keeps one file. */
const dealt = (lines: readonly string[]): fc.Arbitrary<Record<string, string>> =>
  fc
    .tuple(
      fc.shuffledSubarray([...lines], { minLength: lines.length }),
      fc.array(fc.nat(3), { minLength: lines.length, maxLength: lines.length }),
    )
    .map(([shuffled, to]) => {
      const files: Record<string, string> = { "9.ndjson": "" };
      for (const [i, line] of shuffled.entries()) files[`${to[i]}.ndjson`] = `${files[`${to[i]}.ndjson`] ?? ""}${line}\n`;
      return files;
    });

const dealtCase = cases.chain((each) => fc.tuple(fc.constant(each), ...TABLES.map((table) => dealt(each[table]))));
const inputsOf = (some: readonly Record<string, string>[]): Inputs =>
  Object.fromEntries(TABLES.map((table, i) => [table, some[i]])) as Inputs;

/** A failing run is looked into with many more. */
const HASTE = { numRuns: SLOW ? 30 : 5, interruptAfterTimeLimit: 20_000 };

test("the order of lines, and which file they are in, changes no byte of the output", () =>
  fc.assert(
    fc.asyncProperty(dealtCase, fc.boolean(), async ([{ options, ...tables }, ...files], zstd) => {
      const all: Options = { ...options, shards: "3", compression: zstd ? "zstd" : "snappy" };
      expect(await bytesOf(inputsOf(files), all)).toEqual(await bytesOf(single(tables), all));
    }),
    { ...HASTE, numRuns: 2 * HASTE.numRuns },
  ));

test("several days in one run give the bytes that a run for each day gives", () =>
  fc.assert(
    fc.asyncProperty(cases, async ({ options: { dates: _, "train-days": __, ...options }, ...tables }) => {
      const all: Options = { ...options, shards: "2" };
      const together = await bytesOf(single(tables), all);
      const apart: Record<string, string> = together === undefined ? {} : { _SUCCESS: together._SUCCESS };
      for (const day of new Set(Object.keys(together ?? {}).flatMap((path) => /^dt=([^/]*)/.exec(path)?.slice(1) ?? [])))
        Object.assign(apart, await bytesOf(single(tables), { ...all, dates: day }));
      expect(apart).toEqual(together ?? {});
    }),
    HASTE,
  ));

test("a file of actions given twice doubles its actions, as every line twice does", () =>
  fc.assert(
    fc.asyncProperty(cases, async ({ options, ...tables }) => {
      const twice: Inputs = {
        ...single(tables),
        clicks: { "a.ndjson": single(tables).clicks["all.ndjson"], "b.ndjson": single(tables).clicks["all.ndjson"] },
      };
      const doubled = single({ ...tables, clicks: tables.clicks.flatMap((line) => [line, line]) });
      expect(await bytesOf(twice, options)).toEqual(await bytesOf(doubled, options));
    }),
    HASTE,
  ));

const lines = (rows: readonly object[]): string[] => rows.map((row) => JSON.stringify(row));

const CLICKS = [
  click(1, 11, "2025-08-14 10:00:00"),
  click(1, 12, "2025-08-15 10:00:00"),
  click(2, 13, "2025-08-15 11:00:00.5"),
  click(1, 14, "2025-08-16 00:00:00"),
];
const CARTS = [{ customer_id: 1, config_id: 21, occurred_at: "2025-08-15 10:00:00" }];
const ORDERS = [{ customer_id: 2, config_id: 31, order_date: "2025-08-15" }];
const RANKINGS = [
  ranking("2025-08-16", "a", 1, 5, 6),
  ranking("2025-08-17", "b", 1, 7),
  ranking("2025-08-16", "c", 2, 8),
  ranking("2025-08-16", "d", 3, 9),
];
const TINY = { clicks: lines(CLICKS), add_to_carts: lines(CARTS), previous_orders: lines(ORDERS), impressions: lines(RANKINGS) };
const THREE: Options = { "history-length": "3" };
const rows = async (output = join(folder, "out")) => (await rowsOf(output)).map((text) => JSON.parse(text));
const histories = async () =>
  (await rows()).map(({ dt, ranking_id, impression_index, actions }) => [`${dt}/${ranking_id}/${impression_index}`, actions]);

test("a small run, worked out by hand", async () => {
  const outcome = await run(single(TINY), THREE);
  expect(outcome.rows).toBe(5);
  expect(await rows()).toEqual([
    // equal times: the add-to-cart before the click
    {
      dt: "2025-08-16",
      ranking_id: "a",
      customer_id: 1,
      impression_index: 0,
      item_id: 5,
      is_order: false,
      impressions: 5,
      actions: [21, 12, 11],
      action_types: [2, 1, 1],
    },
    {
      dt: "2025-08-16",
      ranking_id: "a",
      customer_id: 1,
      impression_index: 1,
      item_id: 6,
      is_order: true,
      impressions: 6,
      actions: [21, 12, 11],
      action_types: [2, 1, 1],
    },
    {
      dt: "2025-08-16",
      ranking_id: "c",
      customer_id: 2,
      impression_index: 0,
      item_id: 8,
      is_order: true,
      impressions: 8,
      actions: [13, 31, 0],
      action_types: [1, 3, 0],
    },
    {
      dt: "2025-08-16",
      ranking_id: "d",
      customer_id: 3,
      impression_index: 0,
      item_id: 9,
      is_order: false,
      impressions: 9,
      actions: [0, 0, 0],
      action_types: [0, 0, 0],
    },
    {
      dt: "2025-08-17",
      ranking_id: "b",
      customer_id: 1,
      impression_index: 0,
      item_id: 7,
      is_order: false,
      impressions: 7,
      actions: [14, 21, 12],
      action_types: [1, 2, 1],
    },
  ]);
  expect(Object.keys(dataBelow(join(folder, "out")))).toEqual([
    "_SUCCESS",
    "dt=2025-08-16/_SUCCESS",
    "dt=2025-08-16/part-00000-of-00001.parquet",
    "dt=2025-08-17/_SUCCESS",
    "dt=2025-08-17/part-00000-of-00001.parquet",
  ]);
});

test("clicks given twice stand twice in a history", async () => {
  await run({ ...single(TINY), clicks: { "a.ndjson": ndjson(CLICKS), "b.ndjson": ndjson(CLICKS) } }, { "history-length": "4" });
  expect((await histories())[0]).toEqual(["2025-08-16/a/0", [21, 12, 12, 11]]);
});

/** A Parquet file of clicks. */
function parquet(some: typeof CLICKS): Uint8Array {
  const ids = (name: "customer_id" | "item_id") => ({ name, data: some.map((each) => BigInt(each[name])), type: "INT64" as const });
  return new Uint8Array(
    parquetWriteBuffer({
      columnData: [ids("customer_id"), ids("item_id"), { name: "click_time", data: some.map((each) => each.click_time), type: "STRING" }],
    }),
  );
}

function csv(some: readonly Record<string, unknown>[]): string {
  const cell = (value: unknown) => (typeof value === "object" ? `"${JSON.stringify(value).replaceAll('"', '""')}"` : String(value));
  return [Object.keys(some[0]), ...some.map((row) => Object.values(row).map(cell))].map((cells) => `${cells.join(",")}\r\n`).join("");
}

test("a table may be a mixture of formats, compressions and folders: the bytes are those of one plain file", async () => {
  const [first, second, third, ...rest] = RANKINGS;
  const { dt: _, ...undated } = third;
  const mixed: Inputs = {
    impressions: {
      "a.ndjson": ndjson([first]),
      "b.json": JSON.stringify([second]),
      "dt=2025-08-16/c.ndjson.gz": gzipSync(ndjson([undated])),
      "d.csv": csv(rest),
      _SUCCESS: "",
      ".hidden": "{",
    },
    clicks: {
      "a.parquet": parquet(CLICKS.slice(0, 1)),
      "b.ndjson": `\uFEFF${ndjson(CLICKS.slice(1, 2))}`,
      "c.csv": csv(CLICKS.slice(2, 3)),
      "d.json.gz": gzipSync(JSON.stringify(CLICKS.slice(3))),
    },
    add_to_carts: { "a.csv": csv(CARTS) },
    previous_orders: { "order_date=2025-08-15/a.ndjson": ndjson([{ customer_id: 2, config_id: 31 }]) },
  };
  const bytes = await bytesOf(mixed, { ...THREE, "max-rejects": "0" });
  expect(bytes).toEqual(await bytesOf(single(TINY), THREE));
});

test("rows are in one total order: hash of (customer, dt), customer, ranking, content of its slots, place of the slot", async () => {
  const day = Date.UTC(2025, 7, 16) / 86_400_000;
  const many = Array.from({ length: 60 }, (_, i) => ranking("2025-08-16", `r${i % 7}`, i % 20, 5, 6 + (i % 3)));
  const given = [...many, ...many.slice(0, 9)];
  await run(single({ ...TINY, impressions: lines(given) }), THREE);
  const file = await asyncBufferFromFile(join(folder, "out/dt=2025-08-16/part-00000-of-00001.parquet"));
  const found = await parquetReadObjects({ file, columns: ["customer_id", "ranking_id", "impression_index", "item_id"] });
  const expected = given
    .flatMap(({ customer_id, ranking_id, impressions }) =>
      impressions.map(({ item_id }, index) => ({
        order: [orderHash(customer_id, 0, day), customer_id, ranking_id, impressions[1].item_id, index],
        row: { customer_id: BigInt(customer_id), ranking_id, impression_index: index, item_id: BigInt(item_id) },
      })),
    )
    .sort(({ order: a }, { order: b }) => {
      const at = a.findIndex((part, i) => part !== b[i]);
      return at < 0 ? 0 : a[at] < b[at] ? -1 : 1;
    });
  expect(found).toEqual(expected.map(({ row }) => row));
});

test("overwrite replaces the partitions of the run and no others", async () => {
  await run(single(TINY), THREE);
  const before = bytesBelow(join(folder, "out"));
  writeFileSync(join(folder, "out/dt=2025-08-16/part-of-somebody.txt"), "not ours");
  await run(single({ ...TINY, clicks: [] }), { ...THREE, dates: "2025-08-16", shards: "2" });
  const after = bytesBelow(join(folder, "out"));
  expect(after["dt=2025-08-17/part-00000-of-00001.parquet"]).toBe(before["dt=2025-08-17/part-00000-of-00001.parquet"]);
  expect(after).toHaveProperty(["dt=2025-08-16/part-of-somebody.txt"]);
  expect(Object.keys(after)).not.toContain("dt=2025-08-16/part-00000-of-00001.parquet");
  expect((await histories())[0]).toEqual(["2025-08-16/a/0", [21, 0, 0]]);
});

test("a run given twice leaves what one left", async () => {
  await run(single(TINY), THREE);
  const before = dataBelow(join(folder, "out"));
  await run(single(TINY), THREE);
  expect(dataBelow(join(folder, "out"))).toEqual(before);
});

test("append adds files under the run's own name", async () => {
  const one = await run(single(TINY), THREE);
  const two = await run(single(TINY), { ...THREE, "write-mode": "append" });
  expect(await rows()).toHaveLength(10);
  expect(partsOf(join(folder, "out"))).toEqual(expect.arrayContaining([...one.files, ...two.files].map(({ path }) => path)));
  expect(two.files.every(({ path }) => path.includes(two.runId))).toBe(true);
});

test("error refuses partitions that exist, and only those", async () => {
  await run(single(TINY), { ...THREE, dates: "2025-08-16" });
  const before = bytesBelow(join(folder, "out"));
  await expect(run(single(TINY), { ...THREE, "write-mode": "error" })).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringContaining("dt=2025-08-16"),
  });
  expect(bytesBelow(join(folder, "out"))).toEqual(before);
  await run(single(TINY), { ...THREE, dates: "2025-08-17", "write-mode": "error" });
  expect(await rows()).toHaveLength(5);
});

test("a partition of --dates that now has no rows is emptied, and said so; in other modes it stays", async () => {
  await run(single(TINY), THREE);
  const only = lines(RANKINGS.filter(({ dt }) => dt === "2025-08-16"));
  const dates = "2025-08-15..2025-08-17";
  const appended = await run(single({ ...TINY, impressions: only }), { ...THREE, dates, "write-mode": "append" });
  expect([appended.emptied, existsSync(join(folder, "out/dt=2025-08-17"))]).toEqual([[], true]);
  const { emptied } = await run(single({ ...TINY, impressions: only }), { ...THREE, dates });
  expect(emptied).toEqual(["2025-08-17"]);
  expect([...new Set((await rows()).map(({ dt }) => dt))]).toEqual(["2025-08-16"]);
  expect(readdirSync(join(folder, "out")).sort()).toEqual(["_SUCCESS", "_manifests", "dt=2025-08-16"]);
});

test("impressions in folders of other days are not read; actions there are, since they may be late", async () => {
  const inFolder = (dt: string) => lines(RANKINGS.filter((ranking) => ranking.dt === dt)).join("\n");
  const impressions = Object.fromEntries(["2025-08-16", "2025-08-17"].map((dt) => [`dt=${dt}/part.ndjson`, inFolder(dt)]));
  const dates = "2025-08-17";
  const flat = await run(single(TINY), { ...THREE, dates });
  const before = dataBelow(join(folder, "out"));
  const clicks = { "dt=2025-08-19/late.ndjson": TINY.clicks.join("\n") };
  const split = await run({ ...single(TINY), impressions, clicks }, { ...THREE, dates });
  expect(dataBelow(join(folder, "out"))).toEqual(before);
  expect([flat.unread, split.unread]).toEqual([0, 1]);
  const { late, ...places } = split.ledger.clicks;
  expect(places).toEqual(flat.ledger.clicks);
  expect(late).toEqual({ rows: TINY.clicks.length, days: { "time of another day": { "2025-08-19": TINY.clicks.length } } });
});

test("without --dates a run does not touch the partitions of other days", async () => {
  await run(single(TINY), THREE);
  const { emptied } = await run(single({ ...TINY, impressions: lines(RANKINGS.slice(0, 1)) }), THREE);
  expect([emptied, existsSync(join(folder, "out/dt=2025-08-17/_SUCCESS"))]).toEqual([[], true]);
});

const FAILING: [string, Partial<Inputs>, Options, number][] = [
  ["too many rejects", { clicks: { "a.ndjson": `${ndjson(CLICKS)}{"customer_id":"x"}\n` } }, { "max-rejects": "0" }, 3],
  ["a cut gzip", { clicks: { "a.ndjson.gz": gzipSync(ndjson(CLICKS).repeat(50)).subarray(0, 60) } }, {}, 3],
  ["no Parquet", { clicks: { "a.parquet": "PAR1 but no more of it" } }, {}, 3],
  ["a column that no row has", { clicks: { "a.ndjson": ndjson([{ customer_id: 1, item: 2, click_time: "2025-08-15 00:00:00" }]) } }, {}, 2],
  ["no impressions in the dates", {}, { dates: "2024-01-01" }, 2],
  ["a condition of --fail-on", {}, { "fail-on": "rows<1000" }, 3],
];

test.each(FAILING)(
  "a run that fails (%s) leaves an earlier output as it was, and nothing where there was none",
  async (_, some, options, exitCode) => {
    await run(single(TINY), THREE);
    const before = bytesBelow(join(folder, "out"));
    const failing = () => run({ ...single(TINY), ...some }, { ...THREE, ...options });
    const error = await failing().catch((thrown) => thrown);
    expect(exitCodeOf(error)).toBe(exitCode);
    expect(bytesBelow(join(folder, "out"))).toEqual(before);
    rmSync(join(folder, "out"), { recursive: true });
    await expect(failing()).rejects.toThrow();
    expect(existsSync(join(folder, "out"))).toBe(false);
  },
);

test("rejects are told by file, position and reason, without the row", async () => {
  const clicks = {
    "a.ndjson": `${ndjson(CLICKS.slice(0, 1))}\nnonsense\n`,
    "b.ndjson": ndjson([{ ...CLICKS[0], item_id: "secret" }, ...CLICKS.slice(1)]),
  };
  const rejects = join(folder, "rejects.ndjson");
  const { ledger } = await run({ ...single(TINY), clicks }, { ...THREE, rejects });
  const told = readFileSync(rejects, "utf8");
  const found = told
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(found).toEqual([
    { table: "clicks", file: expect.stringMatching(/clicks\/a\.ndjson$/), position: 3, reason: "not JSON" },
    { table: "clicks", file: expect.stringMatching(/clicks\/b\.ndjson$/), position: 1, reason: "item_id: not a 64-bit integer" },
  ]);
  expect(told).not.toContain("secret");
  expect(ledger.clicks.places).toMatchObject({ rejected: 2 });
});

test.each([
  ["1", ["2025-08-17"]],
  ["2", ["2025-08-16", "2025-08-17"]],
  ["9", ["2025-08-16", "2025-08-17"]],
])("--train-days %s: the newest of the days found", async (days, expected) => {
  await run(single(TINY), { ...THREE, "train-days": days });
  expect([...new Set((await rows()).map(({ dt }) => dt))]).toEqual(expected);
});

test("--train-days counts within --dates", async () => {
  await run(single(TINY), { ...THREE, "train-days": "1", dates: "2025-08-01..2025-08-16" });
  expect([...new Set((await rows()).map(({ dt }) => dt))]).toEqual(["2025-08-16"]);
});

test("--columns: the real length and the times beside the standard columns", async () => {
  await run(single(TINY), { ...THREE, columns: "standard,+length,+times", dates: "2025-08-16" });
  const [row] = await rows();
  const micros = (text: string) => Date.parse(text) * 1000;
  expect(Object.keys(row)).toEqual([
    "dt",
    "ranking_id",
    "customer_id",
    "impression_index",
    "item_id",
    "is_order",
    "impressions",
    "actions",
    "action_types",
    "history_length",
    "action_times",
  ]);
  expect(row).toMatchObject({
    history_length: 3,
    action_times: [micros("2025-08-15T10:00:00Z"), micros("2025-08-15T10:00:00Z"), micros("2025-08-14T10:00:00Z")],
  });
  expect((await rows()).at(-1)).toMatchObject({ ranking_id: "d", history_length: 0, action_times: [0, 0, 0] });
});

test("--columns: a list, with other names", async () => {
  await run(single(TINY), { ...THREE, columns: "ranking_id=session,actions=past,item_id", dates: "2025-08-17" });
  const [{ dt, ...row }] = await rows();
  expect([dt, row]).toEqual(["2025-08-17", { session: "b", past: [14, 21, 12], item_id: 7 }]);
});

test("columns of the inputs under other names, and a table of one's own, by configuration", async () => {
  const config = join(folder, "config.json");
  const views = join(folder, "views.ndjson");
  writeFileSync(views, ndjson([{ user: 1, sku: 41, at: "2025-08-15T23:00:00Z" }]));
  const tables = [
    { name: "clicks", type: 1, customer: "who", item: "what", time: "when" },
    { name: "views", type: 4, customer: "user", item: "sku", time: "at", path: views },
  ];
  writeFileSync(config, JSON.stringify({ tables }));
  const renamed = CLICKS.map(({ customer_id, item_id, click_time }) =>
    JSON.stringify({ who: customer_id, what: item_id, when: click_time }),
  );
  await run(single({ ...TINY, clicks: renamed }), { "history-length": "4", config });
  expect((await rows())[0]).toMatchObject({ actions: [41, 21, 12, 11], action_types: [4, 2, 1, 1] });
});

test("--drop-empty-history leaves out rows without any action", async () => {
  const { ledger } = await run(single(TINY), { ...THREE, "drop-empty-history": true });
  expect((await rows()).map(({ ranking_id }) => ranking_id)).toEqual(["a", "a", "c", "b"]);
  expect(ledger.impressions.places).toEqual({ used: 3, "without history": 1 });
});
