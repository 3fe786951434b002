/** Tells people, or programs, what a verification found. */

import type { Finding } from "./findings";
import type { VerifyOptions } from "./options";
import { type Report, verify } from "./verify";

/** The output is not what it should be. */
export class DifferencesFound extends Error {
  override name = "DifferencesFound";
  readonly exitCode = 4;
}

/** @throws DifferencesFound after the report was printed */
export async function verifyAndTell(folder: string, options: VerifyOptions): Promise<void> {
  const report = await verify(folder, options);
  console.log(options.json ? JSON.stringify(report, inDigits) : textOf(report));
  if (report.differences > 0)
    throw new DifferencesFound(
      `${folder} differs from what it should be in ${plural(report.differences, "place")}. The report tells where; build it again once the cause is known.`,
    );
}

const inDigits = (_: string, value: unknown) => (typeof value === "bigint" ? String(value) : value);

export function textOf({ output, counts, findings, warnings, unchecked, checked, differences }: Report): string {
  const lines = [...warnings.map((warning) => `warning: ${warning}`)];
  for (const [kind, count] of Object.entries(counts)) {
    const told = findings.filter((finding) => finding.kind === kind);
    lines.push(`${kind}: ${count}`, ...told.map((finding) => `  ${lineOf(finding)}`));
    if (count > told.length) lines.push(`  and ${count - told.length} more`);
  }
  const { partitions, files, rows, runs } = checked;
  lines.push(`checked: ${plural(partitions, "partition")}, ${plural(files, "file")}, ${plural(rows, "row")}`);
  for (const { run, customers, all, rows: theirs } of runs)
    if (customers !== null)
      lines.push(
        `recomputed${run === null ? "" : ` of run ${run}`}: ${all ? "all " : ""}${plural(customers, "customer")}, ${plural(theirs, "row")}`,
      );
  for (const what of unchecked) lines.push(`not checked: ${what}`);
  lines.push(`${output}: ${differences === 0 ? "no difference" : plural(differences, "difference")}`);
  return lines.join("\n");
}

function lineOf({ file, dt, row, position, input, message, values }: Finding): string {
  const place = [
    file ?? (dt === undefined ? undefined : `dt=${dt}`),
    row && `row ${row}`,
    position !== undefined && `position ${position}`,
  ];
  const at = place.filter((part) => part).join(", ");
  return `${at === "" ? "" : `${at}: `}${message}${input === undefined ? "" : ` (${input})`}${values === undefined ? "" : ` ${JSON.stringify(values, inDigits)}`}`;
}

const plural = (count: number, word: string): string => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
