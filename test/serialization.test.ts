import { execFileSync } from "node:child_process";
import { globSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { ColumnsCoder } from "../beam/coders";
import { deserializeFn, P, type Root } from "../beam/sdk";
import type { Plan } from "../pipeline/backstory";
import { fileKey } from "../pipeline/write";
import { applyWindow, Window } from "../transforms/bounds";
import { DAY_MICROS } from "../transforms/calendar";
import { buildTrainingInputs } from "../transforms/inputs";
import { joinHistories } from "../transforms/joined";
import { type Ledger, noCounts } from "../transforms/ledger";
import { Metrics } from "../transforms/metrics";
import { shownOf } from "../transforms/shownindex";
import { mergeTimelines } from "../transforms/timelines";
import { given } from "./beam/collect";
import { CLICK, graphOf, IMPRESSIONS, payloadsOf, protoOf, smallPlan } from "./graphs";
import { actionBatch, rankingBatches, SOME_DAY } from "./transforms/plain";

jest.setTimeout(30_000);

const { outcomeOf } = require("./survive") as { outcomeOf(thing: unknown, inputs: unknown[]): Promise<string> };
const ROOT = join(__dirname, "..");

let folder: string;
let plan: Plan;
beforeAll(async () => void ({ folder, plan } = await smallPlan()));
afterAll(() => rmSync(folder, { recursive: true }));

/** The sources that may hold classes that travel, by their registered names. */
const sources = globSync("{transforms,beam,pipeline}/**/*.ts", { cwd: ROOT }).map((path) => ({
  name: `backstory/${path.replaceAll("\\", "/").slice(0, -3)}`,
  text: readFileSync(join(ROOT, path), "utf8"),
}));

/** Exported classes with a method that a worker calls; operators are made on the worker and never travel. */
function travelling(text: string): string[] {
  const classes = text.split(/^(?=export (?:abstract )?class )/m).slice(1);
  return classes
    .filter((each) => /^ {2}(?:async )?\*?(?:process|addInput)\(/m.test(each.split(/^}/m)[0]) && !/^[^{]*implements IOperator/.test(each))
    .map((each) => /class (\w+)/.exec(each)![1]);
}

test("every module with a class that travels registers it under the module's own name", () => {
  const modules = sources.filter(({ text }) => travelling(text).length > 0);
  expect(modules.length).toBeGreaterThan(8);
  for (const { name, text } of modules)
    expect({ name, registers: text.includes(`\nrequireForSerialization("${name}", exports);\n`) }).toEqual({ name, registers: true });
});

test("no module registers under another's name", () => {
  for (const { name, text } of sources) {
    for (const [, registered] of text.matchAll(/^requireForSerialization\("([^"]*)"/gm)) expect(registered).toBe(name);
  }
});

/** Inputs for each class that travels. */
function inputs(): Record<string, unknown[]> {
  const { rules } = plan;
  const window = new Window(rules);
  const action = (customer: bigint, day: number, type: number) => ({
    customer,
    item: 2n ** 53n + 1n,
    time: day * DAY_MICROS,
    type,
    ownDay: 0,
  });
  const day = rules.days![0];
  const batches = [
    actionBatch([action(1n, day - 1, 1), action(-1n, day - 2, 3)]),
    actionBatch([action(1n, day, 2), action(1n, SOME_DAY - 900, 2)]),
  ];
  const windowed = batches.map((batch) => applyWindow(batch, window));
  const timelines = mergeTimelines(windowed, window);
  const right = rankingBatches([{ customer: 1n, day, id: "ä", slots: [{ item: -1n, isOrder: true }] }]);
  const { joined, ledger } = joinHistories({ left: [timelines], right }, window);
  const metrics = new Metrics(plan.publish.maxPositions);
  metrics.add([1, 2, 0], 0, 3, 3, 2, "2025-08-16");
  const used: Ledger = { impressions: { ...noCounts(), rows: 1, places: { used: 1 } } };
  const shown = { customers: BigInt64Array.of(1n, -1n), firstDays: Int32Array.of(day, day), lastDays: Int32Array.of(day, day + 1) };
  const [split] = plan.actions;
  const { file, index } = plan.rankings[0];
  const extents = { table: "impressions", path: file.path, index, positions: 2, rejects: null, examples: {} };
  const keyed = (value: unknown) => ({ key: 2 ** 40, value });
  return {
    ApplyWindow: batches.map(keyed),
    RecentActions: [...windowed, timelines],
    GatherHot: [...windowed, timelines].map(keyed),
    CutRecent: [keyed([...windowed, timelines])],
    JoinHistories: [keyed({ left: [{ parts: [...windowed, timelines], index: 0, of: 1 }], right }), keyed({ left: [], right })],
    ByFile: [keyed(joined)],
    MeasureHistories: [keyed(joined)],
    SumMetrics: [metrics.toJSON(), metrics.toJSON()],
    SumLedgers: [ledger, used],
    ToOneKey: [ledger],
    TagLeft: [keyed(timelines)],
    TagRight: [keyed(right)],
    Untag: [keyed([{ left: timelines }, { right: right[0] }])],
    Value: [keyed(joined)],
    Values: [keyed([joined, joined])],
    Named: [ledger],
    NormaliseRows: [CLICK, IMPRESSIONS],
    ExplodeRows: [keyed(joined)],
    ShownOf: right.map(keyed),
    AllShown: [shown, shownOf(right[0])],
    ToEachGroup: [keyed(shown)],
    PairUp: [keyed({ left: plan.actions, right: [shown] }), keyed({ left: [split], right: [] })],
    ScanSplits: [
      ...plan.rankings.map((split) => ({ split, shown: null })),
      ...plan.actions.flatMap((split) => [
        { split, shown },
        { split, shown: null },
      ]),
    ],
    WriteShard: [{ key: fileKey(1, joined.days[0], plan.files.shards), value: [joined] }],
    Publish: [
      { key: 0, value: [{ start: true }, { ledger: used }, { extents }, { metrics: new Metrics(plan.publish.maxPositions).toJSON() }] },
    ],
  };
}

/** A pipeline of the library, which has steps that the build has not. */
const library = () =>
  protoOf((root: Root) => {
    const streams = { impressions: given(root, IMPRESSIONS, "impressions"), clicks: given(root, [CLICK], "clicks") };
    return P(streams).apply(buildTrainingInputs());
  });

interface Thing {
  name: string;
  thing: unknown;
  /** how it travels: as a payload, or coders by their urn */
  sent: { payload: Uint8Array; field: string } | { urn: string };
  /** undefined for what is the SDK's own, of which only the arrival is looked at */
  inputs: unknown[] | undefined;
}

function things(): Thing[] {
  const known = inputs();
  const payloads = [...payloadsOf(graphOf(plan)), ...payloadsOf(library())];
  const travelling = payloads
    .filter(({ payload }) => !Buffer.from(payload).includes("backstory/test/"))
    .flatMap(({ field, payload }): Thing[] => {
      const thing = deserializeFn(payload)[field];
      const name = thing?.constructor.name;
      return thing === undefined ? [] : [{ name, thing, sent: { payload, field }, inputs: known[name] }];
    });
  const coder = { name: "ColumnsCoder", thing: new ColumnsCoder(), sent: { urn: ColumnsCoder.URN }, inputs: Object.values(known).flat() };
  return [...travelling, coder];
}

test("all that travels arrives in a process that knows only the registered names, and does there what it does here", async () => {
  const all = things();
  const modules = sources.filter(({ text }) => /^requireForSerialization\(/m.test(text)).map(({ name }) => name);
  const input = serialize({ modules, things: all.map(({ sent, inputs }) => ({ ...sent, inputs })) });
  const outcomes: string[] = deserialize(execFileSync(process.execPath, [join(__dirname, "survive.js")], { input, cwd: ROOT }));
  for (const [i, { name, thing, inputs }] of all.entries()) {
    const expected = inputs === undefined ? name : await outcomeOf(thing, inputs);
    expect([name, outcomes[i]]).toEqual([name, expected]);
  }
});

test("no class that travels is left out of these tests", () => {
  const tested = new Set(things().flatMap(({ name, inputs }) => (inputs === undefined ? [] : [name])));
  expect(sources.flatMap(({ text }) => travelling(text)).filter((name) => !tested.has(name))).toEqual([]);
});
