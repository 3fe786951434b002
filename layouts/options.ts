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
    .describe("rows: one for each slot; rankings: one row each, slots as lists; histories: per dt a table of histories and one of slots."),
  padding: z
    .enum(["zeros", "none"])
    .default("zeros")
    .describe("Behind the real actions of rankings and histories; none: lists end with them."),
  quiet: z.boolean().default(false).describe("Print nothing but errors."),
});
export type ConvertOptions = z.infer<typeof ConvertOptions>;
