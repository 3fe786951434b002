/** Late rows, and leaks, from files to what people are told. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { parseFlags } from "../../pipeline/flags";
import { BuildOptions } from "../../pipeline/options";
import { planRun } from "../../pipeline/plan";
import { build } from "../../pipeline/run";
import { runDirect } from "../../pipeline/runners/direct";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "backstory-late-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, rows: object[]) => {
  const path = join(folder, `${name}.ndjson`);
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return path;
};
const click = (dt: string, click_time: string) => ({ dt, customer_id: 7, item_id: 1, click_time });
const order = (order_date: string, occurred_at: string) => ({ order_date, customer_id: 7, config_id: 1, occurred_at });

function optionsOf(...more: string[]): BuildOptions {
  const slots = [{ item_id: 12, is_order: false }];
  const flags = [
    `--impressions=${write("impressions", [{ dt: "2025-08-16", ranking_id: "r", customer_id: 7, impressions: slots }])}`,
    `--clicks=${write("clicks", [
      click("2025-08-10", "2025-08-10 10:00:00"),
      click("2025-08-11", "2025-08-10 23:59:59"), // came a day late
      click("2025-08-16", "2025-08-16 00:00:00"), // of the dt itself, as every export has them
      click("2025-08-17", "2025-08-17 00:00:00"), // of the future
      click("2020-01-01", "2020-01-02 00:00:00"), // no lookback goes so far back
    ])}`,
    "--add-to-carts=none",
    `--previous-orders=${write("previous_orders", [order("2025-08-12", "2025-08-12 10:00:00"), order("2025-08-12", "2025-08-14 00:00:00"), order("2025-08-13", "2025-08-14 00:00:00")])}`,
    `--output=${join(folder, "out")}`,
  ];
  return parseFlags(BuildOptions, [...flags, ...more], 0).options;
}

test("a dt that is no text leaves no row out: it is only looked at for lateness", async () => {
  const column = (name: string, data: unknown[], type: object) => ({ name, data, element: { name, repetition_type: "OPTIONAL", ...type } });
  const columns = [
    column("dt", [Uint8Array.of(255)], { type: "BYTE_ARRAY", converted_type: "UTF8" }),
    column("customer_id", [7n], { type: "INT64" }),
    column("item_id", [5n], { type: "INT64" }),
    column("click_time", [BigInt(Date.UTC(2025, 7, 10))], { type: "INT64", converted_type: "TIMESTAMP_MILLIS" }),
  ];
  const schema = [{ name: "root", num_children: columns.length }, ...columns.map(({ element }) => element)];
  const clicks = join(folder, "clicks.parquet");
  writeFileSync(
    clicks,
    Buffer.from(parquetWriteBuffer({ schema, columnData: columns.map(({ name, data }) => ({ name, data })) } as never)),
  );
  const { ledger } = await build({ ...optionsOf(), clicks });
  expect(ledger.clicks).toMatchObject({ rows: 1, places: { used: 1 }, reasons: {} });
});

test("late rows are told by table, kind and day: in the outcome, the manifest, the metrics and as warnings", async () => {
  const metrics = join(folder, "metrics.json");
  const { ledger, warnings, manifest } = await build(optionsOf("--order-lag-days=1", `--metrics-json=${metrics}`));
  const clicks = {
    rows: 2,
    days: {
      "after the last cutoff": { "2025-08-16": 1 },
      "after the last dt": { "2025-08-17": 1 },
      "time of another day": { "2025-08-11": 1 },
    },
  };
  const orders = {
    rows: 2,
    days: { "time of another day": { "2025-08-12": 1, "2025-08-13": 1 }, "beyond the order lag": { "2025-08-12": 1 } },
  };
  expect([ledger.clicks.late, ledger.previous_orders.late, ledger.impressions.late]).toEqual([clicks, orders, undefined]);
  expect(JSON.parse(readFileSync(metrics, "utf8")).late).toEqual({ clicks, previous_orders: orders });
  expect(JSON.parse(readFileSync(manifest!, "utf8")).ledger.clicks.late).toEqual(clicks);
  expect(warnings).toEqual([
    "clicks: 2 of 5 rows are late, or not from when they say: after the last dt 1 (2025-08-17 1); time of another day 1 (2025-08-11 1). They count by their times.",
    "previous_orders: 2 of 3 rows are late, or not from when they say: time of another day 2 (2025-08-12 1, 2025-08-13 1); beyond the order lag 1 (2025-08-12 1). They count by their times.",
  ]);
});

test("where days are chosen, actions from after them are expected, and nothing to warn of", async () => {
  const { ledger, warnings } = await build(optionsOf("--dates=2025-08-16"));
  expect(ledger.clicks.late).toEqual({
    rows: 1,
    days: { "after the last cutoff": { "2025-08-16": 1, "2025-08-17": 1 }, "time of another day": { "2025-08-11": 1 } },
  });
  expect(warnings.join()).not.toContain("after the last");
});

test("--fail-on=late: nothing is published of an input of which too much is late", async () => {
  await expect(build(optionsOf("--fail-on=late>50%"))).rejects.toMatchObject({
    exitCode: 3,
    message: expect.stringContaining("late>50% (it is 66.67%)"),
  });
  await expect(build(optionsOf("--fail-on=late>67%"))).resolves.toMatchObject({ exitCode: 0 });
});

test("--fail-on=leak: the writer looks at each action once more, and the bytes are the same", async () => {
  const plain = await build(optionsOf());
  const options = optionsOf("--fail-on=leak");
  const { files } = await build(options);
  expect(files).toEqual(plain.files);
  const plan = await planRun(options, "leaking");
  // as if the join had let in orders that are too new: all three
  plan.files.recheck = { ...plan.files.recheck!, orderLagDays: 4 };
  await expect(runDirect(plan)).rejects.toThrow("--fail-on: leak (it is 3); nothing was published.");
});
