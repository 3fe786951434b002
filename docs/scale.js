#!/usr/bin/env node
/**
 * docs/scale.md and docs/scale.svg: what `backstory plan` computes for the load in scale.load.json. After `npm run build`; `npm run docs:scale`.
 */
const { readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { estimate } = require("backstory/pipeline/estimate/estimate");
const { parseMachine } = require("backstory/pipeline/estimate/machinetype");
const { meanCut } = require("backstory/pipeline/estimate/meancut");
const { CURRENCY, PRICE_DATE, PRICE_PAGES, UNITS, pricesOf } = require("backstory/pipeline/estimate/prices");
const { ASSUMED, MEASURED, RATES } = require("backstory/pipeline/estimate/rates");
const { count, dollars, duration, size } = require("backstory/pipeline/estimate/tell");
const { planMemory } = require("backstory/pipeline/memory");
const { cutting } = require("backstory/pipeline/plan");
const { bars } = require("./bars");

const LOAD = JSON.parse(readFileSync(join(__dirname, "scale.load.json"), "utf8"));
const REGION = "us-central1";
/** Bytes of text for a byte of Parquet, as a run is cut by; see pipeline/io/splits.ts. */
const PACKS = 7;
const BASE = { format: "parquet", days: 14, lookbackDays: 365, historyLength: 1000, machine: "n2-standard-32", worker: "n2-standard-4" };

/** A table of so many rows, as the survey of real files would have it. */
function tableOf(name, rows, format) {
  const { bytes, read = {} } = LOAD.tables[name];
  const listed = rows * bytes[format];
  const files = Math.ceil(listed / (LOAD.filesOfMegabytes * 1e6));
  return { name, format, files, bytes: listed, bytesRead: listed * (read[format] ?? 1), rows, counted: true };
}

/** The load under some options: what the survey finds in an input like it. */
function shapeOf({ format, days, lookbackDays, historyLength }) {
  const { impressions: shown, ...actionTables } = LOAD.tables;
  const impressions = tableOf("impressions", shown.rowsADay * days, format);
  const weeks = LOAD.daysOfActions / 7;
  const actions = Object.entries(actionTables).map(([name, { rowsAWeek }]) => tableOf(name, rowsAWeek * weeks, format));
  const inWindow = Math.min(1, (lookbackDays + days - 1) / LOAD.daysOfActions);
  const inHistory = lookbackDays / BASE.lookbackDays;
  const text = (tables) => tables.reduce((sum, { bytes }) => sum + bytes * (format === "parquet" ? PACKS : 1), 0);
  const { splitBytes, shards, buckets } = cutting(text([impressions, ...actions]), text([impressions]));
  const { mean, meanSquare } = LOAD.actionsOfARow;
  const customers = customersIn(days);
  return {
    impressions,
    actions,
    days,
    rows: impressions.rows * shown.slots,
    customers,
    customerDays: LOAD.customers.aDay * days,
    keptActions: actions.reduce((sum, { rows }) => sum + rows, 0) * LOAD.shareOfActions * (customers / LOAD.customers.in14Days) * inWindow,
    meanHistory: meanCut(mean * inHistory, meanSquare * inHistory * inHistory, historyLength),
    itemBytes: LOAD.itemBytes,
    layout: {
      rankingSplits: Math.ceil(text([impressions]) / splitBytes),
      actionSplits: Math.ceil(text(actions) / splitBytes),
      shards,
      buckets,
    },
  };
}

/** Between one day's and those of 14 days, as a power of the days. */
function customersIn(days) {
  const { aDay, in14Days } = LOAD.customers;
  return aDay * days ** (Math.log(in14Days / aDay) / Math.log(14));
}

function planned(changes = {}) {
  const options = { ...BASE, ...changes };
  const own = parseMachine(options.machine);
  const memory = planMemory(`${Math.floor(0.7 * own.memoryGb * 2 ** 30)}B`, own.vcpus, own.vcpus, "");
  const worker = parseMachine(options.worker);
  const { numWorkers } = options;
  const setup = {
    memory,
    ownMachine: own,
    workerMachineType: options.worker,
    worker,
    numWorkers,
    diskSizeGb: 25,
    prices: pricesOf(REGION),
  };
  return { options, ...estimate(shapeOf(options), setup) };
}

const VARIANTS = [
  ["as above", {}],
  ["NDJSON in the place of Parquet", { format: "ndjson" }],
  ["1 day of impressions", { days: 1 }],
  ["--lookback-days=90", { lookbackDays: 90 }],
  ["--history-length=100", { historyLength: 100 }],
  ["--history-length=5000", { historyLength: 5000 }],
];

/** Workload L of the benchmarks, which no rate was measured on: ten times M, with its two threads and 2 GB. */
function largest() {
  const { runs } = require("../pipeline/estimate/rates.json");
  const run = runs.find(({ workload, format, historyLength }) => workload === "M" && format === "ndjson" && historyLength === 1000);
  const table = (name, rows) => ({ ...tableOf(name, rows, "ndjson"), counted: true });
  const { splitBytes, shards, buckets } = cutting(103e8, 4e8);
  const shape = {
    impressions: table("impressions", 10 * run.rankings),
    actions: [table("clicks", 10 * run.actions)],
    days: 14,
    rows: 10 * run.rows,
    customers: 300_000,
    customerDays: 10 * run.customerDays,
    keptActions: 10 * run.keptActions,
    meanHistory: run.historyActions / run.customerDays,
    itemBytes: run.itemBytes,
    layout: { rankingSplits: Math.ceil(4e8 / splitBytes), actionSplits: Math.ceil(99e8 / splitBytes), shards, buckets },
  };
  const worker = parseMachine(BASE.worker);
  const setup = { memory: planMemory("2GB", 2, 2, ""), workerMachineType: BASE.worker, worker, diskSizeGb: 25, prices: pricesOf(REGION) };
  return estimate(shape, setup).machine;
}
/** See bench/RESULTS.md. */
const LARGEST_SECONDS = 48.2;

const row = (...cells) => `| ${cells.join(" | ")} |`;
const table = (head, rows) => [row(...head), row(...head.map(() => "---")), ...rows.map((cells) => row(...cells))].join("\n");
const bytes = (n) => (n === 0 ? "" : size(n));

const inputs = ({ shape: { impressions, actions } }) =>
  table(
    ["table", "rows", "as Parquet", "read", "as NDJSON"],
    [impressions, ...actions].map((each) => [
      each.name,
      count(each.rows),
      size(each.bytes),
      size(each.bytesRead),
      size(each.rows * LOAD.tables[each.name].bytes.ndjson),
    ]),
  );

const stages = ({ stages: all }) =>
  table(
    ["stage", "reads", "shuffles", "writes", "CPU s", "tasks"],
    all.map((each) => [
      each.name,
      bytes(each.bytesRead),
      bytes(each.bytesShuffled),
      bytes(each.bytesWritten),
      count(each.cpuSeconds),
      count(each.tasks),
    ]),
  );

const places = (all) =>
  table(
    ["", "time", "memory", "on disk", "list price"],
    [
      ...["n2-standard-16", "n2-standard-32", "n2-highmem-32"].map((machine) => {
        const { machine: on } = planned({ machine });
        return [`one ${machine}`, duration(on.seconds), `up to ${size(on.memoryBytes)}`, bytes(on.spilledBytes), dollars(on.cost)];
      }),
      ...[all.dataflow.workers, ...WORKERS].map((numWorkers) => {
        const { dataflow: on } = planned({ numWorkers });
        return [`Dataflow, ${on.workers} ${on.machineType}`, duration(on.seconds), "", "", dollars(on.total)];
      }),
    ],
  );
/** besides those that the plan chooses */
const WORKERS = [16, 64];

const money = ({ dataflow, storage }) => {
  const prices = pricesOf(REGION);
  const line = (amount, name, cost) => [UNITS[name], amount.toFixed(1), `$${prices[name]}`, dollars(cost)];
  return table(
    ["", "amount", "price", ""],
    [
      line(dataflow.vcpuHours, "vcpuHour", dataflow.cost.vcpu),
      line(dataflow.memoryGbHours, "memoryGbHour", dataflow.cost.memory),
      line(dataflow.diskGbHours, "diskGbHour", dataflow.cost.disk),
      line(dataflow.shuffleGb, "shuffleGb", dataflow.cost.shuffle),
      ["**the job**", "", "", `**${dollars(dataflow.total)}**`],
      line(storage.gb, "storageGbMonth", storage.costPerMonth),
    ],
  );
};

const sum = (all, figure) => all.reduce((total, each) => total + each[figure], 0);

const sensitivity = () =>
  table(
    ["", "read", "shuffled", "written", "CPU s", "one n2-standard-32", "Dataflow"],
    VARIANTS.map(([name, changes]) => {
      const { stages: all, machine, dataflow } = planned(changes);
      return [
        name,
        ...["bytesRead", "bytesShuffled", "bytesWritten"].map((figure) => size(sum(all, figure))),
        count(sum(all, "cpuSeconds")),
        `${duration(machine.seconds)}, ${dollars(machine.cost)}`,
        `${dataflow.workers} workers, ${duration(dataflow.seconds)}, ${dollars(dataflow.total)}`,
      ];
    }),
  );

function page() {
  const all = planned();
  const { shape } = all;
  const share = Math.max(...all.stages.filter(({ name }) => name !== "runner").map(({ cpuSeconds }) => cpuSeconds));
  const slowest = all.stages.find(({ cpuSeconds }) => cpuSeconds === share);
  const runner = sum(
    all.stages.filter(({ name }) => ["combine", "runner"].includes(name)),
    "cpuSeconds",
  );
  return `# Scale

What a build of the size that backstory is made for reads, shuffles, writes, takes and costs: \`npm run docs:scale\` writes this page by the code of
\`backstory plan\` from the description in [scale.load.json](scale.load.json). Nothing of this size has been run. Rates are measured on workloads of 1 M and 10 M
actions and are taken to hold. Of 100 M actions, which are in no rate, the formula says ${duration(largest().seconds)}, and the [benchmark](../bench/RESULTS.md) took ${LARGEST_SECONDS} s. For inputs of your own, before anything is spent:

\`\`\`sh no-run
npx backstory plan --impressions=gs://my-bucket/impressions --clicks=gs://my-bucket/clicks --add-to-carts=gs://my-bucket/carts \\
  --previous-orders=gs://my-bucket/orders --output=gs://my-bucket/training --region=${REGION} --machine-type=${BASE.machine}
\`\`\`

## The load

${LOAD.daysOfActions} days of actions (the lookback of ${BASE.lookbackDays} before each of ${shape.days} days), at 150 M clicks, 15 M add-to-carts and 2 M orders a week; ${shape.days} days of 1 M rankings of
10 slots each; histories of ${count(BASE.historyLength)}.

${inputs(all)}

What cannot be known from counts is assumed: ${count(LOAD.customers.aDay)} customers are shown something on a day and ${count(LOAD.customers.in14Days)} within 14 days; they have ${100 * LOAD.shareOfActions}% of all actions; the mean
row has ${count(LOAD.actionsOfARow.mean)} actions before it is cut, log-normal with a mean square of ${count(LOAD.actionsOfARow.meanSquare)}; an item takes ${LOAD.itemBytes} bytes on the wire (a million items, few of them far more popular). So ${count(shape.rows)} rows have ${count(shape.customerDays)} histories of
${count(shape.meanHistory)} actions on average.

## Stages

${stages(all)}

CPU s are of one thread of the direct runner. Tasks are parts that can be at work at the same time.

## Where it runs

${places(all)}

![${VARIANTS.length} variants of the load: dollars on Dataflow and on one machine. The figures are in the table below.](scale.svg)

Dataflow with the ${all.dataflow.workers} workers that the plan chooses, in ${REGION}:

${money(all)}

## What changes it

${sensitivity()}

## The formula

- Work of a stage = rate x units: slots, actions read, actions that some ranking of their customer can see (kept), actions in all histories (customer-days x mean
  history). Rates are in \`pipeline/estimate/rates.json\`, with the runs that they follow from; \`${MEASURED.command}\` measures them. These: ${MEASURED.date}, ${MEASURED.machine}.
- One machine: seconds = combine + runner + sum of the other stages' CPU s / min(threads, tasks). Held in memory: recent actions and rankings, and histories, each as much as
  \`--max-memory\` has room for; the rest goes to disk. The threads' share of memory is what a run allows itself, not what it must take.
- Dataflow: seconds = ${ASSUMED.startSeconds} + ${RATES.workerFactor} x sum of CPU s / min(vCPUs, tasks) / ${ASSUMED.busyShare}. ${RATES.workerFactor} is processor time of a worker on Prism to that of the same build in one
  thread, [measured](../bench/RESULTS.md); the ${ASSUMED.startSeconds} s of start and the ${100 * ASSUMED.busyShare}% of the time in which workers work are assumptions. Workers are as many as bring the work below 10 minutes.
- Money = vCPU-h, memory GB-h and disk GB-h of all workers for all of that time, and each shuffled GB twice, as written and as read, x list price in ${CURRENCY} of
  ${PRICE_DATE}, without Dataflow's reductions for shuffled data, discounts, operations on objects, and traffic between regions.
- Prices are in \`pipeline/estimate/prices.json\` with where they are from. To check them, or for another region: ${[...new Set(Object.values(PRICE_PAGES))].map((url) => `<${url}>`).join(", ")};
  \`--prices=vcpu-hour=0.056,...\` takes yours. Of europe-west1 none could be confirmed, so none are given.

## What limits it

- **The stage with most work is ${slowest.name}**, ${count(slowest.cpuSeconds)} of ${count(sum(all.stages, "cpuSeconds"))} CPU s.
- **One machine**: combine and the runner's thread, ${count(runner)} s together, do not get shorter by more threads. No build has been measured with more than two threads. Memory is no limit; network and disk
  may be: to keep up on one ${BASE.machine} they have to move ${size((sum(all.stages, "bytesRead") + 2 * all.machine.spilledBytes) / all.machine.seconds)} a second, inputs and what is put on disk and read again, which the formula takes for granted.
- **Dataflow**: actions are scanned in 64 groups at most, so more than 64 vCPUs do not make that stage shorter. Each group is sent all customers shown.
- **Shuffled bytes** are an upper bound: what a runner combines before it shuffles is not counted off.
- **A history** is cut at its length, so beyond the mean of actions a customer has, \`--history-length\` costs nothing; \`--lookback-days\` costs in proportion.
- **More workers** wait less and cost more, since each is paid for its start; most of the money is for what is shuffled, which is the same.
`;
}

function chart() {
  const entries = VARIANTS.flatMap(([name, changes]) => {
    const { machine, dataflow } = planned(changes);
    return [
      { label: name, note: `Dataflow ${dollars(dataflow.total)}`, value: dataflow.total, own: true },
      { label: "", note: `one machine ${dollars(machine.cost)}`, value: machine.cost, own: false },
    ];
  });
  return bars("Dollars for a build of 14 days, at list price", entries);
}

module.exports = { chart, page };
if (require.main === module) {
  writeFileSync(join(__dirname, "scale.md"), page());
  writeFileSync(join(__dirname, "scale.svg"), chart());
}
