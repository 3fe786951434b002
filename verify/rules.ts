/** What SPEC's options say about a run, as far as rows depend on it. */
export interface Rules {
  historyLength: number;
  /** null: no lookback */
  lookbackDays: number | null;
  timezone: string;
  timeUnit: "s" | "ms" | "us" | "ns" | null;
  orderTime: "order-date" | "occurred-at";
  orderLagDays: number;
  actionClock: "time" | "dt" | "both";
  dropEmptyHistory: boolean;
}

/** A table of actions: where its columns are. */
export interface ActionTable {
  name: string;
  /** 1 click, 2 add-to-cart, 3 order, 4 to 127 others */
  type: number;
  customer: string;
  item: string;
  /** column of the timestamp */
  time: string;
  /** column of the action's own day */
  dt: string;
  /** column of a day whose midnight is the time, if that is how the table tells it */
  date: string | null;
}

export const ORDER = 3;

/** The tables of SPEC, "Inputs". */
export const TABLES: ActionTable[] = [
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
