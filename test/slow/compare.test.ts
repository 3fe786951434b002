import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compare } from "../../compare/compare";
import { CompareOptions } from "../../compare/options";
import { parseFlags } from "../../pipeline/flags";
import { generate } from "../../pipeline/generate";
import { buildTo } from "../verify/outputs";

const folder = mkdtempSync(join(tmpdir(), "backstory-compare-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("what a PySpark job makes of the same inputs is the same, row by row", async () => {
  const inputs = join(folder, "in");
  await generate({ output: inputs, rankings: 300, actions: 30_000, customers: 100, items: 500, days: 4 });
  const flags = ["impressions", "clicks", "add_to_carts", "previous_orders"].map(
    (table) => `--${table.replaceAll("_", "-")}=${join(inputs, `${table}.ndjson`)}`,
  );
  const { rows } = await buildTo(join(folder, "here"), flags);
  const args = [join(__dirname, "../../bench/spark_peer.py"), inputs, join(folder, "there"), "--memory=2g"];
  execFileSync(process.env.PYTHON ?? "python3", args, { timeout: 300_000, stdio: "pipe" });
  const { total, compared } = await compare(join(folder, "here"), join(folder, "there"), parseFlags(CompareOptions, [], 0).options);
  expect(compared).toEqual(["is_order", "impressions", "actions", "action_types"]);
  expect(total).toEqual({ here: rows, there: rows, same: rows, different: 0, onlyHere: 0, onlyThere: 0 });
});
