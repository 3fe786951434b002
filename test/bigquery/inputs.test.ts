import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backstory, sha256s } from "../gcs/run";
import { services } from "./service";
import { type Change, FIELDS, fill, inputs, PROJECT, TABLES } from "./tables";
import type { Field } from "./warehouse";

const cloud = services();
const TEMP = "gs://temporary/exports";

let folder: string;
const at = (...path: string[]) => join(folder, ...path);
const files = () => TABLES.map((table) => `--${table.replaceAll("_", "-")}=${at("in", `${table}.parquet`)}`);
const build = (output: string, ...args: string[]) => backstory(["build", `--output=${at(output)}`, ...args]);

const known = new Map<string, Record<string, string>>();

/** Of a run from files. */
async function expected(...args: string[]) {
  const key = args.join(" ");
  if (!known.has(key)) {
    expect((await build("expected", ...files(), ...args)).stderr).toBe("");
    known.set(key, sha256s(at("expected")));
    rmSync(at("expected"), { recursive: true });
  }
  return known.get(key)!;
}

async function run(...args: string[]): Promise<string> {
  const { code, stderr } = await build("out", `--temp-location=${TEMP}`, ...args);
  if (code !== 0) throw new Error(stderr);
  expect(await cloud.gcs.names("temporary")).toEqual([]);
  return stderr;
}

async function expectSame(dataset: string, ...args: string[]): Promise<string> {
  const stderr = await run(...inputs(dataset), ...args);
  expect(sha256s(at("out"))).toEqual(await expected(...args));
  return stderr;
}

const sent = (): string => cloud.bigQuery.seen.map(({ body }) => body?.configuration?.query?.query ?? "").join("\n");
const exported = (table: string): string =>
  cloud.bigQuery.seen
    .map(({ body }) => body?.configuration?.query?.query ?? "")
    .find((sql) => sql.startsWith("EXPORT") && sql.includes(`.${table}\``))!;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "bigquery-"));
  await cloud.gcs.createBucket("temporary");
  expect((await backstory(["generate", `--output=${at("in")}`, "--rankings=500", "--actions=30000", "--format=parquet"])).stderr).toBe("");
  await fill(cloud, "shop", at("in"));
});
afterEach(() => rmSync(at("out"), { recursive: true, force: true }));
afterAll(() => rmSync(folder, { recursive: true }));

describe("a run from tables gives the files of a run from files", () => {
  test.each<[string, ...string[]]>([
    ["all days"],
    ["some days, two threads", "--dates=2025-08-05..2025-08-07", "--threads=2"],
    ["the newest days", "--train-days=2"],
    ["the newest of some days", "--dates=2025-08-03..2025-08-10", "--train-days=3"],
    ["a short lookback in a time zone", "--dates=2025-08-16", "--lookback-days=30", "--timezone=America/New_York"],
    ["no lookback, by dt", "--lookback-days=none", "--action-clock=dt", "--dates=2025-08-04"],
    ["orders with their time and a lag, by both clocks", "--order-time=occurred-at", "--order-lag-days=2", "--action-clock=both"],
  ])("%s", async (_, ...args) => {
    await expectSame("shop", ...args);
  });
});

const as = (table: string, types: Record<string, Partial<Field>>): Field[] =>
  FIELDS[table].map((field) => ({ ...field, ...types[field.name] }));
const STRING = { type: "STRING", mode: "NULLABLE", fields: undefined };
const DATETIME = { type: "DATETIME" };
const DAY = { timePartitioning: { type: "DAY", field: "dt" }, requirePartitionFilter: true };

