import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs, { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { convert } from "../../layouts/convert";
import { type Ranking, rankingsOf, Twins } from "../../layouts/model";
import { main } from "../../pipeline/cli";
import { generate } from "../../pipeline/generate";
import type { Layout } from "../../pipeline/layout";
import { slowTest } from "../suite";
import { buildTo, forget, type Row, readFile, verified, writeFile } from "../verify/outputs";
import { eachWithTwins } from "./twins";

jest.setTimeout(300_000);

const folder = mkdtempSync(join(tmpdir(), "backstory-layouts-"));
const at = (...path: string[]) => join(folder, ...path);
const inputsIn = (place: string) =>
  ["impressions", "clicks", "add_to_carts", "previous_orders"].map(
    (table) => `--${table.replaceAll("_", "-")}=${join(place, `${table}.ndjson`)}`,
  );
const to = (from: string, name: string, layout: Layout, padding: "zeros" | "none" = "zeros") =>
  convert(at(from), { to: at(name), layout, padding, quiet: true });

beforeAll(async () => {
  await generate({ output: at("in"), rankings: 80, actions: 4000, customers: 30, items: 60, days: 3 });
  await buildTo(at("a"), [...inputsIn(at("in")), "--history-length=50", "--lookback-days=2", "--shards=2"]);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** SHA-256 of every file, by path. */
const hashes = (name: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(at(name), { recursive: true, encoding: "utf8" })
      .filter((path) => statSync(at(name, path)).isFile() && !path.startsWith("_attempts"))
      .sort()
      .map((path) => [
        path,
        createHash("sha256")
          .update(readFileSync(at(name, path)))
          .digest("hex"),
      ]),
  );
const parquetOf = (name: string) => Object.keys(hashes(name)).filter((path) => path.endsWith(".parquet"));
const rowsOf = async (path: string): Promise<Row[]> => (await readFile(path)).rows;

const WAYS = [
  ["rows", "none"],
  ["rankings", "zeros"],
  ["rankings", "none"],
  ["histories", "zeros"],
  ["histories", "none"],
] as const;
let names = 0;

async function expectSameBack(from: string): Promise<void> {
  for (const [layout, padding] of WAYS) {
    const [there, back] = [`there-${names}`, `back-${names++}`];
    await to(from, there, layout, padding);
    await to(there, back, "rows");
    expect(hashes(back)).toEqual(hashes(from));
  }
}

describe("converted and back, every file has the same bytes", () => {
  test.each([
    ["plain", []],
    ["with lengths, times and other names", ["--columns=standard,+length,+times"]],
    [
      "renamed and in another order",
      ["--columns=actions=a,action_types=t,item_id=i,impression_index,is_order,customer_id,ranking_id=r,+times"],
    ],
    ["in many row groups, compressed by zstd", ["--row-group-bytes=9000", "--compression=zstd"]],
    ["not compressed", ["--compression=none", "--history-length=1"]],
  ])("%s", async (_, flags) => {
    const name = `o${names++}`;
    await buildTo(
      at(name),
      [...inputsIn(at("in")), "--history-length=50", "--lookback-days=2", ...flags].filter(
        (flag, i, all) => all.findLastIndex((other) => other.split("=")[0] === flag.split("=")[0]) === i,
      ),
    );
    await expectSameBack(name);
    expect((await verified(at(`back-${names - 1}`))).differences).toBe(0);
  });

  slowTest("OTTO", async () => {
    await buildTo(at("otto"), inputsIn("examples/otto"));
    await expectSameBack("otto");
  });

  test("of an output that is appended to, and of one without manifests", async () => {
    const flags = [...inputsIn(at("in")), "--history-length=20", "--write-mode=append"];
    await buildTo(at("appended"), [...flags, "--run-id=one"]);
    rmSync(at("appended", "_SUCCESS")); // earlier versions let other columns follow; who has no last run is not asked
    await buildTo(at("appended"), [...flags, "--run-id=two", "--columns=+length"]);
    await expectSameBack("appended");
    cpSync(at("a"), at("forgotten"), { recursive: true });
    forget(at("forgotten"));
    await expectSameBack("forgotten");
  });

  test("with rankings that were given twice, or that have the same id", () =>
    eachWithTwins(at("twins"), async () => {
      const name = `twins-${names++}`;
      await buildTo(at(name), [...inputsIn(at("twins")), "--history-length=5"]);
      await expectSameBack(name);
    }));
});

describe("what the layouts hold", () => {
  test.each(["zeros", "none"] as const)("rankings and histories say what rows say, with padding %s", async (padding) => {
    const cut = (row: Row, list: unknown) =>
      (list as unknown[]).slice(0, padding === "none" ? (row.action_types as number[]).filter(Boolean).length : undefined);
    await to("a", `r-${padding}`, "rankings", padding);
    await to("a", `h-${padding}`, "histories", padding);
    for (const path of parquetOf("a")) {
      const rows = await rowsOf(at("a", path));
      const fromRankings = (await rowsOf(at(`r-${padding}`, path))).flatMap(
        ({ item_id, is_order, impressions, history_length: _, ...ranking }) =>
          (item_id as bigint[]).map((item, i) => ({
            ...ranking,
            impression_index: i,
            item_id: item,
            is_order: (is_order as boolean[])[i],
            impressions: (impressions as bigint[])[i],
          })),
      );
      const expected = rows.map((row) => ({ ...row, actions: cut(row, row.actions), action_types: cut(row, row.action_types) }));
      expect(fromRankings).toEqual(expected);
      const histories = await rowsOf(at(`h-${padding}`, path.replace("part-", "histories-")));
      const slots = await rowsOf(at(`h-${padding}`, path.replace("part-", "slots-")));
      expect(histories.map(({ history_row }) => history_row)).toEqual(histories.map((_, i) => i));
      const fromHistories = slots.map(({ history_row, ...slot }) => {
        const { actions, action_types, customer_id } = histories[history_row as number];
        expect(customer_id).toBe(slot.customer_id);
        return { ...slot, actions, action_types };
      });
      expect(fromHistories).toEqual(expected);
      expect(histories.length).toBeLessThan(slots.length);
    }
  });

  test("between rankings and histories, with padding and without, it is all the same", async () => {
    await to("a", "direct", "histories", "none");
    await to("a", "first", "rankings");
    await to("first", "second", "rankings", "none");
    await to("second", "third", "histories", "none");
    expect(hashes("third")).toEqual(hashes("direct"));
  });
});

test("rankingsOf is the inverse of how slots of rankings alternate", () => {
  const ranking = fc.array(fc.tuple(fc.bigInt(0n, 2n), fc.integer({ min: 0, max: 1 })), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(fc.array(ranking, { maxLength: 12 }), (contents) => {
      // in the order of rows: shorter ones first where they begin alike
      const ordered = contents.toSorted((a, b) =>
        JSON.stringify(a, digits).replace("]]", "") < JSON.stringify(b, digits).replace("]]", "") ? -1 : 1,
      );
      const id = Buffer.from("r");
      const rankings: Ranking[] = ordered.map((slots) => ({
        id,
        items: slots.map(([item]) => item),
        orders: slots.map(([, order]) => order),
      }));
      const slots = { indexes: [] as number[], items: [] as bigint[], orders: [] as number[] };
      const twins = new Twins(({ items, orders }, count) => {
        for (let slot = 0; slot < items.length; slot++)
          for (let twin = 0; twin < count; twin++) {
            slots.indexes.push(slot);
            slots.items.push(items[slot]);
            slots.orders.push(orders[slot]);
          }
      });
      for (const each of rankings) twins.add(each);
      twins.flush();
      expect(rankingsOf(id, slots)).toEqual(rankings);
    }),
  );
});
const digits = (_: string, value: unknown) => (typeof value === "bigint" ? Number(value) : value);

describe("bad input", () => {
  const copy = (name: string, from = "a"): string => {
    cpSync(at(from), at(name), { recursive: true });
    return at(name, parquetOf(name)[0]);
  };
  const told = jest.spyOn(console, "error").mockImplementation(() => {});
  const run = async (...args: string[]) => ({ code: await main(["convert", ...args]), message: String(told.mock.lastCall?.[0]) });
  const left = () => readdirSync(folder).filter((name) => name.startsWith("."));

  test.each([
    ["no output", () => [at("none"), `--to=${at("x")}`, "--layout=rankings"], /no output folder/],
    ["a file", () => [at("a", parquetOf("a")[0]), `--to=${at("x")}`, "--layout=rankings"], /no output folder/],
    ["no partitions", () => [at("in"), `--to=${at("x")}`, "--layout=rankings"], /no partitions/],
    ["to nowhere", () => [at("a"), "--to=gs://", "--layout=rankings"], /bucket/],
    ["no --to", () => [at("a"), "--layout=rankings"], /--to/],
    ["no --layout", () => [at("a"), `--to=${at("x")}`], /--layout/],
    ["an unknown layout", () => [at("a"), `--to=${at("x")}`, "--layout=columns"], /--layout/],
    ["a folder with files", () => [at("a"), `--to=${at("in")}`, "--layout=rankings"], /new or an empty folder/],
    ["a folder within the output", () => [at("a"), `--to=${at("a", "x")}`, "--layout=rankings"], /within the output/],
    ["a file as folder", () => [at("a"), `--to=${at("in", "clicks.ndjson")}`, "--layout=rankings"], /must be a folder/],
    ["no path", () => [`--to=${at("x")}`, "--layout=rankings"], /wants a path/],
  ])("%s: exit 2, and nothing is written", async (_, args, message) => {
    expect(await run(...args())).toEqual({ code: 2, message: expect.stringMatching(message) });
    expect(existsSync(at("x"))).toBe(false);
  });

  test.each<[string, number, RegExp, (path: string, name: string) => unknown]>([
    ["cut", 3, /cannot be read as Parquet/, (path) => writeFileSync(path, readFileSync(path).subarray(0, 500))],
    ["no Parquet", 3, /cannot be read as Parquet/, (path) => writeFileSync(path, "rows")],
    ["without _SUCCESS", 2, /no _SUCCESS/, (path) => rmSync(join(path, "..", "_SUCCESS"))],
    ["of another name", 2, /no file of a build/, (path) => cpSync(path, join(path, "..", "more.parquet"))],
    ["with a broken manifest", 3, /no manifest/, (_, name) => writeFileSync(at(name, "_manifests", "x.json"), "{")],
    [
      "with a slot less",
      3,
      /another order/,
      (path) => change(path, (rows) => rows.filter(({ impression_index }) => impression_index !== 0)),
    ],
    [
      "with padding in between",
      3,
      /no build writes/,
      (path) =>
        change(path, (rows) =>
          rows.map((row) => ({
            ...row,
            action_types: [0, ...(row.action_types as number[]).slice(1)],
            actions: [5n, ...(row.actions as bigint[]).slice(1)],
          })),
        ),
    ],
    [
      "with short lists",
      3,
      /no build writes/,
      (path) => change(path, (rows) => rows.map((row) => ({ ...row, actions: (row.actions as bigint[]).slice(1) }))),
    ],
    [
      "with other impressions",
      3,
      /impressions that are not item_id/,
      (path) => change(path, (rows) => rows.map((row) => ({ ...row, impressions: -1n }))),
    ],
  ])("an output %s: exit %i, and nothing is left", async (what, code, message, spoil) => {
    const name = `bad ${what}`;
    await spoil(copy(name), name);
    expect(await run(at(name), `--to=${at("x")}`, "--layout=histories")).toEqual({ code, message: expect.stringMatching(message) });
    expect(existsSync(at("x"))).toBe(false);
    expect(left()).toEqual([]);
  });

  test("files that are not those of their manifest", async () => {
    const path = copy("laundered");
    const before = JSON.stringify(await rowsOf(path), digits);
    await change(path, (rows) => rows.map((row) => ({ ...row, is_order: true })));
    expect(JSON.stringify(await rowsOf(path), digits)).not.toBe(before);
    expect(await run(at("laundered"), `--to=${at("x")}`, "--layout=rankings")).toEqual({
      code: 3,
      message: expect.stringMatching(/is not the file that run .* has published, by its SHA-256/),
    });
    expect(left()).toEqual([]);
  });

  async function change(path: string, by: (rows: Row[]) => Row[]): Promise<void> {
    const file = await readFile(path);
    writeFile(path, { ...file, rows: by(file.rows) });
  }

  test("an output without a column that converting needs", async () => {
    await buildTo(at("few"), [...inputsIn(at("in")), "--columns=customer_id,actions,action_types"]);
    expect(await run(at("few"), `--to=${at("x")}`, "--layout=rankings")).toEqual({
      code: 2,
      message: expect.stringMatching(/no column ranking_id/),
    });
  });

  test.each([
    ["histories-", /wants "histories-/],
    ["slots-", /wants "slots-/],
  ])("a conversion that lacks its %s files", async (prefix, message) => {
    const name = `lacks ${prefix}`;
    await to("a", name, "histories");
    for (const path of parquetOf(name)) if (path.includes(prefix)) rmSync(at(name, path));
    expect(await run(at(name), `--to=${at("x")}`, "--layout=rows")).toEqual({ code: 3, message: expect.stringMatching(message) });
    expect(left()).toEqual([]);
  });

  test("a folder that somebody else has filled meanwhile stays as it is", async () => {
    const rename = jest.spyOn(fs, "renameSync").mockImplementationOnce((from, target) => {
      mkdirSync(target as string);
      writeFileSync(join(target as string, "theirs"), "");
      fs.renameSync(from, target);
    });
    expect(await run(at("a"), `--to=${at("raced")}`, "--layout=rankings")).toEqual({
      code: 2,
      message: expect.stringMatching(/new or an empty folder/),
    });
    rename.mockRestore();
    expect(readdirSync(at("raced"))).toEqual(["theirs"]);
    expect(left()).toEqual([]);
  });

  test("slots that belong to other histories", async () => {
    await to("a", "mixed", "histories");
    const [first, second] = parquetOf("mixed").filter((path) => path.includes("slots-"));
    writeFileSync(at("mixed", first), readFileSync(at("mixed", second)));
    expect(await run(at("mixed"), `--to=${at("x")}`, "--layout=rows")).toEqual({
      code: 3,
      message: expect.stringMatching(/does not fit its histories/),
    });
  });

  test("the command tells what it wrote", () => {
    const { status, stdout } = spawnSync(
      process.execPath,
      ["bin/backstory.js", "convert", at("a"), `--to=${at("told")}`, "--layout=histories"],
      { encoding: "utf8", timeout: 60_000 },
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(/told: histories, 3 partitions, \d+ files, [\d,]+ bytes/);
  });
});
