/** What is computed from a description of inputs: no file is read. */
import fc from "fast-check";
import { type Estimate, estimate, type Setup, stagesOf, workOf } from "../../../pipeline/estimate/estimate";
import { parseMachine } from "../../../pipeline/estimate/machinetype";
import { parsePrices, pricesOf, REGIONS, unknownPrices } from "../../../pipeline/estimate/prices";
import { RATES } from "../../../pipeline/estimate/rates";
import rates from "../../../pipeline/estimate/rates.json";
import type { Shape, TableShape } from "../../../pipeline/estimate/shape";

jest.setTimeout(300_000);

const { ratesOf, nonNegative } = require("../../../bench/fit") as {
  ratesOf(runs: object[]): object;
  nonNegative(columns: number[][], values: number[]): number[];
};

const table = (name: string, rows: number, format: TableShape["format"] = "ndjson"): TableShape => ({
  name,
  format,
  files: 1,
  bytes: 100 * rows,
  bytesRead: 100 * rows,
  rows,
  counted: true,
});
const shape = (scale = 1): Shape => ({
  impressions: table("impressions", 1e5 * scale),
  actions: [table("clicks", 1e7 * scale)],
  days: 14,
  rows: 1e6 * scale,
  customers: 4e4 * scale,
  customerDays: 7e4 * scale,
  keptActions: 7.5e6 * scale,
  meanHistory: 480,
  itemBytes: RATES.itemBytes,
  layout: { rankingSplits: 2 * scale, actionSplits: 59 * scale, buckets: 62 * scale, shards: scale },
});
const setup = (changes: Partial<Setup> = {}): Setup => ({
  memory: { threads: 2, room: { bytes: 1e9, folder: "" } },
  workerMachineType: "n2-standard-4",
  worker: parseMachine("n2-standard-4")!,
  diskSizeGb: 25,
  prices: pricesOf("us-central1"),
  ...changes,
});
const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);

test("what is estimated of a measured run is what was measured: bytes within 15%, processor time within a third", () => {
  for (const run of rates.runs) {
    const format = run.format as TableShape["format"];
    const stages = stagesOf({
      ...shape(),
      impressions: table("impressions", run.rankings, format),
      actions: [table("clicks", run.actions, format)],
      rows: run.rows,
      customerDays: run.customerDays,
      keptActions: run.keptActions,
      meanHistory: run.historyActions / run.customerDays,
    });
    const stage = (name: string) => stages.find((each) => each.name === name)!;
    const crossed = (pattern: RegExp) => sum(run.groupings.filter(({ name }) => pattern.test(name)).map(({ bytes }) => bytes));
    for (const [estimated, measured] of [
      [stage("scanActions").bytesShuffled, crossed(/keepRecent/)],
      [stage("combine").bytesShuffled, crossed(/buildHistories\/coGroupByKey/)],
      [stage("join").bytesShuffled, crossed(/eachFile/)],
      [stage("write").bytesWritten, run.outputBytes],
    ])
      expect([run.workload, run.format, Math.abs(estimated / measured - 1) < 0.15]).toEqual([run.workload, run.format, true]);
    const cpu = sum(stages.map(({ cpuSeconds }) => cpuSeconds)) / run.cpuSeconds;
    expect([run.workload, run.format, cpu > 0.66 && cpu < 1.5, cpu]).toEqual([run.workload, run.format, true, cpu]);
  }
});

test("the rates follow from the runs beside them", () => {
  const close = (a: unknown, b: unknown) => {
    if (typeof a === "number") expect(a / ((b as number) || 1)).toBeCloseTo(b === 0 ? 0 : 1, 2);
    else for (const key of Object.keys(a as object)) close((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]);
  };
  const { workerFactor: _, ...measured } = rates.rates;
  close(ratesOf(rates.runs), measured);
});

test("nonNegative finds weights that are there, and never one below zero", () =>
  fc.assert(
    fc.property(fc.double({ min: 0.1, max: 10, noNaN: true }), fc.double({ min: 0, max: 10, noNaN: true }), (a, b) => {
      const columns = [
        [1, 2, 3, 4],
        [1, 1, 5, 2],
      ];
      const [x, y] = nonNegative(columns, [a + b, 2 * a + b, 3 * a + 5 * b, 4 * a + 2 * b]);
      expect(x).toBeCloseTo(a, 6);
      expect(y).toBeCloseTo(b, 6);
      for (const weight of nonNegative(columns, [5, 4, 3, 2])) expect(weight).toBeGreaterThanOrEqual(0);
    }),
  ));

test("n times the input is n times the bytes and the work, but for what every run does once", () =>
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 1000 }), (n) => {
      const once = stagesOf(shape());
      for (const [i, { name, bytesRead, bytesWritten, cpuSeconds }] of stagesOf(shape(n)).entries()) {
        expect([name, bytesRead, Math.round(bytesWritten)]).toEqual([name, n * once[i].bytesRead, Math.round(n * once[i].bytesWritten)]);
        const fixed = (RATES.seconds as Record<string, { runs?: number }>)[name].runs ?? 0;
        expect(cpuSeconds - fixed).toBeCloseTo(n * (once[i].cpuSeconds - fixed), 6);
      }
    }),
  ));

