/** What a build tells of itself: whole runs of the compiled program. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { StageTimes } from "../../beam/stages";
import { generate } from "../../pipeline/generate";
import { temporary } from "./io/gather";

jest.setTimeout(300_000);

const BIN = join(__dirname, "..", "..", "bin", "backstory.js");
const folder = temporary();

beforeAll(() => generate({ output: folder.path, rankings: 300, actions: 20_000, customers: 100, items: 2000, days: 3 }));

test.each([1, 2])("--json tells the seconds of each stage (%i threads)", (threads) => {
  const tables = ["impressions", "clicks", "add_to_carts", "previous_orders"].map((table) => `--${table}=${folder.path}/${table}.ndjson`);
  const flags = [`--output=${folder.path}/out-${threads}`, `--threads=${threads}`, "--json"];
  const outcome = JSON.parse(execFileSync(process.execPath, [BIN, "build", ...tables, ...flags], { encoding: "utf8" }));
  const stages: [string, StageTimes][] = Object.entries(outcome.stages);

  const known = ["start", "plan", "scanRankings", "scanActions", "combine", "join", "measure", "write", "publish", "end", "total"];
  expect(stages.map(([stage]) => stage)).toEqual(known);
  const { total } = outcome.stages;
  for (const [stage, { from, seconds, busySeconds }] of stages) {
    // a microsecond for each rounding
    expect([stage, from + seconds <= total.seconds + 2e-6]).toEqual([stage, true]);
    expect([stage, busySeconds <= threads * seconds + 2e-6]).toEqual([stage, true]);
    expect([stage, busySeconds > 0]).toEqual([stage, true]);
  }
  const busy = stages.reduce((sum, [stage, { busySeconds }]) => sum + (stage === "total" ? 0 : busySeconds), 0);
  expect(busy).toBeLessThanOrEqual((threads + 1) * total.seconds);
  // no time is counted twice in a thread
  if (threads === 1) expect(busy).toBeLessThanOrEqual(total.seconds + 2e-5);
});
