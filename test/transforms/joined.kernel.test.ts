import fc from "fast-check";
import { load } from "../../beam/spill";
import { applyWindow, Window } from "../../transforms/bounds";
import { joinBucket } from "../../transforms/joinbucket";
import { joinHistories } from "../../transforms/joined";
import type { Place } from "../../transforms/ledger";
import type { Rules } from "../../transforms/rules";
import { mergeTimelines, type Timelines } from "../../transforms/timelines";
import { manyActions, manyRankings, manyRules, parted } from "./bulk";
import { type Action, actionBatch, plainRankings, type Ranking, rankingBatches } from "./plain";

const compare = (a: bigint | number, b: bigint | number): number => (a < b ? -1 : a > b ? 1 : 0);
const slotsKey = ({ slots }: Ranking) => slots.map(({ item, isOrder }) => [BigInt(item), BigInt(isOrder)]);

function inOrder(a: Ranking, b: Ranking): number {
  const order = a.day - b.day || compare(a.customer, b.customer) || Buffer.compare(Buffer.from(a.id), Buffer.from(b.id));
  if (order !== 0) return order;
  const [x, y] = [slotsKey(a), slotsKey(b)];
  for (let s = 0; s < Math.min(x.length, y.length); s++) {
    const slot = compare(x[s][0], y[s][0]) || compare(x[s][1], y[s][1]);
    if (slot !== 0) return slot;
  }
  return x.length - y.length;
}

/** Every ranking looks at every row of its customer's timeline, and every row at every ranking. */
function naiveJoin(timelines: Timelines, rankings: readonly Ranking[], window: Window) {
  const { rules } = window;
  const rowsOf = (customer: bigint): number[] => {
    const c = timelines.customers.indexOf(customer);
    return c < 0 ? [] : Array.from({ length: timelines.starts[c + 1] - timelines.starts[c] }, (_, i) => timelines.starts[c] + i);
  };
  const historyOf = ({ customer, day }: Ranking): number[] =>
    rowsOf(customer)
      .filter((i) => timelines.firsts[i] <= day && timelines.times[i] >= window.start(day))
      .slice(0, rules.historyLength);
  const all = rankings.toSorted(inOrder).map((ranking) => ({ ranking, history: historyOf(ranking) }));
  const used = new Set(all.flatMap(({ history }) => history));
  const places: Record<string, Partial<Record<Place, number>>> = {};
  const put = (table: string, where: Place, n: number) => {
    places[table] ??= {};
    places[table][where] = (places[table][where] ?? 0) + n;
  };
  const placeUnused = (customer: bigint, type: number, first: number, last: number, n: number) => {
    const own = rankings.filter((ranking) => ranking.customer === customer);
    const missed = own.some(({ day }) => first <= day && day <= last);
    const where = own.length === 0 ? "customer never shown" : missed ? "beyond the history length" : "outside every window";
    put(rules.tables.find((table) => table.type === type)!.name, where, n);
  };
  for (const { history } of all) put("impressions", history.length === 0 && rules.dropEmptyHistory ? "without history" : "used", 1);
  for (const customer of timelines.customers)
    for (const i of rowsOf(customer)) {
      if (used.has(i)) put(rules.tables.find(({ type }) => type === timelines.types[i])!.name, "used", 1);
      else placeUnused(customer, timelines.types[i], timelines.firsts[i], window.last(timelines.times[i]), 1);
    }
  const { customers, types, firsts, lasts, counts } = timelines.tallies;
  for (let i = 0; i < counts.length; i++) placeUnused(customers[i], types[i], firsts[i], lasts[i], counts[i]);
  const rows = all.filter(({ history }) => history.length > 0 || !rules.dropEmptyHistory);
  return {
    places,
    rows: rows.map(({ ranking, history }) => ({
      ranking,
      history: history.map((i) => [timelines.items[i], timelines.types[i], rules.keepTimes ? timelines.times[i] : 0]),
    })),
  };
}

function fastJoin(timelines: Timelines, rankings: readonly Ranking[], window: Window) {
  const right = parted(rankings, 3).flatMap((part) => rankingBatches(part));
  const { joined, ledger } = joinHistories({ left: [timelines], right }, window);
  const { historyStarts, historyEnds, rankingStarts, actions, days, customers } = joined;
  const { items, types, times } = load(actions);
  const all = plainRankings(joined.rankings);
  const rows = Array.from(days, (day, g) => {
    const length = historyEnds[g] - historyStarts[g];
    const history = Array.from({ length }, (_, i) => historyStarts[g] + i).map((i) => [items[i], types[i], times[i] ?? 0]);
    const own = all.slice(rankingStarts[g], rankingStarts[g + 1]);
    for (const ranking of own) expect([ranking.customer, ranking.day]).toEqual([customers[g], day]);
    return own.map((ranking) => ({ ranking, history }));
  }).flat();
  const places = Object.fromEntries(Object.entries(ledger).map(([table, counts]) => [table, counts.places]));
  return { joined, outcome: { rows, places } };
}

