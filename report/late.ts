/** The chart of late rows: by table, kind and day, with what each kind means and what acts on it. */
import { LATE_KINDS, type LateKind } from "../transforms/lateness";
import { type Both, type Chart, headsOf, percent, sum, thousands } from "./chart";
import type { Draw } from "./draw";
import type { Figures } from "./figures";
import { type Counted, cells, counted, nameOf, rowsOf, union, worst } from "./inputs";

const KINDS: Record<LateKind, { means: string; acts: string }> = {
  "time of another day": {
    means: "The day that the row says it is of (dt, its folder's, or an order's date) is not the day of its time in --timezone.",
    acts: "--timezone, if all are off by the same hours; --action-clock=both lets an action count only if its dt too is before that of the ranking; --order-time=occurred-at takes an order's timestamp.",
  },
  "beyond the order lag": {
    means: "An order whose timestamp is more days after its date than --order-lag-days: a history may know it too early.",
    acts: "A larger --order-lag-days, or --order-time=occurred-at.",
  },
  "after the last dt": {
    means: "A time after the end of the newest dt: from the future, or of days that have no rankings.",
    acts: "No history has them. Look at the clock of who wrote them, and at --dates.",
  },
  "after the last cutoff": {
    means: "A time of the newest dt itself, as in every export of whole days: no fault.",
    acts: "Nothing; --fail-on=late does not count them.",
  },
};

const lateOf = (figures: Figures): Counted[] =>
  counted(figures, ({ late }) => Object.entries(late?.days ?? {}).map(([kind, days]) => [kind, sum(Object.values(days))])).sort(
    (a, b) => LATE_KINDS.indexOf(b.what as LateKind) - LATE_KINDS.indexOf(a.what as LateKind),
  );

/** Rows of any kind that is warned of, each once. */
const lateRowsOf = (figures: Figures): Counted[] => counted(figures, ({ late }) => [["late", late?.rows ?? 0]]);

/** Days that a picture has room for, and lines that a table is read to the end of. */
const MOST_DAYS = 24;
const MOST_LINES = 200;

export function late(both: Both, draw: Draw): Chart | null {
  if (both.here.manifests.length === 0) return null;
  const kinds = union(both, lateOf);
  const days = lateDays(both.here);
  const failing = lateRowsOf(both.here).map(({ table, rows }) => `${table} ${percent(rows / (rowsOf(both.here, table) || 1))}`);
  const shown = kinds.map(({ what }) => what);
  return {
    id: "late",
    title: "Late data",
    definition: `Rows of actions that are not from when they say, or came late, by table, kind and day. They count by their times, like any others. What --fail-on=late>1% looks at: ${failing.join(", ") || "no row"}.`,
    svg:
      days.length === 0
        ? undefined
        : draw.days(
            busiest(days).map((each) => ({ ...each, label: nameOf({ table: each.table, what: each.kind }), color: colorOf(each.kind) })),
          ),
    table: lateTable(both, kinds, days),
    terms: LATE_KINDS.filter((kind) => shown.includes(kind))
      .map((kind) => ({ term: kind, ...KINDS[kind] }))
      .reverse(),
    drift: worst(both, lateRowsOf),
  };
}

const COLORS: Partial<Record<string, string>> = {
  "time of another day": "var(--second)",
  "beyond the order lag": "var(--fourth)",
  "after the last dt": "var(--first)",
  "after the last cutoff": "var(--padding)",
} satisfies Record<LateKind, string>;
const colorOf = (kind: string): string => COLORS[kind] ?? "var(--third)";

interface LateDay {
  table: string;
  kind: string;
  day: string;
  rows: number;
}

/** In order of day, then of table. */
function lateDays(figures: Figures): LateDay[] {
  const all = counted(figures, ({ late }) =>
    Object.entries(late?.days ?? {}).flatMap(([kind, days]) =>
      Object.entries(days).map(([day, rows]): [string, number] => [`${day} ${kind}`, rows]),
    ),
  );
  const days = all.map(({ table, what, rows }) => ({ table, day: what.slice(0, 10), kind: what.slice(11), rows }));
  return days.sort((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : 0));
}

/** The days that have most, in order of time. */
function busiest(days: LateDay[]): LateDay[] {
  const byDay = Map.groupBy(days, ({ day }) => day);
  const most = [...byDay].map(([day, some]) => ({ day, rows: sum(some.map(({ rows }) => rows)) })).sort((a, b) => b.rows - a.rows);
  const kept = new Set(most.slice(0, MOST_DAYS).map(({ day }) => day));
  return days.filter(({ day }) => kept.has(day));
}

/** First the kinds, then their days. */
function lateTable(both: Both, kinds: Counted[], days: LateDay[]): Chart["table"] {
  const most = days.toSorted((a, b) => b.rows - a.rows).slice(0, MOST_LINES);
  const kept = new Set(most);
  const blank = both.there === undefined ? [] : ["", ""];
  const rowsOfDay = ({ table, rows }: LateDay) => [thousands(rows), percent(rows / (rowsOf(both.here, table) || 1)), ...blank];
  const more =
    days.length > MOST_LINES ? `The ${MOST_LINES} lines with most rows, of ${thousands(days.length)}; the manifest has all.` : undefined;
  return {
    head: ["table and kind", "day", ...headsOf(both, ["rows", "of its table"])],
    rows: [
      ...kinds.map((each) => [nameOf(each), "all", ...cells(both, lateOf, each)]),
      ...days.filter((day) => kept.has(day)).map((day) => [nameOf({ table: day.table, what: day.kind }), day.day, ...rowsOfDay(day)]),
    ],
    more: kinds.length === 0 ? "No row is late, or not from when it says." : more,
  };
}
