import fc from "fast-check";
import { selectActions, selectDays, selectImpressions } from "../../pipeline/bigquery/select";
import type { Table } from "../../pipeline/bigquery/tables";
import { Window } from "../../transforms/bounds";
import { Calendar, dayName } from "../../transforms/calendar";
import { type ActionTable, DEFAULT_RULES, DEFAULT_TABLES, type Rules } from "../../transforms/rules";
import { type Field, Warehouse } from "./warehouse";

/** Random rows and rules: what a query leaves out, no day of the run has any use for, as the rule itself says of each row. */

let warehouse: Warehouse;
beforeAll(async () => {
  warehouse = await Warehouse.open();
});
afterAll(() => warehouse.close());

const table = (name: string, fields: Field[], more: Partial<Table> = {}): Table => ({
  name: { project: "project-1", dataset: "d", table: name },
  kind: "TABLE",
  location: "US",
  rows: undefined,
  fields,
  partitions: [],
  partitionUnit: undefined,
  wantsFilter: false,
  ...more,
});

const ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia", "America/Sao_Paulo", "Asia/Kathmandu"];
/** Around a day that Apia skipped and days whose midnight Sao Paulo skipped. */
const FIRST = Date.UTC(2011, 11, 1) / 86_400_000;
const day = fc.integer({ min: FIRST, max: FIRST + 60 });
const instant = fc
  .tuple(
    fc.integer({ min: FIRST - 5, max: FIRST + 65 }),
    fc.oneof(fc.constantFrom(0, 1, -1), fc.integer({ min: 0, max: 86_400_000_000 - 1 })),
  )
  .map(([each, micros]) => each * 86_400_000_000 + micros);

const rules = (table: ActionTable): fc.Arbitrary<Rules> =>
  fc.record({
    historyLength: fc.constant(5),
    lookbackDays: fc.option(fc.integer({ min: 0, max: 40 })),
    timezone: fc.constantFrom(...ZONES),
    timeUnit: fc.constant(null),
    orderTime: fc.constantFrom("order-date", "occurred-at"),
    orderLagDays: fc.integer({ min: 0, max: 5 }),
    actionClock: fc.constantFrom("time", "dt", "both"),
    dropEmptyHistory: fc.constant(false),
    days: fc.uniqueArray(day, { minLength: 1, maxLength: 4 }).map((days) => days.sort((a, b) => a - b)),
    tables: fc.constant([table]),
    buckets: fc.constant(1),
    shards: fc.constant(1),
    keepTimes: fc.constant(false),
    daysChosen: fc.constant(false),
  });

interface Row {
  micros: number;
  ownDay: number;
}
const rows: fc.Arbitrary<Row[]> = fc.array(fc.record({ micros: instant, ownDay: day }), { minLength: 1, maxLength: 60 });

/** Whether a day of the run sees the row. */
function seen(window: Window, { type }: ActionTable, time: number, ownDay: number): boolean {
  return window.rules.days!.some((each) => {
    const first = window.first(time, type, ownDay);
    return first <= each && each <= window.last(time);
  });
}

const SQL_TYPES: Record<string, (row: Row) => string> = {
  TIMESTAMP: ({ micros }) => `make_timestamptz(${micros})`,
  DATETIME: ({ micros }) => `make_timestamp(${micros})`,
  DATE: ({ ownDay }) => `DATE '${dayName(ownDay)}'`,
  STRING: ({ ownDay }) => `'${dayName(ownDay)}'`,
};

const [clicks, , orders] = DEFAULT_TABLES;

describe("actions that a query leaves out are seen by no day", () => {
  test.each<[string, ActionTable, string, string]>([
    ["clicks, with instants", clicks, "TIMESTAMP", "DATE"],
    ["clicks, with times of a wall clock", clicks, "DATETIME", "STRING"],
    ["orders, with dates", orders, "TIMESTAMP", "DATE"],
    ["orders, with dates as texts", orders, "DATETIME", "STRING"],
  ])("%s", async (_, actions, timeType, dayType) => {
    let left = 0;
    await fc.assert(
      fc.asyncProperty(rows, rules(actions), async (list, given) => {
        const fields = [
          { name: "customer_id", type: "INTEGER" },
          { name: actions.item, type: "INTEGER" },
          { name: actions.time, type: timeType },
          { name: actions.dt, type: dayType },
        ];
        const values = list.map((row, i) => `(${i}, ${SQL_TYPES[timeType](row)}, ${SQL_TYPES[dayType](row)})`);
        const columns = `"customer_id", "${actions.time}", "${actions.dt}"`;
        await warehouse.create("project-1.d.t", fields, `SELECT *, 1 AS "${actions.item}" FROM (VALUES ${values}) v(${columns})`);
        const query = selectActions(table("t", fields), actions, given, [given.days![0], given.days!.at(-1)!]);
        const exported = new Set((await warehouse.query(query)).map(({ customer_id }) => Number(customer_id)));
        const window = new Window(given);
        const calendar = new Calendar(given.timezone);
        const fromDate = actions.date !== null && given.orderTime === "order-date";
        for (const [i, { micros, ownDay }] of list.entries()) {
          const time = fromDate ? calendar.midnight(ownDay) : timeType === "DATETIME" ? calendar.instant(micros) : micros;
          if (exported.has(i)) continue;
          left++;
          expect(seen(window, actions, time, ownDay)).toBe(false);
        }
      }),
      { numRuns: 200 },
    );
    // else nothing is known of queries that let everything through
    expect(left).toBeGreaterThan(100);
  });
});

