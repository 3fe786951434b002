import { ActionBuilder } from "../../transforms/actions";
import { epochDay } from "../../transforms/calendar";
import { type Cell, EpochDay, Moment } from "../../transforms/cells";
import { ActionNormaliser, RankingNormaliser, type Source } from "../../transforms/normalise";
import { RankingBuilder } from "../../transforms/rankings";
import { type ActionTable, DEFAULT_RULES, DEFAULT_TABLES, type Rules } from "../../transforms/rules";
import { plainRankings } from "./plain";

const [CLICKS, CARTS, ORDERS] = DEFAULT_TABLES;
const micros = (text: string): number => Date.parse(`${text}Z`) * 1000;
const dayOf = (text: string): number => epochDay(Number(text.slice(0, 4)), Number(text.slice(5, 7)), Number(text.slice(8)))!;
const json = (text: string): Cell | undefined => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
const NDJSON: Source = { partition: {}, csv: false, json };
const CSV: Source = { partition: {}, csv: true, json };
const inFolder = (partition: Record<string, string>): Source => ({ ...NDJSON, partition });

type Row = Record<string, Cell>;

/** The action that a row becomes, or the reason why none. */
function action(table: ActionTable, row: Row, some: Partial<Rules> = {}, source = NDJSON) {
  const out = new ActionBuilder();
  const normaliser = new ActionNormaliser(table, { ...DEFAULT_RULES, ...some }, out);
  const reason = normaliser.take(
    normaliser.columns.map((name) => row[name]),
    source,
  );
  if (reason !== undefined) {
    expect(out.length).toBe(0);
    return reason;
  }
  const [{ value }] = [...out.take(1)];
  return { customer: value.customers[0], item: value.items[0], time: value.times[0], type: value.types[0], ownDay: value.ownDays[0] };
}

function ranking(row: Row, source = NDJSON, some: Partial<Rules> = {}) {
  const out = new RankingBuilder();
  const normaliser = new RankingNormaliser({ ...DEFAULT_RULES, ...some }, out);
  const reason = normaliser.take(
    normaliser.columns.map((name) => row[name]),
    source,
  );
  if (reason !== undefined) {
    expect(out.length).toBe(0);
    return reason;
  }
  const batches = [...out.take(1)].map(({ value }) => value);
  return batches.length === 0 ? { outside: normaliser.outside } : plainRankings(batches[0])[0];
}

const click = { customer_id: 1, item_id: 2, click_time: "2025-08-16 10:00:00" };
const cart = { customer_id: 1, config_id: 2, occurred_at: "2025-08-16 10:00:00", simple_id: 9 };
const order = { customer_id: 1, config_id: 2, order_date: "2025-08-16" };
const TEN = micros("2025-08-16T10:00:00");
const ZERO = micros("2025-08-16T00:00:00");

test.each([
  ["click", CLICKS, click, { customer: 1n, item: 2n, time: TEN, type: 1, ownDay: 0 }],
  ["add-to-cart", CARTS, cart, { customer: 1n, item: 2n, time: TEN, type: 2, ownDay: 0 }],
  ["order", ORDERS, order, { customer: 1n, item: 2n, time: ZERO, type: 3, ownDay: 0 }],
])("a row of each table: %s", (_, table, row, expected) => expect(action(table, row)).toEqual(expected));

test("an order's time is the midnight of its date in the zone", () => {
  expect(action(ORDERS, order, { timezone: "Europe/Berlin" })).toMatchObject({ time: ZERO - 2 * 3600e6 });
  expect(action(ORDERS, { ...order, order_date: new EpochDay(dayOf("2025-08-16")) })).toMatchObject({ time: ZERO });
});

test("--order-time occurred-at takes the order's own time, and asks for nothing else", () => {
  const { order_date: _, ...timed } = { ...order, occurred_at: "2025-08-16 10:00:00" };
  expect(action(ORDERS, timed, { orderTime: "occurred-at" })).toMatchObject({ time: TEN, ownDay: 0 });
  expect(action(ORDERS, { ...order, occurred_at: "2025-08-16 10:00:00" })).toMatchObject({ time: ZERO });
  expect(action(ORDERS, order, { orderTime: "occurred-at" })).toBe("occurred_at: not a timestamp");
});

