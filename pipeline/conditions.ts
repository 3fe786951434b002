/** The conditions of --fail-on: figures of a run that are reason enough not to publish it. */
import type { MetricsReport } from "../transforms/metrics";
import { type Ledger, rejectedRows } from "../transforms/tablecounts";

export interface Condition {
  text: string;
  figure: Figure;
  above: boolean;
  bound: number;
  /** of rejects: a percentage of a table's rows, not a count of them */
  percent: boolean;
}

const FIGURES = ["rows", "zero_history_pct", "avg_history_length", "rejects"] as const;
type Figure = (typeof FIGURES)[number];

/** What a condition can be, for messages. */
export const CONDITIONS = `one or more, with commas, of ${FIGURES.join(", ")}, then < or >, then a number or a percentage`;

/** `zero_history_pct>0.5,rejects>0.1%`; undefined if it is something else. */
export function parseConditions(text: string): Condition[] | undefined {
  const all = text.split(",").map((part) => parse(part.trim()));
  return all.every((each) => each !== undefined) ? all : undefined;
}

function parse(text: string): Condition | undefined {
  const [, figure, sign, number, percent] = /^([a-z_]+)\s*([<>])\s*(\d+(?:\.\d+)?)(%?)$/.exec(text) ?? [];
  if (!isFigure(figure) || (percent === "%" && (figure === "rows" || figure === "avg_history_length"))) return undefined;
  return { text, figure, above: sign === ">", bound: percent === "%" ? Number(number) / 100 : Number(number), percent: percent === "%" };
}

const isFigure = (name: string | undefined): name is Figure => FIGURES.some((figure) => figure === name);

/** The conditions that a run meets, each with what it is; undefined if none. */
export function conditionsMet(conditions: readonly Condition[], ledger: Ledger, quality: MetricsReport): string | undefined {
  const met = conditions.flatMap((condition) => {
    const is = figureOf(condition, ledger, quality);
    return (condition.above ? is > condition.bound : is < condition.bound) ? [`${condition.text} (it is ${shown(is, condition)})`] : [];
  });
  if (met.length === 0) return undefined;
  return `--fail-on: ${met.join(", ")}; nothing was published. --metrics-json=FILE tells all figures; mend the input or change the condition.`;
}

/** Of rejects that of the table which has most. */
function figureOf({ figure, percent }: Condition, ledger: Ledger, quality: MetricsReport): number {
  if (figure !== "rejects") return quality[figure];
  return Math.max(0, ...Object.values(ledger).map((counts) => rejectedRows(counts) / (percent ? Math.max(1, counts.rows) : 1)));
}

const shown = (value: number, { percent }: Condition): string => (percent ? `${(value * 100).toPrecision(4)}%` : String(value));