test("instants are let through only if they are between the first lookback and the last cutoff", async () => {
  const fields = [
    { name: "customer_id", type: "INTEGER" },
    { name: "item_id", type: "INTEGER" },
    { name: "click_time", type: "TIMESTAMP" },
  ];
  const [from, until] = [FIRST - 10, FIRST + 3].map((each) => each * 86_400_000_000);
  const times = [from - 1, from, until - 1, until];
  const values = `${times.map((micros, i) => `(${i}, 1, make_timestamptz(${micros}))`)}, (4, 1, NULL)`;
  await warehouse.create("project-1.d.t", fields, `FROM (VALUES ${values}) v(customer_id, item_id, click_time)`);
  const query = selectActions(table("t", fields), clicks, { ...DEFAULT_RULES, lookbackDays: 11 }, [FIRST + 1, FIRST + 3]);
  expect((await warehouse.query(query)).map(({ customer_id }) => Number(customer_id))).toEqual([1, 2, 4]);
});

describe("Apia had no 2011-12-30: its midnight is that of the 31st, and its hours are read as those of the 31st", () => {
  const DAY = Date.UTC(2011, 11, 31) / 86_400_000;
  const given: Rules = { ...DEFAULT_RULES, timezone: "Pacific/Apia", lookbackDays: 3 };
  const select = async (actions: ActionTable, type: string, name: string, values: string[]) => {
    const fields = [
      { name: "customer_id", type: "INTEGER" },
      { name: actions.item, type: "INTEGER" },
      { name, type },
    ];
    await warehouse.create(
      "project-1.d.t",
      fields,
      `SELECT 1 AS customer_id, 1 AS "${actions.item}", * FROM (VALUES ${values.map((each) => `('${each}')`)}) v("${name}")`,
    );
    const found = await warehouse.query(selectActions(table("t", fields), actions, given, [DAY + 3, DAY + 5]));
    return found.map((row) => String(row[name])).toSorted();
  };

  test("dates", async () => {
    expect(await select(orders, "DATE", "order_date", ["2011-12-29", "2011-12-30", "2011-12-31", "2012-01-05"])).toEqual([
      "2011-12-30",
      "2011-12-31",
    ]);
  });

  test("times of a wall clock", async () => {
    expect(await select(clicks, "DATETIME", "click_time", ["2011-12-29 10:00:00", "2011-12-30 10:00:00", "2012-01-07 10:00:00"])).toEqual([
      "2011-12-30 10:00:00",
    ]);
  });
});

describe("impressions", () => {
  const fields = (type: string): Field[] => [
    { name: "dt", type },
    { name: "ranking_id", type: "STRING" },
    { name: "customer_id", type: "INTEGER" },
    { name: "impressions", type: "STRING" },
  ];
  const fill = (type: string, days: (string | null)[]) =>
    warehouse.create(
      "project-1.d.t",
      fields(type),
      `SELECT *, 'r' AS ranking_id, 1 AS customer_id, '[]' AS impressions FROM (VALUES ${days.map((each) => `(${each === null ? "NULL" : `'${each}'`})`)}) v(dt)`,
    );
  const days = async (query: string) => (await warehouse.query(query)).map(({ dt }) => dt).toSorted();
  const epoch = (text: string) => Date.parse(text) / 86_400_000;
  const range: [number, number] = [epoch("2025-08-02"), epoch("2025-08-03")];

  test("those of the days, and those whose day cannot be told", async () => {
    await fill("STRING", ["2025-08-01", "2025-08-02", "dt=2025-08-03", "dt=2025-08-04", "2025-8-3", "2025-02-30", "", null]);
    const odd = ["", "2025-02-30", "2025-08-02", "2025-8-3", "dt=2025-08-03", null];
    expect(await days(selectImpressions(table("t", fields("STRING")), range))).toEqual(odd);
    expect(await warehouse.query(selectDays(table("t", fields("STRING")), null, undefined))).toEqual([
      { first: "2025-08-01", last: "2025-08-04", days: "4" },
    ]);
  });

  test("the newest days", async () => {
    await fill("DATE", ["2025-08-01", "2025-08-02", "2025-08-02", "2025-08-03", "2025-08-04", null]);
    const newest = (days: [number, number] | null, count: number) => warehouse.query(selectDays(table("t", fields("DATE")), days, count));
    expect(await newest(null, 2)).toEqual([{ first: "2025-08-03", last: "2025-08-04", days: "2" }]);
    expect(await newest(range, 9)).toEqual([{ first: "2025-08-02", last: "2025-08-03", days: "2" }]);
    expect(await newest([epoch("2020-01-01"), epoch("2020-01-02")], 9)).toEqual([{ first: null, last: null, days: "0" }]);
  });
});
