/** Publishing to a bucket by processes of their own: killed at every request that changes anything, and racing. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { clean } from "../../pipeline/clean";
import type { Report } from "../../pipeline/gathered";
import { placeOf } from "../../pipeline/partitions";
import { publish } from "../../pipeline/publishrun";
import { optionsOf, type Run } from "../pipeline/publishcases";
import { attempted, objectsOf, readObjects } from "./buckets";
import type { Seen } from "./proxy";
import { service, UPLOADS } from "./service";

const gcs = service(UPLOADS);
beforeAll(() => gcs.createBucket("outputs"));

const children = new Set<ChildProcess>();
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
});

type End = { outcome?: { runId: string }; error?: string; exitCode?: number } | "killed";

function start(): ChildProcess {
  const env = { ...process.env, STORAGE_EMULATOR_HOST: gcs.host };
  const child = fork(join(__dirname, "publishchild.js"), { stdio: ["ignore", "inherit", "inherit", "ipc"], env });
  children.add(child.once("exit", () => children.delete(child)));
  return child;
}

/** Publishes a run in a process. */
async function publishIn(child: ChildProcess, run: Run, output: string, reports: Report[], cleanFirst = false): Promise<End> {
  child.send({ output, reports, options: optionsOf(run, output), cleanFirst });
  const over = new AbortController();
  const { signal } = over;
  const [end] = await Promise.race([once(child, "message", { signal }), once(child, "exit", { signal }).then(() => ["killed"])]);
  over.abort();
  return end;
}

const EARLIER: Run = { run: "earlier", dts: ["2025-08-16", "2025-08-18"], shards: 1 };
/** Replaces a partition, by files of other names, and empties one. */
const LATER: Run = { run: "later", dts: ["2025-08-16"], shards: 2, dates: ["2025-08-16", "2025-08-18"], seen: ["earlier"] };
const publishHere = async (run: Run, output: string, reports: Report[]) => publish(reports, optionsOf(run, output), placeOf(output));

const changes = ({ method }: Seen): boolean => method !== "GET" && method !== "HEAD";

/** Kills a process before or after its nth request that changes the bucket is carried out. @returns how many there were */
function killAt(child: ChildProcess, nth: number, moment: "before" | "after"): { count: () => number } {
  let count = 0;
  const kill = async () => {
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  };
  gcs.proxy.fault = async (request) => {
    if (!changes(request) || ++count !== nth) return undefined;
    if (moment === "after") return { carriedOut: kill };
    await kill();
    return "silence";
  };
  return { count: () => count };
}

const copyTo = (output: string, objects: Map<string, Buffer>) =>
  Promise.all(Array.from(objects, ([name, text]) => gcs.put(`${output}/${name}`, text)));

// What a process leaves that dies after a request is what one leaves that dies before the next; so each is killed in one of the two ways.
test("killed at each request that changes the bucket, one after another: readers see no mix, and both a retry and the next run end right", async () => {
  const first = "gs://outputs/first";
  await publishHere(EARLIER, first, await attempted(gcs, EARLIER, first));
  const earlier = await objectsOf(gcs, first);
  let spare = start();
  let points = 0;
  for (let alive = false; !alive; ) {
    const [retried, next] = [`gs://outputs/retried-${points}`, `gs://outputs/next-${points}`];
    await copyTo(retried, earlier);
    const reports = await attempted(gcs, LATER, retried);
    const child = spare;
    spare = start(); // is ready when it is wanted
    const killed = points % 2 === 0 ? killAt(child, points + 1, "before") : killAt(child, points, "after");
    alive = (await publishIn(child, LATER, retried, reports)) !== "killed";
    gcs.proxy.fault = () => undefined;
    child.kill("SIGKILL");
    await gcs.proxy.quiet();
    const left = await objectsOf(gcs, retried);
    if (!alive) expect(killed.count()).toBeGreaterThan(0);
    await copyTo(next, left);
    await Promise.all([endsByRetry(retried, reports), endsByNext(next, readObjects(left))]);
    if (!alive) points++;
  }
  console.log(`killed at ${points} points`);
  expect(points).toBeGreaterThan(40);
}, 1_500_000);

async function endsByRetry(output: string, reports: Report[]): Promise<void> {
  expect(await publishHere(LATER, output, reports)).toMatchObject({ runId: "later" });
  const objects = await objectsOf(gcs, output);
  expect(readObjects(objects)).toEqual({ "2025-08-16": ["later"] });
  expect(objects.has("_SUCCESS")).toBe(true);
}

async function endsByNext(output: string, seen: Record<string, string[]>): Promise<void> {
  const next: Run = { run: "next", dts: ["2025-08-17"], shards: 1, seen: [...Object.values(seen).flat(), "later", "earlier"] };
  await clean(placeOf(output), "later");
  const begun = (await objectsOf(gcs, output)).has("_manifests/later.json");
  expect(await publishHere(next, output, await attempted(gcs, next, output))).toMatchObject({ runId: "next" });
  const objects = await objectsOf(gcs, output);
  expect(readObjects(objects)).toEqual(
    begun
      ? { "2025-08-16": ["later"], "2025-08-17": ["next"] }
      : { "2025-08-16": ["earlier"], "2025-08-17": ["next"], "2025-08-18": ["earlier"] },
  );
  expect([...objects.keys()].filter((name) => name === "_publishing/claim.json" || name.startsWith("_attempts/later"))).toEqual([]);
  expect(objects.has("_SUCCESS")).toBe(true);
}

test("two runs on one partition at once, 100 times: one has it whole, the other says so", async () => {
  const pool = [start(), start()];
  const winners = new Set<string>();
  for (let round = 0; round < 100; round++) {
    const output = `gs://outputs/race-${round}`;
    const runs = pool.map((_, i): Run => ({ run: `run${i}`, dts: ["2025-08-16"], shards: 1 }));
    const reports = await Promise.all(runs.map((run) => attempted(gcs, run, output)));
    const ends = await Promise.all(pool.map((child, i) => publishIn(child, runs[i], output, reports[i])));
    const won = ends.flatMap((end) => (end !== "killed" && end.outcome !== undefined ? [end.outcome.runId] : []));
    expect(won).toHaveLength(1);
    winners.add(won[0]);
    const [winner] = won;
    const lost = ends[winner === "run0" ? 1 : 0];
    expect(lost).toMatchObject({ exitCode: 1, error: expect.stringContaining(`run ${winner} has published partition dt=2025-08-16`) });
    const objects = await objectsOf(gcs, output);
    expect(readObjects(objects)).toEqual({ "2025-08-16": [winner] });
    expect([...objects.keys()].filter((name) => name.startsWith("_manifests/"))).toEqual([`_manifests/${winner}.json`]);
    expect(objects.has("_SUCCESS")).toBe(true);
  }
  expect(winners.size).toBe(2);
}, 1_500_000);
