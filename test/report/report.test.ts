import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { generate } from "../../pipeline/generate";
import { variation } from "../../report/chart";
import { chartsOf } from "../../report/charts";
import { drawing } from "../../report/draw";
import { type Figures, figuresOf } from "../../report/figures";
import { pageOf } from "../../report/page";
import { Tally } from "../../report/tally";
import { buildTo, forget, type Row, readFile } from "../verify/outputs";

jest.setTimeout(300_000);

const folder = mkdtempSync(join(tmpdir(), "backstory-<report>-"));
const at = (...path: string[]) => join(folder, ...path);
const inputs = ["impressions", "clicks", "add_to_carts", "previous_orders"].map(
  (table) => `--${table.replaceAll("_", "-")}=${at("in", `${table}.ndjson`)}`,
);
beforeAll(async () => {
  await generate({ output: at("in"), rankings: 80, actions: 3000, customers: 40, items: 60, days: 3 });
  await buildTo(at("out"), [...inputs, "--history-length=60", "--shards=2"]);
  await buildTo(at("other"), [...inputs, "--history-length=60", "--lookback-days=1"]);
});
afterAll(() => rmSync(folder, { recursive: true }));

const page = async (here: Figures, there?: Figures) => pageOf({ here, there, charts: chartsOf({ here, there }, await drawing()) });

test("figures are those of the rows", async () => {
  const figures = await figuresOf(at("out"));
  const rows: Row[] = [];
  for (const { partitions } of figures.manifests)
    for (const { dt, files } of partitions)
      for (const { path } of files) rows.push(...(await readFile(at("out", path))).rows.map((row) => ({ ...row, dt })));
  const lengthOf = (row: Row) => (row.action_types as number[]).filter(Boolean).length;
  expect(figures.rows).toBe(rows.length);
  expect(figures.orders).toBeCloseTo(rows.filter((row) => row.is_order).length / rows.length, 10);
  expect(figures.quality.avg_history_length).toBeCloseTo(rows.reduce((sum, row) => sum + lengthOf(row), 0) / rows.length, 10);
  for (const { dt, rows: count, zeroHistory } of figures.days) {
    const here = rows.filter((row) => row.dt === dt);
    expect(count).toBe(here.length);
    expect(zeroHistory).toBeCloseTo(here.filter((row) => lengthOf(row) === 0).length / here.length, 10);
    expect(figures.quality.customers_by_dt[dt]).toBe(new Set(here.map((row) => row.customer_id)).size);
  }
  expect(figures.items!.at(-1)).toEqual({ count: new Set(rows.map((row) => row.item_id)).size, fraction: 1, share: 1 });
  for (const { used } of figures.days) for (const { newest, oldest } of used) expect(oldest).toBeGreaterThanOrEqual(newest);
  expect(figures.days.flatMap(({ used }) => used).every(({ newest }) => newest > 0)).toBe(true);
});

test("shares are those of the most frequent ids", () =>
  fc.assert(
    fc.property(fc.array(fc.nat(30), { minLength: 1, maxLength: 200 }), (ids) => {
      const tally = new Tally();
      for (const id of ids) tally.add(id, -id, 1);
      const counts = [...Map.groupBy(ids, (id) => id).values()].map(({ length }) => length).sort((a, b) => b - a);
      for (const { count, share } of tally.shares())
        expect(share).toBeCloseTo(counts.slice(0, count).reduce((a, b) => a + b, 0) / ids.length, 10);
    }),
  ));

test("ids are told apart by both of their words, however many there are", () => {
  const tally = new Tally();
  const naive = new Map<string, number>();
  for (let i = 0; i < 20_000; i++) {
    const [low, high, by] = [((i * 7919) % 3001) | 0, ((i * 31) % 17) - 8, (i % 5) + 1];
    const key = `${low} ${high}`;
    expect(tally.add(low, high, by)).toBe(!naive.has(key));
    naive.set(key, (naive.get(key) ?? 0) + by);
  }
  const counts = [...naive.values()].sort((a, b) => b - a);
  expect(tally.size).toBe(counts.length);
  expect(counts.length).toBeGreaterThan(10_000);
  const total = counts.reduce((a, b) => a + b, 0);
  for (const { count, share } of tally.shares()) expect(share).toBeCloseTo(counts.slice(0, count).reduce((a, b) => a + b, 0) / total, 10);
});

