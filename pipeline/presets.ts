/**
 * Options that go together, under a name: what usual jobs in PySpark make (docs/from-pyspark.md). Each says all that the data follow from, but for
 * the inputs, the days and their time zone. What a name means never changes: another meaning gets another name.
 */
import { z } from "zod";
import type { BuildOptions } from "./options";

const KEYS = [
  "columns",
  "layout",
  "padding",
  "historyLength",
  "lookbackDays",
  "orderTime",
  "orderLagDays",
  "actionClock",
  "dropEmptyHistory",
] as const satisfies (keyof BuildOptions)[];

export interface Preset {
  /** the job that it equals */
  about: string;
  options: Readonly<Required<Pick<BuildOptions, (typeof KEYS)[number]>>>;
}

const SLOTS = "ranking_id,customer_id,item_id,is_order,actions,action_types";

export const PRESETS = {
  "pyspark-rows": {
    about:
      "Slots by explode, a left join, histories by sort_array(collect_list(struct(time, type, item)), false) and slice, with zeros behind them; orders have the time of their day.",
    options: {
      columns: SLOTS,
      layout: "rows",
      padding: "zeros",
      historyLength: 1000,
      lookbackDays: 365,
      orderTime: "order-date",
      orderLagDays: 0,
      actionClock: "time",
      dropEmptyHistory: false,
    },
  },
  "pyspark-rankings": {
    about: "The same histories, with nothing exploded and nothing padded: a row for each ranking.",
    options: {
      columns: "standard",
      layout: "rankings",
      padding: "none",
      historyLength: 1000,
      lookbackDays: 365,
      orderTime: "order-date",
      orderLagDays: 0,
      actionClock: "time",
      dropEmptyHistory: false,
    },
  },
  "pyspark-event-time": {
    about: "Orders by their occurred_at, as every other event; slots by posexplode, and times of actions in microseconds beside them.",
    options: {
      columns: "ranking_id,customer_id,impression_index,item_id,is_order,actions,action_types,action_times",
      layout: "rows",
      padding: "zeros",
      historyLength: 1000,
      lookbackDays: 365,
      orderTime: "occurred-at",
      orderLagDays: 0,
      actionClock: "time",
      dropEmptyHistory: false,
    },
  },
  "pyspark-partitions": {
    about:
      "By daily partitions, an action's dt before the ranking's, without a lookback; the table of orders a day late; an inner join, so no rows without history.",
    options: {
      columns: SLOTS,
      layout: "rows",
      padding: "zeros",
      historyLength: 1000,
      lookbackDays: "none",
      orderTime: "order-date",
      orderLagDays: 1,
      actionClock: "dt",
      dropEmptyHistory: true,
    },
  },
} as const satisfies Record<string, Preset>;

const names = Object.keys(PRESETS) as (keyof typeof PRESETS)[];

/** A schema of options, those of a build among them, with the option for a preset. */
export const withPreset = <Shape extends z.ZodRawShape>(schema: z.ZodObject<Shape, z.core.$strict>) =>
  schema.extend({
    preset: z
      .enum(names)
      .optional()
      .describe("Options that reproduce a usual job in PySpark, told below; others that are given win over them.")
      .meta({ group: "Presets" }),
  });

/** What is given, over the options of the preset that it names, which is not named any more. One that there is not stays, to be complained of. */
export function withPresetOptions(given: Record<string, unknown>): Record<string, unknown> {
  const { preset, ...others } = given;
  return names.some((name) => name === preset) ? { ...PRESETS[preset as keyof typeof PRESETS].options, ...others } : given;
}
