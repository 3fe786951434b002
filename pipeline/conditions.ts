/** The conditions of --fail-on: figures of a run that are reason enough not to publish it. */
import type { MetricsReport } from "../transforms/metrics";
import { type Ledger, rejectedRows, type TableCounts } from "../transforms/tablecounts";

export interface Condition {
  text: string;
  figure: Figure;
  above: boolean;
  bound: number;
  /** of rejects and late rows: a percentage of a table's rows, not a count of them */
  percent: boolean;
}

const FIGURES = ["rows", "zero_history_pct", "avg_history_length", "rejects", "late", "leak"] as const;
type Figure = (typeof FIGURES)[number];

/** What a condition can be, for messages. */
export const CONDITIONS = `one or more, with commas, of ${FIGURES.filter((figure) => figure !== "leak").join(", ")}, then < or >, then a number or a percentage; or leak`;

/** `zero_history_pct>0.5,rejects>0.1%`; undefined if it is something else. */
export function parseConditions(text: string): Condition[] | undefined {
  const all = text.split(",").map((part) => parse(part.trim()));
  return all.every((each) => each !== undefined) ? all : undefined;
}

function parse(text: string): Condition | undefined {
  if (text === "leak") return { text, figure: "leak", above: true, bound: 0, percent: false };
  const [, figure, sign, number, percent] = /^([a-z_]+)\s*([<>])\s*(\d+(?:\.\d+)?)(%?)$/.exec(text) ?? [];
  if (!isFigure(figure) || figure === "leak" || (percent === "%" && (figure === "rows" || figure === "avg_history_length")))
    return undefined;
  return { text, figure, above: sign === ">", bound: percent === "%" ? Number(number) / 100 : Number(number), percent: percent === "%" };
}

const isFigure = (name: string | undefined): name is Figure => FIGURES.some((figure) => figure === name);

/** Whether the conditions ask for `leak`, for which times have to travel to the writer. */
export const asksForLeak = (failOn: string | undefined): boolean =>
  parseConditions(failOn ?? "")?.some(({ figure }) => figure === "leak") ?? false;

/**
 * @param leaks actions in histories, of those that were looked at, that are from their cutoff or later
 * @returns the conditions that a run meets, each with what it is; undefined if none
 */
export function conditionsMet(conditions: readonly Condition[], ledger: Ledger, quality: MetricsReport, leaks = 0): string | undefined {
  const met = conditions.flatMap((condition) => {
    const is = condition.figure === "leak" ? leaks : figureOf(condition, ledger, quality);
    return (condition.above ? is > condition.bound : is < condition.bound) ? [`${condition.text} (it is ${shown(is, condition)})`] : [];
  });
  if (met.length === 0) return undefined;
  return `--fail-on: ${met.join(", ")}; nothing was published. --metrics-json=FILE tells all figures; mend the input or change the condition.`;
}

/** Of rejects and late rows that of the table which has most. */
function figureOf({ figure, percent }: Condition, ledger: Ledger, quality: MetricsReport): number {
  if (figure === "leak") return 0;
  if (figure !== "rejects" && figure !== "late") return quality[figure];
  const rowsOf = (counts: TableCounts) => (figure === "late" ? (counts.late?.rows ?? 0) : rejectedRows(counts));
  return Math.max(0, ...Object.values(ledger).map((counts) => rowsOf(counts) / (percent ? Math.max(1, counts.rows) : 1)));
}

/** Four digits of what is no whole number, or as many as it takes to be beyond the bound. */
function shown(value: number, { percent, bound, above }: Condition): string {
  const [told, limit] = percent ? [value * 100, bound * 100] : [value, bound];
  let text = Number.isInteger(told) && !percent ? String(told) : told.toPrecision(4);
  const isBeyond = () => (above ? Number(text) > limit : Number(text) < limit);
  for (let digits = 5; !isBeyond() && digits <= 17; digits++) text = told.toPrecision(digits);
  return percent ? `${text}%` : String(Number(text));
}
