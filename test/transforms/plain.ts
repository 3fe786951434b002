/** Actions and rankings as plain objects, and SPEC.md's rule in its plainest form, to compare the columns and kernels with. */
import fc from "fast-check";
import { load } from "../../beam/spill";
import { type ActionBatch, ActionBuilder } from "../../transforms/actions";
import { Calendar, DAY_MICROS } from "../../transforms/calendar";
import type { Joined } from "../../transforms/joined";
import type { Place } from "../../transforms/ledger";
import { type RankingBatch, RankingBuilder, type Slot } from "../../transforms/rankings";
import { DEFAULT_RULES, ORDER, type Rules } from "../../transforms/rules";

export interface Action {
  customer: bigint;
  item: bigint;
  /** microseconds */
  time: number;
  type: number;
  ownDay: number;
}

export interface Ranking {
  customer: bigint;
  day: number;
  id: string;
  slots: Slot[];
}

const NO_ACTIONS: ActionBatch = {
  customers: new BigInt64Array(0),
  items: new BigInt64Array(0),
  times: new Float64Array(0),
  types: new Uint8Array(0),
  ownDays: new Int32Array(0),
};

/** All actions as one batch. */
export function actionBatch(actions: readonly Action[]): ActionBatch {
  const builder = new ActionBuilder();
  for (const { customer, item, time, type, ownDay } of actions) builder.push(customer, item, time, type, ownDay);
  return [...builder.take(1)][0]?.value ?? NO_ACTIONS;
}

/** All rankings as one batch, none if there are none. */
export function rankingBatches(rankings: readonly Ranking[]): RankingBatch[] {
  const builder = new RankingBuilder();
  for (const { customer, day, id, slots } of rankings) builder.push(customer, day, id, slots);
  return [...builder.take(1)].map(({ value }) => value);
}

/** The rankings of a batch, in its order. */
export function plainRankings({ customers, days, idStarts, idBytes, slotStarts, slotItems, slotOrders }: RankingBatch): Ranking[] {
  return Array.from(days, (day, r) => ({
    customer: customers[r],
    day,
    id: Buffer.from(idBytes.subarray(idStarts[r], idStarts[r + 1])).toString(),
    slots: Array.from({ length: slotStarts[r + 1] - slotStarts[r] }, (_, s) => ({
      item: slotItems[slotStarts[r] + s],
      isOrder: slotOrders[slotStarts[r] + s] === 1,
    })),
  }));
}

/** Every ranking with its history, in the order of the join. */
export function joinedRows({ rankings: batch, rankingStarts, historyStarts, historyEnds, actions, customers, days }: Joined) {
  const { items, types, times } = load(actions);
  const all = plainRankings(batch);
  return Array.from(days, (day, g) => {
    const history = Array.from({ length: historyEnds[g] - historyStarts[g] }, (_, i) => {
      const row = historyStarts[g] + i;
      return { item: items[row], type: types[row], ...(times.length === 0 ? {} : { time: times[row] }) };
    });
    return all.slice(rankingStarts[g], rankingStarts[g + 1]).map((ranking) => {
      expect([ranking.customer, ranking.day]).toEqual([customers[g], day]);
      return { ranking, history };
    });
  }).flat();
}

/** SPEC.md, Rule 1 and 2: does day `day` see the action? */
export function sees(rules: Rules, { time, type, ownDay }: Action, day: number): boolean {
  const { midnight } = midnights(rules.timezone);
  const lag = type === ORDER ? rules.orderLagDays : 0;
  const beforeTime = time < midnight(day - lag);
  const beforeDay = ownDay < day - lag;
  const late = rules.actionClock === "time" ? beforeTime : rules.actionClock === "dt" ? beforeDay : beforeTime && beforeDay;
  return late && (rules.lookbackDays === null || time >= midnight(day - rules.lookbackDays));
}

const midnights = (timezone: string) => {
  const calendar = new Calendar(timezone);
  return { midnight: (day: number) => calendar.midnight(day) };
};

const descending = (a: bigint | number, b: bigint | number): number => (a < b ? 1 : a > b ? -1 : 0);

/** SPEC.md, Rule 3: newest first; equal times by type, then item, both descending. */
export const newestFirst = (a: Action, b: Action): number =>
  descending(a.time, b.time) || descending(a.type, b.type) || descending(a.item, b.item);

