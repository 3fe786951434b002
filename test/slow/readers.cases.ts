import { parquetMetadata } from "hyparquet";
import { DICTIONARY_VALUES } from "../../pipeline/parquet/rowgroup";
import type { Compression, Content, TrainingFileOptions } from "../../pipeline/parquet/trainingfile";
import { bufferOf, columnsOf, optionsOf, STANDARD, type TestHistory } from "../pipeline/parquet/rows";

/** A file for every reader. */
export interface Case {
  name: string;
  histories: TestHistory[];
  options: TrainingFileOptions;
}

const CODECS: Compression[] = ["snappy", "zstd", "none"];
const ALL = columnsOf([...STANDARD, "history_length", "action_times"]);
const LOWEST = -(2n ** 63n);
const HIGHEST = 2n ** 63n - 1n;
const IDS = [LOWEST, HIGHEST, LOWEST + 1n, HIGHEST - 1n, -1n, 0n, 1n, 2n ** 31n, -(2n ** 31n) - 1n, 2n ** 32n - 1n, 2n ** 53n + 1n];
/** Doubles at the ends of int64, which times are when they are written. */
const TIMES = [2 ** 63 - 1024, 2 ** 53, 1.7e15, 1.7e15, 1.7e15 - 1, 1, 0, -1, -(2 ** 53), -(2 ** 63)];

/** Ids that repeat among extremes. */
const anId = (i: number) => (i % 4 === 0 ? IDS[(i / 4) % IDS.length] : BigInt((i * 7919) % 1009));

const history = (customer: bigint, actions: number, slots: number, id = (slot: number) => `r${customer}-${slot >> 1}`): TestHistory => ({
  customer,
  actions: Array.from({ length: actions }, (_, i) => ({ item: anId(i + actions), type: 1 + (i % 127), time: TIMES[i % TIMES.length] - 0 })),
  slots: Array.from({ length: slots }, (_, i) => ({ id: id(i), index: i, item: anId(i + slots), isOrder: i % 3 === 1 })),
});

/** Histories that end before, at and behind a multiple of 8, and at the ends of what is allowed; some without slots. */
function mixed(k: number): TestHistory[] {
  const counts = k > 10_000 ? [0, k - 1, k] : [0, 1, 7, 8, 9, 16, k >> 1, k - 1, k, 0, k];
  return counts
    .filter((count) => count <= k)
    .map((count, i) => history(IDS[i % IDS.length], count, [1, 2, 0, 9, 3][i % (k > 10_000 ? 2 : 5)]));
}

/** Lengths about those at which bounds are cut, and characters whose bytes are the last of their kind. */
const RANKING_IDS = [
  ...[0, 1, 15, 16, 17, 63, 64, 65, 200, 5000].map((length) => "n".repeat(length)),
  ...["\0", "\x7f", "é", "\u07ff", "€", "\ud7ff", "\ufffd", "\uffff", "😀", "\u{10ffff}"].flatMap((c) => [
    c,
    c.repeat(20),
    `abc${c.repeat(30)}`,
  ]),
  `${"m".repeat(15)}é`,
  `${"m".repeat(14)}€${"m".repeat(60)}`,
];

/** Customers and items that grow with the row, so that a reader finds most pages needless; pages of lists and of others end apart. */
const ascending = (k: number): TestHistory[] =>
  Array.from({ length: 2050 }, (_, c) => ({
    customer: BigInt(c * 10),
    actions: Array.from({ length: k - (c % 3) }, (_, i) => ({ item: BigInt((c * k + i) % 30_011), type: 1 + (i % 3), time: 0 })),
    slots: Array.from({ length: 10 }, (_, i) => ({ id: `r${c}`, index: i, item: BigInt(c * 100 + i * 3 - 50_000), isOrder: i === 5 })),
  }));

/** More different items than a dictionary holds. */
const different = (k: number): TestHistory[] =>
  Array.from({ length: Math.ceil(DICTIONARY_VALUES / k) + 1 }, (_, c) => ({
    ...history(BigInt(c), 0, 1),
    actions: Array.from({ length: k }, (_, i) => ({ item: BigInt(c * k + i) * 1_000_003n, type: 1, time: 0 })),
  }));

