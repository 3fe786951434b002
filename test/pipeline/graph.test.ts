import { createHash } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { Untag } from "../../beam/cogroup";
import { deserializeFn, directRunner, parDo, type Root, runnerApi } from "../../beam/sdk";
import { load } from "../../beam/spill";
import { backstory, type Plan } from "../../pipeline/backstory";
import { parseFlags } from "../../pipeline/flags";
import { BuildOptions } from "../../pipeline/options";
import { planRun } from "../../pipeline/plan";
import type { Outcome } from "../../pipeline/publish";
import { build as buildFiles } from "../../pipeline/run";
import type { WindowedActions } from "../../transforms/bounds";
import { DAY_MICROS } from "../../transforms/calendar";
import type { RankingBatch } from "../../transforms/rankings";
import { RecentActions, type Timelines } from "../../transforms/recent";
import type { Shown } from "../../transforms/shownindex";
import { collect } from "../beam/collect";
import { bytesOf, RUNNERS } from "../beam/jobservice";
import { graphOf, ndjson, smallPlan } from "../graphs";

// Jest's Uint8Array is of another realm than its Object; fast-deep-equal, by which the SDK knows equal coders, would call any two different.
jest.mock("fast-deep-equal", () => jest.requireActual("node:util").isDeepStrictEqual);

jest.setTimeout(30_000);

const COMBINE = "beam:transform:combine_per_key:v1";
const GROUP = "beam:transform:group_by_key:v1";

let folder: string;
let plan: Plan;
let graph: runnerApi.Components;
beforeAll(async () => {
  ({ folder, plan } = await smallPlan());
  graph = graphOf(plan).components!;
});
afterAll(() => rmSync(folder, { recursive: true }));

const transforms = () => Object.values(graph.transforms);
const named = (name: string) => transforms().find(({ uniqueName }) => uniqueName === `backstory/${name}`)!;
const combineFnOf = ({ spec }: runnerApi.PTransform): string =>
  deserializeFn(runnerApi.CombinePayload.fromBinary(spec!.payload).combineFn!.payload).combineFn.constructor.name;
const only = (some: Record<string, string>): string => {
  expect(Object.keys(some)).toHaveLength(1);
  return Object.values(some)[0];
};

test("there is one CombinePerKey of RecentActions, between the window and CoGroupByKey", () => {
  const combines = transforms().filter((each) => each.spec?.urn === COMBINE && combineFnOf(each) === "RecentActions");
  expect(combines).toHaveLength(1);
  const keepRecent = named("buildHistories/keepRecent");
  expect(only(keepRecent.inputs)).toBe(only(named("buildHistories/withinWindow").outputs));
  const [gatherHot] = transforms().filter(({ uniqueName }) => uniqueName === "backstory/buildHistories/keepRecent/gatherHot");
  expect(only(gatherHot.inputs)).toBe(only(keepRecent.inputs));
  const [hot] = transforms().filter(({ uniqueName }) => uniqueName.startsWith("backstory/buildHistories/keepRecent/withColumnsOfHot"));
  expect(only(combines[0].inputs)).toBe(only(hot.outputs));
  expect(named("buildHistories/coGroupByKey").inputs.left).toBe(only(keepRecent.outputs));
});

test("the rankings reach CoGroupByKey as they were scanned, and its output the join", () => {
  const coGroup = named("buildHistories/coGroupByKey");
  const outputs = named("scanRankings/outputs").outputs;
  expect(coGroup.inputs.right).toBe(outputs.rankings);
  expect(only(named("buildHistories/joinHistories").inputs)).toBe(only(coGroup.outputs));
});

test("every shuffle carries (varint, columns or a join): nothing goes through the SDK's general coder", () => {
  const coder = (id: string) => graph.coders[id];
  const urnsOf = (pcollection: string): string[] => {
    const kv = coder(graph.pcollections[pcollection].coderId);
    return [kv.spec!.urn, ...kv.componentCoderIds.map((id) => coder(id).spec!.urn)];
  };
  const shuffles = transforms().filter(({ spec }) => spec?.urn === COMBINE || spec?.urn === GROUP);
  expect(shuffles.length).toBeGreaterThan(5);
  for (const { uniqueName, inputs } of shuffles)
    expect([uniqueName, urnsOf(only(inputs))]).toEqual([
      uniqueName,
      ["beam:coder:kv:v1", "beam:coder:varint:v1", `backstory:coder:${uniqueName === "backstory/eachFile" ? "joined" : "columns"}:v1`],
    ]);
});

