/** The last step in processes of its own, at once and killed: what readers see at any time, and what is there in the end. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Outcome } from "../../pipeline/outcome";
import { publish } from "../../pipeline/publishrun";
import { optionsOf, placeAt, type Run, readAsUser, written } from "../pipeline/publishcases";

jest.setTimeout(300_000);

let folder: string;
const children = new Set<ChildProcess>();
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "backstory-processes-"))));
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
  rmSync(folder, { recursive: true });
});

interface How {
  delayMs: number;
  /** the operation before which it is killed, from 1 */
  dieAt?: number;
  cleanFirst?: boolean;
}
type End = { outcome?: Outcome; error?: string; exitCode?: number; steps: string[] } | "killed";

function start(): ChildProcess {
  const child = fork(join(__dirname, "publishchild.js"), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  children.add(child);
  return child;
}

/** Writes the files of a run and publishes it, in a process. */
async function attemptIn(child: ChildProcess, run: Run, output: string, { cleanFirst = false, ...how }: How): Promise<End> {
  child.send({ output, reports: written(run, output), options: optionsOf(run, output), how, cleanFirst, own: true });
  const aborter = new AbortController();
  const [end] = await Promise.race([
    once(child, "message", { signal: aborter.signal }),
    once(child, "exit", { signal: aborter.signal }).then(() => ["killed"]),
  ]);
  aborter.abort();
  return end;
}

const DTS = ["2025-08-16", "2025-08-17"];
const EARLIER: Run = { run: "earlier", dts: ["2025-08-16", "2025-08-18"], shards: 2 };
const LATER: Run = { run: "later", dts: DTS, shards: 1, dates: [...DTS, "2025-08-18"], seen: ["earlier"] };
const publishHere = (run: Run, output: string) => publish(written(run, output), optionsOf(run, output), placeAt(output));

/** Reads again and again while something is under way. */
async function reading<T>(output: string, work: Promise<T>): Promise<T> {
  let over = false;
  const done = work.finally(() => (over = true));
  while (!over) {
    readAsUser(output);
    await wait(1);
  }
  return done;
}

function expectWhole(output: string, runs: Record<string, string[]>): void {
  expect(readAsUser(output)).toEqual(runs);
  expect(existsSync(join(output, "_SUCCESS"))).toBe(true);
}

test("writers and publishing of one run three times at once, 100 times: every call ends well, readers never see a mix", async () => {
  const pool = [start(), start(), start()];
  for (let round = 0; round < 100; round++) {
    const output = join(folder, `out ${round}`);
    await publishHere(EARLIER, output);
    const delayMs = [0, 1, 3][round % 3];
    const ends = await reading(output, Promise.all(pool.map((child) => attemptIn(child, LATER, output, { delayMs }))));
    for (const end of ends) expect(end).toMatchObject({ outcome: { runId: "later", rows: 6, exitCode: 0 } });
    expectWhole(output, { "2025-08-16": ["later"], "2025-08-17": ["later"] });
    expect(existsSync(join(output, "_publishing"))).toBe(false);
    rmSync(output, { recursive: true });
  }
});

test("three runs on one partition at once, 100 times: one has it, the others say so, readers never see a mix", async () => {
  const pool = [start(), start(), start()];
  const winners = new Set<string>();
  for (let round = 0; round < 100; round++) {
    const output = join(folder, `out-${round}`);
    const runs = pool.map((_, i): Run => ({ run: `run${i}`, dts: DTS, shards: 1 + i }));
    const delayMs = [0, 1, 3][round % 3];
    const ends = await reading(output, Promise.all(pool.map((child, i) => attemptIn(child, runs[i], output, { delayMs }))));
    const won = ends.flatMap((end) => (end !== "killed" && end.outcome !== undefined ? [end.outcome.runId] : []));
    expect(won.length).toBe(1);
    winners.add(won[0]);
    for (const end of ends) {
      if (end !== "killed" && end.outcome === undefined)
        expect(end).toMatchObject({ exitCode: 1, error: expect.stringContaining(`run ${won[0]} has published partition dt=2025-08-16`) });
    }
    expectWhole(output, { "2025-08-16": won, "2025-08-17": won });
    expect(readdirSync(join(output, "_manifests"))).toEqual([`${won[0]}.json`]);
    rmSync(output, { recursive: true });
  }
  expect(winners.size).toBeGreaterThan(1);
});

test("killed before each operation, one after another: readers see no mix, and both a retry and the next run end right", async () => {
  const steps = await stepsOf(LATER);
  const second = start();
  for (let dieAt = 1; dieAt <= steps.length; dieAt++) {
    const retried = join(folder, `retried-${dieAt}`);
    await killed(retried, dieAt);
    expect(await attemptIn(second, LATER, retried, { delayMs: 0 })).toMatchObject({ outcome: { runId: "later" } });
    expectWhole(retried, { "2025-08-16": ["later"], "2025-08-17": ["later"] });

    const next = join(folder, `next-${dieAt}`);
    await killed(next, dieAt);
    const seen = [...Object.values(readAsUser(next)).flat(), "later", "earlier"];
    const NEXT: Run = { run: "next", dts: ["2025-08-16"], shards: 1, seen };
    expect(await attemptIn(second, NEXT, next, { delayMs: 0, cleanFirst: true })).toMatchObject({ outcome: { runId: "next" } });
    const begun = existsSync(join(next, "_manifests", "later.json"));
    expectWhole(next, begun ? { "2025-08-16": ["next"], "2025-08-17": ["later"] } : { "2025-08-16": ["next"], "2025-08-18": ["earlier"] });
    expect([existsSync(join(next, "_publishing")), existsSync(join(next, "_attempts", "later"))]).toEqual([false, false]);
  }
  console.log(`killed before each of ${steps.length} operations, twice`);
});

test("a run is killed somewhere while another publishes the same partition, 50 times: the other ends, and has it unless it was late", async () => {
  const other = start();
  const RIVAL: Run = { run: "rival", dts: DTS, shards: 2, seen: ["earlier"] };
  for (let round = 0; round < 50; round++) {
    const output = join(folder, `out-${round}`);
    await publishHere(EARLIER, output);
    const dying = attemptIn(start(), LATER, output, { delayMs: 2, dieAt: 1 + Math.floor(Math.random() * 70) });
    const [, end] = await reading(output, Promise.all([dying, attemptIn(other, RIVAL, output, { delayMs: 2 })]));
    await attemptIn(other, { run: "next", dts: ["2025-08-20"], shards: 1 }, output, { delayMs: 0, cleanFirst: true });
    const { "2025-08-16": runs } = readAsUser(output);
    if (end !== "killed" && end.outcome !== undefined) expect(runs).toEqual(["rival"]);
    else {
      expect(end).toMatchObject({ exitCode: 1, error: expect.stringContaining("run later has published partition") });
      expect(runs).toEqual(["later"]);
    }
    rmSync(output, { recursive: true });
  }
});

/** The operations of a publishing that nobody disturbs. */
async function stepsOf(run: Run): Promise<string[]> {
  const output = join(folder, "undisturbed");
  await publishHere(EARLIER, output);
  const end = await attemptIn(start(), run, output, { delayMs: 0 });
  if (end === "killed") throw new Error("killed");
  return end.steps;
}

async function killed(output: string, dieAt: number): Promise<void> {
  await publishHere(EARLIER, output);
  const end = await attemptIn(start(), LATER, output, { delayMs: 0, dieAt });
  expect(end).toBe("killed");
  readAsUser(output);
}
