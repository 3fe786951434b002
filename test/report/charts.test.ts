/** What charts tell, against plain counts of the rows and of the lines that went in. */
import { execFileSync } from "node:child_process";
import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { generate } from "../../pipeline/generate";
import { withExamples } from "../../pipeline/rejects";
import type { SplitExtent } from "../../pipeline/scansplit";
import { type Chart, percent, sum, thousands, typeName } from "../../report/chart";
import { chartsOf } from "../../report/charts";
import { drawing } from "../../report/draw";
import { type Figures, figuresOf } from "../../report/figures";
import { sharedFolder } from "../../report/inputs";
import { pageOf } from "../../report/page";
import { noCounts } from "../../transforms/tablecounts";
import { buildTo, forget, type Row, readFile } from "../verify/outputs";

jest.setTimeout(300_000);

const folder = mkdtempSync(join(tmpdir(), "backstory-charts-"));
const at = (...path: string[]) => join(folder, ...path);
const inputs = ["impressions", "clicks", "add_to_carts", "previous_orders"].map(
  (table) => `--${table.replaceAll("_", "-")}=${at("in", `${table}.ndjson`)}`,
);
const options = [...inputs, "--history-length=60", "--columns=+times", "--dates=2025-08-02..2025-08-06"];

/** Of one customer and item that generated data has not. */
const CLICK = { customer_id: 1, item_id: 1, dt: "2025-08-04", click_time: "2025-08-04 10:00:00" };
const PLANTED = [
  { ...CLICK, dt: "2025-08-02" },
  { ...CLICK, dt: "2025-08-02" },
  { ...CLICK, dt: "2025-08-03" },
  { ...CLICK, dt: "2025-08-20", click_time: "2025-08-20 01:00:00" },
];
const BROKEN = ["broken", JSON.stringify({ ...CLICK, item_id: "x" }), "{", "[]", "}", JSON.stringify({ ...CLICK, item_id: "y" })];
let linesBefore = 0;

