import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BuildOptions } from "../../pipeline/options";
import { DATA_OPTIONS } from "../../pipeline/origin";
import { rebuild } from "../../pipeline/rebuild";
import { build } from "../../pipeline/run";
import { DATAFLOW_KEYS } from "../../pipeline/runners/dataflow/flags";
import { ndjson } from "../graphs";
import { partsOf } from "../rows";

jest.setTimeout(300_000);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "backstory-rebuild-"));
  mkdirSync(join(folder, "clicks"));
  writeFileSync(join(folder, "clicks/a.ndjson"), ndjson([{ customer_id: 1, item_id: 11, click_time: "2025-08-15 10:00:00" }]));
  const ranking = { dt: "2025-08-16", ranking_id: "a", customer_id: 1, impressions: [{ item_id: 5, is_order: true }] };
  writeFileSync(join(folder, "impressions.ndjson"), ndjson([ranking, { ...ranking, dt: "2025-08-17" }]));
});
afterEach(() => rmSync(folder, { recursive: true }));

const out = (name: string) => join(folder, name);
async function built(some: Record<string, unknown> = {}): Promise<string> {
  const paths = { impressions: out("impressions.ndjson"), clicks: out("clicks"), addToCarts: "none", previousOrders: "none" };
  const { manifest } = await build(BuildOptions.parse({ ...paths, output: out("first"), historyLength: 4, ...some }));
  return manifest!;
}
const again = (manifest: string) => rebuild(manifest, { output: out("again"), runner: "direct", quiet: true });
const bytes = (output: string) => partsOf(output).map((path) => readFileSync(join(output, path), "base64"));

test.each([
  [{}],
  [{ timezone: "Europe/Berlin", columns: "standard,+length", compression: "zstd", shards: 3, dates: "2025-08-16..2025-08-17" }],
  [{ writeMode: "append", trainDays: 1, lookbackDays: "none", maxRejects: "5%" }],
  [{ runId: "08" }],
  [{ runId: "00000" }],
  [{ runId: "08", writeMode: "append" }],
  [{ clicks: "none", tables: [{ name: "views", type: 4, customer: "customer_id", item: "item_id", time: "click_time", path: "" }] }],
])("a rebuild gives the same bytes: %j", async (some) => {
  const tables = (some as { tables?: { path: string }[] }).tables;
  if (tables !== undefined) tables[0].path = out("clicks");
  const { rows } = await again(await built(some));
  expect(rows).toBe("trainDays" in some ? 1 : 2);
  expect(bytes(out("again"))).toEqual(bytes(out("first")));
});

test("an input of another size is told, and nothing is built", async () => {
  const manifest = await built();
  writeFileSync(out("clicks/a.ndjson"), "");
  await expect(again(manifest)).rejects.toMatchObject({
    exitCode: 4,
    message: expect.stringMatching(/clicks\/a\.ndjson \(\d+ bytes then, 0 now\)/),
  });
});

test("an input that was only touched is no difference", async () => {
  const manifest = await built();
  utimesSync(out("clicks/a.ndjson"), 1, 1);
  expect(await again(manifest)).toMatchObject({ rows: 2 });
});

test("a new input is told once the bytes are others", async () => {
  const manifest = await built();
  writeFileSync(out("clicks/b.ndjson"), ndjson([{ customer_id: 1, item_id: 12, click_time: "2025-08-15 11:00:00" }]));
  await expect(again(manifest)).rejects.toMatchObject({
    exitCode: 4,
    message: expect.stringMatching(
      /not those of .*dt=2025-08-16\/part-00000-of-00001\.parquet.* What changed: .*clicks\/b\.ndjson \(new\)/,
    ),
  });
});

test("what is no manifest", async () => {
  await expect(again(out("nothing.json"))).rejects.toMatchObject({ exitCode: 2 });
  await expect(again(out("clicks/a.ndjson"))).rejects.toMatchObject({ exitCode: 3 });
});

test("every option of build is known to determine the data, or not to", () => {
  const here = ["output", "writeMode", "runId", "rejects", "metricsJson", "report", "threads", "maxMemory", "tempDir", "quiet", "json"];
  const onRunner = ["runner", "jobEndpoint", "environment", "environmentConfig", "workers", "parallelism", "flinkMaster", "flinkConfDir"];
  const bigQuery = ["project", "tempLocation", "maxBytesBilled", "outputTable"];
  expect([...DATA_OPTIONS, ...here, ...onRunner, ...DATAFLOW_KEYS, ...bigQuery].sort()).toEqual(Object.keys(BuildOptions.shape).sort());
});
