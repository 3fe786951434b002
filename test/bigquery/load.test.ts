import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { main } from "../../pipeline/cli";
import { BuildOptions } from "../../pipeline/options";
import { build } from "../../pipeline/run";
import { backstory } from "../gcs/run";
import { type Job, Refused, type TableResource } from "./server";
import { services } from "./service";
import { fill, inputs, PROJECT, TABLES } from "./tables";
import type { Field } from "./warehouse";

const cloud = services({ idleTimeout: 20, totalTimeout: 60, maxRetryDelay: 1 });
const NAME = `${PROJECT}.models.training`;
const TABLE = `bq://${NAME}`;
const OUTPUT = "gs://published/training";

let folder: string;
let counter = 0;
let output: string;
const at = (...path: string[]) => join(folder, ...path);

const options = (more: object = {}) =>
  BuildOptions.parse({
    ...Object.fromEntries(TABLES.map((table) => [table.replace(/_(.)/g, (_, c: string) => c.toUpperCase()), at("in", `${table}.parquet`)])),
    output,
    outputTable: TABLE,
    dates: "2025-08-05..2025-08-06",
    historyLength: 5,
    threads: 1,
    ...more,
  });

async function run(more: object = {}) {
  const told: string[] = [];
  const outcome = await build(options(more), { tell: (importance, text) => void told.push(`${importance}: ${text}`) }).then(
    ({ rows }) => ({ message: "no error", exitCode: 0, rows }),
    ({ message, exitCode }) => ({ message, exitCode, rows: -1 }),
  );
  return { ...outcome, told };
}

/** Rows by day, as the table has them. */
const counts = async (): Promise<Record<string, number>> =>
  Object.fromEntries(
    (await cloud.bigQuery.warehouse.rows(`SELECT CAST(dt AS VARCHAR) AS dt, COUNT(*) AS n FROM "${NAME}" GROUP BY 1 ORDER BY 1`)).map(
      ({ dt, n }) => [dt, Number(n)],
    ),
  );

/** What the published files have, by another reader. */
async function expectPublished(): Promise<void> {
  const names = (await cloud.gcs.names("published")).filter(
    (name) => `gs://published/${name}`.startsWith(`${output}/dt=`) && name.endsWith(".parquet"),
  );
  const parts = await Promise.all(
    names.map(async (name) => ({ dt: /dt=([^/]+)/.exec(name)![1], bytes: await cloud.gcs.get(`gs://published/${name}`) })),
  );
  const fields = cloud.bigQuery.tables.get(NAME)!.schema.fields.filter(({ name }) => name !== "dt");
  await cloud.bigQuery.warehouse.create("published", cloud.bigQuery.tables.get(NAME)!.schema.fields, `SELECT * FROM "${NAME}" WHERE false`);
  const days = Map.groupBy(parts, ({ dt }) => dt);
  for (const [dt, files] of days)
    await cloud.bigQuery.warehouse.replaceDay(
      "published",
      dt,
      fields,
      files.map(({ bytes }) => bytes),
    );
  const differing = `(FROM "${NAME}" EXCEPT ALL FROM published) UNION ALL (FROM published EXCEPT ALL FROM "${NAME}")`;
  expect(await cloud.bigQuery.warehouse.count(differing)).toBe(0);
  expect(await cloud.bigQuery.warehouse.count("FROM published")).toBeGreaterThan(0);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "bigquery-load-"));
  await cloud.gcs.createBucket("published");
  await cloud.gcs.createBucket("temporary");
  expect((await backstory(["generate", `--output=${at("in")}`, "--rankings=300", "--actions=5000", "--format=parquet"])).stderr).toBe("");
});
beforeEach(() => {
  output = `${OUTPUT}-${counter++}`;
  cloud.bigQuery.datasets.set(`${PROJECT}.models`, { location: "US" });
  cloud.bigQuery.tables.delete(NAME);
});
afterAll(() => rmSync(folder, { recursive: true }));

const loads = (): Job[] => [...cloud.bigQuery.jobs.values()].filter(({ configuration }) => configuration.load !== undefined);

