/** Whole runs of the compiled program, in processes of their own. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { generate } from "../../pipeline/generate";
import { SLOW, slowTest } from "../suite";
import { temporary } from "./io/gather";

jest.setTimeout(300_000);

const ROOT = join(__dirname, "..", "..");
const folder = temporary();

/** Every file of data in an output with a hash of its bytes; manifest and markers are of the run. */
function bytesBelow(path: string): Record<string, string> {
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && !ofRun(entry.name));
  const hashes = files.map((file): [string, string] => {
    const full = join(file.parentPath, file.name);
    return [full.slice(path.length + 1), createHash("sha256").update(readFileSync(full)).digest("hex")];
  });
  return Object.fromEntries(hashes.sort());
}

const ofRun = (name: string): boolean => name === "_SUCCESS" || name.endsWith(".json");

function built(
  workload: string,
  threads: number,
  output: string,
  ...more: string[]
): { files: Record<string, string>; rejects: string; figures: string } {
  const out = (name: string) => join(folder.path, `${name}-${output}-${threads}-${more.length}`);
  const tables = ["impressions", "clicks", "add_to_carts", "previous_orders"].map(
    (table) => `--${table.replaceAll("_", "-")}=${join(workload, `${table}*`)}`,
  );
  const flags = [`--threads=${threads}`, "--shards=2", "--history-length=20", "--lookback-days=90", "--max-rejects=100%", "--quiet"];
  const files = [`--output=${out("out")}`, `--rejects=${out("rejects")}`, `--metrics-json=${out("metrics")}`];
  execFileSync(process.execPath, [join(ROOT, "bin", "backstory.js"), "build", ...tables, ...flags, ...files, ...more], { stdio: "pipe" });
  return { files: bytesBelow(out("out")), rejects: readFileSync(out("rejects"), "utf8"), figures: readFileSync(out("metrics"), "utf8") };
}

/** The numbers of threads; with the least memory that there can be, so that everything goes to disk. */
type Runs = [free: number[], least: [threads: number, size: string][]];
const ALL: Runs = [
  [1, 2, 3],
  [
    [1, "450MB"],
    [2, "650MB"],
  ],
];
const FEW: Record<string, Runs> = { ndjson: [[1, 3], [[2, "650MB"]]], parquet: [[1, 2], [[1, "450MB"]]] };

test.each(SLOW ? (["ndjson", "csv", "parquet"] as const) : (["ndjson", "parquet"] as const))(
  "the bytes of the output do not depend on threads or memory (%s)",
  async (format) => {
    const workload = join(folder.path, format);
    await generate({ output: workload, rankings: 300, actions: 20_000, customers: 100, items: 2000, days: 3, format });
    // two files more, with something to reject
    if (format === "ndjson") for (const n of [1, 2]) folder.write(join(format, `clicks-${n}.ndjson`), '{"customer_id":1}\n{\n'.repeat(n));
    const [free, least] = SLOW ? ALL : FEW[format];
    const [one, ...more] = free.map((threads) => built(workload, threads, format));
    expect(Object.keys(one.files).filter((name) => name.endsWith(".parquet"))).toHaveLength(6);
    for (const other of more) expect(other).toEqual(one);
    for (const [threads, size] of least)
      expect(built(workload, threads, format, `--max-memory=${size}`, "--columns=standard", `--temp-dir=${folder.path}/temp`)).toEqual(one);
    if (least.length > 0) expect(readdirSync(join(folder.path, "temp"))).toEqual([]);
  },
);

slowTest.each(["rankings", "histories"])("nor do those of the layout %s", async (layout) => {
  const workload = join(folder.path, "other");
  await generate({ output: workload, rankings: 300, actions: 20_000, customers: 100, items: 2000, days: 3, overwrite: true });
  const [one, ...others] = [[1], [3], [2, "--max-memory=650MB", `--temp-dir=${folder.path}/temp`]].map(([threads, ...more]) =>
    built(workload, Number(threads), layout, `--layout=${layout}`, "--padding=none", "--columns=+times", ...more.map(String)),
  );
  expect(Object.keys(one.files)).toHaveLength(layout === "histories" ? 12 : 6);
  for (const other of others) expect(other).toEqual(one);
});
