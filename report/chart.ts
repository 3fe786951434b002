/** What charts have in common: their parts, two outputs side by side, how numbers are told. */
import type { Draw, Series } from "./draw";
import type { Figures } from "./figures";

export interface Chart {
  id: string;
  title: string;
  /** one or two sentences: what is counted, of what */
  definition: string;
  /** a picture; undefined where there is nothing to draw, of which `table` then says why */
  svg?: string;
  /** what the marks of the picture mean, where the picture itself has no room for it */
  legend?: { mark: Mark; label: string }[];
  table: Table;
  /** terms that the picture has, each with what it means and what acts on it */
  terms?: { term: string; means: string; acts: string }[];
  /** how far the two outputs are apart, where there are two */
  drift?: string;
}

/** Colour, and shape for those who do not see it. */
export interface Mark {
  color: string;
  shape: "square" | "circle" | "triangle" | "diamond";
  isHollow?: boolean;
}

export interface Table {
  head: string[];
  rows: string[][];
  /** what the rows leave out */
  more?: string;
}

/** What charts of two outputs compare: `there` is the one compared with. */
export interface Both {
  here: Figures;
  there: Figures | undefined;
}

export type Charting = (both: Both, draw: Draw) => Chart | null;

const TYPE_NAMES = ["padding", "click", "add-to-cart", "order"];
export const typeName = (type: number | string): string => TYPE_NAMES[Number(type)] ?? `type ${type}`;

const COUNTS = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
export const thousands = (n: number): string => COUNTS.format(n);

/** One digit behind the point, or as many as it takes to see that it is not nothing. */
export function percent(fraction: number): string {
  const value = 100 * fraction;
  if (value === 0 || Math.abs(value) >= 0.1) return `${value.toFixed(1)}%`;
  return Math.abs(value) < 0.001 ? `${value < 0 ? "above -" : "below "}0.001%` : `${value.toFixed(3)}%`;
}

/** Time before a cutoff, given in days, in the unit that fits. */
export function ageText(days: number): string {
  const [size, unit] = AGES.find(([size]) => Math.abs(days) >= size) ?? [1 / 86_400, "s"];
  return `${thousands(days / size)} ${unit}`;
}
const AGES: [days: number, unit: string][] = [
  [1, "d"],
  [1 / 24, "h"],
  [1 / 1440, "min"],
];

export const sum = (numbers: Iterable<number>): number => [...numbers].reduce((a, b) => a + b, 0);

export const name = (which: "here" | "there"): string => (which === "here" ? "this output" : "the other");

/** One series, or two to be compared. */
export function sides<Row>({ here, there }: Both, rows: (figures: Figures) => Row[]): (Row & Series)[] {
  return [
    ...rows(here).map((row) => ({ ...row, series: name("here") })),
    ...(there === undefined ? [] : rows(there).map((row) => ({ ...row, series: name("there") }))),
  ];
}

/** Cells of this output, then those of the other, if there is one. */
export const cellsOf = ({ here, there }: Both, of: (figures: Figures) => string[]): string[] => [
  ...of(here),
  ...(there === undefined ? [] : of(there)),
];

/** The heads of such cells. */
export const headsOf = ({ there }: Both, heads: readonly string[]): string[] => [
  ...heads,
  ...(there === undefined ? [] : heads.map((head) => `${head}, other`)),
];

/** Half of the sum of all differences of shares: 0 for the same distribution, 1 for ones that have nothing in common. */
export function variation(a: Record<string, number>, b: Record<string, number>): number {
  const [sumA, sumB] = [sum(Object.values(a)) || 1, sum(Object.values(b)) || 1];
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].reduce((total, key) => total + Math.abs((a[key] ?? 0) / sumA - (b[key] ?? 0) / sumB), 0) / 2;
}

export function drift({ here, there }: Both, of: (figures: Figures) => Record<string, number>): string | undefined {
  return there === undefined ? undefined : `${percent(variation(of(here), of(there)))} of the total lies elsewhere (total variation)`;
}