/** Else a runner would fuse a list of splits with what reads them, and one worker would read all. */
test("between every list of splits and its scan there is a grouping, and after it nothing but steps that the scan is fused with", () => {
  const makers = new Map(
    transforms().flatMap((each) => (each.subtransforms.length > 0 ? [] : Object.values(each.outputs).map((pc) => [pc, each]))),
  );
  const scans = transforms().filter(({ uniqueName }) => uniqueName.endsWith("/scanSplits"));
  expect(scans).toHaveLength(2);
  for (const scan of scans) {
    let step = makers.get(only(scan.inputs))!;
    while (step.spec?.urn === parDo.urn) step = makers.get(only(step.inputs))!;
    expect(step.spec?.urn).toBe(GROUP);
  }
});

test("accumulators travel as columns", () => {
  const combines = transforms().filter(({ spec }) => spec?.urn === COMBINE);
  expect(combines.map(combineFnOf).sort()).toEqual(["AllShown", "RecentActions", "SumLedgers", "SumMetrics"]);
  for (const { spec } of combines) {
    const { accumulatorCoderId } = runnerApi.CombinePayload.fromBinary(spec!.payload);
    expect(graph.coders[accumulatorCoderId].spec!.urn).toBe("backstory:coder:columns:v1");
  }
});

/** A stage without outputs makes some runners spin. */
test("every step has an output", () => {
  for (const { uniqueName, outputs } of transforms()) expect([uniqueName, Object.keys(outputs).length > 0]).toEqual([uniqueName, true]);
});

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("the graph is one, byte for byte", () => {
  const build = (root: Root) => void root.apply(backstory(plan));

  test.each(Object.entries(RUNNERS))("whatever the runner: %s", async (runner, caught) => {
    expect(sha256(bytesOf(await caught(runner, build)))).toBe(sha256(bytesOf(graphOf(plan))));
  });

  /** The direct runner rewrites these before it runs them. */
  test("no step has a side input", () => {
    const parDos = transforms().filter(({ spec }) => spec?.urn === parDo.urn);
    expect(parDos.length).toBeGreaterThan(5);
    for (const { uniqueName, inputs, spec } of parDos) {
      const { sideInputs } = runnerApi.ParDoPayload.fromBinary(spec!.payload);
      expect([uniqueName, Object.keys(inputs).length, sideInputs]).toEqual([uniqueName, 1, {}]);
    }
  });

  test("whatever the threads, the cores and the memory", async () => {
    const seen = new Set<string>();
    for (const cores of [1, 2, 96])
      for (const threads of [undefined, 1, 2, 64]) {
        const spies = [
          jest.spyOn(os, "availableParallelism").mockReturnValue(cores),
          jest.spyOn(os, "cpus").mockReturnValue(Array(cores).fill(os.cpus()[0])),
          ...(["totalmem", "freemem"] as const).map((memory) => jest.spyOn(os, memory).mockReturnValue(cores * 2 ** 30)),
        ];
        const { options } = parseFlags(BuildOptions, flags(folder, "out"), 0);
        seen.add(sha256(bytesOf(graphOf(await planRun({ ...options, threads }, "run")))));
        for (const spy of spies) spy.mockRestore();
      }
    expect(seen.size).toBe(1);
  });

  /** The id is of the clock and of chance, and is in the names of what the run writes before it publishes. */
  test("what a build runs is this graph, but for the run's id", async () => {
    const { options } = parseFlags(BuildOptions, flags(folder, "built"), 0);
    const run = jest.spyOn(Object.getPrototypeOf(directRunner()), "runPipeline");
    const { runId } = await buildFiles(options);
    const [[proto]] = run.mock.calls as [[runnerApi.Pipeline]];
    run.mockRestore();
    expect(sha256(bytesOf(proto))).toBe(sha256(bytesOf(graphOf(await planRun(options, runId)))));
    const others = await planRun(options, "another");
    expect(sha256(bytesOf(proto))).not.toBe(sha256(bytesOf(graphOf(others))));
  });
});

const flags = (inputs: string, output: string): string[] => [
  ...["impressions", "clicks", "add-to-carts", "previous-orders"].map((name) => `--${name}=${join(inputs, `${name}*`)}`),
  `--output=${join(inputs, output)}`,
];

const FIRST = Date.UTC(2025, 7, 1) / 86_400_000;
const name = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);
const at = (seconds: number): string => new Date(FIRST * 86_400_000 + seconds * 1000).toISOString().slice(0, 19);

