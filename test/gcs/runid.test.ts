/** A scheduler that tries a run again under its name, in a bucket, after the process was killed anywhere in it. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { objectsOf, readObjects } from "./buckets";
import { backstory } from "./run";
import { service } from "./service";

const gcs = service();
let folder: string;
beforeAll(async () => {
  await gcs.createBucket("outputs");
  folder = mkdtempSync(join(tmpdir(), "gcs-runid-"));
  const slots = [{ item_id: 12, is_order: false }];
  writeFileSync(
    join(folder, "impressions.ndjson"),
    `${JSON.stringify({ dt: "2025-08-16", ranking_id: "r", customer_id: 7, impressions: slots })}\n`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

const argsOf = (output: string, ...more: string[]) => [
  "build",
  `--impressions=${join(folder, "impressions.ndjson")}`,
  ...["clicks", "add-to-carts", "previous-orders"].map((table) => `--${table}=none`),
  `--output=${output}`,
  "--json",
  ...more,
];

async function build(output: string, ...more: string[]): Promise<{ already: boolean }> {
  const { code, stdout, stderr } = await backstory(argsOf(output, ...more));
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout);
}

/** Kills the command as its nth request that changes the bucket is on its way. @returns whether it came to that */
async function killed(nth: number, output: string, ...more: string[]): Promise<boolean> {
  let count = 0;
  const program = join(__dirname, "../../bin/backstory.js");
  const ended = new Promise<void>((resolve) => {
    const child = execFile(process.execPath, [program, ...argsOf(output, ...more)], { timeout: 110_000 }, () => resolve());
    gcs.proxy.fault = async ({ method }) => {
      if (method === "GET" || ++count !== nth) return undefined;
      child.kill("SIGKILL");
      await ended;
      return "silence";
    };
  });
  await ended;
  gcs.proxy.fault = () => undefined;
  await gcs.proxy.quiet();
  return count >= nth;
}

test.each(["append", "overwrite"])(
  "%s: killed at every fifth change, and tried again under its name: once",
  async (mode) => {
    const run = ["--run-id=a", `--write-mode=${mode}`];
    const first = "gs://outputs/first";
    await build(first, "--run-id=before", "--write-mode=overwrite");
    const before = await objectsOf(gcs, first);
    for (let nth = 2, alive = false; !alive; nth += 5) {
      const output = `gs://outputs/${mode}-${nth}`;
      await Promise.all(Array.from(before, ([name, text]) => gcs.put(`${output}/${name}`, text)));
      alive = !(await killed(nth, output, ...run));
      readObjects(await objectsOf(gcs, output));
      await build(output, ...run);
      expect((await build(output, ...run)).already).toBe(true);
      expect(readObjects(await objectsOf(gcs, output))).toEqual({ "2025-08-16": mode === "append" ? ["before", "a"] : ["a"] });
    }
  },
  300_000,
);
