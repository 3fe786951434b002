import { z } from "zod";
import { LAYOUTS } from "../pipeline/layout";

export const ConvertOptions = z.strictObject({
  to: z
    .string("is required")
    .min(1, "must be a path")
    .describe("Folder for the converted output, which must not be there or be empty.")
    .meta({
      value: "FOLDER",
    }),
  layout: z
    .enum(LAYOUTS)
    .describe(
      "What a row is: a slot (rows), a ranking with its slots as lists (rankings), or a history, with slots in a table beside it (histories).",
    ),
  padding: z
    .enum(["zeros", "none"])
    .default("zeros")
    .describe("What stands behind the real actions in rankings and histories; with none, lists end there."),
  quiet: z.boolean().default(false).describe("Print nothing but errors."),
});
export type ConvertOptions = z.infer<typeof ConvertOptions>;
