/** What a file says of its layout: files of other layouts than rows with padding have an entry in their key-value metadata, which readers of Parquet show. */
import type { FileMetaData } from "hyparquet";
import { z } from "zod";
import { NOTE_KEY } from "./notekey";

export const LAYOUTS = ["rows", "rankings", "histories"] as const;
export type Layout = (typeof LAYOUTS)[number];

/** What stands behind the real actions of a history: zeros up to the history length, or nothing. */
export const PADDINGS = ["zeros", "none"] as const;
export type Padding = (typeof PADDINGS)[number];

/** What a file holds: rows, of whichever layout; or, in two files, histories and the slots that point to them. */
export type FileKind = "part" | "histories" | "slots";

/** Columns, by what they hold, that rows must have to be made into another layout, and back. */
export const LAYOUT_COLUMNS = ["ranking_id", "customer_id", "impression_index", "item_id", "is_order", "actions", "action_types"] as const;

/** What it takes to make the rows of a file again. */
export const LayoutNote = z.strictObject({
  layout: z.enum(LAYOUTS),
  padding: z.enum(PADDINGS),
  // as much as --history-length takes: whoever pads histories goes by it
  historyLength: z.number().int().positive().max(100_000),
  rowGroupBytes: z.number().int().positive(),
  columns: z.array(z.strictObject({ holds: z.string(), name: z.string() })).describe("of the rows, in order"),
});
export type LayoutNote = z.infer<typeof LayoutNote>;

/** At the top of an output of another layout than rows with padding. */
export const LAYOUT_FILE = "_layout.json";

/** An output has one layout. */
export const OutputLayout = z.strictObject({ layout: z.enum(LAYOUTS), padding: z.enum(PADDINGS) });
export type OutputLayout = z.infer<typeof OutputLayout>;

export const PLAIN: OutputLayout = { layout: "rows", padding: "zeros" };
export const isPlain = ({ layout, padding }: OutputLayout): boolean => layout === PLAIN.layout && padding === PLAIN.padding;

/** The content of `_layout.json`; undefined where there is to be none. */
export const layoutText = ({ layout, padding }: OutputLayout): string | undefined =>
  isPlain({ layout, padding }) ? undefined : `${JSON.stringify({ layout, padding } satisfies OutputLayout)}\n`;

/** The layout that an output has by the text of its `_layout.json`; undefined where that says nothing. */
export function layoutOf(text: string | undefined): OutputLayout | undefined {
  if (text === undefined) return PLAIN;
  try {
    return OutputLayout.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** "the layout histories", "the layout rows, without padding". */
export const layoutName = ({ layout, padding }: OutputLayout): string =>
  `the layout ${layout}${padding === "none" ? ", without padding" : ""}`;

/** Undefined for a file of rows with padding. */
export function layoutNoteOf({ key_value_metadata: entries }: FileMetaData): LayoutNote | undefined {
  const text = entries?.find(({ key }) => key === NOTE_KEY)?.value;
  if (text === undefined) return undefined;
  try {
    return LayoutNote.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
