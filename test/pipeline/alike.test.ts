/** An output's rows have one shape: builds of another are refused where partitions would stay that have the old one. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "../../pipeline/run";
import { fewRows } from "./fewrows";

let folder: string;
let output: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "backstory-alike-"));
  output = join(folder, "out");
});
afterEach(() => rmSync(folder, { recursive: true }));

const DAYS = ["2025-08-16", "2025-08-17"];
const optionsOf = (...more: string[]) => fewRows(folder, DAYS, ...more);

const ONE_DAY = "--dates=2025-08-16..2025-08-16";
const OTHER_DAY = "--dates=2025-08-17..2025-08-17";
const refusal = (why: RegExp) => ({ name: "ConfigError", exitCode: 2, message: expect.stringMatching(why) });

test.each([
  [
    "another history length",
    ["--history-length=3"],
    /dt=2025-08-16; .* has --history-length=1000 where this one has 3, .*build all its days again/,
  ],
  ["one column more", ["--columns=+length"], /has none of the columns history_length int32, and all rows of an output have one shape/],
  ["one less", ["--columns=dt,item_id,actions,action_types"], /has columns that this one lacks \(ranking_id string, .*\), and all rows/],
])("%s: refused beside what stays, and nothing changes", async (_, flags, why) => {
  const { runId } = await build(optionsOf(ONE_DAY));
  const refused = refusal(new RegExp(`published last, ${runId}, `));
  for (const how of [[OTHER_DAY], [ONE_DAY, "--write-mode=append"], ["--write-mode=error"]]) {
    const other = build(optionsOf(...flags, ...how));
    await expect(other).rejects.toMatchObject(refusal(why));
    await expect(other).rejects.toMatchObject(refused);
    expect(readdirSync(output).sort()).toEqual(["_SUCCESS", "_manifests", "dt=2025-08-16"]);
    expect(readdirSync(join(output, "_manifests"))).toEqual([`${runId}.json`]);
  }
});

test("renamed columns are others", async () => {
  await build(optionsOf(ONE_DAY));
  const renamed = optionsOf(OTHER_DAY, "--columns=dt,item_id,actions=history,action_types");
  await expect(build(renamed)).rejects.toMatchObject(refusal(/none of the columns history list<int64>, and all rows/));
});

test("where all days are built again, they may have another shape", async () => {
  await build(optionsOf());
  expect((await build(optionsOf("--history-length=3", "--columns=+length"))).warnings).toEqual([]);
  const both = "--dates=2025-08-16..2025-08-17";
  expect((await build(optionsOf(both))).warnings).toEqual([]);
});

test("days that turn out to be fewer than there are: found when it is published", async () => {
  await build(optionsOf());
  const path = join(folder, "impressions.ndjson");
  writeFileSync(path, readFileSync(path, "utf8").split("\n")[0]);
  await expect(build(optionsOf("--history-length=3"))).rejects.toMatchObject(refusal(/dt=2025-08-17; .*--history-length=1000/));
  expect(readdirSync(join(output, "_manifests"))).toHaveLength(1);
});

test("other rules for histories are a warning beside what stays, and none where nothing does", async () => {
  const { runId } = await build(optionsOf(ONE_DAY));
  const rules = ["--lookback-days=30", "--timezone=Europe/Berlin", "--order-lag-days=1"];
  expect((await build(optionsOf(...rules, OTHER_DAY))).warnings).toEqual([
    `${output} has partitions that stay, such as dt=2025-08-16; the run published last, ${runId}, had --lookback-days=365 (here 30), --timezone=UTC (here Europe/Berlin), --order-lag-days=0 (here 1). Their histories follow other rules than those of this run.`,
  ]);
  expect((await build(optionsOf())).warnings).toEqual([]);
});

test.each([
  ["without a manifest", () => rmSync(join(output, "_manifests"), { recursive: true })],
  ["whose manifest cannot be read", () => writeFileSync(join(output, "_manifests", readdirSync(join(output, "_manifests"))[0]), "{")],
  ["without rows", () => rmSync(join(output, "dt=2025-08-16"), { recursive: true })],
])("an output %s refuses nothing", async (_, change) => {
  await build(optionsOf(ONE_DAY));
  change();
  expect((await build(optionsOf(OTHER_DAY, "--history-length=3"))).warnings).toEqual([]);
});
