import { z } from "zod";
import { BuildOptions } from "../pipeline/options";
import { path } from "../pipeline/optiontypes";

export const ConvertOptions = z.strictObject({
  to: path("Folder for the converted output, which must not be there or be empty.").meta({ value: "FOLDER" }),
  layout: BuildOptions.shape.layout.unwrap().describe(BuildOptions.shape.layout.description!),
  padding: BuildOptions.shape.padding,
  tempDir: BuildOptions.shape.tempDir.meta({ description: "Folder for copies of what lies in buckets; else the machine's own." }),
  quiet: z.boolean().default(false).describe("Print nothing but errors."),
});
export type ConvertOptions = z.infer<typeof ConvertOptions>;
