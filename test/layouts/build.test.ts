import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convert } from "../../layouts/convert";
import { generate } from "../../pipeline/generate";
import type { Layout, Padding } from "../../pipeline/layout";
import { parseManifest } from "../../pipeline/manifest";
import { SLOW, slowTest } from "../suite";
import { buildTo } from "../verify/outputs";
import { eachWithTwins } from "./twins";

jest.setTimeout(300_000);

const folder = mkdtempSync(join(tmpdir(), "backstory-built-"));
const at = (...path: string[]) => join(folder, ...path);
const inputsIn = (place: string) =>
  ["impressions", "clicks", "add_to_carts", "previous_orders"].map(
    (table) => `--${table.replaceAll("_", "-")}=${join(place, `${table}.ndjson`)}`,
  );

beforeAll(() => generate({ output: at("in"), rankings: 80, actions: 4000, customers: 30, items: 60, days: 3 }));
afterAll(() => rmSync(folder, { recursive: true }));

/** SHA-256 of every file that readers see, by path; not of what runs say of themselves. */
const hashes = (output: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(output, { recursive: true, encoding: "utf8" })
      .filter((path) => statSync(join(output, path)).isFile() && !/^_(attempts|manifests)/.test(path))
      .sort()
      .map((path) => [
        path,
        createHash("sha256")
          .update(readFileSync(join(output, path)))
          .digest("hex"),
      ]),
  );

/** Of each run: its files, rows, layout and options; not what went away, which is told as it was. */
const manifestsIn = (output: string) =>
  Object.fromEntries(
    readdirSync(join(output, "_manifests")).map((name) => {
      const { partitions, rows, bytes, options, schema, quality, ledger } = parseManifest(
        readFileSync(join(output, "_manifests", name), "utf8"),
        name,
      );
      return [
        name,
        { partitions: partitions.map(({ replaced: _, ...partition }) => partition), rows, bytes, options, schema, quality, ledger },
      ];
    }),
  );

const WAYS: [Layout, Padding][] = [
  ["rows", "none"],
  ["rankings", "zeros"],
  ["rankings", "none"],
  ["histories", "zeros"],
  ["histories", "none"],
];
let names = 0;

/** A build in a layout is what converting the rows gives, the manifests included. @param runs flags of each run */
async function expectSameAsConverted(ways: typeof WAYS, ...runs: string[][]): Promise<void> {
  const rows = at(`rows-${names++}`);
  const build = async (output: string, more: string[]) => {
    for (const [i, flags] of runs.entries()) await buildTo(output, [...flags, `--run-id=run-${i}`, ...more]);
  };
  await build(rows, []);
  for (const [layout, padding] of ways) {
    const [built, converted] = [at(`built-${names}`), at(`converted-${names++}`)];
    await build(built, [`--layout=${layout}`, `--padding=${padding}`]);
    await convert(rows, { to: converted, layout, padding, quiet: true });
    expect(hashes(built)).toEqual(hashes(converted));
    // of files that are gone nobody knows what they would have become
    const gone = runs.length > 1 && !runs[0].includes("--write-mode=append") ? runs.length - 1 : 0;
    expect(Object.entries(manifestsIn(built)).slice(gone)).toEqual(Object.entries(manifestsIn(converted)).slice(gone));
  }
}

const flags = (...more: string[]) => [...inputsIn(at("in")), "--history-length=50", "--lookback-days=2", ...more];

describe("a build in a layout gives the bytes that converting gives", () => {
  const cases: [string, string[][]][] = [
    ["in shards and row groups, with lengths and times", [flags("--columns=+length,+times", "--shards=2", "--row-group-bytes=9000")]],
    [
      "with other names, compressed by zstd",
      [flags("--columns=actions=a,action_types=t,item_id=i,impression_index,is_order,customer_id,ranking_id=r", "--compression=zstd")],
    ],
    ["not compressed, with days that are empty", [flags("--compression=none", "--dates=2025-08-01..2025-08-04")]],
    ["without rows that have no history", [flags("--drop-empty-history")]],
    ["appended to", [flags("--write-mode=append"), flags("--write-mode=append", "--shards=3")]],
    ["overwritten", [flags("--shards=2"), flags("--order-lag-days=1")]],
  ];
  test.each(cases)("%s", async (_, runs) => expectSameAsConverted(SLOW ? WAYS : [WAYS[names % WAYS.length]], ...runs));

  slowTest("OTTO", () => expectSameAsConverted(WAYS, inputsIn("examples/otto")));

  test("with rankings that were given twice, or that have the same id", () =>
    eachWithTwins(at("twins"), () =>
      expectSameAsConverted(
        [WAYS[names % WAYS.length]],
        [...inputsIn(at("twins")), ...["--history-length=5", "--columns=+times", "--lookback-days=none"]],
      ),
    ));
});