const timelinesOf = (actions: Action[], window: Window) =>
  mergeTimelines(
    parted(actions, 2).map((part) => applyWindow(actionBatch(part), window)),
    window,
  );

test("joinHistories is equivalent to looking at every action for every ranking", () =>
  fc.assert(
    fc.property(manyActions(200), manyRankings(40), manyRules, (actions, rankings, rules) => {
      const window = new Window(rules);
      const timelines = timelinesOf(actions, window);
      expect(fastJoin(timelines, rankings, window).outcome).toEqual(naiveJoin(timelines, rankings, window));
    }),
    { numRuns: 400 },
  ));

test("actions cut by parts, where it is known that no ranking is before a day, give the same rows and places", () =>
  fc.assert(
    fc.property(manyActions(200), manyRankings(40), manyRules, fc.nat(2), (actions, rankings, rules, earlier) => {
      const window = new Window(rules);
      const firstDay = Math.min(...rankings.map(({ day }) => day)) - earlier;
      const cutting = new Window(rules, firstDay === Infinity ? undefined : firstDay);
      const cut = parted(actions, 3).map((part) => mergeTimelines([applyWindow(actionBatch(part), cutting)], cutting));
      const whole = fastJoin(timelinesOf(actions, window), rankings, window).outcome;
      const { rows, places } = fastJoin(mergeTimelines(cut, window), rankings, window).outcome;
      expect(rows).toEqual(whole.rows);
      // of actions that are alike but for their own days, any may be the one that is used
      if (rules.actionClock === "time") expect(places).toEqual(whole.places);
    }),
    { numRuns: 400 },
  ));

test("joinBucket is equivalent to merging and joining, bucket after bucket in the same memory", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(manyActions(200), manyRankings(40)), { minLength: 1, maxLength: 3 }),
      manyRules,
      async (buckets, rules) => {
        const window = new Window(rules);
        const inputs = buckets.map(([actions, rankings]) => {
          const parts = parted(actions, 2).map((part) => applyWindow(actionBatch(part), window));
          return { parts, right: rankingBatches(rankings) };
        });
        for (const { parts, right } of inputs) {
          const expected = joinHistories({ left: [mergeTimelines(parts, window)], right }, window);
          await joinBucket({ left: [{ parts, index: 0, of: 1 }], right, rules }, ({ joined, ledger }) => {
            expect(ledger).toEqual(expected.ledger);
            expect(joined).toEqual(expected.joined.days.length === 0 ? null : expected.joined);
          });
        }
      },
    ),
    { numRuns: 100 },
  ));

test("the order of rankings is one and the same however many a customer has on a day", () =>
  fc.assert(
    fc.property(manyRankings(150), manyRules, (rankings, rules) => {
      const window = new Window({ ...rules, dropEmptyHistory: false });
      const one = rankings.map((ranking) => ({ ...ranking, customer: 5n }));
      const { rows } = fastJoin(timelinesOf([], window), one, window).outcome;
      expect(rows.map(({ ranking }) => ranking)).toEqual(plainRankings(rankingBatches(one.toSorted(inOrder))[0] ?? EMPTY));
    }),
    { numRuns: 100 },
  ));

const EMPTY = {
  customers: new BigInt64Array(0),
  days: new Int32Array(0),
  idStarts: new Int32Array(1),
  idBytes: new Uint8Array(0),
  slotStarts: new Int32Array(1),
  slotItems: new BigInt64Array(0),
  slotOrders: new Uint8Array(0),
};

test("where all actions have one clock and no lag, no action is copied", () =>
  fc.assert(
    fc.property(manyActions(200), manyRankings(40), manyRules, (actions, rankings, some) => {
      const rules: Rules = { ...some, orderLagDays: 0, actionClock: "time" };
      const window = new Window(rules);
      const timelines = timelinesOf(actions, window);
      expect(load(fastJoin(timelines, rankings, window).joined.actions).items).toBe(timelines.items);
    }),
    { numRuns: 50 },
  ));
