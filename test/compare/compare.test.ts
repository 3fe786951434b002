import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { compare } from "../../compare/compare";
import { CompareOptions } from "../../compare/options";
import { textOf } from "../../compare/report";
import { parseFlags } from "../../pipeline/flags";
import { generate } from "../../pipeline/generate";
import { buildTo, type Row, readFile, writeFile } from "../verify/outputs";

jest.setTimeout(300_000);

const folder = mkdtempSync(join(tmpdir(), "backstory-compare-"));
const at = (...path: string[]) => join(folder, ...path);
const inputs = ["impressions", "clicks", "add_to_carts", "previous_orders"].map(
  (table) => `--${table.replaceAll("_", "-")}=${at("in", `${table}.ndjson`)}`,
);
const build = (name: string, ...flags: string[]) => buildTo(at(name), [...inputs, "--history-length=100", ...flags]);
const compared = (a: string, b: string, ...flags: string[]) => compare(at(a), at(b), parseFlags(CompareOptions, flags, 0).options);

beforeAll(async () => {
  await generate({ output: at("in"), rankings: 80, actions: 4000, customers: 30, items: 60, days: 3 });
  await build("a");
});
afterAll(() => rmSync(folder, { recursive: true }));

const sameAs = { different: 0, onlyHere: 0, onlyThere: 0 };
const files = (name: string) => readdirSync(at(name), { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".parquet"));
const rowsOf = async (name: string): Promise<Row[]> =>
  (
    await Promise.all(
      files(name).map(async (path) => (await readFile(at(name, path))).rows.map((row) => ({ ...row, dt: /dt=([\d-]+)/.exec(path)![1] }))),
    )
  ).flat();

test("an output and itself, in any number of files and in any order, are the same", async () => {
  await build("shards", "--shards=5", "--compression=zstd");
  for (const path of files("shards")) {
    const file = await readFile(at("shards", path));
    writeFile(at("shards", path), { ...file, rows: file.rows.toReversed() });
  }
  const { total, dts, reasons } = await compared("a", "shards");
  expect(total).toMatchObject(sameAs);
  expect(total.same).toBe((await rowsOf("a")).length);
  expect(dts).toHaveLength(3);
  expect(reasons).toEqual([]);
});

test.each([
  ["lookback boundary", "--lookback-days=3"],
  ["order time", "--order-lag-days=2"],
  ["history length", "--history-length=30"],
])("an output by other options: %s", async (reason, flag) => {
  rmSync(at("b"), { recursive: true, force: true });
  await buildTo(at("b"), [...inputs, ...(flag.startsWith("--history") ? [] : ["--history-length=100"]), flag]);
  const { total, reasons, lookedAt } = await compared("a", "b");
  expect(total.different).toBeGreaterThan(0);
  expect(total).toMatchObject({ onlyHere: 0, onlyThere: 0 });
  expect(lookedAt).toBe(total.different);
  expect(reasons[0].reason).toBe(reason);
});

describe("a table of another program", () => {
  /** One file with a column of days, other names and types, ids as text, and rows in another order. */
  async function foreign(name: string, change: (row: Row) => Row = (row) => row): Promise<void> {
    const rows = (await rowsOf("a")).map(change).toSorted((a, b) => (String(a.item_id) < String(b.item_id) ? -1 : 1));
    const column = (column: string, type: string, data: unknown[]) => ({ name: column, type, data, nullable: true });
    mkdirSync(at(name), { recursive: true });
    const columnData = [
      column(
        "day",
        "DATE",
        rows.map(({ dt }) => new Date(`${dt}T00:00:00Z`)),
      ),
      column(
        "session",
        "STRING",
        rows.map(({ ranking_id }) => ranking_id),
      ),
      column(
        "user",
        "STRING",
        rows.map(({ customer_id }) => String(customer_id)),
      ),
      column(
        "impression_index",
        "INT64",
        rows.map(({ impression_index }) => BigInt(impression_index as number)),
      ),
      column(
        "item_id",
        "INT64",
        rows.map(({ item_id }) => item_id),
      ),
      column(
        "bought",
        "INT32",
        rows.map(({ is_order }) => (is_order === null ? null : Number(is_order))),
      ),
    ];
    const lists = [
      { name: "actions", type: "INT64", data: rows.map(({ actions }) => actions) },
      { name: "kinds", type: "INT64", data: rows.map(({ action_types }) => (action_types as number[]).map(BigInt)) },
    ];
    const schema = [
      { name: "root", num_children: columnData.length + lists.length },
      ...columnData.map(({ name, type }) => ({
        name,
        repetition_type: "OPTIONAL",
        ...(type === "STRING"
          ? { type: "BYTE_ARRAY", converted_type: "UTF8" }
          : type === "DATE"
            ? { type: "INT32", converted_type: "DATE" }
            : { type }),
      })),
      ...lists.flatMap(({ name, type }) => [
        { name, repetition_type: "OPTIONAL", converted_type: "LIST", num_children: 1 },
        { name: "list", repetition_type: "REPEATED", num_children: 1 },
        { name: "element", repetition_type: "OPTIONAL", type },
      ]),
    ];
    writeFileSync(
      at(name, "all.parquet"),
      Buffer.from(parquetWriteBuffer({ schema, columnData: [...columnData, ...lists].map(({ name, data }) => ({ name, data })) } as never)),
    );
  }
  const names = "--columns=dt=day,ranking_id=session,customer_id=user,is_order=bought,action_types=kinds";

  test("the same rows are the same, whatever their columns' names and types", async () => {
    await foreign("spark");
    const { total, dts, columns, compared: content } = await compared("a", "spark", names);
    expect(total).toMatchObject({ ...sameAs, same: total.here, there: total.here });
    expect(dts).toHaveLength(3);
    expect(columns).toEqual({ here: ["impressions"], there: [] });
    expect(content).toEqual(["is_order", "actions", "action_types"]);
  });

  test("padding in front is told as such, and passed over where that is asked for", async () => {
    const turned = (list: unknown) => [...(list as (bigint | number)[]).filter(Boolean)];
    await foreign("left", (row) => {
      const pad = (list: unknown, zero: bigint | number) => [...Array(100 - turned(list).length).fill(zero), ...turned(list)];
      return { ...row, actions: pad(row.actions, 0n), action_types: pad(row.action_types, 0) };
    });
    const { total, reasons } = await compared("a", "left", names);
    expect(reasons.map(({ reason }) => reason)).toEqual(["padding side"]);
    expect(reasons[0].rows).toBe(total.different);
    expect((await compared("a", "left", names, "--ignore-padding")).total).toMatchObject(sameAs);
  });

  test("rows that only one side has, and other values", async () => {
    await foreign("less", (row) => ({ ...row, is_order: row.item_id === (row.impressions as bigint) && row.impression_index === 0 }));
    const rows = await rowsOf("a");
    const { total, reasons } = await compared("a", "less", names);
    expect(total.different).toBe(rows.filter(({ is_order, impression_index }) => is_order !== (impression_index === 0)).length);
    expect(reasons.map(({ reason, example }) => [reason, example.position, example.columns])).toEqual([
      ["other values", null, ["is_order"]],
    ]);
  });

  test("a column with nulls", async () => {
    await foreign("nulls", (row) => (row.impression_index === 3 ? { ...row, is_order: null } : row));
    await expect(compared("a", "nulls", names)).rejects.toThrow(
      /all\.parquet": column bought has nulls, or a type that cannot be compared/,
    );
  });

  test("columns that are not there", async () => {
    await expect(compared("a", "spark", "--columns=ranking_id=sesion")).rejects.toThrow(/has no column sesion; it has day, session, /);
    await expect(compared("a", "spark")).rejects.toThrow(/does not say which dt its rows are of.* Name one, as in --columns=dt=day/);
    await expect(compared("a", "spark", names, "--columns-here=customer_id=item_id,ranking_id=item_id", "--key=what")).rejects.toThrow(
      /--key/,
    );
  });
});

