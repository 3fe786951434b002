/**
 * The kernels alone, on one thread: `node bench/kernel.js [PART OF A NAME]`, after `npm run build`. Prints nanoseconds a row, the best of
 * several samples; of this thread's processor time where Node tells it (from 23.9), so that other work on the machine disturbs little.
 */
const { ActionGather } = require("../dist/pipeline/gather");
const { Window, applyWindow } = require("../dist/transforms/bounds");
const { joinHistories } = require("../dist/transforms/joined");
const { Metrics } = require("../dist/transforms/metrics");
const { RankingBuilder } = require("../dist/transforms/rankings");
const { DEFAULT_RULES } = require("../dist/transforms/rules");
const { ShownIndex } = require("../dist/transforms/shownindex");
const { TallyBuilder } = require("../dist/transforms/tallies");
const { mergeTimelines } = require("../dist/transforms/timelines");
const { encodes, scans } = require("./kernelfiles");
const { measure, sampleAll } = require("./sample");

const DAY = 86_400e6;
const DAYS = Array.from({ length: 14 }, (_, i) => 20_300 + i);
const START = DAYS[0] - 365;

/** xorshift32: the same data in every run. */
let state = 2463534242;
function random() {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) / 2 ** 32;
}

const id = (i) => BigInt(Math.imul(i + 1, 0x9e3779b1) >>> 0) * 1_000_003n;

/** @param time (customer, row) => microseconds */
function batch(rows, customers, time) {
  const columns = {
    customers: new BigInt64Array(rows),
    items: new BigInt64Array(rows),
    times: new Float64Array(rows),
    types: new Uint8Array(rows),
    ownDays: new Int32Array(rows),
  };
  for (let i = 0; i < rows; i++) {
    const customer = Math.floor(random() * customers);
    columns.customers[i] = id(customer);
    columns.items[i] = id(Math.floor(random() ** 3 * 100_000));
    columns.times[i] = time(customer, i);
    columns.types[i] = random() < 0.9 ? 1 : random() < 0.9 ? 2 : 3;
  }
  return columns;
}

const anyTime = () => Math.floor((START + random() * 379) * DAY);
/** Sessions of half an hour, twenty a customer and year. */
const inSessions = (customer) =>
  Math.floor((START + ((customer * 7919 + Math.floor(random() * 20) * 104729) % 37900) / 100) * DAY + random() * 1800e6);

const batches = (window, count, rows, customers, time) =>
  Array.from({ length: count }, () => applyWindow(batch(rows, customers, time), window));

const someone = (c) => (BigInt(Math.floor(c)) * 311n) % 10_000_019n;
const shownTo = BigInt64Array.from({ length: 32_000 }, (_, c) => someone(c));
const index = new ShownIndex(
  { customers: shownTo, firstDays: new Int32Array(32_000).fill(DAYS[3]), lastDays: new Int32Array(32_000).fill(DAYS[9]) },
  DEFAULT_RULES,
);
const scanned = Array.from({ length: 40 }, () => {
  const { customers, items, times } = batch(4096, 1, anyTime);
  for (let i = 0; i < 4096; i++) customers[i] = someone(random() * 37_000);
  return { customers: new Int32Array(customers.buffer), items: new Int32Array(items.buffer), times };
});
const ownDays = new Int32Array(4096);
measure("gather: 40 blocks of 4,096 rows, most of them of use", 40 * 4096, () => {
  const gather = new ActionGather(1, index, false);
  for (const { customers, items, times } of scanned) gather.add(customers, items, times, ownDays, 4096);
  gather.take(66);
});

const window = new Window({ ...DEFAULT_RULES, days: DAYS });
const rowsOf = (parts) => parts.reduce((sum, { times }) => sum + times.length, 0);

const typical = batches(window, 80, 500, 400, anyTime);
measure("merge: 80 batches of 500 rows, 400 customers", rowsOf(typical), () => mergeTimelines(typical, window));
const sessions = batches(window, 80, 500, 400, inSessions);
measure("merge: the same in sessions", rowsOf(sessions), () => mergeTimelines(sessions, window));
const settled = mergeTimelines(typical, window);
const [late] = batches(window, 1, 4000, 400, anyTime);
measure("merge: 4,000 rows into those timelines", rowsOf([settled, late]), () => mergeTimelines([settled, late], window));
const distinct = batches(window, 100, 10_000, 1, anyTime);
measure("merge: one customer, 1 M rows", rowsOf(distinct), () => mergeTimelines(distinct, window));
const noon = batches(window, 100, 10_000, 1, () => (START + 30) * DAY + DAY / 2);
measure("merge: one customer, 1 M rows of one time", rowsOf(noon), () => mergeTimelines(noon, window));

const cut = new TallyBuilder();
const small = Array.from({ length: 2000 }, (_, i) => {
  const builder = new TallyBuilder();
  for (let k = 0; k < 10; k++) builder.add(BigInt64Array.of(id((i * 7 + k * k) % 400)), 0, 1 + (k % 3), DAYS[0], DAYS[k], 1);
  return builder.take();
});
measure("tallies: 2,000 times addAll of 10", 20_000, () => {
  for (const tallies of small) cut.addAll(tallies);
});

function rankings(count, customers) {
  const builder = new RankingBuilder();
  const slots = Array.from({ length: 10 }, (_, s) => ({ item: s, isOrder: false }));
  for (let r = 0; r < count; r++)
    builder.push(
      id(Math.floor(random() * customers)),
      DAYS[Math.floor(random() * DAYS.length)],
      `ranking-${Math.floor(random() * 1e9)}`,
      slots,
    );
  return [...builder.take(1)].map(({ value }) => value);
}

const joins = (name, timelines, some, right) => {
  const { length } = joinHistories({ left: [timelines], right }, some).joined.rankings.days;
  measure(name, length, () => joinHistories({ left: [timelines], right }, some));
};
const shown = [rankings(3000, 400), rankings(3000, 400)].flat();
joins("join: 6,000 rankings, 40,000 actions", settled, window, shown);
const long = mergeTimelines(batches(window, 80, 5000, 400, anyTime), window);
joins("join: 6,000 rankings, 400,000 actions", long, window, shown);
const lagging = new Window({ ...DEFAULT_RULES, days: DAYS, orderLagDays: 2 });
joins("join: the same, orders lag", mergeTimelines(batches(lagging, 80, 5000, 400, anyTime), lagging), lagging, shown);
joins("join: 100,000 rankings of one customer", settled, window, rankings(100_000, 1));

const types = Uint8Array.from({ length: 100_000 }, () => (random() < 0.9 ? 1 : random() < 0.9 ? 2 : 3));
measure("metrics: 100 histories of 1,000 actions", 100_000, () => {
  const metrics = new Metrics();
  for (let g = 0; g < 100; g++) metrics.add(types, g * 1000, (g + 1) * 1000, 1000, 10, "2025-08-16");
  return metrics.toJSON();
});
measure("metrics: 1,000 histories of 100 actions", 100_000, () => {
  const metrics = new Metrics();
  for (let g = 0; g < 1000; g++) metrics.add(types, g * 100, (g + 1) * 100, 1000, 10, "2025-08-16");
  return metrics.toJSON();
});

encodes(joinHistories({ left: [long], right: shown }, window).joined, DAYS[0]);
scans({ ...DEFAULT_RULES, buckets: 4, shards: 1 }).then(sampleAll);
