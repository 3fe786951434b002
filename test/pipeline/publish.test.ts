/** The last step: however often, at once and broken off it runs, what readers see is whole and of one run. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { clean } from "../../pipeline/clean";
import { outcomeFile } from "../../pipeline/partitions";
import { publish } from "../../pipeline/publishrun";
import { Disk, type Storage } from "../../pipeline/storage";
import { SLOW } from "../suite";
import { optionsOf, placeAt, type Run, readAsUser, written } from "./publishcases";

jest.setTimeout(300_000);

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "backstory-publish-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const DTS = ["2025-08-16", "2025-08-17"];
const EARLIER: Run = { run: "earlier", dts: ["2025-08-16", "2025-08-18"], shards: 2 };
/** Another number of shards, a day of its own, and a day that it empties. */
const LATER: Run = { run: "later", dts: DTS, shards: 1, dates: [...DTS, "2025-08-18"], seen: ["earlier"] };
const RIVAL: Run = { ...LATER, run: "rival", dts: ["2025-08-17", "2025-08-18"], shards: 2 };

/** Of an output that has a _layout.json. */
const inLayout = (run: Run, is = true): Run => (is ? { ...run, layout: { layout: "histories", padding: "none" } } : run);
const expectLayout = (output: string, is = true) =>
  expect(existsSync(join(output, "_layout.json")) && readFileSync(join(output, "_layout.json"), "utf8")).toBe(
    is && '{"layout":"histories","padding":"none"}\n',
  );

const attempt = (run: Run, output: string, storage: Storage = new Disk()) =>
  publish(written(run, output), optionsOf(run, output), placeAt(output, storage));

/** A storage whose operations are held up by `hold`, which may also break them off. Like a bucket it is asked for several things at once. */
function held(hold: (operation: string) => Promise<void>): Storage {
  const disk = new SeveralAtOnce();
  return new Proxy(disk, {
    get: (target, name: keyof Storage) =>
      typeof target[name] !== "function"
        ? target[name]
        : async (...args: unknown[]) => {
            await hold(name);
            return (target[name] as (...args: unknown[]) => unknown)(...args);
          },
  });
}

class SeveralAtOnce extends Disk {
  override readonly atOnce = 3;
}

class Stopped extends Error {}

/** Dies before its n-th operation: nothing that it does afterwards has an effect. */
function dying(n: number, hold: (operation: string) => Promise<void> = async () => {}): Storage {
  let left = n;
  return held(async (operation) => {
    await hold(operation);
    if (left-- <= 0) throw new Stopped("stopped");
  });
}

const expectEnd = (output: string, runs: Record<string, string[]>) => {
  expect(readAsUser(output)).toEqual(runs);
  expect(existsSync(join(output, "_SUCCESS"))).toBe(true);
  expect(existsSync(join(output, "_publishing"))).toBe(false);
};

const ALL_LATER = { "2025-08-16": ["later"], "2025-08-17": ["later"] };
const ALL_RIVAL = { "2025-08-17": ["rival"], "2025-08-18": ["rival"] };

test("attempts of one run at once, some of which die, in any interleaving: whole once one of them comes to its end", async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(fc.option(fc.nat(60)), { minLength: 2, maxLength: 3 }), async (s, deaths) => {
      const output = mkdtempSync(join(folder, "out-"));
      await attempt(EARLIER, output);
      const hold = async (operation: string) => {
        await s.schedule(Promise.resolve(), operation);
        readAsUser(output);
      };
      const attempts = deaths.map((n) => attempt(LATER, output, n === null ? held(hold) : dying(n, hold)).catch((error) => error));
      const ends = await s.waitFor(Promise.all(attempts));
      ends.forEach((end, i) => {
        if (!(end instanceof Error)) expect(end).toMatchObject({ runId: "later", rows: 6 });
        else if (deaths[i] === null) throw end;
      });
      await attempt(LATER, output);
      if (existsSync(outcomeFile(output, "later"))) JSON.parse(readFileSync(outcomeFile(output, "later"), "utf8"));
      await clean(placeAt(output));
      expectEnd(output, ALL_LATER);
    }),
    { numRuns: SLOW ? 40 : 8, interruptAfterTimeLimit: 60_000 },
  );
});

test.each(["a retry", "the next run"])("dead before each operation, one after another: no mix, and %s ends right", async (then) => {
  // one is after the operations in between those of the other; the slow suite does all of both
  let steps = SLOW || then === "a retry" ? 0 : 1;
  const isOther = then !== "a retry";
  for (let alive = true; alive; steps += SLOW ? 1 : 2) {
    const output = join(folder, `out-${steps}`);
    // without an earlier run the layout is this one's to say
    if (!isOther || steps % 4 === 1) await attempt(inLayout(EARLIER, isOther), output);
    alive = (await attempt(inLayout(LATER, isOther), output, dying(steps)).catch((error) => error)) instanceof Stopped;
    const before = readAsUser(output);
    if (Object.values(before).flat().includes("later")) expectLayout(output, isOther);
    const next = then === "a retry" ? LATER : inLayout({ ...LATER, run: "next", seen: ["earlier", "later"] });
    await clean(placeAt(output), "later");
    await attempt(next, output);
    expectLayout(output, isOther);
    expectEnd(output, { "2025-08-16": [next.run], "2025-08-17": [next.run] });
    expect(Object.values(before).flat()).not.toContain("next");
  }
  expect(steps).toBeGreaterThan(50);
});

test("two runs on one partition at once, one of them in two attempts of which one may die, the other impatient, in any interleaving: one has it, the other says so", async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.option(fc.nat(60)), async (s, death) => {
      const output = mkdtempSync(join(folder, "out-"));
      await attempt(EARLIER, output);
      const hold = async (operation: string) => {
        await s.schedule(Promise.resolve(), operation);
        readAsUser(output);
      };
      const impatient = publish(written(RIVAL, output), optionsOf(RIVAL, output), placeAt(output, held(hold), 0));
      const all = [attempt(LATER, output, held(hold)), attempt(LATER, output, dying(death ?? Infinity, hold)), impatient];
      const ends: unknown[] = await s.waitFor(Promise.all(all.map((each) => each.catch((error) => error))));
      // what a dead attempt has left; that it is dead cannot be told here, since its process is not
      await clean(placeAt(output), "later");
      const winner = Object.values(readAsUser(output))[0][0];
      expectEnd(output, winner === "later" ? ALL_LATER : ALL_RIVAL);
      for (const [i, end] of ends.entries()) {
        if (end instanceof Stopped) continue;
        if ((i < 2 ? "later" : "rival") === winner) expect(end).toMatchObject({ runId: winner });
        else expect(end).toMatchObject({ exitCode: 1, message: expect.stringContaining(`run ${winner} has published partition dt=`) });
      }
    }),
    { numRuns: SLOW ? 60 : 10, interruptAfterTimeLimit: 60_000 },
  );
});
