/** Options of a build of a few rows, which lie in files. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseFlags } from "../../pipeline/flags";
import { BuildOptions } from "../../pipeline/options";

/**
 * A ranking on each of the days, and a click before them, to `folder/out`. Files of an earlier call stay as they are.
 * @param more flags
 */
export function fewRows(folder: string, days: string[], ...more: string[]): BuildOptions {
  const rows = {
    impressions: days.map((dt) => ({ dt, ranking_id: `r${dt}`, customer_id: 7, impressions: [{ item_id: 12, is_order: false }] })),
    clicks: [{ customer_id: 7, item_id: 1, click_time: "2025-08-10 10:00:00" }],
  };
  const inputs = Object.entries(rows).map(([name, all]) => {
    const path = join(folder, `${name}.ndjson`);
    if (!existsSync(path)) writeFileSync(path, all.map((row) => `${JSON.stringify(row)}\n`).join(""));
    return `--${name}=${path}`;
  });
  const flags = [...inputs, "--add-to-carts=none", "--previous-orders=none", `--output=${join(folder, "out")}`];
  return parseFlags(BuildOptions, [...flags, ...more], 0).options;
}