/** Clicks of 40 days, in three files; rankings of three days in the middle, of half of the customers, in two files. */
function write() {
  const clicks = Array.from({ length: 6000 }, (_, i) => ({
    customer_id: (i * 7919) % 400,
    item_id: i,
    click_time: at((i * 104_729) % (40 * 86_400)),
  }));
  const impressions = Array.from({ length: 500 }, (_, i) => ({
    dt: name(FIRST + 20 + (i % 4)),
    ranking_id: `r${i}`,
    customer_id: (i * 31) % 200,
    impressions: Array.from({ length: 1 + (i % 5) }, (_, s) => ({ item_id: s, is_order: false })),
  }));
  const third = (n: number) => clicks.filter((_, i) => i % 3 === n);
  for (const n of [0, 1, 2]) writeFileSync(join(folder, `clicks-${n}.ndjson`), ndjson(third(n)));
  for (const n of [0, 1]) writeFileSync(join(folder, `impressions-${n}.ndjson`), ndjson(impressions.filter((_, i) => i % 2 === n)));
  return { clicks, impressions };
}

/** What CombinePerKey adds to accumulators. Merging adds to them too, which is none of the runner's doing. */
function spyOnInputs() {
  const { addInput, mergeAccumulators } = RecentActions.prototype;
  const inputs: (WindowedActions | Timelines)[] = [];
  let merging = false;
  const adding = jest.spyOn(RecentActions.prototype, "addInput").mockImplementation(function (this: RecentActions, sum, batch) {
    if (!merging) inputs.push(load<WindowedActions | Timelines>(batch));
    return addInput.call(this, sum, batch);
  });
  const merged = jest.spyOn(RecentActions.prototype, "mergeAccumulators").mockImplementation(function (this: RecentActions, sums) {
    merging = true;
    const sum = mergeAccumulators.call(this, sums);
    merging = false;
    return sum;
  });
  return { inputs, spies: [adding, merged] };
}

test("every action that was kept goes through CombinePerKey, and every slot through CoGroupByKey, in batches", async () => {
  const { clicks, impressions } = write();
  const days = [FIRST + 20, FIRST + 21, FIRST + 22];
  const { options } = parseFlags(
    BuildOptions,
    [
      `--impressions=${join(folder, "impressions-*")}`,
      `--clicks=${join(folder, "clicks-*")}`,
      "--add-to-carts=none",
      "--previous-orders=none",
      `--output=${join(folder, "counted")}`,
      `--dates=${name(days[0])}..${name(days[2])}`,
      "--lookback-days=5",
      "--history-length=3",
    ],
    0,
  );
  const counted = await planRun(options, "counted");
  const combined = spyOnInputs();
  const grouped = jest.spyOn(Untag.prototype, "process");
  const { outcome } = await collect<{ outcome: Outcome }>((root) => ({ outcome: root.apply(backstory(counted)) }));

  const wanted = impressions.filter(({ dt }) => days.map(name).includes(dt));
  const daysOf = (customer: number) =>
    wanted.filter(({ customer_id }) => customer_id === customer).map(({ dt }) => Date.parse(dt) / 86_400_000);
  const own = new Map(clicks.map(({ customer_id }) => [customer_id, daysOf(customer_id)]));
  const kept = clicks.filter(({ customer_id, click_time }) => {
    const micros = Date.parse(`${click_time}Z`) * 1000;
    const shown = own.get(customer_id)!;
    return micros < Math.max(...shown) * DAY_MICROS && micros >= (Math.min(...shown) - 5) * DAY_MICROS;
  });
  const batches = combined.inputs;
  expect(batches.reduce((sum, { times }) => sum + times.length, 0)).toBe(kept.length);
  expect(batches.length).toBeLessThan(kept.length / 50);

  const values = grouped.mock.calls.flatMap(([{ value }]) => [...value] as { right?: RankingBatch | Shown }[]);
  const right = values.flatMap((value) => (value.right !== undefined && "slotItems" in value.right ? [value.right] : []));
  expect(right.reduce((sum, { slotItems }) => sum + slotItems.length, 0)).toBe(wanted.flatMap((each) => each.impressions).length);
  expect(right.reduce((sum, { days: { length } }) => sum + length, 0)).toBe(wanted.length);
  for (const spy of [...combined.spies, grouped]) spy.mockRestore();

  expect(outcome).toHaveLength(1);
  const { ledger, rows } = outcome[0];
  expect(rows).toBe(wanted.flatMap((each) => each.impressions).length);
  expect([ledger.clicks.rows, ledger.impressions.rows]).toEqual([clicks.length, impressions.length]);
});
