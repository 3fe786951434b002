import { z } from "zod";

const whole = (least: number, what: string) => z.coerce.number<number | string>(what).int(what).min(least, what);
const mapping = z
  .string()
  .refine((text) => parseMapping(text) !== undefined, "must be NAME=THEIR_NAME,..., with names of columns of a build")
  .optional();

export const CompareOptions = z.strictObject({
  columns: mapping
    .describe("Names of columns in B where they differ, such as ranking_id=session,actions=history.item, a field of structs in a list.")
    .meta({
      value: "NAME=THEIRS,...",
    }),
  columnsHere: mapping.describe("The same for A.").meta({ value: "NAME=THEIRS,..." }),
  key: z
    .string()
    .optional()
    .describe(
      "Columns that tell rows of a dt apart. Default: ranking_id, customer_id, impression_index and item_id, as far as both have them.",
    )
    .meta({ value: "NAME,..." }),
  dates: z.string().optional().describe("Only these days, both included: FROM..TO, or one day.").meta({ value: "FROM..TO" }),
  ignorePadding: z.boolean().default(false).describe("Compare histories without their padding, on whatever side it is."),
  explain: whole(0, "must be a number of rows")
    .default(1000)
    .describe("Rows of each dt that differ and are looked at for the reason.")
    .meta({ value: "ROWS" }),
  showValues: z.boolean().default(false).describe("Tell ids and items of examples too; they are customers' data."),
  tempDir: z
    .string()
    .min(1, "must be a path")
    .optional()
    .describe("Folder for copies of what lies in buckets, and for rows of other layouts; else the machine's own.")
    .meta({ value: "FOLDER" }),
  json: z.boolean().default(false).describe("Print the report as JSON."),
});
export type CompareOptions = z.infer<typeof CompareOptions>;

/** What columns of training inputs hold; names that both sides have are compared, others are said to be on one side only. */
export const COLUMNS = [
  "dt",
  "ranking_id",
  "customer_id",
  "impression_index",
  "item_id",
  "is_order",
  "impressions",
  "history_length",
  "actions",
  "action_types",
  "action_times",
] as const;
export type ColumnName = (typeof COLUMNS)[number];
/** Of a history. */
export const LISTS: readonly ColumnName[] = ["actions", "action_types", "action_times"];
/** Of a slot; lists where a row is a ranking. */
export const SLOTS: readonly ColumnName[] = ["item_id", "is_order", "impressions"];
export const KEYS: readonly ColumnName[] = ["ranking_id", "customer_id", "impression_index", "item_id"];

export const isColumn = (name: string): name is ColumnName => (COLUMNS as readonly string[]).includes(name);

/** "actions=items" to the names of columns in files. */
export function parseMapping(text: string): Partial<Record<ColumnName, string>> | undefined {
  const names: Partial<Record<ColumnName, string>> = {};
  for (const part of text.split(",")) {
    const [name, theirs, ...more] = part.trim().split("=");
    if (!isColumn(name) || !theirs || more.length > 0 || names[name] !== undefined) return undefined;
    names[name] = theirs;
  }
  return names;
}
