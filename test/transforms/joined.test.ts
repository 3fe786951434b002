import fc from "fast-check";
import { load } from "../../beam/spill";
import { applyWindow, Window } from "../../transforms/bounds";
import { compareSlots, type Joined, type JoinResult, joinHistories } from "../../transforms/joined";
import { RecentActions } from "../../transforms/recent";
import { DEFAULT_RULES, type Rules } from "../../transforms/rules";
import type { Timelines } from "../../transforms/timelines";
import {
  type Action,
  actionBatch,
  actions,
  daysOf,
  naiveJoin,
  plainRankings,
  type Ranking,
  rankingBatches,
  rankings,
  rules,
  SOME_DAY,
} from "./plain";
import { settled } from "./runs";

jest.setTimeout(30_000);

/** One bucket's way through the pipeline: windowed, combined in two halves, joined. */
function joined(some: Rules, given: readonly Action[], shown: readonly Ranking[]): JoinResult {
  const window = new Window(some);
  const fn = new RecentActions(some);
  const half = Math.floor(given.length / 2);
  const parts = [given.slice(0, half), given.slice(half)].map((part) =>
    fn.addInput(fn.createAccumulator(), applyWindow(actionBatch(part), window)),
  );
  const left = given.length === 0 ? [] : [settled(fn, fn.mergeAccumulators(parts), some)];
  const right = [...rankingBatches(shown.slice(0, 3)), ...rankingBatches(shown.slice(3))];
  return joinHistories({ left, right }, window);
}