describe("tables of other kinds give the same", () => {
  test.each<[string, Record<string, Change>, ...string[]]>([
    [
      "numbers, days and times as texts",
      {
        impressions: { fields: as("impressions", { dt: STRING, customer_id: STRING }) },
        clicks: {
          fields: as("clicks", { customer_id: STRING, item_id: STRING, click_time: STRING }),
          rows: (all) => `SELECT * REPLACE (strftime(click_time, '%Y-%m-%dT%H:%M:%S.%fZ') AS click_time) FROM (${all})`,
        },
        previous_orders: { fields: as("previous_orders", { order_date: STRING }) },
      },
    ],
    [
      "days as dt=YYYY-MM-DD, impressions as JSON",
      {
        impressions: {
          fields: as("impressions", { dt: STRING, impressions: STRING }),
          rows: (all) => `SELECT * REPLACE ('dt=' || dt AS dt, CAST(to_json(impressions) AS VARCHAR) AS impressions) FROM (${all})`,
        },
      },
    ],
    [
      "times of a wall clock",
      {
        clicks: { fields: as("clicks", { click_time: DATETIME }) },
        add_to_carts: { fields: as("add_to_carts", { occurred_at: DATETIME }) },
      },
    ],
    [
      "times as numbers",
      {
        clicks: {
          fields: as("clicks", { click_time: { type: "INTEGER" } }),
          rows: (all) => `SELECT * REPLACE (epoch_us(click_time) AS click_time) FROM (${all})`,
        },
      },
      "--time-unit=us",
    ],
    [
      "columns in other letters",
      {
        clicks: {
          fields: [
            { name: "Customer_ID", type: "INTEGER" },
            { name: "ITEM_ID", type: "INT64" },
            { name: "Click_Time", type: "TIMESTAMP" },
          ],
        },
      },
    ],
    [
      "views and external tables",
      {
        impressions: { resource: { type: "VIEW" } },
        clicks: { resource: { type: "EXTERNAL" } },
        add_to_carts: { resource: { type: "MATERIALIZED_VIEW" } },
      },
    ],
    [
      "partitions that want a filter",
      {
        impressions: { resource: DAY },
        clicks: { resource: DAY },
        previous_orders: { resource: { timePartitioning: { type: "MONTH", field: "order_date" }, requirePartitionFilter: true } },
      },
    ],
  ])("%s", async (name, changes, ...args) => {
    const dataset = name.replaceAll(/\W/g, "_");
    await fill(cloud, dataset, at("in"), changes);
    await expectSame(dataset, "--dates=2025-08-05..2025-08-07", "--train-days=2", ...args);
  });
});

test("only the columns and the days that are needed are asked for", async () => {
  await expectSame("shop", "--dates=2025-08-05..2025-08-07");
  expect(exported("impressions")).toMatch(
    /^EXPORT DATA OPTIONS \(uri = 'gs:\/\/temporary\/exports\/backstory-[^']*\/impressions\/try-1\/\*\.parquet', /,
  );
  expect(exported("impressions").split("\n").slice(1)).toEqual([
    "SELECT `ranking_id`, ARRAY(SELECT AS STRUCT slot.`item_id`, slot.`is_order` FROM UNNEST(`impressions`) AS slot WITH OFFSET AS place ORDER BY place) AS `impressions`, `dt`, `customer_id`",
    `FROM \`${PROJECT}.shop.impressions\``,
    "WHERE (`dt` >= DATE '2025-08-05' AND `dt` <= DATE '2025-08-07' OR `dt` IS NULL)",
  ]);
  expect(exported("clicks").split("\n").slice(1)).toEqual([
    "SELECT `customer_id`, `click_time`, `item_id`",
    `FROM \`${PROJECT}.shop.clicks\``,
    "WHERE (`click_time` >= TIMESTAMP '2024-08-05 00:00:00.000000+00' AND `click_time` < TIMESTAMP '2025-08-07 00:00:00.000000+00' OR `click_time` IS NULL)",
  ]);
  expect(exported("previous_orders").split("\n").at(-1)).toBe(
    "WHERE (`order_date` >= DATE '2024-08-05' AND `order_date` <= DATE '2025-08-06' OR `order_date` IS NULL)",
  );
});

test("what is read, billed and left out is told, and jobs have names and labels", async () => {
  const stderr = await run(...inputs("shop"), "--train-days=2", "--max-bytes-billed=100MB");
  expect(sha256s(at("out"))).toEqual(await expected("--train-days=2"));
  expect(stderr).toMatch(/^BigQuery: impressions of 2 days, 2025-08-15 to 2025-08-16$/m);
  expect(stderr).toMatch(/^BigQuery: to export, queries read impressions 0\.0 MB, clicks 0\.\d MB, .*; billed for 52\.4 MB$/m);
  expect(stderr).toMatch(/^BigQuery: [\d,]+ rows of impressions exported; [\d,]+ rows of no use to the run are left out$/m);
  const id = /backstory-(\w+-\w+)-impressions-days/.exec(cloud.bigQuery.jobIds()[0])![1];
  expect(cloud.bigQuery.jobIds().toSorted()).toEqual(["impressions-days", ...TABLES].map((what) => `backstory-${id}-${what}`).toSorted());
  const { labels, query } = cloud.bigQuery.jobs.get(`backstory-${id}-clicks`)!.configuration;
  expect(labels).toEqual({ backstory: "export", backstory_run: id.toLowerCase(), backstory_table: "clicks" });
  expect(query!.maximumBytesBilled).toBe(String(100e6 - 4 * 10 * 2 ** 20));
});