test("rows lost, doubled and added are each counted", async () => {
  cpSync(at("a"), at("c"), { recursive: true });
  const [path] = files("c");
  const file = await readFile(at("c", path));
  const [first, second, ...rest] = file.rows;
  writeFile(at("c", path), { ...file, rows: [second, second, ...rest, { ...first, ranking_id: "new" }] });
  const { total, onlyHere, onlyThere } = await compared("a", "c");
  expect(total).toMatchObject({ different: 0, onlyHere: 1, onlyThere: 2 });
  expect(onlyHere).toEqual({ file: path, row: 1 });
  expect(onlyThere).toEqual({ file: path, row: 2 });
});

test("--dates", async () => {
  const [{ dt }] = (await compared("a", "a")).dts;
  expect((await compared("a", "a", `--dates=${dt}`)).dts.map((each) => each.dt)).toEqual([dt]);
  await expect(compared("a", "a", "--dates=1999-01-01")).rejects.toThrow(/^neither ".*" nor ".*" has rows of --dates=1999-01-01\. Check/);
});

test("ids and items are told only to those who ask", async () => {
  await build("d", "--lookback-days=2");
  expect(textOf(await compared("a", "d"))).not.toContain('"customer_id"');
  expect(textOf(await compared("a", "d", "--show-values"))).toContain('"customer_id"');
});

describe("the command", () => {
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(__dirname, "../../bin/backstory.js"), "compare", ...args], {
      encoding: "utf8",
      timeout: 50_000,
    });
    return { status, stdout, stderr };
  };
  beforeAll(() => build("e", "--lookback-days=2"));

  test("0 and a report, or 4", () => {
    expect(run(at("a"), at("a"))).toMatchObject({ status: 0, stdout: expect.stringMatching(/no difference\n$/), stderr: "" });
    const { status, stdout, stderr } = run(at("a"), at("e"), "--json");
    expect(JSON.parse(stdout).reasons[0].reason).toBe("lookback boundary");
    expect(stderr).toMatch(/^backstory: .* differ in [\d,]+ rows?\. The report tells how/);
    expect(status).toBe(4);
  });

  // biome-ignore format: a table
  test.each([
    [/compare wants two paths/, at("a")],
    [/there is no output at ".*none"/, at("a"), at("none")],
    [/has no Parquet file/, at("a"), at("in")],
    [/--columns must be NAME=THEIR_NAME/, at("a"), at("a"), "--columns=what=x"],
    [/--key names "what"/, at("a"), at("a"), "--key=what"],
    [/--key names "actions"/, at("a"), at("a"), "--key=actions"],
    [/--explain must be a whole number/, at("a"), at("a"), "--explain=many"],
  ] as [RegExp, ...string[]][])("2: %s", (message, ...args) => {
    const { status, stderr } = run(...args);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });

  test("3: no Parquet", () => {
    mkdirSync(at("broken"), { recursive: true });
    execFileSync("cp", [at("in", "clicks.ndjson"), at("broken", "a.parquet")]);
    expect(run(at("a"), at("broken"))).toMatchObject({ status: 3, stderr: expect.stringContaining("cannot be read as Parquet") });
  });
});
