import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { clean } from "../../pipeline/clean";
import type { Report } from "../../pipeline/gathered";
import { Bucket } from "../../pipeline/gcs/bucket";
import { parseMarker } from "../../pipeline/manifest";
import { attemptsOf } from "../../pipeline/partitions";
import { publish } from "../../pipeline/publishrun";
import { contentOf, optionsOf, type Run, sha256, written } from "../pipeline/publishcases";
import { service, UPLOADS } from "./service";

const gcs = service(UPLOADS);
const local = mkdtempSync(join(tmpdir(), "gcs-publish-"));
beforeAll(() => gcs.createBucket("outputs"));
afterAll(() => rmSync(local, { recursive: true }));

const DTS = ["2025-08-03", "2025-08-04"];
const old: Run = { run: "old", dts: [...DTS, "2025-08-05"], shards: 2 };
const next: Run = { run: "next", dts: DTS, shards: 1, dates: [...DTS, "2025-08-05"], seen: ["old"] };
const later: Run = { run: "later", dts: DTS, shards: 3, seen: ["old", "next"] };

/** Each test has an output of its own. */
let count = 0;
const newOutput = () => `gs://outputs/${++count}`;

/** What the writers of a run leave, in the bucket. */
async function attempted(run: Run, output: string): Promise<Report[]> {
  const reports = written(run, join(local, `${count}-${run.run}-${Math.random()}`));
  return Promise.all(
    reports.map(async (report) => {
      if (!("file" in report)) return report;
      const attempt = `${attemptsOf(output, run.run)}/${basename(report.file.attempt)}`;
      await gcs.put(attempt, readFileSync(report.file.attempt));
      return { file: { ...report.file, attempt } };
    }),
  );
}

const placeAt = (output: string) => ({ storage: new Bucket(output), output, patienceMs: 50 });
const publishRun = (run: Run, output: string, reports: Report[]) => publish(reports, optionsOf(run, output), placeAt(output));

/** The runs of each partition that has a _SUCCESS, whose parts must be those of that run. */
async function readAsUser(output: string, runs: Run[]): Promise<Record<string, string[]>> {
  const prefix = output.slice("gs://outputs/".length);
  const names = (await gcs.names("outputs"))
    .filter((name) => name.startsWith(`${prefix}/dt=`))
    .map((name) => name.slice(prefix.length + 1));
  const found: Record<string, string[]> = {};
  for (const success of names.filter((name) => name.endsWith("/_SUCCESS"))) {
    const dt = success.slice("dt=".length, -"/_SUCCESS".length);
    found[dt] = parseMarker((await gcs.get(`${output}/${success}`)).toString())!.runs;
    const parts = names.filter((name) => name.startsWith(`dt=${dt}/part-`));
    const sums = await Promise.all(parts.map(async (part) => sha256(await gcs.get(`${output}/${part}`))));
    const expected = found[dt].flatMap((name) => {
      const { shards } = runs.find(({ run }) => run === name)!;
      return Array.from({ length: shards }, (_, shard) => sha256(contentOf(name, dt, shard)));
    });
    expect(sums.sort()).toEqual(expected.sort());
  }
  return found;
}

/** From its nth request on, a process gets nowhere: it is as good as dead. @returns what brings the next one to life */
function dieBefore(request: number): { hasDied: () => boolean } {
  let seen = 0;
  gcs.proxy.fault = () => (seen++ < request ? undefined : { status: 400, body: {} });
  return { hasDied: () => seen > request };
}
const revive = () => {
  gcs.proxy.fault = () => undefined;
};

const all = [old, next, later];
const ended = (run: string) => Object.fromEntries(DTS.map((dt) => [dt, [run]]));

/** Requests between one death and the next. */
const STEP = 48;

test.each<[string, Run, number]>([
  ["a retry", next, 0],
  ["the next run", later, STEP / 2],
])(
  "dead before one request after another: readers see no mix, and %s ends right",
  async (_, then, first) => {
    for (let request = first, died = true; died; request += STEP) {
      const output = newOutput();
      await publishRun(old, output, await attempted(old, output));
      const reports = await attempted(next, output);
      const { hasDied } = dieBefore(request);
      await publishRun(next, output, reports).catch(() => {});
      revive();
      died = hasDied();
      await readAsUser(output, all);
      await publishRun(then, output, then === next ? reports : await attempted(then, output));
      const found = await readAsUser(output, all);
      if (found["2025-08-05"] !== undefined) expect([found["2025-08-05"], then.run]).toEqual([["old"], "later"]);
      delete found["2025-08-05"];
      expect(found).toEqual(ended(then.run));
      // as the next build does it
      await clean(placeAt(output));
      expect((await gcs.names("outputs")).filter((name) => name.includes(`${count}/_publishing`))).toEqual([]);
    }
  },
  240_000,
);

test("attempts of one run at once: whole, once", async () => {
  const output = newOutput();
  await publishRun(old, output, await attempted(old, output));
  const reports = await attempted(next, output);
  const outcomes = await Promise.all([1, 2, 3].map(() => publishRun(next, output, reports)));
  expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size).toBe(1);
  expect(await readAsUser(output, all)).toEqual(ended("next"));
});

test("an attempt that comes late changes nothing", async () => {
  const output = newOutput();
  const reports = await attempted(next, output);
  await publishRun(next, output, reports);
  const late = { ...later, seen: ["next"] };
  await publishRun(late, output, await attempted(late, output));
  await publishRun(next, output, reports);
  expect(await readAsUser(output, all)).toEqual(ended("later"));
});

test("two runs that know nothing of each other: one has the partitions, the other says so", async () => {
  const output = newOutput();
  const rival: Run = { run: "rival", dts: DTS, shards: 2 };
  const runs = [{ ...next, seen: [] }, rival];
  const reports = await Promise.all(runs.map((run) => attempted(run, output)));
  const ends = await Promise.allSettled(runs.map((run, i) => publishRun(run, output, reports[i])));
  const winners = runs.filter((_, i) => ends[i].status === "fulfilled");
  expect(winners).toHaveLength(1);
  expect(await readAsUser(output, [...all, rival])).toEqual(ended(winners[0].run));
});