test("the table is made with what its columns mean, and has the rows of the files", async () => {
  const { rows, told, exitCode } = await run({ columns: "+length,+times" });
  expect(exitCode).toBe(0);
  const { schema, timePartitioning, labels, description } = cloud.bigQuery.tables.get(NAME)!;
  expect(timePartitioning).toEqual({ type: "DAY", field: "dt" });
  expect(labels).toEqual({ backstory: "output" });
  expect(description).toMatch(/^Training inputs/);
  expect(schema.fields.map(({ name, type, mode }) => `${name} ${type} ${mode}`)).toEqual([
    "dt DATE NULLABLE",
    "ranking_id STRING NULLABLE",
    "customer_id INTEGER NULLABLE",
    "impression_index INTEGER NULLABLE",
    "item_id INTEGER NULLABLE",
    "is_order BOOLEAN NULLABLE",
    "impressions INTEGER NULLABLE",
    "actions INTEGER REPEATED",
    "action_types INTEGER REPEATED",
    "history_length INTEGER NULLABLE",
    "action_times INTEGER REPEATED",
  ]);
  expect(schema.fields.filter(({ description }) => !description)).toEqual([]);
  await expectPublished();
  expect(Object.values(await counts()).reduce((sum, n) => sum + n)).toBe(rows);
  expect(told).toContain(`info: BigQuery: ${rows.toLocaleString("en")} rows in 2 partitions loaded: ${TABLE}`);
  const [{ jobReference, configuration }] = loads();
  // days are loaded side by side
  expect(jobReference.jobId).toMatch(/^backstory-\w+-\w+-load-2025080[56]$/);
  expect(configuration.labels).toMatchObject({ backstory: "load", backstory_run: expect.stringMatching(/^\d+t\d+z-/) });
});

test("days are replaced one by one: again the same; other days stay; one without rows is emptied", async () => {
  await run({ dates: "2025-08-05..2025-08-07" });
  const before = await counts();
  await run({ dates: "2025-08-06" });
  expect(await counts()).toEqual(before);
  expect(
    loads()
      .map(({ configuration }) => configuration.load!.destinationTable.tableId)
      .toSorted(),
  ).toEqual(["training$20250805", "training$20250806", "training$20250806", "training$20250807"]);
  // the same days without the rankings of one of them
  await cloud.bigQuery.warehouse.rows(
    `COPY (FROM read_parquet('${at("in/impressions.parquet")}') WHERE dt <> '2025-08-06') TO '${at("in/fewer.parquet")}' (FORMAT parquet)`,
  );
  expect(await run({ dates: "2025-08-06..2025-08-07", impressions: at("in/fewer.parquet") })).toMatchObject({ exitCode: 0 });
  const { "2025-08-06": emptied, ...others } = before;
  expect(emptied).toBeGreaterThan(0);
  expect(await counts()).toEqual(others);
  await expectPublished();
});

test("after append the partition has the files of all runs, however often it is loaded", async () => {
  await run({ dates: "2025-08-05" });
  const before = await counts();
  await run({ dates: "2025-08-05", writeMode: "append" });
  expect(await counts()).toEqual({ "2025-08-05": before["2025-08-05"] * 2 });
  expect(await main(["load", output, `--output-table=${TABLE}`, "--quiet"])).toBe(0);
  expect(await counts()).toEqual({ "2025-08-05": before["2025-08-05"] * 2 });
  await expectPublished();
});

