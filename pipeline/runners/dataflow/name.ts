import { createHash } from "node:crypto";

/** What Dataflow allows as a name, of as many letters as a label has. */
export const JOB_NAME = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** Of the output's own name. */
const SLUG_CHARS = 20;
const HASH_CHARS = 8;

/**
 * The name of a job that nobody has named: the same for the same output and days, so that a second run of them is refused while the first
 * is at work, and another for others.
 */
export function jobNameOf(output: string, dates: string | undefined, trainDays: number | undefined): string {
  const hash = createHash("sha256")
    .update([output.replace(/\/+$/, ""), dates, trainDays].join("\n"))
    .digest("hex");
  const days = (dates ?? "").replaceAll("-", "").split("..");
  return ["backstory", slugOf(output), ...days, hash.slice(0, HASH_CHARS)].filter((part) => part !== "").join("-");
}

const slugOf = (output: string): string => {
  const last = output.split("/").findLast((part) => part !== "") ?? "";
  const slug = last.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  return slug.slice(0, SLUG_CHARS).replaceAll(/^-+|-+$/g, "");
};