test.each(["dt", "both"] as const)("--action-clock %s reads the action's own day", (actionClock) => {
  expect(action(CLICKS, { ...click, dt: "2025-08-17" }, { actionClock })).toMatchObject({ time: TEN, ownDay: dayOf("2025-08-17") });
  expect(action(CARTS, { ...cart, dt: "dt=2025-08-15" }, { actionClock })).toMatchObject({ ownDay: dayOf("2025-08-15") });
  expect(action(ORDERS, order, { actionClock })).toMatchObject({ ownDay: dayOf("2025-08-16"), time: ZERO });
  expect(action(CLICKS, click, { actionClock })).toBe("dt: not a date");
});

test.each<[string, ActionTable, Partial<Rules>, string[]]>([
  ["clicks", CLICKS, {}, ["click_time", "customer_id", "item_id"]],
  ["add-to-carts", CARTS, {}, ["config_id", "customer_id", "occurred_at"]],
  ["orders", ORDERS, {}, ["config_id", "customer_id", "order_date"]],
  ["clicks by dt", CLICKS, { actionClock: "dt" }, ["click_time", "customer_id", "dt", "item_id"]],
  ["clicks by both", CLICKS, { actionClock: "both" }, ["click_time", "customer_id", "dt", "item_id"]],
  ["orders by dt", ORDERS, { actionClock: "dt" }, ["config_id", "customer_id", "order_date"]],
  ["orders by their time", ORDERS, { orderTime: "occurred-at" }, ["config_id", "customer_id", "occurred_at"]],
  [
    "orders by their time and dt",
    ORDERS,
    { orderTime: "occurred-at", actionClock: "dt" },
    ["config_id", "customer_id", "occurred_at", "order_date"],
  ],
  ["clicks whatever the time of orders", CLICKS, { orderTime: "occurred-at" }, ["click_time", "customer_id", "item_id"]],
])("columns that are read: %s", (_, table, some, columns) => {
  expect([...new ActionNormaliser(table, { ...DEFAULT_RULES, ...some }, new ActionBuilder()).columns].sort()).toEqual(columns);
});

test("columns that are read: impressions", () => {
  const { columns } = new RankingNormaliser(DEFAULT_RULES, new RankingBuilder());
  expect([...columns].sort()).toEqual(["customer_id", "dt", "impressions", "ranking_id"]);
});

test("a table of the user's own: its columns, its code, a date for a time", () => {
  const views: ActionTable = { name: "views", type: 127, customer: "user", item: "sku", time: "at", dt: "day", date: null };
  expect(action(views, { user: "5", sku: -1, at: "2025-08-16T10:00:00Z" })).toEqual({
    customer: 5n,
    item: -1n,
    time: TEN,
    type: 127,
    ownDay: 0,
  });
  const returns: ActionTable = { ...views, type: 4, date: "day" };
  // --order-time is about orders only
  expect(action(returns, { user: 5, sku: 0, day: "2025-08-16" }, { orderTime: "occurred-at" })).toMatchObject({ time: ZERO, type: 4 });
});

test.each<[string, Row, string]>([
  ["customer", { ...click, customer_id: "x" }, "customer_id: not a 64-bit integer"],
  ["customer missing", { ...click, customer_id: undefined }, "customer_id: not a 64-bit integer"],
  ["time", { ...click, click_time: "x" }, "click_time: not a timestamp"],
  ["item", { ...click, item_id: 1.5 }, "item_id: not a 64-bit integer"],
])("a bad %s is a reject that names its column", (_, row, reason) => expect(action(CLICKS, row)).toBe(reason));

test("a bad order date is a reject", () => expect(action(ORDERS, { ...order, order_date: "2025-02-30" })).toBe("order_date: not a date"));

