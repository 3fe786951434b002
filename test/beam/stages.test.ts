import fc from "fast-check";
import { Stages } from "../../beam/stages";

/** A clock that stands still unless told otherwise. */
let now = 0;
beforeEach(() => {
  now = 0;
  jest.spyOn(performance, "now").mockImplementation(() => now);
});
afterEach(() => jest.restoreAllMocks());

const busyOf = (stages: Stages) =>
  Object.fromEntries(Object.entries(stages.report()).map(([name, { busySeconds }]) => [name, busySeconds]));

test("what a task waits for is not its own work, but it is within its time", async () => {
  const stages = new Stages();
  now = 1000;
  await stages.during("join", async () => {
    now += 5000;
    await stages.outside("join", () => stages.during("measure", async () => void (now += 2000)));
    now += 1000;
  });
  now += 500;
  expect(stages.report()).toEqual({
    start: { from: 0, seconds: 1, busySeconds: 1 },
    join: { from: 1, seconds: 8, busySeconds: 6 },
    measure: { from: 6, seconds: 2, busySeconds: 2 },
    end: { from: 9, seconds: 0.5, busySeconds: 0.5 },
    total: { from: 0, seconds: 9.5, busySeconds: 9.5 },
  });
});

test("other threads' work is added up, and its time is from the first beginning to the last end", () => {
  const stages = new Stages();
  for (const [began, ended] of [
    [3000, 5000],
    [1000, 4000],
  ])
    stages.add("scan", { began, ended, busy: ended - began });
  expect(stages.report().scan).toEqual({ from: 1, seconds: 4, busySeconds: 5 });
});

test("work that fails is told and over, and its error goes on; so is what was waited for", async () => {
  const stages = new Stages();
  const fail = async () => {
    now += 1000;
    throw new Error("out of luck");
  };
  await expect(stages.during("scan", fail)).rejects.toThrow("out of luck");
  await expect(stages.during("join", () => stages.outside("join", fail))).rejects.toThrow("out of luck");
  now += 1000;
  expect(busyOf(stages)).toEqual({ start: 0, scan: 1, join: 0, end: 1, total: 3 });
});

test("a run before does not count, not even where a task of it is still about", async () => {
  const stages = new Stages();
  const gate = Promise.withResolvers<void>();
  const late = stages.during("scan", () => gate.promise);
  now += 1000;
  stages.clear();
  await stages.during("plan", async () => {
    gate.resolve();
    await late;
    now += 1000;
  });
  expect(busyOf(stages)).toEqual({ start: 1, plan: 1, end: 0, total: 2 });
});

/** Tasks of some stages begin and end in any order. */
const events = fc.array(
  fc.oneof(
    fc.record({ begin: fc.constantFrom("scan", "join", "write") }),
    fc.record({ end: fc.nat(5) }),
    fc.record({ wait: fc.nat(1000) }),
  ),
  { maxLength: 30 },
);

test("each moment of a thread counts once: for the stage that began last of those that go on", () =>
  fc.assert(
    fc.asyncProperty(events, async (all) => {
      now = 0;
      const stages = new Stages();
      const tasks: { stage: string; end: () => Promise<void> }[] = [];
      /** stages that go on, in the order in which they began; which of a stage's tasks it is does not matter */
      const open: string[] = [];
      const expected: Record<string, number> = {};
      const end = async (task: number) => {
        const [{ stage, end }] = tasks.splice(task, 1);
        await end();
        open.splice(open.lastIndexOf(stage), 1);
      };
      for (const event of all) {
        if ("begin" in event) {
          const { promise, resolve } = Promise.withResolvers<void>();
          const task = stages.during(event.begin, () => promise);
          const end = () => {
            resolve();
            return task;
          };
          tasks.push({ stage: event.begin, end });
          open.push(event.begin);
          expected[event.begin] ??= 0;
        } else if ("wait" in event) {
          now += event.wait;
          if (open.length > 0) expected[open.at(-1)!] += event.wait;
        } else if (open.length > 0) await end(event.end % open.length);
      }
      while (tasks.length > 0) await end(0);
      const { start: _start, end: _end, total: _total, ...told } = busyOf(stages);
      const inSeconds = Object.entries(expected).map(([stage, ms]) => [stage, ms / 1000]);
      expect(told).toEqual(Object.fromEntries(inSeconds));
    }),
    { numRuns: 1000 },
  ));