test("drift is 0 between alike distributions, 1 between ones that have nothing in common, and the same both ways", () => {
  const counts = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.integer({ min: 1, max: 100 }), { minKeys: 1 });
  fc.assert(
    fc.property(counts, counts, (a, b) => {
      expect(variation(a, Object.fromEntries(Object.entries(a).map(([key, n]) => [key, 3 * n])))).toBeCloseTo(0, 10);
      expect(variation(a, { z: 1 })).toBeCloseTo(1, 10);
      expect(variation(a, b)).toBeCloseTo(variation(b, a), 10);
    }),
  );
});

test("a page has every chart with its definition and its numbers, and needs nothing from elsewhere", async () => {
  const text = await page(await figuresOf(at("out")));
  for (const id of ["rows", "zero-history", "lengths", "positions", "recency", "customers", "items", "ledger"])
    expect(text).toMatch(new RegExp(`<figure id="${id}"[^>]*>\\s*<figcaption><h3>[^<]+</h3><p>[^<]+</p>.*?<svg role="img".*?<table>`, "s"));
  expect(text).toContain("Leak certificate");
  expect(text.replaceAll("http://www.w3.org/", "")).not.toMatch(/https?:|url\(|@import|<script|<link|src=/);
  expect(text).not.toContain("Drift");
});

test("against another output: the drift of each distribution", async () => {
  const text = await page(await figuresOf(at("out")), await figuresOf(at("other")));
  const drift = /<figure id="lengths">.*?Drift: ([\d.]+)%/s.exec(text)![1];
  expect(Number(drift)).toBeGreaterThan(10);
  expect(text).toMatch(/<figure id="rows">.*?Drift: 0\.0%/s);
});

test("names are text, whatever is in them", async () => {
  const text = await page(await figuresOf(at("out")));
  expect(text).not.toContain("<report>");
  expect(text).toContain("&#60;report&#62;");
});

test("an output without manifests has all charts that rows tell", async () => {
  await buildTo(at("forgotten"), [...inputs, "--history-length=60"]);
  forget(at("forgotten"));
  const text = await page(await figuresOf(at("forgotten")));
  expect(text).toContain('<figure id="items">');
  expect(text).not.toContain('<figure id="ledger"');
  expect(text).toContain("nothing proves what its rows knew");
});

test("rejects by reason", async () => {
  execFileSync("sh", ["-c", `echo broken >> "${at("in", "clicks.ndjson")}"`]);
  await buildTo(at("rejects"), [...inputs, "--history-length=60"]);
  expect(await page(await figuresOf(at("rejects")))).toMatch(/<figure id="rejects".*clicks: not JSON/s);
});

describe("the command", () => {
  const run = (...args: string[]) => {
    const options = { encoding: "utf8", timeout: 50_000, cwd: folder } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(__dirname, "../../bin/backstory.js"), ...args], options);
    return { status, stdout, stderr };
  };

  test("report, and build --report", () => {
    expect(run("report", at("out"), "--against", at("other"), `--to=${at("new/page.html")}`)).toEqual({
      status: 0,
      stdout: `${at("new/page.html")}\n`,
      stderr: "",
    });
    expect(readFileSync(at("new/page.html"), "utf8")).toContain("Drift");
    expect(run("build", ...inputs, `--output=${at("built")}`, `--report=${at("built.html")}`, "--quiet")).toMatchObject({
      status: 0,
      stderr: "",
    });
    expect(readFileSync(at("built.html"), "utf8")).toContain('<figure id="ledger"');
  });

  // biome-ignore format: a table
  test.each([
    [/report wants a path/],
    [/there is no output folder at/, at("none")],
    [/--to must be a file/, at("out"), `--to=${folder}`],
    [/there is no output folder at ".*none"/, at("out"), `--against=${at("none")}`],
  ] as [RegExp, ...string[]][])("2: %s", (message, ...args) => {
    expect(run("report", ...args)).toMatchObject({ status: 2, stderr: expect.stringMatching(message) });
    expect(existsSync(at("report.html"))).toBe(false);
  });
});
