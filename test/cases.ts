import fc from "fast-check";

/** A small input of all four tables, and options for it: lines as they stand in NDJSON files. */
export interface Case {
  impressions: string[];
  clicks: string[];
  add_to_carts: string[];
  previous_orders: string[];
  options: Options;
}

/** Options by their flags' names; the oracle takes the same. */
export type Options = Record<string, string | boolean>;

const json = (value: unknown): string =>
  JSON.stringify(value, (_, v) => (typeof v === "bigint" ? `@@${v}@@` : v)).replaceAll(/"@@(-?\d+)@@"/g, "$1");

/** Few customers, so that they meet; the ends of int64, and neighbours that a float cannot tell apart. */
const customer = fc.constantFrom<bigint | number | string>(
  1,
  1,
  1,
  1,
  2,
  2,
  "2",
  3,
  2n ** 53n,
  2n ** 53n + 1n,
  -(2n ** 63n),
  2n ** 63n - 1n,
  2 ** 32 + 1,
);
const item = fc.oneof(
  fc.integer({ min: 0, max: 6 }),
  fc.constantFrom<bigint | string>(2n ** 63n - 1n, -(2n ** 63n), "7", -1n, 2n ** 53n + 1n),
);
/** Around the days on which clocks change in the zones below. */
const day = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 5 }).map((n) => dayOf(Date.UTC(2025, 2, 28), n)) },
  fc.integer({ min: 0, max: 8 }).map((n) => dayOf(Date.UTC(2025, 9, 24), n)),
  fc.integer({ min: 0, max: 3 }).map((n) => dayOf(Date.UTC(2024, 1, 28), n)),
);
const dayOf = (from: number, n: number): string => new Date(from + n * 86_400_000).toISOString().slice(0, 10);

const two = (n: number): string => String(n).padStart(2, "0");
const clock = fc.oneof(
  fc.constantFrom("00:00:00", "23:59:59.999999", "00:00:00.000001", "02:30:00", "01:59:59.9999999", "00:30:00"),
  fc.tuple(fc.nat(23), fc.nat(59), fc.nat(59)).map(([h, m, s]) => `${two(h)}:${two(m)}:${two(s)}`),
);
const zoneSuffix = fc.constantFrom("", "", "", "", "Z", " UTC", "+02", "-0330", "+05:45", "-18:00", "+18:00");
const timestamp = fc.tuple(day, fc.constantFrom(" ", "T"), clock, zoneSuffix).map(([d, sep, c, z]) => `${d}${sep}${c}${z}`);
const numberTime = day
  .chain((d) => fc.constantFrom("s", "ms", "us", "ns").map((unit) => ({ d, unit })))
  .map(({ d }) => BigInt(Date.parse(d)) * 1000n);

const badValue = fc.constantFrom<unknown>(
  null,
  "",
  "x",
  1.5,
  true,
  [],
  {},
  "01",
  "-0",
  "1e3",
  2n ** 63n,
  "9999-12-31 00:00:00",
  "2025-02-30",
  "1699-12-31",
  "2025-03-30 24:00:00",
  "2025-03-30 10:00:00+19",
  "2025-03-30 10:00:00.0123456789",
);
const badLine = fc.constantFrom(
  "{",
  "[]",
  "1",
  '{"a":1}',
  "nonsense",
  '{"customer_id":NaN}',
  '{"customer_id":1,}',
  '{"x":"\\ud800"}',
  "[".repeat(70) + "]".repeat(70),
  '"text"',
  "\u0000",
);

/** Once in a while one field is not what it should be, or is not there. */
function spoiled(row: Record<string, unknown>): fc.Arbitrary<Record<string, unknown>> {
  const names = Object.keys(row);
  return fc.oneof(
    { weight: 14, arbitrary: fc.constant(row) },
    { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...names), badValue).map(([name, value]) => ({ ...row, [name]: value })) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(...names).map((name) => Object.fromEntries(Object.entries(row).filter(([key]) => key !== name))),
    },
  );
}

