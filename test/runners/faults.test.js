/** A worker killed at different moments: the same bytes on Flink, a clean failure on Prism, and readers never see half of anything. */
const { rmSync } = require("node:fs");
const { join } = require("node:path");
const { killAt } = require("./faults");
const { build, hashes, newFolder, table, workload } = require("./kit");
const { MOMENTS } = require("./murder");

/** Flink tries again, Prism does not. */
const RUNNERS = {
  flink: { flags: ["--runner=flink", "--workers=2"], told: () => "same bytes" },
  // what was decided to be published is published by whoever is left
  prism: { flags: ["--runner=prism", "--threads=1"], told: (moment) => (moment === "publish" ? "same bytes" : "fails cleanly") },
};
const results = {};
let folder;
let reference;
const old = () => join(folder, "old");
const S = ["--shards=3", "--quiet"];

beforeAll(async () => {
  folder = newFolder();
  const output = join(folder, "reference");
  await build([...workload("S", "parquet"), ...S, `--output=${output}`]);
  reference = hashes(output);
  await build([...workload("S", "parquet"), ...S, "--history-length=7", `--output=${old()}`]);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  const names = Object.keys(RUNNERS);
  const rows = MOMENTS.map((moment) => [moment, ...names.map((runner) => results[`${moment} ${runner}`] ?? "–")]);
  table("faults", ["killed during", ...names], rows);
});

describe.each(Object.entries(RUNNERS))("%s", (runner, { flags, told }) => {
  test.each(MOMENTS)("a worker killed during the %s", async (moment) => {
    // without an earlier run, readers must see nothing
    const before = moment === "join" ? undefined : old();
    const outcome = await killAt(moment, { args: [...workload("S", "parquet"), ...S, ...flags], folder, old: before, reference });
    results[`${moment} ${runner}`] = outcome.wrong === undefined ? `${outcome.told}, ${outcome.seconds.toFixed(1)} s` : "wrong";
    expect(outcome).toMatchObject({ wrong: undefined, told: told(moment) });
  });
});