beforeAll(async () => {
  await generate({ output: at("in"), rankings: 80, actions: 3000, customers: 40, items: 60, days: 3 });
  const clicks = at("in", "clicks.ndjson");
  // generated rows of an hour before midnight have the dt of the next day now and then
  const plain = readFileSync(clicks, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  writeFileSync(clicks, plain.map((row) => `${JSON.stringify({ ...row, dt: row.click_time.slice(0, 10) })}\n`).join(""));
  linesBefore = plain.length;
  appendFileSync(clicks, `${[...PLANTED.map((row) => JSON.stringify(row)), ...BROKEN].join("\n")}\n`);
  await buildTo(at("out"), options);
  await buildTo(at("other"), [...inputs, "--history-length=60", "--lookback-days=2"]);
});
afterAll(() => rmSync(folder, { recursive: true }));

const chartsIn = async (here: Figures, there?: Figures): Promise<Map<string, Chart>> =>
  new Map(chartsOf({ here, there }, await drawing()).map((chart) => [chart.id, chart]));

async function rowsOf(output: string): Promise<Row[]> {
  const { manifests } = await figuresOf(at(output));
  const files = manifests.flatMap(({ partitions }) => partitions.flatMap(({ dt, files }) => files.map(({ path }) => ({ dt, path }))));
  const read = await Promise.all(files.map(async ({ dt, path }) => (await readFile(at(output, path))).rows.map((row) => ({ ...row, dt }))));
  return read.flat();
}

const types = (row: Row) => row.action_types as number[];
const lengthOf = (row: Row) => types(row).filter((type) => type !== 0).length;
const share = (some: readonly unknown[], all: readonly unknown[]) => percent(some.length / all.length);

/** Rows of the n values that most rows have. */
function most(rows: Row[], column: string, n: number): number {
  const counts = [...Map.groupBy(rows, (row) => row[column]).values()].map(({ length }) => length).sort((a, b) => b - a);
  return sum(counts.slice(0, n));
}

test("numbers of charts are those that rows tell when they are counted one by one", async () => {
  const rows = await rowsOf("out");
  const charts = await chartsIn(await figuresOf(at("out")));
  const numbers = (id: string) => charts.get(id)!.table.rows;

  const dts = ["2025-08-02", "2025-08-03", "2025-08-04", "2025-08-05", "2025-08-06"];
  const on = (dt: string) => rows.filter((row) => row.dt === dt);
  expect(numbers("rows")).toEqual(dts.map((dt) => [dt, thousands(on(dt).length)]));
  expect(numbers("rows").map(([, n]) => n)).toContain("0");
  const none = (dt: string) =>
    on(dt).length === 0
      ? "no rows"
      : share(
          on(dt).filter((row) => lengthOf(row) === 0),
          on(dt),
        );
  expect(numbers("zero-history")).toEqual(dts.map((dt) => [dt, none(dt)]));

  for (const [bin, n, part] of numbers("lengths")) {
    const [from, to] = bin.includes("to") ? bin.split(" to ").map(Number) : [Number(bin), Number(bin)];
    const inside = rows.filter((row) => lengthOf(row) >= from && lengthOf(row) <= to);
    expect([n, part]).toEqual([thousands(inside.length), share(inside, rows)]);
  }
  expect(sum(numbers("lengths").map(([, n]) => Number(n.replace(",", ""))))).toBe(rows.length);

  expect(numbers("positions").map(([position]) => Number(position))).toEqual([1, 2, 5, 10, 20, 50]);
  const heads = charts.get("positions")!.table.head.slice(1);
  for (const [position, ...parts] of numbers("positions"))
    expect(parts).toEqual(
      heads.map((head) =>
        share(
          rows.filter((row) => typeName(types(row)[Number(position) - 1]) === head),
          rows,
        ),
      ),
    );

  for (const [id, column] of [
    ["items", "item_id"],
    ["customers", "customer_id"],
  ]) {
    const different = new Set(rows.map((row) => row[column])).size;
    expect(numbers(id).at(-1)).toEqual([thousands(different), "100.0%", "100.0%"]);
    for (const [count, fraction, part] of numbers(id))
      expect([fraction, part]).toEqual([percent(Number(count) / different), percent(most(rows, column, Number(count)) / rows.length)]);
  }
});

test("the newest and the oldest action used are those of the times in the rows", async () => {
  const rows = await rowsOf("out");
  const { days } = await figuresOf(at("out"));
  for (const { dt, used } of days) {
    const actions = rows
      .filter((row) => row.dt === dt)
      .flatMap((row) =>
        types(row).map((type, i) => ({ type, age: Date.parse(dt) / 86_400e3 - Number((row.action_times as bigint[])[i]) / 86_400e6 })),
      );
    expect(used.map(({ type }) => type)).toEqual([1, 2, 3].filter((type) => actions.some((action) => action.type === type)));
    for (const { type, newest, oldest } of used) {
      const ages = actions.filter((action) => action.type === type).map(({ age }) => age);
      expect(newest).toBeCloseTo(Math.min(...ages), 6);
      expect(oldest).toBeCloseTo(Math.max(...ages), 6);
    }
  }
  expect(days.some(({ used }) => used.length === 3)).toBe(true);
});

test("the ledger's, the rejects' and the late rows' numbers are those of the lines that went in", async () => {
  const charts = await chartsIn(await figuresOf(at("out")));
  const clicks = linesBefore + PLANTED.length + BROKEN.length;
  const places = charts.get("ledger")!.table.rows.filter(([name]) => name.startsWith("clicks: "));
  expect(sum(places.map(([, n]) => Number(n.replace(",", ""))))).toBe(clicks);
  const first = linesBefore + PLANTED.length + 1;
  const line = (i: number) => `clicks.ndjson:${first + i}`;
  expect(charts.get("rejects")!.table.rows.map(([name, n, part, where]) => [name, n, part, where.split(", ").sort()])).toEqual([
    ["clicks: not JSON", "3", percent(3 / clicks), [line(0), line(2), line(4)]],
    ["clicks: item_id: not a 64-bit integer", "2", percent(2 / clicks), [line(1), line(5)]],
    ["clicks: not an object", "1", percent(1 / clicks), [line(3)]],
  ]);
  const late = charts.get("late")!;
  expect(late.table.rows.filter(([name]) => name === "clicks: time of another day")).toEqual([
    ["clicks: time of another day", "all", "3", percent(3 / clicks)],
    ["clicks: time of another day", "2025-08-02", "2", percent(2 / clicks)],
    ["clicks: time of another day", "2025-08-03", "1", percent(1 / clicks)],
  ]);
  expect(late.table.rows).toContainEqual(["clicks: after the last cutoff", "2025-08-20", "1", percent(1 / clicks)]);
  expect(late.definition).toContain(`clicks ${percent(3 / clicks)}`);
  expect(late.terms!.map(({ term }) => term)).toEqual(expect.arrayContaining(["time of another day", "after the last cutoff"]));
});

describe("what manifests tell is what rows tell", () => {
  const FROM_ROWS = ["rows", "zero-history", "lengths", "positions", "items", "customers"];
  const tables = async (output: string) => {
    const charts = await chartsIn(await figuresOf(at(output)));
    return FROM_ROWS.map((id) => charts.get(id)!.table);
  };

  test("of one run, and of a folder that nobody tells of", async () => {
    const whole = [...inputs, "--history-length=60"];
    await buildTo(at("whole"), whole);
    expect((await figuresOf(at("whole"))).isTold).toBe(true);
    const told = await tables("whole");
    forget(at("whole"));
    expect((await figuresOf(at("whole"))).isTold).toBe(false);
    expect(await tables("whole")).toEqual(told);
  });

  test("of runs that append, and of one whose partition another has overwritten since", async () => {
    const days = (dates: string, ...more: string[]) => [...inputs, "--history-length=60", `--dates=${dates}`, ...more];
    await buildTo(at("several"), days("2025-08-03..2025-08-05"));
    await buildTo(at("several"), days("2025-08-04", "--write-mode=append"));
    expect((await figuresOf(at("several"))).isTold).toBe(true);
    await buildTo(at("several"), days("2025-08-03", "--lookback-days=1"));
    const figures = await figuresOf(at("several"));
    expect([figures.isTold, figures.manifests.length]).toEqual([false, 3]);
    const told = await tables("several");
    forget(at("several"));
    expect(await tables("several")).toEqual(told);
  });

  test("not of a run one of whose files is another by now", async () => {
    await buildTo(at("changed"), [...inputs, "--history-length=60"]);
    const { manifests } = await figuresOf(at("changed"));
    const [{ path }] = manifests[0].partitions[1].files;
    copyFileSync(at("other", path), at("changed", path));
    const figures = await figuresOf(at("changed"));
    expect(figures.isTold).toBe(false);
    expect(figures.quality.avg_history_length).not.toBe(manifests[0].quality.avg_history_length);
  });

  test("not of a run that counted fewer positions than a page shows", async () => {
    await buildTo(at("few"), [...inputs, "--history-length=60", "--max-positions=5"]);
    const figures = await figuresOf(at("few"));
    expect([figures.isTold, figures.quality.action_type_frequency_by_position.length]).toEqual([false, 60]);
  });
});

test("with other names for columns", async () => {
  await buildTo(at("renamed"), [...inputs, "--history-length=60", "--columns=customer_id=<b>,item_id=sku,action_types=kinds,actions"]);
  const [here, plain] = [await figuresOf(at("renamed")), await figuresOf(at("out"))];
  expect([here.items, here.customers, here.orders]).toEqual([plain.items, plain.customers, null]);
});

test("of two outputs every number of both", async () => {
  const [here, there] = [await figuresOf(at("out")), await figuresOf(at("other"))];
  const [both, alone, other] = [await chartsIn(here, there), await chartsIn(here), await chartsIn(there)];
  for (const id of ["lengths", "positions", "customers", "items", "ledger", "rejects", "late"]) {
    const { head, rows } = both.get(id)!.table;
    expect(rows.every(({ length }) => length === head.length)).toBe(true);
    for (const row of alone.get(id)!.table.rows) expect(rows.some((each) => row.every((cell) => each.includes(cell)))).toBe(true);
    for (const row of other.get(id)!.table.rows) expect(rows.some((each) => row.every((cell) => each.includes(cell)))).toBe(true);
  }
  for (const id of ["ledger", "rejects", "late"]) expect(both.get(id)!.drift).toMatch(/%/);
});

describe("a page has nothing odd on it", () => {
  const warned = jest.spyOn(console, "warn").mockImplementation(() => {});
  // the chart library's, of data that it thinks were not meant
  afterEach(() => expect(warned).not.toHaveBeenCalled());
  const pageFor = async (here: Figures, there?: Figures) => pageOf({ here, there, charts: chartsOf({ here, there }, await drawing()) });
  const ODD = /NaN|undefined|Infinity|\[object|>null</;

  test("of one row", async () => {
    mkdirSync(at("one"));
    const ids = { customer_id: "9223372036854775807", item_id: "-9223372036854775808" };
    writeFileSync(
      at("one/i.ndjson"),
      JSON.stringify({
        dt: "2025-08-16",
        ranking_id: "r",
        customer_id: ids.customer_id,
        impressions: [{ item_id: ids.item_id, is_order: true }],
      }),
    );
    writeFileSync(at("one/c.ndjson"), JSON.stringify({ ...ids, click_time: "2025-08-15 23:59:59.999999" }));
    const one = [`--impressions=${at("one/i.ndjson")}`, `--clicks=${at("one/c.ndjson")}`, "--add-to-carts=none", "--previous-orders=none"];
    await buildTo(at("one/out"), one);
    const text = await pageFor(await figuresOf(at("one/out")));
    expect(text).not.toMatch(ODD);
    expect(text).toContain('<figure id="recency"');
    await buildTo(at("one/empty"), [...one, "--drop-empty-history", "--lookback-days=1", "--dates=2025-08-16", "--order-lag-days=1"]);
    expect(await pageFor(await figuresOf(at("one/empty")), await figuresOf(at("one/out")))).not.toMatch(ODD);
  });

  test("of no row at all: where they went", async () => {
    const impressions = `--impressions=${at("in/impressions.ndjson")}`;
    await buildTo(at("nothing"), [
      impressions,
      "--clicks=none",
      "--add-to-carts=none",
      `--previous-orders=${inputs[3].split("=")[1]}`,
      "--lookback-days=1",
      "--order-lag-days=300",
      "--drop-empty-history",
    ]);
    const figures = await figuresOf(at("nothing"));
    expect(figures.rows).toBe(0);
    const text = await pageFor(figures);
    expect(text).not.toMatch(ODD);
    expect(text).toContain("impressions: without history");
    expect(text).not.toContain('<figure id="rows">');
  });

  test("of numbers beyond all measure", async () => {
    const figures = await figuresOf(at("out"));
    const big = 2 ** 53 - 1;
    const ledger = structuredClone(figures.manifests[0].ledger);
    for (const counts of Object.values(ledger)) {
      counts.rows = big;
      counts.places = { used: big - 1, rejected: 1 };
      counts.reasons = { "not JSON": big };
      counts.late = { rows: big, days: { "after the last dt": { "2199-12-31": big, "1700-01-01": 1 } } };
    }
    const here: Figures = {
      ...figures,
      rows: big,
      days: figures.days.map((day) => ({ ...day, rows: big, used: [{ type: 127, newest: 1e-12, oldest: 180_000 }] })),
      quality: { ...figures.quality, avg_history_length: 100_000, sequence_length_distribution: { 0: 1, 100000: big } },
      manifests: figures.manifests.map((manifest) => ({ ...manifest, ledger })),
    };
    const text = await pageFor(here, figures);
    expect(text).not.toMatch(ODD);
    expect(text).toContain("9,007,199,254,740,991");
    expect(text).toContain("newest type 127");
  });

  test("of names that would be markup", async () => {
    const hostile = `<script>alert(1)</script><img src=x onerror=alert(2)>"'&$&\``;
    const figures = await figuresOf(at("out"));
    const [manifest] = figures.manifests;
    const counts = {
      ...manifest.ledger.clicks,
      reasons: { [hostile]: 5 },
      examples: [{ reason: hostile, file: `/data/${hostile}`, position: 1 }],
      late: { rows: 3, days: { [hostile]: { "2025-08-01": 3, "2025-08-02": 4 } } },
    };
    const here: Figures = {
      ...figures,
      output: hostile,
      manifests: [
        {
          ...manifest,
          run: hostile,
          ledger: { ...manifest.ledger, [hostile]: counts, clicks: counts },
          warnings: [hostile],
          options: { ...manifest.options, timezone: hostile, [hostile]: { [hostile]: hostile } },
          inputs: manifest.inputs.map((input) => ({ ...input, table: hostile })),
          versions: { ...manifest.versions, backstory: hostile },
        },
      ],
    };
    for (const text of [await pageFor(here), await pageFor(figures, here), await pageFor(here, figures)]) {
      expect(text.match(/<(script|img)/g)).toBeNull();
      expect(text).toContain("&#60;script&#62;");
      // no quote ends an attribute that it stands in
      expect(text.match(/(aria-label|id)="[^"]*"(?=[^ >/])/g)).toBeNull();
    }
  });
});

test("examples of rejects are the first of the files, however these are split and in whatever order splits come", () => {
  const rejects = fc.array(
    fc.record({ file: fc.constantFrom("a", "b"), line: fc.integer({ min: 1, max: 40 }), reason: fc.constantFrom("x", "y") }),
  );
  fc.assert(
    fc.property(rejects, fc.integer({ min: 1, max: 20 }), fc.infiniteStream(fc.nat()), (all, size, order) => {
      const found = [...new Map(all.map((each) => [`${each.file} ${each.line}`, each])).values()];
      const extents: SplitExtent[] = [];
      for (const file of ["a", "b"])
        for (let from = 0; from < 40; from += size) {
          const inside = found.filter((each) => each.file === file && each.line > from && each.line <= from + size);
          const positions = (reason: string) =>
            inside
              .filter((each) => each.reason === reason)
              .map(({ line }) => line - from)
              .sort((a, b) => a - b)
              .slice(0, 3);
          const examples = Object.fromEntries(
            ["x", "y"].map((reason) => [reason, positions(reason)] as const).filter(([, some]) => some.length > 0),
          );
          extents.push({
            table: "clicks",
            path: file,
            index: extents.length,
            positions: Math.min(size, 40 - from),
            rejects: null,
            examples,
          });
        }
      const shuffled = extents.map((extent) => ({ extent, at: order.next().value })).sort((a, b) => a.at - b.at);
      const { clicks } = withExamples(
        { clicks: noCounts() },
        shuffled.map(({ extent }) => extent),
      );
      const naive = ["x", "y"].flatMap((reason) =>
        found
          .filter((each) => each.reason === reason)
          .sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1))
          .slice(0, 3)
          .map(({ file, line }) => ({ reason, file, position: line })),
      );
      expect(clicks.examples ?? []).toEqual(naive);
    }),
  );
});

test("of two files of a table the folders that they share say nothing", () => {
  expect(sharedFolder(["/d/clicks/dt=1/a", "/d/clicks/dt=2/a"])).toBe("/d/clicks/");
  expect(sharedFolder(["/d/a"])).toBe("/d/");
  expect(sharedFolder([])).toBe("");
});

test("a manifest has no more of a rejected row than where it is", () => {
  const text = execFileSync("sh", ["-c", `cat ${at("out")}/_manifests/*.json`], { encoding: "utf8" });
  const { ledger } = JSON.parse(text);
  expect(ledger.clicks.examples).toHaveLength(6);
  for (const example of ledger.clicks.examples) expect(Object.keys(example).sort()).toEqual(["file", "position", "reason"]);
  expect(text).not.toContain("broken");
});
