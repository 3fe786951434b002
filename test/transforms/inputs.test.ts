import { P } from "../../beam/sdk";
import { buildTrainingInputs, type TrainingOptions, type TrainingRow } from "../../transforms/inputs";
import { type Ledger, unbalanced } from "../../transforms/ledger";
import type { InputRow, RejectedRow } from "../../transforms/rows";
import { collect, given } from "../beam/collect";

const CLICK = "2025-08-15 10:00:00";
const streams: Record<string, InputRow[]> = {
  impressions: [
    {
      dt: "2025-08-16",
      ranking_id: "r",
      customer_id: 1,
      impressions: [
        { item_id: 5, is_order: true },
        { item_id: 2n ** 63n - 1n, is_order: false },
      ],
    },
    { dt: "2025-08-17", ranking_id: "s", customer_id: 1, impressions: [{ item_id: 6, is_order: false }] },
    { dt: "2025-08-16", ranking_id: "", customer_id: 1, impressions: [] },
  ],
  clicks: [
    { customer_id: 1, item_id: 7, click_time: CLICK },
    { customer_id: 1, item_id: 8, click_time: "2025-08-16 00:00:00" },
    { customer_id: 9, item_id: 9, click_time: CLICK },
  ],
  previous_orders: [{ customer_id: 1, config_id: 3, order_date: "2025-08-15" }],
};

const run = (options: TrainingOptions, some = streams) =>
  collect<{ rows: TrainingRow; rejects: RejectedRow; ledger: Ledger }>((root) => {
    const collections = Object.fromEntries(Object.entries(some).map(([table, rows]) => [table, given(root, rows, table)]));
    return P(collections as { impressions: never }).apply(buildTrainingInputs(options));
  });

const inOrder = (rows: TrainingRow[]) => rows.sort((a, b) => (a.dt + a.impression_index < b.dt + b.impression_index ? -1 : 1));

test("event streams become one row for each slot, with history and padding", async () => {
  const { rows, rejects, ledger } = await run({ historyLength: 3, keepTimes: true });
  const first = { dt: "2025-08-16", ranking_id: "r", customer_id: 1n, history_length: 2 };
  const actions = BigInt64Array.of(7n, 3n, 0n);
  const shared = { ...first, actions, action_types: Int32Array.of(1, 3, 0) };
  const action_times = BigInt64Array.of(BigInt(Date.parse(`${CLICK}Z`)) * 1000n, BigInt(Date.parse("2025-08-15")) * 1000n, 0n);
  expect(inOrder(rows)).toEqual([
    { ...shared, action_times, impression_index: 0, item_id: 5n, impressions: 5n, is_order: true },
    { ...shared, action_times, impression_index: 1, item_id: 2n ** 63n - 1n, impressions: 2n ** 63n - 1n, is_order: false },
    expect.objectContaining({ dt: "2025-08-17", history_length: 3, actions: BigInt64Array.of(8n, 7n, 3n) }),
  ]);
  expect(rejects.map(({ table, reason }) => [table, reason])).toEqual([["impressions", "ranking_id: no ranking_id"]]);
  expect(ledger).toHaveLength(1);
  expect(unbalanced(ledger[0])).toEqual([]);
  expect(ledger[0].clicks.places).toEqual({ used: 2, "customer never shown": 1 });
});

test("only the days asked for; without times unless asked for", async () => {
  const { rows } = await run({ historyLength: 1, days: ["2025-08-17", "2025-08-17"] });
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({ dt: "2025-08-17", actions: BigInt64Array.of(8n) });
  expect(rows[0]).not.toHaveProperty("action_times");
});

test("a stream whose table nobody knows, or a day that is none, is an error", async () => {
  await expect(run({}, { ...streams, views: [] })).rejects.toThrow('there is no table "views"');
  await expect(run({ days: ["2025-02-30"] })).rejects.toThrow('got "2025-02-30"');
});
