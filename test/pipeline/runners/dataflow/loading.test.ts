import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(__dirname, "../../../..");

/** Modules of ours for Dataflow, and Google's for it, that the command has loaded; and those that only tell of the command. */
const LOADED = `
  require("./dist/pipeline/cli.js").main(JSON.parse(process.argv[1])).then((code) => {
    const found = Object.keys(require.cache).filter((path) => /runners.dataflow|google-cloud.dataflow|google-gax|pipeline.help|pipeline.figures|transforms.reasons/.test(path));
    console.error(JSON.stringify({ code, found: found.map((path) => path.split(/[\\\\/]/).at(-1)) }));
  });`;

test("a run on this machine loads nothing of Dataflow but its flags, and nothing of help", () => {
  const folder = mkdtempSync(join(tmpdir(), "dataflow-loading-"));
  try {
    const tables = ["impressions", "clicks", "add-to-carts", "previous-orders"];
    const inputs = tables.map((table) => `--${table}=examples/otto/${table.replaceAll("-", "_")}.ndjson`);
    const args = JSON.stringify(["build", ...inputs, "--dates=2022-08-28", `--output=${join(folder, "out")}`, "--quiet"]);
    const script = `console.error = console.log; ${LOADED}`;
    const printed = execFileSync(process.execPath, ["-e", script, args], { cwd: ROOT, encoding: "utf8", timeout: 60_000 });
    expect(JSON.parse(printed)).toEqual({ code: 0, found: ["flags.js"] });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
