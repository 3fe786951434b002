/** A scheduler that tries a run again under its name, after the process was killed anywhere in it. */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readAsUser } from "../pipeline/publishcases";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "backstory-retried-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const at = (...path: string[]) => join(folder, ...path);

/** @param dieAt the rename before which it is killed, 0 for none */
function build(dieAt: number, ...more: string[]): Promise<{ code: number | string; already?: boolean }> {
  const inputs = [`--impressions=${at("impressions.ndjson")}`, "--clicks=none", "--add-to-carts=none", "--previous-orders=none"];
  const args = [join(__dirname, "../../bin/backstory.js"), "build", ...inputs, `--output=${at("out")}`, "--json", ...more];
  const env = { ...process.env, NODE_OPTIONS: `--require=${join(__dirname, "dieat.js")}`, BACKSTORY_DIE_AT: String(dieAt) };
  return new Promise((resolve) =>
    execFile(process.execPath, args, { env, timeout: 120_000 }, (error, stdout) =>
      resolve(error === null ? { code: 0, already: JSON.parse(stdout).already } : { code: error.signal ?? error.code ?? -1 }),
    ),
  );
}

test.each(["append", "overwrite"])("%s: killed before each rename, and tried again under its name: once", async (mode) => {
  const slots = [{ item_id: 12, is_order: false }];
  writeFileSync(at("impressions.ndjson"), `${JSON.stringify({ dt: "2025-08-16", ranking_id: "r", customer_id: 7, impressions: slots })}\n`);
  const run = ["--run-id=a", `--write-mode=${mode}`];
  let published = 0;
  let dieAt = 1;
  for (let killed = true; killed; dieAt++) {
    rmSync(at("out"), { recursive: true, force: true });
    expect(await build(0, "--run-id=before")).toEqual({ code: 0, already: false });
    const first = await build(dieAt, ...run);
    killed = first.code === "SIGKILL";
    if (!killed) expect(first).toEqual({ code: 0, already: false });
    readAsUser(at("out"));
    const again = await build(0, ...run);
    expect(again.code).toBe(0);
    published += Number(again.already);
    expect(await build(0, ...run)).toEqual({ code: 0, already: true });
    expect(readAsUser(at("out"))).toEqual({ "2025-08-16": mode === "append" ? ["before", "a"] : ["a"] });
    expect(readdirSync(at("out")).sort()).toEqual(["_SUCCESS", "_manifests", "dt=2025-08-16"]);
  }
  console.log(`${mode}: killed before each of ${dieAt - 2} renames; ${published} times all was published already`);
  expect(dieAt).toBeGreaterThan(10);
});
