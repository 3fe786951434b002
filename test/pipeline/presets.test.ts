import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { commandOf, main } from "../../pipeline/cli";
import { parseFlags } from "../../pipeline/flags";
import { generate } from "../../pipeline/generate";
import { presetsOf } from "../../pipeline/help/describe";
import { helpOf } from "../../pipeline/help/text";
import { BuildOptions } from "../../pipeline/options";
import { PRESETS, withPreset } from "../../pipeline/presets";
import { rebuild } from "../../pipeline/rebuild";
import { build } from "../../pipeline/run";

const folder = mkdtempSync(join(tmpdir(), "backstory-presets-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const TABLES = ["impressions", "clicks", "add_to_carts", "previous_orders"];
const inputs = TABLES.map((table) => `--${table.replaceAll("_", "-")}=${join(folder, "in", `${table}.ndjson`)}`);
const Schema = withPreset(BuildOptions);
const parsed = (...flags: string[]) => parseFlags(Schema, ["--impressions=in", "--output=out", ...flags], 0).options;

test("what a preset means never changes: manifests and teams have it by its name", () => {
  const SLOTS = "ranking_id,customer_id,item_id,is_order,actions,action_types";
  const K = { historyLength: 1000, lookbackDays: 365, orderLagDays: 0, actionClock: "time", dropEmptyHistory: false };
  const rows = { layout: "rows", padding: "zeros", orderTime: "order-date" };
  const times = "ranking_id,customer_id,impression_index,item_id,is_order,actions,action_types,action_times";
  expect(Object.fromEntries(Object.entries(PRESETS).map(([name, { options }]) => [name, options]))).toEqual({
    "pyspark-rows": { ...K, ...rows, columns: SLOTS },
    "pyspark-rankings": { ...K, columns: "standard", layout: "rankings", padding: "none", orderTime: "order-date" },
    "pyspark-event-time": { ...K, ...rows, columns: times, orderTime: "occurred-at" },
    "pyspark-partitions": {
      ...K,
      ...rows,
      columns: SLOTS,
      lookbackDays: "none",
      orderLagDays: 1,
      actionClock: "dt",
      dropEmptyHistory: true,
    },
  });
});

test.each(Object.entries(PRESETS))("%s is valid, and nothing of it stays but its options", (name, { options }) => {
  expect(parsed(`--preset=${name}`)).toEqual(BuildOptions.parse({ impressions: "in", output: "out", ...options }));
});

test("what is given wins over a preset, in flags and in a file, wherever the preset stands", () => {
  const options = {
    columns: fc.constantFrom("standard", "+times"),
    layout: fc.constantFrom("rows", "histories"),
    padding: fc.constantFrom("zeros", "none"),
    historyLength: fc.integer({ min: 1, max: 1000 }),
    lookbackDays: fc.oneof(fc.constant("none"), fc.nat(1000)),
    orderTime: fc.constantFrom("order-date", "occurred-at"),
    orderLagDays: fc.nat(10),
    actionClock: fc.constantFrom("time", "dt", "both"),
    dropEmptyHistory: fc.boolean(),
    timezone: fc.constantFrom("UTC", "Europe/Berlin"),
  };
  const some = fc.record(options, { requiredKeys: [] });
  const flagsOf = (given: object) =>
    Object.entries(given).map(([key, value]) => `--${key.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)}=${value}`);
  const config = join(folder, "config.json");
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(PRESETS)), fc.boolean(), some, some, (name, isInFile, inFile, inFlags) => {
      writeFileSync(config, JSON.stringify({ ...inFile, ...(isInFile ? { preset: name } : {}) }));
      const flags = [`--config=${config}`, ...flagsOf(inFlags), ...(isInFile ? [] : [`--preset=${name}`])];
      const preset = PRESETS[name as keyof typeof PRESETS].options;
      expect(parsed(...flags)).toEqual(BuildOptions.parse({ impressions: "in", output: "out", ...preset, ...inFile, ...inFlags }));
    }),
  );
});

test("a preset that there is not: exit code 2 and the choices", async () => {
  const errors = jest.spyOn(console, "error").mockImplementation();
  try {
    for (const command of ["build", "plan", "verify"])
      expect(
        await main(
          [command, "--impressions=in", "--output=out", "--preset=spark"].filter(
            (flag) => command !== "verify" || !flag.startsWith("--output"),
          ),
        ),
      ).toBe(2);
    for (const [message] of errors.mock.calls)
      expect(message).toBe(`backstory: --preset must be one of ${Object.keys(PRESETS).join(", ")}; got "spark". See --help.`);
    expect(errors).toHaveBeenCalledTimes(3);
  } finally {
    errors.mockRestore();
  }
});

test("--help lists presets as flags that give the same options", async () => {
  for (const command of ["build", "plan"]) {
    const { schema, ...told } = (await commandOf(command))!;
    const presets = presetsOf(schema);
    const help = helpOf({ name: command, schema, ...told }).replace(/\s+/g, " ");
    expect(presets.map(({ name }) => name)).toEqual(Object.keys(PRESETS));
    for (const { name, about, flags } of presets) {
      expect(help).toContain(`${name} ${about} ${flags.join(" ")}`);
      expect(parsed(...flags)).toEqual(parsed(`--preset=${name}`));
    }
  }
});

test("the manifest has the options, and rebuild makes the same bytes of it", async () => {
  await generate({ output: join(folder, "in"), rankings: 30, actions: 2000, customers: 10, days: 2 });
  const { options } = parseFlags(
    Schema,
    [...inputs, `--output=${join(folder, "out")}`, "--preset=pyspark-rankings", "--history-length=20"],
    0,
  );
  const { manifest } = await build(options);
  const recorded = JSON.parse(readFileSync(manifest!, "utf8")).options;
  expect(recorded).toMatchObject({ ...PRESETS["pyspark-rankings"].options, historyLength: 20 });
  expect(recorded).not.toHaveProperty("preset");
  const again = await rebuild(manifest!, { output: join(folder, "again"), runner: "direct", quiet: true });
  expect(again.rows).toBeGreaterThan(0);
}, 60_000);