// biome-ignore format: a table
const SHAPES: [name: string, histories: () => TestHistory[], options: Partial<TrainingFileOptions>][] = [
  ...[1, 7, 8, 1000, 100_000].map((k) => [`k${k}`, () => mixed(k), { historyLength: k, rowGroupBytes: 1e8 }] as (typeof SHAPES)[0]),
  ...[1, 8, 1000].map((k) => [`ragged-k${k}`, () => mixed(k), { historyLength: k, rowGroupBytes: 1e8, padding: "none" }] as (typeof SHAPES)[0]),
  ["ragged-pages", () => ascending(32), { historyLength: 32, rowGroupBytes: 1e8, columns: columnsOf(STANDARD), padding: "none" }],
  ["ragged-nothing", () => [5n, 3n, -9n].map((customer) => history(customer, 0, 30)), { historyLength: 20, padding: "none" }],
  ["ragged-groups", () => mixed(40), { historyLength: 40, rowGroupBytes: 1500, padding: "none" }],
  ["padding", () => [5n, 3n, -9n].map((customer) => history(customer, 0, 30)), { historyLength: 20 }],
  ["empty", () => [history(1n, 3, 0)], {}],
  ["one-row", () => [history(7n, 3, 1)], {}],
  ["dictionary", () => Array.from({ length: 40 }, (_, c) => history(BigInt(c - 20), 10, 5)), { dictionaryValues: 25 }],
  ["ids", () => RANKING_IDS.map((id, c) => history(BigInt(c), c % 10, 2, () => id)), { rowGroupBytes: 5 * (12 * 10 + 64) }],
  ["pages", () => ascending(32), { historyLength: 32, rowGroupBytes: 1e8, columns: columnsOf(STANDARD) }],
];

const ONCE: Case[] = [
  {
    name: "row-groups",
    histories: Array.from({ length: 30 }, (_, c) => history(BigInt(c * 3), c % 4, 2)),
    options: optionsOf({ columns: ALL, historyLength: 3, rowGroupBytes: 1 }),
  },
  {
    name: "ids-apart",
    histories: RANKING_IDS.map((id, c) => history(BigInt(c), 1, 1, () => id)),
    options: optionsOf({ columns: ALL, rowGroupBytes: 1 }),
  },
  {
    name: "different",
    histories: different(100_000),
    options: optionsOf({ columns: columnsOf(["customer_id", "item_id", "actions"]), historyLength: 100_000, rowGroupBytes: 1e9 }),
  },
  {
    name: "renamed",
    histories: mixed(9),
    options: optionsOf({
      columns: [
        { holds: "action_types", name: "types" },
        { holds: "impressions", name: "shown" },
        { holds: "ranking_id", name: "session id" },
        { holds: "actions", name: "Größe" },
        { holds: "item_id", name: "item" },
      ],
    }),
  },
];

export const CASES: Case[] = [
  ...SHAPES.flatMap(([name, histories, options]) =>
    CODECS.map((compression) => ({
      name: `${name}-${compression}`,
      histories: histories(),
      options: optionsOf({ columns: ALL, ...options, compression }),
    })),
  ),
  ...ONCE,
];

/** The rows in the plainest form that is still small: a history's arrays one behind the other, each as base64 of little-endian numbers. */
export function descriptionOf({ name, histories, options }: Case): string {
  const actions = histories.flatMap((history) => history.actions);
  const slots = histories.flatMap((history) => history.slots);
  const int64 = (values: bigint[]) => Buffer.from(BigInt64Array.from(values).buffer).toString("base64");
  const whole = (values: number[]) => int64(values.map(BigInt));
  const has = (content: Content) => options.columns.some(({ holds }) => holds === content);
  return JSON.stringify({
    name,
    historyLength: options.historyLength,
    padding: options.padding ?? "zeros",
    columns: options.columns,
    customers: int64(histories.map(({ customer }) => customer)),
    counts: whole(histories.map((history) => history.actions.length)),
    slots: whole(histories.map((history) => history.slots.length)),
    items: int64(actions.map(({ item }) => item)),
    types: has("action_types") ? whole(actions.map(({ type }) => type)) : "",
    times: has("action_times") ? whole(actions.map(({ time }) => time)) : "",
    ranking_ids: slots.map(({ id }) => id),
    indexes: whole(slots.map(({ index }) => index)),
    slot_items: int64(slots.map(({ item }) => item)),
    orders: whole(slots.map(({ isOrder }) => (isOrder ? 1 : 0))),
  });
}

/**
 * The uncompressed file `bytes` with one bit wrong where it only makes another value of one, so that nothing but a
 * checksum can tell: in the last customer of a dictionary page, and in the last flag of a data page.
 */
export function damaged(bytes: Uint8Array): Record<"dictionary" | "data", Uint8Array> {
  const { row_groups } = parquetMetadata(bufferOf(bytes));
  const metaOf = (name: string) => row_groups[0].columns.find(({ meta_data }) => meta_data!.path_in_schema[0] === name)!.meta_data!;
  const orders = metaOf("is_order");
  const flipped = (at: bigint) => bytes.map((byte, i) => (i === Number(at) - 1 ? byte ^ 1 : byte));
  return {
    dictionary: flipped(metaOf("customer_id").data_page_offset),
    data: flipped(orders.data_page_offset + orders.total_compressed_size),
  };
}
