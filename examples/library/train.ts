import { create, P, parDo, type Root, withName } from "apache-beam";
import { directRunner } from "apache-beam/runners/direct_runner";
import { requireForSerialization } from "apache-beam/serialization";
import { buildTrainingInputs, type TrainingRow } from "backstory";

/** Takes the place of your own write: prints a row's history as item(type), newest first. */
export class PrintRow {
  *process(row: TrainingRow) {
    const history = Array.from(row.actions.slice(0, row.history_length), (item, i) => `${item}(${row.action_types[i]})`);
    console.log(`${row.dt} customer ${row.customer_id} item ${row.item_id}: ${history.join(" ")}`);
    yield row.history_length;
  }
}

/** Training inputs from rows that are already in a pipeline; reads and writes are yours. */
export function pipeline(root: Root): void {
  const table = <T>(name: string, rows: T[]) => root.apply(withName(name, create(rows)));
  const { rows } = P({
    impressions: table("impressions", [
      {
        dt: "2025-08-16",
        ranking_id: "r1",
        customer_id: 7,
        impressions: [
          { item_id: 12, is_order: false },
          { item_id: 30, is_order: true },
        ],
      },
    ]),
    clicks: table("clicks", [
      { customer_id: 7, item_id: 12, click_time: "2025-08-15 10:00:00" },
      { customer_id: 7, item_id: 13, click_time: "2025-08-15 23:59:59.999999" },
      { customer_id: 7, item_id: 30, click_time: "2025-08-16 00:00:00" }, // of the day itself: it would leak
    ]),
    add_to_carts: table("add_to_carts", [{ customer_id: 7, config_id: 13, occurred_at: "2025-08-15T23:59:59.999999Z" }]),
    previous_orders: table("previous_orders", [{ order_date: "2025-08-10", customer_id: 7, config_id: 11 }]),
  }).apply(buildTrainingInputs({ historyLength: 5 }));
  rows.apply(withName("print", parDo(new PrintRow())));
}

export const main = () => directRunner().run(pipeline);

// Workers find what they are to run by this name; give it the one that your module is required by.
requireForSerialization("my-pipeline/train", exports);
