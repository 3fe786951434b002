/** What stands at the axes of charts, and where. */
import type * as PlotModule from "@observablehq/plot";
import { ageText } from "./chart";

export const percentTick = (share: number): string => `${Number((100 * share).toPrecision(3))}%`;
export const countTick = (n: number): string => (n < 1000 ? String(n) : COUNT_TICKS.format(n));
const COUNT_TICKS = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
/** The lower end of a bin says enough. */
export const firstTick = (bin: string): string => countTick(Number.parseInt(bin, 10));

/** Ages that ticks stand at, in days. */
export const AGES: [days: number, text: string][] = [
  [1 / 1440, "1 min"],
  [1 / 24, "1 h"],
  [1, "1 day"],
  [10, "10 days"],
  [100, "100 days"],
  [1000, "1,000 days"],
];
export const ageTick = (days: number): string => AGES.find(([age]) => Math.abs(age - days) < 1e-9)?.[1] ?? ageText(days);

const DAY_MS = 86_400_000;

/** One day has no width of its own; of few, each is a tick. */
export function daysAxis(dates: readonly Date[]): PlotModule.ScaleOptions {
  const times = [...new Set(dates.map(Number))].sort((a, b) => a - b);
  if (times.length === 0) return {};
  const tickFormat = (date: Date): string => DAY_TICKS.format(date);
  if (times.length === 1)
    return { domain: [new Date(times[0] - DAY_MS), new Date(times[0] + DAY_MS)], ticks: [new Date(times[0])], tickFormat } as never;
  return times.length <= 5 ? ({ ticks: times.map((time) => new Date(time)), tickFormat } as never) : { ticks: 5 };
}
const DAY_TICKS = new Intl.DateTimeFormat("en", { month: "short", day: "numeric", timeZone: "UTC" });

/** At most so many, evenly, the first and the last among them. */
export const spread = <T>(all: readonly T[], most: number): T[] =>
  all.length <= most ? [...all] : Array.from({ length: most }, (_, i) => all[Math.round((i * (all.length - 1)) / (most - 1))]);

/** Moved as little as it takes for each to be a line away from the next, from the bottom up; what leaves the top pushes the others down. */
export function apart<T extends { share: number }>(rows: readonly T[], line: number): T[] {
  const moved = rows.map((row) => ({ ...row })).sort((a, b) => a.share - b.share);
  for (let i = 1; i < moved.length; i++) moved[i].share = Math.max(moved[i].share, moved[i - 1].share + line);
  let below = 1;
  for (const row of moved.reverse()) {
    row.share = Math.min(row.share, below);
    below = row.share - line;
  }
  return moved;
}

export const shortened = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most - 1)}…`);