test("numbers are timestamps only with a unit; digits in text only in CSV", () => {
  const row = { ...click, click_time: TEN / 1000 };
  const text = { ...click, click_time: String(TEN / 1000) };
  expect(action(CLICKS, row)).toBe("click_time: not a timestamp");
  expect(action(CLICKS, row, { timeUnit: "ms" })).toMatchObject({ time: TEN });
  expect(action(CLICKS, text, { timeUnit: "ms" })).toBe("click_time: not a timestamp");
  expect(action(CLICKS, text, { timeUnit: "ms" }, CSV)).toMatchObject({ time: TEN });
  expect(action(CLICKS, text, {}, CSV)).toBe("click_time: not a timestamp");
});

test("moments of Parquet", () => {
  const wall = { ...click, click_time: new Moment(BigInt(TEN), true) };
  expect(action(CLICKS, wall, { timezone: "Europe/Berlin" })).toMatchObject({ time: TEN - 2 * 3600e6 });
});

test("folders supply columns that the file lacks", () => {
  const { order_date: _, ...undated } = order;
  expect(action(ORDERS, undated, {}, inFolder({ order_date: "2025-08-16" }))).toMatchObject({ time: ZERO });
  const { customer_id: __, ...anybody } = click;
  expect(action(CLICKS, anybody, {}, inFolder({ customer_id: "17" }))).toMatchObject({ customer: 17n });
});

test.each<[string, Cell, string, boolean]>([
  ["the same text", "2025-08-16", "2025-08-16", true],
  ["the same day, spelled otherwise", "dt=2025-08-16", "2025-08-16", true],
  ["the same day of Parquet", new EpochDay(dayOf("2025-08-16")), "2025-08-16", true],
  ["another day", "2025-08-17", "2025-08-16", false],
])("a column both in the file and in the folder's name: %s", (_, own, folder, agrees) => {
  const { dt: __, ...row } = impressions;
  const got = ranking({ ...row, dt: own }, inFolder({ dt: folder }));
  if (agrees) expect(got).toMatchObject({ day: dayOf("2025-08-16") });
  else expect(got).toBe("dt: not the one of its folder");
});

test.each<[Cell, boolean]>([
  [17, true],
  [17n, true],
  ["17", true],
  [18, false],
  ["017", false],
  [true, false],
])("a customer %p in the folder customer_id=17", (own, agrees) => {
  const got = action(CLICKS, { ...click, customer_id: own }, {}, inFolder({ customer_id: "17" }));
  if (agrees) expect(got).toMatchObject({ customer: 17n });
  else expect(got).toBe("customer_id: not the one of its folder");
});

const impressions = {
  dt: "2025-08-16",
  ranking_id: "r",
  customer_id: 1,
  impressions: [
    { item_id: 5, is_order: false },
    { item_id: "6", is_order: true },
  ] as Cell,
};
const SLOTS = [
  { item: 5n, isOrder: false },
  { item: 6n, isOrder: true },
];
const RANKING = { customer: 1n, day: dayOf("2025-08-16"), id: "r", slots: SLOTS };

test("a row of impressions is a ranking with its slots in order", () => expect(ranking(impressions)).toEqual(RANKING));

test("impressions may be JSON text", () => {
  const text = JSON.stringify(impressions.impressions);
  expect(ranking({ ...impressions, impressions: text })).toEqual(RANKING);
  expect(ranking({ ...impressions, impressions: text }, CSV)).toEqual(RANKING);
  expect(ranking({ ...impressions, impressions: text }, { partition: {}, csv: false })).toBe("impressions: impressions are not JSON");
});

