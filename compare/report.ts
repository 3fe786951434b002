/** Tells people, or programs, how two outputs differ. */
import { DifferencesFound } from "../verify/report";
import { type Comparison, compare } from "./compare";
import type { Example } from "./explain";
import type { CompareOptions } from "./options";
import { REASONS } from "./reasons";
import type { Place } from "./side";

/** @throws DifferencesFound after the report was printed */
export async function compareAndTell(here: string, there: string, options: CompareOptions): Promise<void> {
  const comparison = await compare(here, there, options);
  const { different, onlyHere, onlyThere } = comparison.total;
  console.log(options.json ? JSON.stringify(comparison) : textOf(comparison));
  const differences = different + onlyHere + onlyThere;
  if (differences > 0)
    throw new DifferencesFound(
      `${here} and ${there} differ in ${plural(differences, "row")}. The report tells how; start with its most frequent reason.`,
    );
}

export function textOf({ here, there, key, compared, columns, dts, total, lookedAt, reasons, onlyHere, onlyThere }: Comparison): string {
  const lines = [`here:  ${here}`, `there: ${there}`, `rows by dt, ${key.join(", ")}; compared: ${compared.join(", ") || "nothing else"}`];
  if (columns.here.length > 0) lines.push(`columns only here: ${columns.here.join(", ")}`);
  if (columns.there.length > 0) lines.push(`columns only there: ${columns.there.join(", ")}`);
  lines.push("", ...table([...dts, { ...total, dt: "all" }]));
  if (reasons.length > 0) lines.push("", `likely reasons, of ${plural(lookedAt, "row")} that differ:`);
  for (const { reason, example, ...counts } of reasons) {
    lines.push(`  ${thousands(counts.rows)}  ${reason}: ${REASONS[reason]}${sideOf(counts)}`, `      as in ${placed(example)}`);
    for (const [side, values] of Object.entries(example.values ?? {})) lines.push(`      ${side}: ${JSON.stringify(values)}`);
  }
  if (onlyHere !== null) lines.push("", `first row only here: ${at(onlyHere)}`);
  if (onlyThere !== null) lines.push("", `first row only there: ${at(onlyThere)}`);
  lines.push("", total.different + total.onlyHere + total.onlyThere === 0 ? "no difference" : "they differ");
  return lines.join("\n");
}

const HEADS = ["dt", "here", "there", "same", "different", "onlyHere", "onlyThere"] as const;

function table(rows: readonly Record<(typeof HEADS)[number], string | number>[]): string[] {
  const cells = [
    ["dt", "here", "there", "same", "different", "only here", "only there"],
    ...rows.map((row) => HEADS.map((head) => textCell(row[head]))),
  ];
  const widths = HEADS.map((_, i) => Math.max(...cells.map((row) => row[i].length)));
  return cells.map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join("  "));
}

/** Which side has more, or newer, actions. */
function sideOf({ moreHere, moreThere }: { moreHere: number; moreThere: number }): string {
  const sides = [["here", moreHere] as const, ["there", moreThere] as const].filter(([, rows]) => rows > 0);
  return sides.length === 0 ? "" : ` (more ${sides.map(([side, rows]) => `${side} in ${thousands(rows)}`).join(", ")})`;
}

function placed({ here, there, position, columns }: Example): string {
  const where = `${at(here)} here, ${at(there)} there`;
  const which = [...(position === null ? [] : [`position ${position}`]), ...columns];
  return `${where}: ${which.join(", ")}`;
}

const textCell = (cell: string | number): string => (typeof cell === "number" ? thousands(cell) : cell);
const at = ({ file, row }: Place): string => `${file} row ${row}`;
const thousands = (count: number): string => count.toLocaleString("en");
const plural = (count: number, word: string): string => `${thousands(count)} ${word}${count === 1 ? "" : "s"}`;