describe("one machine", () => {
  const seconds = (threads: number) =>
    estimate(shape(100), setup({ memory: { threads, room: { bytes: 1e9, folder: "" } } })).machine.seconds;

  test("more threads are never slower, and never quicker than the runner's own thread", () => {
    const own = sum(
      stagesOf(shape(100))
        .filter(({ name }) => name === "combine" || name === "runner")
        .map(({ cpuSeconds }) => cpuSeconds),
    );
    for (let threads = 1; threads < 64; threads++) expect(seconds(threads + 1)).toBeLessThanOrEqual(seconds(threads));
    expect(seconds(1000)).toBeGreaterThan(own);
  });

  test("what does not fit is told as spilled, and nothing is where all fits", () => {
    const machine = (bytes: number) => estimate(shape(), setup({ memory: { threads: 1, room: { bytes, folder: "" } } })).machine;
    expect(machine(1e12).spilledBytes).toBe(0);
    expect(machine(0).spilledBytes).toBeGreaterThan(4e8);
    expect(machine(0).memoryBytes).toBeLessThan(machine(1e12).memoryBytes);
    const { inMemory } = RATES.bytes.recent;
    expect(machine(0).spilledBytes).toBeGreaterThan(workOf(shape()).keptActions * inMemory.keptActions!);
  });

  test("has a price only where a machine of the list is asked for", () => {
    expect(estimate(shape(), setup()).machine.cost).toBeUndefined();
    const { machine } = estimate(shape(), setup({ ownMachine: { vcpus: 32, memoryGb: 128 } }));
    expect(machine.cost).toBeCloseTo((machine.seconds / 3600) * (32 * 0.031611 + 128 * 0.004237), 9);
  });
});

describe("Dataflow", () => {
  const on = (changes: Partial<Setup>, scale = 100): Estimate["dataflow"] => estimate(shape(scale), setup(changes)).dataflow;

  test("money is hours and gigabytes times prices", () => {
    const { vcpuHours, memoryGbHours, diskGbHours, shuffleGb, seconds, total, workers } = on({ numWorkers: 3 });
    expect(workers).toBe(3);
    expect([vcpuHours, memoryGbHours, diskGbHours]).toEqual([12, 48, 75].map((n) => n * (seconds / 3600)));
    expect(total).toBeCloseTo(vcpuHours * 0.056 + memoryGbHours * 0.003557 + diskGbHours * 0.000054 + shuffleGb * 0.011, 9);
    const shuffled = sum(stagesOf(shape(100)).map(({ bytesShuffled }) => bytesShuffled));
    expect(shuffleGb).toBeCloseTo((2 * shuffled) / 1e9, 9);
  });

  test("more workers are never slower; left to itself it takes one for little", () => {
    for (let n = 1; n < 40; n++) expect(on({ numWorkers: n + 1 }).seconds).toBeLessThanOrEqual(on({ numWorkers: n }).seconds);
    expect(on({}, 1).workers).toBe(1);
    expect(on({}, 10_000).workers).toBeGreaterThan(10);
  });

  test("a price that is not known is null, and so is what it would be part of", () => {
    const { cost, total, vcpuHours } = on({ prices: pricesOf("europe-west1", { shuffleGb: 0.01 }) });
    expect([cost.vcpu, total]).toEqual([null, null]);
    expect(cost.shuffle).toBeGreaterThan(0);
    expect(vcpuHours).toBeGreaterThan(0);
  });
});

describe("prices", () => {
  test("of the list, under those that are given", () => {
    expect(REGIONS).toEqual(expect.arrayContaining(["us-central1", "europe-west1"]));
    expect(unknownPrices(pricesOf("us-central1"))).toEqual([]);
    expect(pricesOf("us-central1", { vcpuHour: 1 }).vcpuHour).toBe(1);
    expect(unknownPrices(pricesOf("mars-north1", { vcpuHour: 1 }))).toContain("shuffle-gb");
    expect(unknownPrices(pricesOf("mars-north1", { vcpuHour: 1 }))).not.toContain("vcpu-hour");
  });

  test.each([
    ["vcpu-hour=0.05", { vcpuHour: 0.05 }],
    ["shuffle_gb=1, storage-gb-month=0.02", { shuffleGb: 1, storageGbMonth: 0.02 }],
    ["", undefined],
    ["vcpu-hour", undefined],
    ["vcpu-hour=-1", undefined],
    ["vcpu-hour=1,vcpu_hour=2", undefined],
    ["vcpuhour=1", undefined],
    ["toString=1", undefined],
  ])("--prices=%s", (text, expected) => expect(parsePrices(text)).toEqual(expected));

  test.each([
    ["n2-standard-4", { vcpus: 4, memoryGb: 16 }],
    ["n1-highmem-8", { vcpus: 8, memoryGb: 52 }],
    ["n2-standard-0", undefined],
    ["n2-standard", undefined],
    ["x9-standard-4", undefined],
    ["constructor-standard-4", undefined],
    ["", undefined],
  ])("a machine of type %s", (name, expected) => expect(parseMachine(name)).toEqual(expected));
});