test.each<[string, Row, string]>([
  ["id missing", { ranking_id: undefined }, "ranking_id: no ranking_id"],
  ["id empty", { ranking_id: "" }, "ranking_id: no ranking_id"],
  ["id a number", { ranking_id: 5 }, "ranking_id: no ranking_id"],
  ["id with half a character", { ranking_id: "\ud800" }, "ranking_id: not UTF-8"],
  ["no list", { impressions: { item_id: 1 } }, "impressions: impressions are not a list"],
  ["missing list", { impressions: undefined }, "impressions: impressions are not a list"],
  ["empty list", { impressions: [] }, "impressions: no impressions"],
  ["text that is no JSON", { impressions: "[" }, "impressions: impressions are not JSON"],
  ["text that is no list", { impressions: "1" }, "impressions: impressions are not a list"],
  ["slot no object", { impressions: [1] }, "impressions: is_order is not a boolean"],
  ["slot null", { impressions: [null] }, "impressions: is_order is not a boolean"],
  ["is_order missing", { impressions: [{ item_id: 1 }] }, "impressions: is_order is not a boolean"],
  ["is_order a number", { impressions: [{ item_id: 1, is_order: 1 }] }, "impressions: is_order is not a boolean"],
  ["is_order text", { impressions: [{ item_id: 1, is_order: "true" }] }, "impressions: is_order is not a boolean"],
  ["item missing", { impressions: [{ is_order: true }] }, "impressions: not a 64-bit integer"],
  ["item fraction", { impressions: [{ item_id: 1.5, is_order: true }] }, "impressions: not a 64-bit integer"],
  ["second slot bad", { impressions: [{ item_id: 1, is_order: true }, {}] }, "impressions: is_order is not a boolean"],
  ["day", { dt: "2025-02-30" }, "dt: not a date"],
  ["customer", { customer_id: null }, "customer_id: not a 64-bit integer"],
])("impressions that are rejects: %s", (_, some, reason) => expect(ranking({ ...impressions, ...some })).toBe(reason));

test.each<[unknown, boolean | undefined]>([
  ["true", true],
  ["TRUE", true],
  ["1", true],
  [1, true],
  [true, true],
  ["False", false],
  ["0", false],
  [0, false],
  [false, false],
  ["yes", undefined],
  ["", undefined],
  [2, undefined],
  [null, undefined],
  [undefined, undefined],
])("is_order %p in CSV", (isOrder, expected) => {
  const got = ranking({ ...impressions, impressions: JSON.stringify([{ item_id: 1, is_order: isOrder }]) }, CSV);
  if (expected === undefined) expect(got).toBe("impressions: is_order is not a boolean");
  else expect(got).toMatchObject({ slots: [{ item: 1n, isOrder: expected }] });
});

test("rankings of other days are counted, unless any day is wanted; rejects come first", () => {
  const days = [dayOf("2025-08-15")];
  expect(ranking(impressions, NDJSON, { days })).toEqual({ outside: { rows: 1, oldest: RANKING.day, newest: RANKING.day } });
  expect(ranking({ ...impressions, dt: "2025-08-15" }, NDJSON, { days })).toMatchObject({ day: days[0] });
  expect(ranking({ ...impressions, customer_id: "x" }, NDJSON, { days })).toBe("customer_id: not a 64-bit integer");
});

test("rows with an item 0 are taken and counted, each once", () => {
  const clicks = new ActionNormaliser(CLICKS, DEFAULT_RULES, new ActionBuilder());
  const take = (item: Cell) =>
    clicks.take(
      clicks.columns.map((name) => ({ ...click, item_id: item })[name as keyof typeof click]),
      NDJSON,
    );
  for (const item of [0, "0", 0n, -0, 1]) expect(take(item)).toBeUndefined();
  expect(clicks.zeroItems).toBe(4);
  const shown = new RankingNormaliser(DEFAULT_RULES, new RankingBuilder());
  const zeros = [0, 0, 1].map((item_id) => ({ item_id, is_order: true }));
  const row = { ...impressions, impressions: zeros };
  for (const list of [zeros, zeros.slice(2)])
    expect(
      shown.take(
        shown.columns.map((name) => ({ ...row, impressions: list })[name as keyof typeof row]),
        NDJSON,
      ),
    ).toBeUndefined();
  expect(shown.zeroItems).toBe(1);
});

test("an error that is no rejection is not taken for one", () => {
  const broken: Source = {
    ...NDJSON,
    json: () => {
      throw new TypeError("a bug");
    },
  };
  expect(() => ranking({ ...impressions, impressions: "[]" }, broken)).toThrow(TypeError);
});
