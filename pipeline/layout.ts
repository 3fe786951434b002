/** What a file says of its layout: files of other layouts than rows have an entry in their key-value metadata, which readers of Parquet show. */
import type { FileMetaData } from "hyparquet";
import { z } from "zod";
import { ConfigError } from "./errors";

export const LAYOUTS = ["rows", "rankings", "histories"] as const;
export type Layout = (typeof LAYOUTS)[number];

/** What it takes to make the rows of a file again. */
export const LayoutNote = z.strictObject({
  layout: z.enum(["rankings", "histories"]),
  padding: z.enum(["zeros", "none"]),
  historyLength: z.number().int().positive(),
  rowGroupBytes: z.number().int().positive(),
  columns: z.array(z.strictObject({ holds: z.string(), name: z.string() })).describe("of the rows, in order"),
});
export type LayoutNote = z.infer<typeof LayoutNote>;

export const NOTE_KEY = "backstory.layout";

/** At the top of an output of another layout than rows: builds keep away from it. */
export const LAYOUT_FILE = "_layout.json";

/** Undefined for a file of rows. */
export function layoutNoteOf({ key_value_metadata: entries }: FileMetaData): LayoutNote | undefined {
  const text = entries?.find(({ key }) => key === NOTE_KEY)?.value;
  if (text === undefined) return undefined;
  try {
    return LayoutNote.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** @throws ConfigError where a file is of another layout than rows */
export function mustBeRows(metadata: FileMetaData, path: string): void {
  const note = layoutNoteOf(metadata);
  if (note === undefined) return;
  throw new ConfigError(
    `"${path}" is of the layout ${note.layout}; this command reads the layout rows. Convert it first: backstory convert OUTPUT --to=FOLDER --layout=rows.`,
  );
}