export type Places = Record<string, Partial<Record<Place, number>>>;

/** The whole rule, one action and one ranking at a time. */
export function naiveJoin(rules: Rules, actions: readonly Action[], rankings: readonly Ranking[]) {
  const history = (customer: bigint, day: number): Action[] =>
    actions
      .filter((action) => action.customer === customer && sees(rules, action, day))
      .sort(newestFirst)
      .slice(0, rules.historyLength);
  const rows = rankings.map((ranking) => ({ ranking, history: history(ranking.customer, ranking.day) }));
  const places: Places = {};
  const put = (table: string, where: Place) => {
    places[table] ??= {};
    places[table][where] = (places[table][where] ?? 0) + 1;
  };
  for (const row of rows) put("impressions", rules.dropEmptyHistory && row.history.length === 0 ? "without history" : "used");
  for (const action of actions) {
    const table = rules.tables.find(({ type }) => type === action.type)!.name;
    const own = rankings.filter(({ customer }) => customer === action.customer);
    if (own.length === 0) put(table, "customer never shown");
    else if (!own.some(({ day }) => sees(rules, action, day))) put(table, "outside every window");
    else if (rows.some((row) => row.history.includes(action))) put(table, "used");
    else put(table, "beyond the history length");
  }
  return { rows: rows.filter(({ history: { length } }) => length > 0 || !rules.dropEmptyHistory), places };
}

/** The day around which random data lies: a clock change of Europe/Berlin. */
export const SOME_DAY = Date.UTC(2025, 2, 30) / 86_400_000;

/** Ids that meet, and ids that a float or one half of the bits cannot tell apart. */
export const ids = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(0n, 1n, 2n) },
  fc.constantFrom(-1n, 2n ** 32n + 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n), -(2n ** 32n)),
);

/** Mostly the same two customers, so that they have much to sort and cut. */
const customers = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(1n, 1n, 1n, 2n) }, ids);

/** Times that tie, that stand on midnights of UTC and Berlin, a microsecond to each side, or anywhere. */
const times = fc.oneof(
  fc
    .tuple(fc.integer({ min: -4, max: 4 }), fc.constantFrom(0, -1, -2), fc.constantFrom(-1, 0, 1))
    .map(([day, hours, micros]) => (SOME_DAY + day) * DAY_MICROS + hours * 3600e6 + micros),
  fc.integer({ min: (SOME_DAY - 4) * DAY_MICROS, max: (SOME_DAY + 4) * DAY_MICROS }),
);
export const days = fc.integer({ min: -3, max: 4 }).map((day) => SOME_DAY + day);

export const actions = (most = 40) =>
  fc.array(
    fc.record({
      customer: customers,
      item: ids,
      time: times,
      type: fc.constantFrom(1, 2, 3, 3),
      ownDay: days,
    }) satisfies fc.Arbitrary<Action>,
    { maxLength: most },
  );

export const rankings = fc.array(
  fc.record({
    customer: customers,
    day: days,
    id: fc.constantFrom("a", "b", "ab", "ä", "\u{1F600}", "\uFB03"),
    slots: fc.array(fc.record({ item: ids, isOrder: fc.boolean() }), { minLength: 1, maxLength: 3 }),
  }) satisfies fc.Arbitrary<Ranking>,
  { maxLength: 10 },
);

export const rules: fc.Arbitrary<Rules> = fc
  .record({
    historyLength: fc.constantFrom(1, 2, 3, 5, 100),
    lookbackDays: fc.constantFrom(null, 0, 1, 2, 3, 365),
    timezone: fc.constantFrom("UTC", "Europe/Berlin"),
    orderLagDays: fc.constantFrom(0, 0, 1, 2),
    actionClock: fc.constantFrom("time", "dt", "both"),
    dropEmptyHistory: fc.boolean(),
    keepTimes: fc.boolean(),
  })
  .map((some) => ({ ...DEFAULT_RULES, ...some }) as Rules);

/** The distinct days of rankings, ascending, as a run that knows its days has them. */
export const daysOf = (given: readonly Ranking[]): number[] => [...new Set(given.map(({ day }) => day))].sort((a, b) => a - b);
