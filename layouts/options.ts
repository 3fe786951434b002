import { z } from "zod";
import { BuildOptions } from "../pipeline/options";

export const ConvertOptions = z.strictObject({
  to: z
    .string("is required")
    .min(1, "must be a path")
    .describe("Folder for the converted output, which must not be there or be empty.")
    .meta({
      value: "FOLDER",
    }),
  layout: BuildOptions.shape.layout.unwrap().describe(BuildOptions.shape.layout.description!),
  padding: BuildOptions.shape.padding,
  tempDir: BuildOptions.shape.tempDir.meta({ description: "Folder for copies of what lies in buckets; else the machine's own." }),
  quiet: z.boolean().default(false).describe("Print nothing but errors."),
});
export type ConvertOptions = z.infer<typeof ConvertOptions>;
