import { availableMemory, parseMemory, planMemory } from "../../pipeline/memory";

test.each([
  ["2GB", 2e9],
  ["2 gb", 2e9],
  ["512MB", 512e6],
  ["1.5GiB", 1.5 * 2 ** 30],
  ["700KB", 700e3],
  ["1TB", 1e12],
  ["123B", 123],
  ["50%", 500],
  ["100%", 1000],
])("%s", (text, bytes) => expect(parseMemory(text, 1000)).toBe(bytes));

test.each(["", "2", "2G", "-1GB", "GB", "101%", "1e3MB", "two", "1GBB", "%", "1.GB"])("%p is no size", (text) =>
  expect(parseMemory(text, 1000)).toBeUndefined(),
);

const plan = (maxMemory: string | undefined, asked: number | undefined, cores: number) => planMemory(maxMemory, asked, cores, "spill");

test("threads and what they may hold stay below the limit", () => {
  for (const [maxMemory, limit] of [
    ["700MB", 700e6],
    ["2GB", 2e9],
    ["16GB", 16e9],
  ] as const)
    for (const cores of [1, 2, 8]) {
      const { threads, room } = plan(maxMemory, undefined, cores);
      expect(threads).toBeLessThanOrEqual(cores);
      // all stages, in all threads and the runner's
      expect(3 * (threads + 1) * room.bytes).toBeLessThan(limit);
      expect(room.folder).toBe("spill");
    }
});

test("short memory takes threads, not the run; threads that were asked for are not taken", () => {
  expect([plan("450MB", undefined, 8).threads, plan("700MB", undefined, 8).threads, plan("2GB", undefined, 8).threads]).toEqual([1, 2, 8]);
  expect(plan("450MB", undefined, 8).room.bytes).toBe(0);
  expect(() => plan("449MB", undefined, 8)).toThrow("--max-memory must be at least 450MB with one thread");
  expect(() => plan("1GB", 4, 8)).toThrow("--max-memory must be at least 1050MB with 4 threads");
});

test("without the option: 70% of what there is, and never too little to try", () => {
  const { threads, room } = plan(undefined, 3, 1);
  expect(threads).toBe(3);
  expect(12 * room.bytes).toBeLessThan(0.7 * availableMemory());
});