test("from a table to a table", async () => {
  await fill(cloud, "shop", at("in"));
  const { code, stderr } = await backstory([
    "build",
    ...inputs("shop"),
    "--dates=2025-08-05..2025-08-06",
    "--history-length=5",
    `--output=${output}`,
    `--output-table=${TABLE}`,
    "--temp-location=gs://temporary",
  ]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  await expectPublished();
  expect(await cloud.gcs.names("temporary")).toEqual([]);
});

describe("backstory load", () => {
  let lines: string[];
  beforeEach(() => {
    lines = [];
    jest.spyOn(console, "log").mockImplementation((line) => void lines.push(line));
    jest.spyOn(console, "error").mockImplementation((line) => void lines.push(line));
  });
  afterEach(() => jest.restoreAllMocks());

  test("loads what is published into another table; --dates empties what is not", async () => {
    const { rows } = await run({ outputTable: undefined });
    expect(await main(["load", output, `--output-table=${TABLE}`])).toBe(0);
    expect(lines).toEqual([`${rows.toLocaleString("en")} rows in 2 partitions: ${TABLE}`]);
    await expectPublished();
    await cloud.bigQuery.warehouse.rows(`INSERT INTO "${NAME}" BY NAME SELECT DATE '2025-08-09' AS dt`);
    expect(await main(["load", output, `--output-table=${TABLE}`, "--dates=2025-08-06..2025-08-10", "--json"])).toBe(0);
    expect(JSON.parse(lines[1]).partitions.map(({ dt, rows }: { dt: string; rows: number }) => [dt, rows > 0])).toEqual([
      ["2025-08-06", true],
      ["2025-08-07", false],
      ["2025-08-08", false],
      ["2025-08-09", false],
      ["2025-08-10", false],
    ]);
    await expectPublished();
  });

  test.each<[string, string[], string]>([
    ["no output", ["gs://published/none"], 'there is no output with a manifest at "gs://published/none".'],
    ["an output on this machine", ["/tmp"], '--output-table is loaded from a bucket; got --output="/tmp".'],
    ["no path", [], "load wants a path."],
  ])("%s", async (_, paths, message) => {
    expect(await main(["load", ...paths, `--output-table=${TABLE}`])).toBe(2);
    expect(lines.join()).toContain(message);
  });

  test("a partition that is not whole", async () => {
    await run({ outputTable: undefined });
    await cloud.gcs.remove(`${output}/dt=2025-08-05/_SUCCESS`);
    expect(await main(["load", output, `--output-table=${TABLE}`])).toBe(2);
    expect(lines.join()).toContain(`${output}/dt=2025-08-05 has no _SUCCESS, so it is not whole.`);
  });

  test("runs with different columns", async () => {
    await run({ outputTable: undefined, dates: "2025-08-05" });
    await cloud.gcs.remove(`${output}/_SUCCESS`); // earlier versions let other columns follow; who has no last run is not asked
    await run({ outputTable: undefined, dates: "2025-08-06", columns: "+length" });
    expect(await main(["load", output, `--output-table=${TABLE}`])).toBe(2);
    expect(lines.join()).toContain(`the runs in ${output} have different columns, and a table has one kind.`);
    expect(await main(["load", output, `--output-table=${TABLE}`, "--dates=2025-08-06"])).toBe(0);
  });
});

describe("what passes", () => {
  test.each<[string, string, Error | "lose"]>([
    ["503 to the insertion of a job", "bigquery.jobs.insert", new Refused(503, "backendError", "try again")],
    ["an insertion whose answer is lost", "bigquery.jobs.insert", "lose"],
    ["a table that is made though the answer is lost", "bigquery.tables.insert", "lose"],
    ["503 to a look at a table", "bigquery.tables.get", new Refused(503, "backendError", "try again")],
  ])("%s", async (_, id, fault) => {
    let count = 2;
    cloud.bigQuery.fault = (seen) => (seen.id === id && count-- > 0 ? fault : undefined);
    expect(await run()).toMatchObject({ exitCode: 0 });
    expect(loads()).toHaveLength(2);
    await expectPublished();
  });

  test("a job that fails", async () => {
    let count = 2;
    cloud.bigQuery.jobFault = (job) => (job.looks === 0 && count-- > 0 ? { reason: "backendError", message: "An error" } : undefined);
    expect(await run()).toMatchObject({ exitCode: 0 });
    await expectPublished();
  });
});

describe("what does not pass", () => {
  test("the output is published, the message says how to load it, and that loads it", async () => {
    cloud.bigQuery.jobFault = (job) =>
      job.looks === 0 ? { reason: "quotaExceeded", message: "Quota exceeded: Your table exceeded quota for imports" } : undefined;
    const { message, exitCode } = await run();
    expect(message).toMatch(
      new RegExp(
        `^the output is published, but not loaded: cannot load dt=2025-08-0. into ${TABLE}: Quota exceeded: Your table exceeded quota for imports \\(quotaExceeded\\)\\. .*\\. Then: backstory load ${output} --output-table=${TABLE}$`,
      ),
    );
    expect(exitCode).toBe(1);
    cloud.bigQuery.reset();
    expect(await main(["load", output, `--output-table=${TABLE}`, "--quiet"])).toBe(0);
    await expectPublished();
  });

  const existing = async (fields: Field[], resource: Partial<TableResource> = {}) => {
    const columns = fields.map(({ name }) => `NULL AS "${name}"`).join(", ");
    await cloud.bigQuery.table(NAME, fields, `SELECT ${columns} WHERE false`, {
      timePartitioning: { type: "DAY", field: "dt" },
      ...resource,
    });
  };
  const DT = { name: "dt", type: "DATE" };
  const some = (names: string[], type = "INTEGER", mode?: string): Field[] => names.map((name) => ({ name, type, mode }));
  const numbers = some(["customer_id", "impression_index", "item_id", "impressions"]);
  const lists = some(["actions", "action_types"], "INTEGER", "REPEATED");
  const all = [DT, ...numbers, { name: "ranking_id", type: "STRING" }, { name: "is_order", type: "BOOLEAN" }, ...lists];

  test("a table that is there, in another order and with a column more, keeps what it has", async () => {
    await existing([...all, { name: "note", type: "STRING", description: "mine" }], { description: "mine" });
    expect(await run()).toMatchObject({ exitCode: 0 });
    expect(cloud.bigQuery.tables.get(NAME)).toMatchObject({ description: "mine" });
    expect(Object.keys(await counts())).toEqual(["2025-08-05", "2025-08-06"]);
  });

  test.each<[string, Field[], Partial<TableResource>, string]>([
    ["a view", all, { type: "VIEW" }, `--output-table must be a table; ${TABLE} is VIEW. Name another.`],
    [
      "a table without partitions",
      all,
      { timePartitioning: undefined },
      `--output-table must be partitioned by day of a DATE column dt; ${TABLE} is not partitioned.`,
    ],
    ["a table with other partitions", all, { timePartitioning: { type: "MONTH", field: "dt" } }, "is partitioned by dt"],
    [
      "a table that lacks a column",
      all.filter(({ name }) => name !== "actions"),
      {},
      `${TABLE} cannot take the column actions, which must be ARRAY<INT64> and is not there.`,
    ],
    [
      "a table with a column of another type",
      [...all.filter(({ name }) => name !== "item_id"), { name: "item_id", type: "STRING" }],
      {},
      `${TABLE} cannot take the column item_id, which must be INT64 and is STRING.`,
    ],
    [
      "a table that requires another column",
      [...all, { name: "note", type: "STRING", mode: "REQUIRED" }],
      {},
      `${TABLE} requires a column note, which the output has not.`,
    ],
  ])("%s, which is known before anything is built", async (_, fields, resource, message) => {
    await existing(fields, resource);
    const failed = await run();
    expect(failed).toMatchObject({ exitCode: 2, message: expect.stringContaining(message) });
    expect((await cloud.gcs.names("published")).filter((name) => `gs://published/${name}`.startsWith(`${output}/`))).toEqual([]);
  });

  test.each<[string, object, string]>([
    [
      "no dataset",
      { outputTable: `bq://${PROJECT}.none.training` },
      `cannot find the dataset ${PROJECT}.none: Not found: Dataset ${PROJECT}:none (404 notFound). Check the name.`,
    ],
    [
      "an output on this machine",
      { output: "/tmp/x" },
      '--output-table is loaded from a bucket; got --output="/tmp/x". Write --output=gs://BUCKET/PATH.',
    ],
    ["no table", { outputTable: "bq://x" }, '--output-table must be bq://PROJECT.DATASET.TABLE: got "bq://x". Check the name.'],
    [
      "bytes that are billed for nothing",
      { outputTable: undefined, maxBytesBilled: "1GB" },
      "--max-bytes-billed is of no use without a bq:// input or --output-table",
    ],
  ])("%s", async (_, more, message) => {
    expect(await run(more)).toMatchObject({ exitCode: 2, message: expect.stringContaining(message) });
  });

  test("a dataset in another location than the bucket", async () => {
    cloud.bigQuery.datasets.set(`${PROJECT}.models`, { location: "EU" });
    const { message, exitCode } = await run();
    expect(message).toContain("source: US, destination: EU (invalid). Dataset and bucket must be in one location");
    expect(exitCode).toBe(2);
  });
});
