/** Jobs in PySpark as teams write them, test/slow/spark/, against builds by presets: the same rows, or the reason why not. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Comparison, compare } from "../../compare/compare";
import { CompareOptions } from "../../compare/options";
import type { Reason } from "../../compare/reasons";
import { parseFlags } from "../../pipeline/flags";
import { BuildOptions } from "../../pipeline/options";
import { withPreset } from "../../pipeline/presets";
import { build } from "../../pipeline/run";
import { writeWorkload, ZONE } from "./spark/workload";

const folder = mkdtempSync(join(tmpdir(), "backstory-pyspark-"));
const at = (...path: string[]) => join(folder, ...path);
const inputsIn = (place: string): string[] =>
  ["impressions", "clicks", "add_to_carts", "previous_orders"].map(
    (table) => `--${table.replaceAll("_", "-")}=${at(place, `${table}.ndjson`)}`,
  );

beforeAll(() => {
  writeWorkload(at("in"));
  writeWorkload(at("in.instants"), true);
  const page = join(__dirname, "../../docs/from-pyspark.md");
  const args = [join(__dirname, "spark/variants.py"), at("in"), at("spark"), ZONE, page];
  execFileSync(process.env.PYTHON ?? "python3", args, { timeout: 1_200_000, stdio: "pipe" });
}, 1_260_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let builds = 0;
const words = (text: string): string[] => text.split(" ").filter((word) => word !== "");

async function against(job: string, flags: string, how = ""): Promise<Comparison> {
  // in another time zone, times without one are other instants: that is no matter of the window
  const inputs = inputsIn(job === "zone" ? "in.instants" : "in");
  const output = at(`build-${builds++}`);
  await build(parseFlags(withPreset(BuildOptions), [...inputs, `--timezone=${ZONE}`, `--output=${output}`, ...words(flags)], 0).options);
  return compare(output, at("spark", job), parseFlags(CompareOptions, words(how), 0).options);
}

const NESTED = "item_id=impressions.item_id,is_order=impressions.is_order,actions=history.item,action_types=history.type";
const RENAMED =
  "dt=ds,customer_id=user,item_id=slot.item_id,is_order=slot.is_order,actions=history.item,action_types=history.type,action_times=history.time";

// biome-ignore format: a table
test.each<[job: string, flags: string, how: string]>([
  ["rows",       "--preset=pyspark-rows", ""],
  ["rankings",   "--preset=pyspark-rankings", `--columns=${NESTED}`],
  ["event-time", "--preset=pyspark-event-time", ""],
  ["partitions", "--preset=pyspark-partitions", ""],
  ["short",      "--preset=pyspark-rows --history-length=50 --lookback-days=90 --drop-empty-history", ""],
  ["ever",       "--preset=pyspark-rows --lookback-days=none", ""],
  ["lag",        "--preset=pyspark-rows --order-lag-days=1", ""],
  ["both",       "--preset=pyspark-rows --action-clock=both", ""],
  ["unpadded",   "--preset=pyspark-rows --padding=none --columns=standard", ""],
  ["unpadded",   "--preset=pyspark-rows", "--ignore-padding"],
  ["left",       "--preset=pyspark-rows", "--ignore-padding"],
  ["structs",    "--preset=pyspark-rows --padding=none --columns=standard,+times", `--columns=${RENAMED}`],
  ["words",      "--preset=pyspark-rows", ""],
])("%s is what %s makes %s", async (job, flags, how) => {
  const { total, reasons, compared, key } = await against(job, flags, how);
  expect(reasons).toEqual([]);
  expect(total).toEqual({ here: total.same, there: total.same, same: total.same, different: 0, onlyHere: 0, onlyThere: 0 });
  expect(total.same).toBeGreaterThan(90);
  expect([...key, ...compared]).toEqual(expect.arrayContaining(["ranking_id", "customer_id", "item_id", "is_order", "actions", "action_types"]));
});

// biome-ignore format: a table
test.each<[reason: Reason, job: string, more: "here" | "there" | null, position: number | null]>([
  ["tie order",         "ties",      null, null],
  ["lookback boundary", "year",      "there", null],
  ["order time",        "occurred",  "here", null],
  ["time zone",         "zone",      "there",  0],
  ["padding side",      "left",      null,     0],
  ["padding length",    "unpadded",  null, null],
  ["inclusive cutoff",  "inclusive", "there",  0],
  ["newer actions",     "leak",      "there", null],
  ["oldest first",      "oldest",    null,     0],
  ["duplicates",        "set",       "here", null],
  ["history length",    "cut",       "here",  50],
])("%s: what a job does otherwise is told, of %s", async (reason, job, more, position) => {
  const { total, reasons } = await against(job, "--preset=pyspark-rows --columns=standard,+times");
  expect(total).toMatchObject({ onlyHere: 0, onlyThere: 0 });
  expect(reasons.reduce((sum, { rows }) => sum + rows, 0)).toBe(total.different);
  // orders move too where days begin at another time, so that is not the most frequent of its reasons
  const first = job === "zone" ? reasons.find((each) => each.reason === reason)! : reasons[0];
  expect(first?.reason).toBe(reason);
  if (more !== null) expect(first[more === "here" ? "moreHere" : "moreThere"]).toBeGreaterThan(0);
  else expect([first.moreHere, first.moreThere]).toEqual([0, 0]);
  if (position !== null) expect(first.example.position).toBe(position);
  else expect(first.example.position).toBeGreaterThanOrEqual(0);
});
