import { z } from "zod";
import { BuildOptions } from "../pipeline/options";
import { inGroups } from "../pipeline/schema";

const build = BuildOptions.shape;

/** An option of the build without its default: what is not given comes from the manifest. */
function open<Type extends z.ZodType>(type: Type) {
  const inner = (type as unknown as { def: { type: string; innerType?: z.ZodType } }).def;
  return (inner.type === "default" ? inner.innerType! : type).optional().meta(type.meta() ?? {}) as z.ZodOptional<
    z.ZodType<z.infer<Type> | undefined>
  >;
}

/** All options of the build, since its --config file may have them; those that say nothing about rows are passed over. */
const ignored = z.unknown().optional().describe("Not used here.").meta({ hidden: true });
const passedOver = Object.fromEntries(Object.keys(build).map((key) => [key, ignored])) as Record<never, z.ZodType>;

const wholeNumber = (least: number, text: string) =>
  z
    .union(
      [
        z.number(),
        z
          .string()
          .regex(/^[0-9]+$/)
          .transform(Number),
      ],
      text,
    )
    .pipe(z.number().int(text).min(least, text));

export const VerifyOptions = z.strictObject({
  ...passedOver,
  sample: z
    .union([z.literal("all"), wholeNumber(0, 'must be a number of customers or "all"')], 'must be a number of customers or "all"')
    .default(1000)
    .describe('Customers to recompute of each run, drawn from inputs and output alike; "all", or 0 for none.')
    .meta({ value: "CUSTOMERS|all", group: "What is verified" }),
  seed: z
    .union([z.number(), z.string()])
    .transform(String)
    .default("1")
    .describe("Another seed draws other customers.")
    .meta({ value: "TEXT" }),
  impressions: open(build.impressions),
  clicks: build.clicks.meta({ description: 'Clicks, as above, or "none" where the run had none.' }),
  addToCarts: build.addToCarts.meta({ description: "Add-to-carts, likewise." }),
  previousOrders: build.previousOrders.meta({ description: "Orders, likewise." }),
  historyLength: open(build.historyLength),
  lookbackDays: open(build.lookbackDays),
  dates: build.dates.meta({ description: "The days to verify, both included; without a manifest those that were built." }),
  trainDays: build.trainDays,
  timezone: open(build.timezone),
  timeUnit: build.timeUnit,
  orderTime: open(build.orderTime),
  orderLagDays: open(build.orderLagDays),
  actionClock: open(build.actionClock),
  dropEmptyHistory: z.boolean().optional().describe("Rows without any action are left out."),
  columns: open(build.columns),
  tables: build.tables,
  tempDir: build.tempDir.meta({
    description: "Folder for copies of what lies in buckets, and for rows of other layouts; else the machine's own.",
  }),
  showValues: z
    .boolean()
    .default(false)
    .describe("Tell ids, items and times of what differs too; they are customers' data.")
    .meta({ group: "Messages" }),
  maxFindings: wholeNumber(1, "must be a whole number")
    .default(20)
    .describe("Findings told of each kind; all are counted.")
    .meta({ value: "FINDINGS" }),
  json: z.boolean().default(false).describe("Print the report as JSON.").meta({ group: "Messages" }),
});
inGroups(VerifyOptions);
export type VerifyOptions = z.infer<typeof VerifyOptions>;
