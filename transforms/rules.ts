/** What a run computes: its options, as plain data that travels to workers. */
export interface Rules {
  /** length of `actions` and `action_types` */
  historyLength: number;
  /** null lifts the lookback */
  lookbackDays: number | null;
  /** IANA name */
  timezone: string;
  /** how numbers are to be read as timestamps; null: not at all */
  timeUnit: TimeUnit | null;
  /** the time of an order: midnight of its date, or its timestamp */
  orderTime: "order-date" | "occurred-at";
  /** orders must be this many days older still */
  orderLagDays: number;
  /** what must be before a ranking's day: an action's time, its own day, or both */
  actionClock: "time" | "dt" | "both";
  /** whether rows without any action are left out */
  dropEmptyHistory: boolean;
  /** the epoch days whose rankings are wanted, ascending; null: every day that has any, not known beforehand */
  days: number[] | null;
  /** whether these days are the user's choice: then actions from after them are no surprise */
  daysChosen: boolean;
  /** the tables of actions; their type codes are distinct */
  tables: ActionTable[];
  /** buckets of customers, the key of every shuffle; a multiple of `shards` */
  buckets: number;
  /** files for each day */
  shards: number;
  /** whether the time of every action travels to the output (--columns +times) */
  keepTimes: boolean;
}

export type TimeUnit = "s" | "ms" | "us" | "ns";

/** One table of actions and where its columns are. */
export interface ActionTable {
  /** by which ledger and rejects tell of it */
  name: string;
  /** 1 click, 2 add-to-cart, 3 order, 4 to 127 free */
  type: number;
  /** column of the customer, an int64 */
  customer: string;
  /** column of the item, an int64 */
  item: string;
  /** column of the timestamp */
  time: string;
  /** column of the action's own day, read only where --action-clock asks for it */
  dt: string;
  /** for tables whose time is the midnight of a date (orders): that date's column */
  date: string | null;
}

/** The type code whose actions are orders: --order-time and --order-lag-days are about these. */
export const ORDER = 3;

/** Clicks, add-to-carts and orders, with the columns that they have by default. */
export const DEFAULT_TABLES: ActionTable[] = [
  { name: "clicks", type: 1, customer: "customer_id", item: "item_id", time: "click_time", dt: "dt", date: null },
  { name: "add_to_carts", type: 2, customer: "customer_id", item: "config_id", time: "occurred_at", dt: "dt", date: null },
  {
    name: "previous_orders",
    type: ORDER,
    customer: "customer_id",
    item: "config_id",
    time: "occurred_at",
    dt: "order_date",
    date: "order_date",
  },
];

/** What is built where nothing else is said: 1000 actions, 365 days, UTC, every day that has rankings. */
export const DEFAULT_RULES: Rules = {
  historyLength: 1000,
  lookbackDays: 365,
  timezone: "UTC",
  timeUnit: null,
  orderTime: "order-date",
  orderLagDays: 0,
  actionClock: "time",
  dropEmptyHistory: false,
  days: null,
  daysChosen: false,
  tables: DEFAULT_TABLES,
  buckets: 64,
  shards: 1,
  keepTimes: false,
};
