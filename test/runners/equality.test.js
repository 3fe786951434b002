/** The same bytes, whatever runs it; and the same answer to bad input. */
const { appendFileSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { gzipSync } = require("node:zlib");
const { startFlink, startPrism } = require("../sdk/services");
const { build, hashes, newFolder, ROOT, RUNNERS, table, workload } = require("./kit");

const FORMATS = ["ndjson", "parquet"];
const results = {};
let folder;
beforeAll(() => (folder = newFolder()));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  const cell = (format, runner) => results[`${format} ${runner}`] ?? "failed";
  const rows = FORMATS.map((format) => [format, ...Object.keys(RUNNERS).map((runner) => cell(format, runner))]);
  table("equality", ["S from", ...Object.keys(RUNNERS)], rows);
});

/** of the first run of all */
let reference;

describe.each(FORMATS)("S from %s", (format) => {
  test.each(Object.entries(RUNNERS))("%s: the same bytes", async (runner, flags) => {
    const output = join(folder, "out");
    rmSync(output, { recursive: true, force: true });
    const run = await build([...workload("S", format), `--output=${output}`, "--shards=3", ...flags]);
    expect({ ...run, files: undefined }).toMatchObject({ code: 0, left: { processes: [], files: [] } });
    const files = hashes(output);
    reference ??= files;
    // 14 days of three shards each, their _SUCCESS and that of all
    expect(Object.keys(files)).toHaveLength(14 * 4 + 1);
    expect(files).toEqual(reference);
    results[`${format} ${runner}`] = `same, ${run.seconds.toFixed(1)} s`;
  });
});

/** of the layout histories */
let histories;

test.each(["direct, 2 threads", "prism", "flink, 2 workers"])("the layout histories: the same bytes, %s", async (runner) => {
  const output = join(folder, "out");
  rmSync(output, { recursive: true, force: true });
  const run = await build([...workload("S", "parquet"), `--output=${output}`, "--shards=3", "--layout=histories", ...RUNNERS[runner]]);
  expect({ ...run, files: undefined }).toMatchObject({ code: 0, left: { processes: [], files: [] } });
  const files = hashes(output);
  expect(Object.keys(files).filter((name) => name.includes("/slots-"))).toHaveLength(14 * 3);
  histories ??= files;
  expect(files).toEqual(histories);
});

const OTTO = join(ROOT, "examples/otto");
const TABLES = { impressions: "impressions", clicks: "clicks", "add-to-carts": "add_to_carts", "previous-orders": "previous_orders" };

/** @returns flags that name a good input of its own */
function copyInto(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const table of Object.values(TABLES)) copyFileSync(join(OTTO, `${table}.ndjson`), join(folder, `${table}.ndjson`));
  return Object.entries(TABLES).map(([flag, table]) => `--${flag}=${join(folder, `${table}.ndjson`)}`);
}

/** What is bad, how it is made from a good input, and flags besides. */
const BAD = {
  "too many rejects": { code: 3, spoil: (input) => appendFileSync(join(input, "clicks.ndjson"), '{"customer_id":"x"}\n'.repeat(200)) },
  "a broken file": {
    code: 3,
    spoil(input) {
      const whole = gzipSync(readFileSync(join(input, "clicks.ndjson")));
      writeFileSync(join(input, "clicks.ndjson.gz"), whole.subarray(0, whole.length - 40));
    },
    flags: (input) => [`--clicks=${join(input, "clicks.ndjson.gz")}`],
  },
  "a table without a column": {
    code: 2,
    spoil: (input) => writeFileSync(join(input, "clicks.ndjson"), '{"customer_id":1,"click_time":"2022-08-01 10:00:00"}\n'.repeat(50)),
  },
  "no impressions in the dates": { code: 2, spoil() {}, flags: () => ["--dates=1999-01-01"] },
  "partitions that exist": { code: 2, again: true, spoil() {}, flags: () => ["--write-mode=error"] },
};

describe.each(Object.entries(BAD))("%s", (_, { code, spoil, flags = () => [], again }) => {
  let direct;
  test.each(["direct", "prism", "flink"])("on %s", async (runner) => {
    const input = join(folder, "bad");
    const output = join(folder, "bad-out");
    rmSync(output, { recursive: true, force: true });
    const given = copyInto(input);
    if (again) await build([...given, `--output=${output}`, "--quiet"]);
    const before = hashes(output);
    spoil(input);
    const special = flags(input);
    const named = given.filter((flag) => !special.some((other) => other.split("=")[0] === flag.split("=")[0]));
    const run = await build([...named, ...special, `--output=${output}`, "--quiet", `--runner=${runner}`]);
    direct ??= run.err;
    expect(run).toMatchObject({ code, err: direct, left: { processes: [], files: [] } });
    expect(run.err).toMatch(/^backstory: .*\.\n$/);
    expect(hashes(output)).toEqual(before);
  });
});

test("on Flink bad input is not tried again: no worker is started a second time", async () => {
  const input = join(folder, "bad");
  const given = copyInto(input);
  BAD["too many rejects"].spoil(input);
  const run = await build([...given, `--output=${join(folder, "bad-out")}`, "--runner=flink"]);
  expect(run.code).toBe(3);
  expect(run.err).toMatch(/^worker 1-1 started$/m);
  expect(run.err).not.toMatch(/^worker 2-\d+ started$/m);
});

describe.each([
  ["prism", startPrism, []],
  ["flink", startFlink, ["--workers=2"]],
])("a job service that runs already: %s", (runner, start, flags) => {
  let service;
  beforeAll(async () => (service = await start()));
  afterAll(() => service?.stop());

  test("two runs, one after the other", async () => {
    const output = join(folder, "out");
    for (let i = 0; i < 2; i++) {
      rmSync(output, { recursive: true, force: true });
      const args = [...workload("S", "parquet"), `--output=${output}`, "--shards=3", `--runner=${runner}`, ...flags];
      const run = await build([...args, `--job-endpoint=${service.endpoint}`]);
      expect(run).toMatchObject({ code: 0, left: { processes: [], files: [] } });
      expect(hashes(output)).toEqual(reference);
    }
  });
});