test("some tables, the others in files; a table of one's own in a configuration file, whose columns have other names", async () => {
  const fields = [
    { name: "user", type: "STRING" },
    { name: "sku", type: "INTEGER" },
    { name: "at", type: "TIMESTAMP" },
  ];
  const rows = `SELECT customer_id AS user, item_id AS sku, click_time AS at FROM read_parquet('${at("in/clicks.parquet")}')`;
  await cloud.bigQuery.table(`${PROJECT}.shop.events-2025`, fields, rows);
  const table = { name: "clicks", type: 1, customer: "user", item: "sku", time: "at", path: `bq://${PROJECT}.shop.events-2025` };
  writeFileSync(at("config.json"), JSON.stringify({ tables: [table], project: "another-project" }));
  const [impressions, , ...others] = files();
  await run(impressions, ...others, `--config=${at("config.json")}`);
  expect(sha256s(at("out"))).toEqual(await expected());
  expect([...cloud.bigQuery.jobs.values()].map(({ jobReference }) => jobReference.projectId)).toEqual(["another-project"]);
  // nobody knows the days of impressions in files before they are read
  expect(sent()).not.toContain("WHERE");
});

test("rows that cannot be read are rejects, wherever they might belong", async () => {
  const bad = (all: string) =>
    `SELECT * FROM (${all}) UNION ALL BY NAME SELECT * REPLACE (v AS dt) FROM (SELECT * FROM (${all}) LIMIT 1), (VALUES (NULL), ('2025-02-31'), ('yesterday'), ('2025-8-5')) t(v)`;
  await fill(cloud, "dirty", at("in"), {
    impressions: {
      fields: as("impressions", { dt: STRING }),
      rows: (all) => `SELECT * EXCLUDE (v) FROM (${bad(all)})`,
    },
  });
  const stderr = await run(...inputs("dirty"), "--dates=2025-08-05..2025-08-07", "--max-rejects=4", `--rejects=${at("rejects")}`);
  expect(sha256s(at("out"))).toEqual(await expected("--dates=2025-08-05..2025-08-07"));
  const rejects = readFileSync(at("rejects"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(rejects.map(({ reason }) => reason)).toEqual(Array(4).fill("dt: not a date"));
  expect(rejects[0].file).toMatch(/^gs:\/\/temporary\/exports\/backstory-.*\/impressions\/try-1\/0+\d\.parquet$/);
  expect(stderr).not.toContain("yesterday");
});

test("the manifest names the tables; rebuild exports them again, and finds what changed", async () => {
  await fill(cloud, "again", at("in"));
  await run(...inputs("again"), "--dates=2025-08-05", "--shards=2");
  const [name] = readdirSync(at("out/_manifests"));
  const manifest = JSON.parse(readFileSync(at("out/_manifests", name), "utf8"));
  expect(manifest.options.clicks).toBe(`bq://${PROJECT}.again.clicks`);
  expect(manifest.inputs.map(({ from }: { from: string }) => from)).toContain(`bq://${PROJECT}.again.impressions`);
  const rebuild = () => backstory(["rebuild", at("out/_manifests", name), `--output=${at("rebuilt")}`, `--temp-location=${TEMP}`]);
  expect(await rebuild()).toMatchObject({ code: 0 });
  await cloud.bigQuery.table(`${PROJECT}.again.clicks`, FIELDS.clicks, `SELECT * FROM read_parquet('${at("in/clicks.parquet")}') LIMIT 1`);
  rmSync(at("rebuilt"), { recursive: true });
  const { code, stderr } = await rebuild();
  expect({ code, stderr }).toMatchObject({ code: 4, stderr: expect.stringContaining("are not those of") });
  expect(await cloud.gcs.names("temporary")).toEqual([]);
});

test("verify checks what it can without the tables, and says what it cannot", async () => {
  await run(...inputs("shop"), "--dates=2025-08-05");
  const { code, stdout, stderr } = await backstory(["verify", at("out")]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stdout + stderr).toContain("is a table, and tables are not read here. Export it, and name its files by --");
});

test("a table of actions without a row for the run", async () => {
  await fill(cloud, "quiet", at("in"), { clicks: { rows: (all) => `SELECT * FROM (${all}) WHERE false` } });
  await run(...inputs("quiet"), "--dates=2025-08-05");
  const [impressions, , ...others] = files();
  const { code } = await build("expected", impressions, "--clicks=none", ...others, "--dates=2025-08-05");
  expect(code).toBe(0);
  expect(sha256s(at("out"))).toEqual(sha256s(at("expected")));
});
