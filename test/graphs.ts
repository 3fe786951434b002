/** The pipeline of a small build, as it goes to a runner. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
// before any of its modules
import "apache-beam";
import { Pipeline } from "apache-beam/internal/pipeline";
import { Root } from "apache-beam/pvalue";
import { parDo, runnerApi } from "../beam/sdk";
import { backstory, type Plan } from "../pipeline/backstory";
import { parseFlags } from "../pipeline/flags";
import { BuildOptions } from "../pipeline/options";
import { planRun } from "../pipeline/plan";

export const ndjson = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

/** A click of customer 1 on the day before the first of the impressions. */
export const CLICK = { customer_id: 1, item_id: 7, click_time: "2025-08-15 10:00:00" };
export const IMPRESSIONS = [
  { dt: "2025-08-16", ranking_id: "r", customer_id: 1, impressions: [{ item_id: 5, is_order: true }] },
  { dt: "2025-08-17", ranking_id: "s", customer_id: 2, impressions: [{ item_id: 6, is_order: false }] },
];

/** Four small files in a folder of their own, planned. */
export async function smallPlan(): Promise<{ folder: string; plan: Plan }> {
  const folder = mkdtempSync(join(tmpdir(), "backstory-graph-"));
  const files = {
    impressions: ndjson(IMPRESSIONS),
    clicks: ndjson([CLICK, { ...CLICK, customer_id: 3 }]),
    "add-to-carts": ndjson([{ customer_id: 2, config_id: 8, occurred_at: "2025-08-16 10:00:00" }]),
    "previous-orders": ndjson([{ customer_id: 1, config_id: 9, order_date: "2025-08-15" }]),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  mkdirSync(join(folder, "out"));
  const flags = Object.keys(files).map((name) => `--${name}=${join(folder, name)}`);
  const { options } = parseFlags(
    BuildOptions,
    [...flags, `--output=${join(folder, "out")}`, "--shards=2", "--dates=2025-08-16..2025-08-17"],
    0,
  );
  return { folder, plan: await planRun(options, "run") };
}

/** What a runner is given. */
export function protoOf(build: (root: Root) => unknown): runnerApi.Pipeline {
  const pipeline = new Pipeline();
  build(new Root(pipeline));
  return pipeline.getProto();
}

export const graphOf = (plan: Plan): runnerApi.Pipeline => protoOf((root) => root.apply(backstory(plan)));

/** Something serialized in a graph: `field` of what the payload holds. */
export interface Payload {
  transform: string;
  field: "doFn" | "combineFn";
  payload: Uint8Array;
}

/** All DoFns and CombineFns of a graph, as they travel; the SDK's own identity has nothing to carry. */
export function payloadsOf({ components }: runnerApi.Pipeline): Payload[] {
  const payloads = Object.values(components!.transforms).flatMap(({ uniqueName, spec }): Payload[] => {
    if (spec?.urn === parDo.urn) {
      const { doFn } = runnerApi.ParDoPayload.fromBinary(spec.payload);
      return [{ transform: uniqueName, field: "doFn", payload: doFn!.payload }];
    }
    if (spec?.urn === "beam:transform:combine_per_key:v1") {
      const { combineFn } = runnerApi.CombinePayload.fromBinary(spec.payload);
      return [{ transform: uniqueName, field: "combineFn", payload: combineFn!.payload }];
    }
    return [];
  });
  return payloads.filter(({ payload }) => payload.length > 0);
}
