/** `backstory report`: a page about an output, alone or against another. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { ConfigError } from "../pipeline/errors";
import { isRemote, remoteObjects } from "../pipeline/io/remote";
import { path } from "../pipeline/optiontypes";
import { checkFile } from "../pipeline/targets";
import { chartsOf } from "./charts";
import { drawing } from "./draw";
import { figuresOf } from "./figures";
import { pageOf } from "./page";

export const ReportOptions = z.strictObject({
  to: path("File that the page is written to.").default("report.html").meta({ value: "FILE" }),
  against: path("Another output, to compare with.").optional().meta({ value: "OUTPUT" }),
  tempDir: z
    .string()
    .min(1, "must be a path")
    .optional()
    .describe("Folder for copies of what lies in buckets, and for rows of other layouts; else the machine's own.")
    .meta({ value: "FOLDER" }),
});
export type ReportOptions = z.infer<typeof ReportOptions>;

/** @throws ConfigError, BrokenFile */
export async function report(output: string, { to, against, tempDir }: ReportOptions): Promise<void> {
  checkFile("--to", to, []);
  const here = await figuresOf(output, tempDir);
  const there = against === undefined ? undefined : await figuresOf(against, tempDir);
  if (here.rows === 0 && here.manifests.length === 0)
    throw new ConfigError(`"${output}" has no rows to report on. Build it again, or give another output.`);
  const page = pageOf({ here, there, charts: chartsOf({ here, there }, await drawing()) });
  if (isRemote(to)) await remoteObjects().replaceText(to, page);
  else {
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, page);
  }
}