function lines(row: fc.Arbitrary<Record<string, unknown>>, most: number, least = 0): fc.Arbitrary<string[]> {
  const line = fc.oneof(
    { weight: 40, arbitrary: row.chain(spoiled).map(json) },
    { weight: 1, arbitrary: badLine },
    { weight: 1, arbitrary: fc.constantFrom("", "  ", "\t") },
    { weight: 1, arbitrary: row.map((r) => ` ${json(r).replace(/^\{/, '{"customer_id": 99, ')}\r`) },
  );
  return fc.array(line, { minLength: least, maxLength: most });
}

const anyTime = fc.oneof({ weight: 8, arbitrary: timestamp as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: numberTime });
const click = fc.record({ dt: day, customer_id: customer, item_id: item, click_time: anyTime });
const cart = fc.record({ dt: day, customer_id: customer, config_id: item, simple_id: fc.constant(5), occurred_at: anyTime });
const order = fc.record({ order_date: day, customer_id: customer, config_id: item, occurred_at: anyTime });
const slot = fc.oneof(
  { weight: 20, arbitrary: fc.record({ item_id: item, is_order: fc.boolean() }) as fc.Arbitrary<unknown> },
  { weight: 1, arbitrary: fc.constantFrom<unknown>({}, null, { item_id: 1, is_order: 1 }, { item_id: 1.5, is_order: true }) },
);
const ranking = fc.record({
  dt: fc.oneof({ weight: 5, arbitrary: day }, { weight: 1, arbitrary: day.map((d) => `dt=${d}`) }),
  ranking_id: fc.constantFrom("a", "b", "ä", "r1", "r10", "\u{1F600}", "\uFB03"),
  customer_id: customer,
  impressions: fc.oneof(
    { weight: 12, arbitrary: fc.array(slot, { minLength: 1, maxLength: 3 }) as fc.Arbitrary<unknown> },
    {
      weight: 1,
      arbitrary: fc.array(slot, { maxLength: 2 }).map((s) => JSON.stringify(s, (_, v) => (typeof v === "bigint" ? String(v) : v))),
    },
  ),
});

const flag = <T extends string | boolean>(name: string, values: T[]): fc.Arbitrary<Options> =>
  fc
    .option(fc.constantFrom(...values), { nil: undefined, freq: 2 })
    .map((value) => (value === undefined || value === false ? {} : { [name]: value }));
const options: fc.Arbitrary<Options> = fc
  .tuple(
    fc.constantFrom("1", "2", "3", "7", "16").map((value): Options => ({ "history-length": value })),
    flag("lookback-days", ["none", "0", "1", "2", "5", "30", "500000"]),
    flag("timezone", [
      "Europe/Berlin",
      "America/New_York",
      "Pacific/Auckland",
      "Africa/Cairo",
      "America/Sao_Paulo",
      "Asia/Kathmandu",
      "Atlantic/Azores",
      "Asia/Beirut",
    ]),
    flag("time-unit", ["s", "ms", "us", "ns"]),
    flag("order-time", ["order-date", "occurred-at"]),
    flag("order-lag-days", ["0", "1", "3"]),
    flag("action-clock", ["time", "dt", "both"]),
    flag("dates", ["2025-03-29..2025-04-02", "2025-03-30", "2024-02-28..2025-10-27", "2025-03-01..2025-03-31"]),
    flag("train-days", ["1", "2", "4"]),
    flag("drop-empty-history", [true, false]),
    flag("columns", ["standard", "+length", "+times", "+length,+times"]),
  )
  .map((parts) => Object.assign({}, ...parts));

/** Cases that have something of everything. */
export const cases: fc.Arbitrary<Case> = fc.record({
  impressions: lines(ranking, 14, 3),
  clicks: lines(click, 30),
  add_to_carts: lines(cart, 20),
  previous_orders: lines(order, 20),
  options,
});
