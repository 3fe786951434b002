/** `backstory plan` on generated inputs: what it finds in them, and what it refuses. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { main } from "../../../pipeline/cli";
import { type Planned, planBuild } from "../../../pipeline/estimate/command";
import { PlanOptions } from "../../../pipeline/estimate/options";
import { told } from "../../../pipeline/estimate/tell";
import { GenerateOptions, generate } from "../../../pipeline/generate";
import { temporary } from "../io/gather";

jest.setTimeout(300_000);

const folder = temporary();
const TABLES = ["impressions", "clicks", "add_to_carts", "previous_orders"] as const;
const at = (...path: string[]) => join(folder.path, ...path);
const paths = (from: string, ending: string) => ({
  impressions: at(from, `impressions${ending}`),
  clicks: at(from, `clicks${ending}`),
  addToCarts: at(from, `add_to_carts${ending}`),
  previousOrders: at(from, `previous_orders${ending}`),
});
const plan = (options: object): Promise<Planned> => planBuild(PlanOptions.parse({ output: at("out"), ...options }));
const make = (name: string, options: object) => generate(GenerateOptions.parse({ output: at(name), ...options }));
const lines = (path: string): Record<string, unknown>[] =>
  readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
const distinct = (values: unknown[]) => new Set(values.map(String)).size;

beforeAll(async () => {
  await make("small", { rankings: 300, actions: 20_000, customers: 100, items: 2000, days: 3 });
});

test("of a small input everything is counted: as plain code counts it", async () => {
  const { shape, warnings } = await plan(paths("small", ".ndjson"));
  const [impressions, ...actions] = TABLES.map((table) => lines(at("small", `${table}.ndjson`)));
  expect([shape.impressions, ...shape.actions].map(({ rows, counted }) => [rows, counted])).toEqual(
    [impressions, ...actions].map((table) => [table.length, true]),
  );
  expect(shape.rows).toBe(impressions.reduce((sum, each) => sum + (each.impressions as unknown[]).length, 0));
  expect(shape.customers).toBe(distinct(impressions.map((each) => each.customer_id)));
  expect(shape.customerDays).toBe(distinct(impressions.map((each) => `${each.customer_id} ${each.dt}`)));
  expect(shape.days).toBe(distinct(impressions.map(({ dt }) => dt)));
  expect(warnings).toEqual([]);
  const packed = await plan({ ...paths("small", ".ndjson"), layout: "histories" });
  expect(packed.warnings).toEqual([expect.stringMatching(/^reckoned as rows with padding: the layout histories has fewer bytes/)]);
});

describe("options of build count", () => {
  const small = paths("small", ".ndjson");

  test("fewer days are fewer rows, a shorter history a smaller output, a shorter lookback fewer actions", async () => {
    const all = await plan(small);
    const { dt } = lines(small.impressions)[0];
    const day = await plan({ ...small, dates: dt });
    const some = lines(small.impressions).filter((each) => each.dt === dt);
    expect(day.shape.rows).toBe(some.reduce((sum, each) => sum + (each.impressions as unknown[]).length, 0));
    expect(day.shape.customers).toBe(distinct(some.map((each) => each.customer_id)));
    expect((await plan({ ...small, historyLength: 2 })).shape.meanHistory).toBeLessThanOrEqual(2);
    expect((await plan({ ...small, lookbackDays: 10 })).shape.keptActions).toBeLessThan(all.shape.keptActions / 2);
    expect((await plan({ ...small, lookbackDays: 0 })).shape.keptActions).toBe(0);
  });

  test("--machine-type gives threads and memory, unless they are given", async () => {
    expect((await plan({ ...small, machineType: "n2-standard-8" })).machine).toMatchObject({ threads: 8, cost: expect.any(Number) });
    expect((await plan({ ...small, machineType: "n2-standard-8", threads: 3 })).machine.threads).toBe(3);
    expect((await plan({ ...small, threads: 2, maxMemory: "700MB" })).machine.memoryBytes).toBeLessThanOrEqual(700e6);
  });

  test("a table left out is not read", async () => {
    const { shape } = await plan({ ...small, clicks: "none" });
    expect(shape.actions.map(({ name }) => name)).toEqual(["add_to_carts", "previous_orders"]);
  });

  test("an empty table has no rows, and nothing fails", async () => {
    writeFileSync(at("empty.ndjson"), "");
    const empty = at("empty.ndjson");
    const planned = await plan({ ...small, clicks: empty, addToCarts: empty, previousOrders: empty });
    expect(planned.shape.keptActions).toBe(0);
    expect(told(planned)).not.toMatch(/NaN|undefined|Infinity/);
  });
});

test("the list of commands names it, and its help names the options of build and its own", async () => {
  const said: string[] = [];
  const log = jest.spyOn(console, "log").mockImplementation((text) => void said.push(text));
  try {
    expect([await main(["--help"]), await main(["plan", "--help"])]).toEqual([0, 0]);
  } finally {
    log.mockRestore();
  }
  expect(said[0]).toMatch(/^ {2}plan +Estimates a build before it runs/m);
  for (const option of ["--impressions=PATH", "--history-length=ACTIONS", "--region=REGION", "--prices=LIST"])
    expect(said[1]).toContain(option);
});

test("nothing is written", async () => {
  await plan(paths("small", ".ndjson"));
  expect(readdirSync(folder.path)).not.toContain("out-of-a-plan");
  const before = readdirSync(folder.path).sort();
  await plan({ ...paths("small", ".ndjson"), output: at("out-of-a-plan"), tempDir: at("temporary") });
  expect(readdirSync(folder.path).sort()).toEqual(before);
});

test("for people: tables, stages, one machine, Dataflow, storage and where the figures are from", async () => {
  const text = told(await plan(paths("small", ".ndjson")));
  for (const part of [
    /^impressions +ndjson +1 /m,
    /^scanActions /m,
    /^One machine, 1 thread: /m,
    /^Dataflow in us-central1, 1 worker /m,
    /^Output: /m,
  ])
    expect(text).toMatch(part);
  expect(text).toMatch(/^Rates: measured \d{4}-/m);
  expect(text).not.toMatch(/NaN|undefined|Infinity|\?/);
});

test("prices that are not known are said, with where to find them; --prices gives them", async () => {
  const abroad = await plan({ ...paths("small", ".ndjson"), region: "europe-west1" });
  expect(abroad.dataflow.total).toBeNull();
  expect(told(abroad)).toMatch(/not known here: vcpu-hour, .*https:\/\/cloud\.google\.com\/dataflow\/pricing.*--prices/);
  const prices = "vcpu-hour=0.06,memory-gb-hour=0.004,disk-gb-hour=0.00006,shuffle-gb=0.011,storage-gb-month=0.02";
  const known = await plan({ ...paths("small", ".ndjson"), region: "europe-west1", prices });
  expect(known.dataflow.total).toBeGreaterThan(0);
});

describe("bad input is refused as by build", () => {
  const flags = (changes: Record<string, string> = {}) =>
    Object.entries({ ...paths("small", ".ndjson"), output: at("out"), ...changes }).map(
      ([key, value]) => `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}=${value}`,
    );
  const run = async (command: string, args: string[]) => {
    const said: string[] = [];
    const error = jest.spyOn(console, "error").mockImplementation((text) => void said.push(text));
    const log = jest.spyOn(console, "log").mockImplementation(() => {});
    try {
      return { code: await main([command, ...args]), said: said.join("\n") };
    } finally {
      error.mockRestore();
      log.mockRestore();
    }
  };

  test.each([
    ["a missing file", () => flags({ clicks: at("nowhere.ndjson") }), 2],
    ["an unknown option", () => [...flags(), "--historylength=3"], 2],
    ["days the wrong way round", () => flags({ dates: "2025-08-16..2025-08-03" }), 2],
    ["an output that is a file", () => flags({ output: at("small", "clicks.ndjson") }), 2],
    ["an option out of range", () => flags({ historyLength: "0" }), 2],
    ["a runner's option without the runner", () => flags({ jobEndpoint: "localhost:8099" }), 2],
    ["no memory to speak of", () => flags({ maxMemory: "10MB" }), 2],
    ["another table in the place of clicks", () => flags({ clicks: at("small", "previous_orders.ndjson") }), 2],
    ["no ranking in the dates", () => flags({ dates: "1999-01-01" }), 2],
  ])("%s", async (_, args, code) => {
    const [planned, built] = [await run("plan", args()), await run("build", args())];
    expect(planned).toEqual({ code, said: expect.stringMatching(/^backstory: .+\. .+/) });
    expect(planned.said.replaceAll(/\d+/g, "n")).toBe(built.said.replaceAll(/\d+/g, "n"));
  });

  test.each([
    ["--worker-machine-type=big", /--worker-machine-type must be a type such as n2-standard-4/],
    ["--machine-type=n2-standard", /--machine-type must be a type such as/],
    ["--num-workers=0", /--num-workers must be/],
    ["--disk-size-gb=none", /--disk-size-gb must be a whole number/],
    ["--prices=cheap", /--prices must be a list such as vcpu-hour=0.056/],
    ["--region=", /--region must be a region/],
  ])("%s", async (flag, message) => {
    const { code, said } = await run("plan", [...flags(), flag]);
    expect([code, said]).toEqual([2, expect.stringMatching(message)]);
  });

  test("a table of BigQuery, which cannot be looked into for nothing", async () => {
    const { code, said } = await run("plan", flags({ clicks: "bq://project.dataset.clicks" }));
    expect([code, said]).toEqual([2, expect.stringMatching(/"bq:\/\/project.dataset.clicks" is a table of BigQuery\. Export it first/)]);
  });

  test("a broken file is exit code 3, and too many rejects in a sample are a warning", async () => {
    writeFileSync(at("broken.parquet"), "PAR1 and nothing else PAR1");
    expect(await run("plan", flags({ clicks: at("broken.parquet") }))).toMatchObject({ code: 3 });
    writeFileSync(
      at("half.ndjson"),
      `${readFileSync(at("small", "clicks.ndjson"), "utf8").split("\n").slice(0, 50).join("\n")}\n${"{}\n".repeat(50)}`,
    );
    const { code, said } = await run("plan", flags({ clicks: at("half.ndjson") }));
    expect([code, said]).toEqual([0, expect.stringMatching(/warning: in the sample, clicks: 50 of 100 rows are rejects/)]);
  });
});