/** Every ranking with its history, in the order of the join. */
function rowsOf({ rankings: batch, rankingStarts, historyStarts, historyEnds, actions, customers, days }: Joined) {
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

const compare = (a: bigint | number, b: bigint | number): number => (a < b ? -1 : a > b ? 1 : 0);

/** Customer, day, bytes of the ranking's id, slots. */
function inOrder(a: Ranking, b: Ranking): number {
  const ids = compare(a.customer, b.customer) || a.day - b.day || Buffer.compare(Buffer.from(a.id), Buffer.from(b.id));
  if (ids !== 0) return ids;
  for (let s = 0; s < Math.min(a.slots.length, b.slots.length); s++) {
    const order = compare(a.slots[s].item, b.slots[s].item) || Number(a.slots[s].isOrder) - Number(b.slots[s].isOrder);
    if (order !== 0) return order;
  }
  return a.slots.length - b.slots.length;
}

const places = ({ ledger }: JoinResult) => Object.fromEntries(Object.entries(ledger).map(([table, counts]) => [table, counts.places]));

function expectedOf(some: Rules, given: readonly Action[], shown: readonly Ranking[]) {
  const naive = naiveJoin(some, given, shown);
  const rows = naive.rows
    .toSorted((a, b) => inOrder(a.ranking, b.ranking))
    .map(({ ranking, history }) => ({
      ranking,
      history: history.map(({ item, type, time }) => ({ item, type, ...(some.keepTimes ? { time } : {}) })),
    }));
  return { rows, places: naive.places, used: usedBy(naive.rows) };
}

/** Of each day and type: the times of the oldest and the newest action in any history. */
function usedBy(rows: ReturnType<typeof naiveJoin>["rows"]) {
  const used = rows.flatMap(({ ranking: { day }, history }) => history.map(({ type, time }) => ({ day, type, time })));
  return [...Map.groupBy(used, ({ day, type }) => `${day} ${type}`).values()]
    .map((same) => [same[0].day, same[0].type, Math.min(...same.map(({ time }) => time)), Math.max(...same.map(({ time }) => time))])
    .sort(([day, type], [otherDay, otherType]) => day - otherDay || type - otherType);
}

function expectJoin(some: Rules, given: readonly Action[], shown: readonly Ranking[]): void {
  const result = joined(some, given, shown);
  const { rows, places: expected, used } = expectedOf(some, given, shown);
  expect(rowsOf(result.joined)).toEqual(rows);
  expect(places(result)).toEqual(expected);
  const { days, types, oldest, newest } = result.joined.used;
  expect(Array.from(days, (day, i) => [day, types[i], oldest[i], newest[i]])).toEqual(used);
}

test("the rule: filter, sort, cut, for each ranking on its own; and each row in its place of the ledger", () =>
  fc.assert(
    fc.property(rules, actions(), rankings, (some, given, shown) => expectJoin({ ...some, days: daysOf(shown) }, given, shown)),
    { numRuns: 600 },
  ));

test("days that are not known beforehand give the same", () =>
  fc.assert(
    fc.property(rules, actions(), rankings, (some, given, shown) => expectJoin({ ...some, days: null }, given, shown)),
    {
      numRuns: 300,
    },
  ));

test("days of a run on which nothing was shown change nothing", () =>
  fc.assert(
    fc.property(rules, actions(), rankings, (some, given, shown) => {
      const all = Array.from({ length: 12 }, (_, i) => SOME_DAY - 6 + i);
      expectJoin({ ...some, days: all }, given, shown);
    }),
    { numRuns: 200 },
  ));

/** One customer, clocks and lags that make orders and the rest enter histories at different times. */
test("orders that lag behind leave gaps in the timeline, and histories are still right", () =>
  fc.assert(
    fc.property(
      actions(60).map((given) => given.map((action) => ({ ...action, customer: 1n }))),
      rankings.map((shown) => shown.map((ranking) => ({ ...ranking, customer: 1n }))),
      fc.constantFrom(1, 3, 8),
      fc.constantFrom<Rules["actionClock"]>("time", "dt", "both"),
      fc.boolean(),
      (given, shown, historyLength, actionClock, keepTimes) =>
        expectJoin({ ...DEFAULT_RULES, historyLength, actionClock, keepTimes, orderLagDays: 2, days: daysOf(shown) }, given, shown),
    ),
    { numRuns: 200 },
  ));

const CUTOFF = SOME_DAY * 86_400e6;
const click = (item: bigint, hoursBefore: number, type = 1): Action => ({
  customer: 1n,
  item,
  time: CUTOFF - hoursBefore * 3600e6,
  type,
  ownDay: SOME_DAY - 1,
});
const shown = (id = "r", customer = 1n): Ranking => ({ customer, day: SOME_DAY, id, slots: [{ item: 5n, isOrder: false }] });
const histories = (some: Partial<Rules>, given: Action[], rankingsShown = [shown()]) =>
  rowsOf(joined({ ...DEFAULT_RULES, days: [SOME_DAY], ...some }, given, rankingsShown).joined).map(({ history }) =>
    history.map(({ item }) => item),
  );

test.each([1, 2, 3, 4, 5])("a history of length %p of three actions", (historyLength) => {
  expect(histories({ historyLength }, [click(1n, 3), click(2n, 2), click(3n, 1)])).toEqual([[3n, 2n, 1n].slice(0, historyLength)]);
});

test("an item 0 and the same item twice stay in a history", () => {
  expect(histories({}, [click(0n, 1), click(0n, 1), click(7n, 2), click(7n, 2)])).toEqual([[0n, 0n, 7n, 7n]]);
});

test("an action on the cutoff is out, a microsecond before it is in", () => {
  const late = { ...click(2n, 0), time: CUTOFF - 1 };
  expect(histories({}, [click(1n, 0), late])).toEqual([[2n]]);
});

test("an order of the day itself is out, one of the day before is in", () => {
  expect(histories({}, [click(1n, 0, 3), click(2n, 24, 3)])).toEqual([[2n]]);
});

test("the start of the lookback is in, a microsecond before is out", () => {
  expect(histories({ lookbackDays: 1 }, [click(1n, 24), { ...click(2n, 24), time: CUTOFF - 86_400e6 - 1 }])).toEqual([[1n]]);
});

test("duplicate rankings stay, and all of a customer's day share one history", () => {
  const { joined: result } = joined({ ...DEFAULT_RULES, days: [SOME_DAY] }, [click(1n, 1)], [shown("b"), shown("a"), shown("b")]);
  expect(result.days.length).toBe(1);
  expect(plainRankings(result.rankings).map(({ id }) => id)).toEqual(["a", "b", "b"]);
});

test("a customer without actions keeps their rows; --drop-empty-history leaves them out", () => {
  const both = [shown("r", 1n), shown("s", 2n)];
  expect(histories({}, [click(1n, 1)], both)).toEqual([[1n], []]);
  expect(histories({}, [], both)).toEqual([[], []]);
  const dropped = joined({ ...DEFAULT_RULES, days: [SOME_DAY], dropEmptyHistory: true }, [click(1n, 1)], both);
  expect(rowsOf(dropped.joined).map(({ ranking: { id } }) => id)).toEqual(["r"]);
  expect(places(dropped)).toEqual({ impressions: { used: 1, "without history": 1 }, clicks: { used: 1 } });
});

test("a bucket without rankings has no rows; its actions are of customers never shown", () => {
  const none = joined({ ...DEFAULT_RULES, days: [SOME_DAY], historyLength: 1 }, [click(1n, 1), click(2n, 2), click(3n, -1)], []);
  expect(rowsOf(none.joined)).toEqual([]);
  expect(places(none)).toEqual({ clicks: { "customer never shown": 3 } });
});

test("actions of a type without a table are placed under their code", () => {
  const other = joined({ ...DEFAULT_RULES, days: [SOME_DAY] }, [click(1n, 1, 99)], [shown()]);
  expect(places(other)).toMatchObject({ "type 99": { used: 1 } });
});

test("two timelines for one bucket are an error, since CombinePerKey gives one", () => {
  const fn = new RecentActions(DEFAULT_RULES);
  const timelines: Timelines = settled(fn, fn.createAccumulator(), DEFAULT_RULES);
  expect(() => joinHistories({ left: [timelines, timelines], right: [] }, new Window(DEFAULT_RULES))).toThrow("2 timelines");
});

test("compareSlots: by item, then is_order, and the beginning of a list before the list", () =>
  fc.assert(
    fc.property(rankings, (given) => {
      fc.pre(given.length >= 2);
      const same = given.map(({ slots }) => ({ ...shown(), slots }));
      const [batch] = rankingBatches(same);
      expect(Math.sign(compareSlots(batch, 0, 1))).toBe(Math.sign(inOrder(same[0], same[1])));
    }),
  ));
