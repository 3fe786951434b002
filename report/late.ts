/** The chart of late rows: by table, kind and day, with what each kind means and what acts on it. */
import { LATE_KINDS, type LateKind } from "../transforms/lateness";
import { type Both, type Chart, cellsOf, headsOf, percent, sum, thousands } from "./chart";
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
    means: "A time of the newest dt itself, as in every export of whole days, or from after the days that --dates chose: no fault.",
    acts: "Nothing; --fail-on=late does not count them.",
  },
};

const lateOf = (figures: Figures): Counted[] =>
  counted(figures, ({ late }) => Object.entries(late?.days ?? {}).map(([kind, days]) => [kind, sum(Object.values(days))]));

/** Rows of any kind that is warned of, each once. */
const lateRowsOf = (figures: Figures): Counted[] => counted(figures, ({ late }) => [["late", late?.rows ?? 0]]);

/** Days that a picture has room for, and lines that a table is read to the end of. */
const MOST_DAYS = 24;
const MOST_LINES = 60;

export function late(both: Both, draw: Draw): Chart | null {
  if (both.here.manifests.length === 0) return null;
  const kinds = union(both, lateOf).sort((a, b) => rank(a.what) - rank(b.what));
  const [all, shown] = [lateDays(both.here), busiest(lateDays(both.here))];
  const failing = lateRowsOf(both.here).map(({ table, rows }) => `${table} ${percent(rows / (rowsOf(both.here, table) || 1))}`);
  const labels = kinds.map(nameOf).filter((label) => shown.some((day) => nameOf(day) === label));
  const cut = shown.length < all.length ? ` The picture has the ${MOST_DAYS} days with most rows.` : "";
  return {
    id: "late",
    title: "Late data",
    definition: `Rows of actions that are not from when they say, or came late, by table, kind and day, as shares of the table. They count by their times, like any others. What --fail-on=late>1% looks at: ${failing.join(", ") || "no row"}.${cut}`,
    svg:
      all.length === 0
        ? undefined
        : draw.days(
            shown.map((day) => ({ ...day, label: nameOf(day), color: colorOf(day.what) })),
            labels,
          ),
    table: lateTable(both, kinds),
    terms: [...LATE_KINDS]
      .filter((kind) => kinds.some(({ what }) => what === kind))
      .sort((a, b) => rank(a) - rank(b))
      .map((kind) => ({ term: kind, ...KINDS[kind] })),
    drift: worst(both, lateRowsOf),
  };
}

/** The one that is no fault comes last. */
const rank = (kind: string): number => -LATE_KINDS.indexOf(kind as LateKind);

const COLORS: Partial<Record<string, string>> = {
  "time of another day": "var(--second)",
  "beyond the order lag": "var(--fourth)",
  "after the last dt": "var(--first)",
  "after the last cutoff": "var(--padding)",
} satisfies Record<LateKind, string>;
const colorOf = (kind: string): string => COLORS[kind] ?? "var(--third)";

interface LateDay extends Counted {
  day: string;
}

/** In order of day. */
function lateDays(figures: Figures): LateDay[] {
  const all = counted(figures, ({ late }) =>
    Object.entries(late?.days ?? {}).flatMap(([kind, days]) =>
      Object.entries(days).map(([day, rows]): [string, number] => [`${day} ${kind}`, rows]),
    ),
  );
  return all.map(({ table, what, rows }) => ({ table, day: what.slice(0, 10), what: what.slice(11), rows })).sort(byDay);
}

const byDay = (a: LateDay, b: LateDay): number => (a.day < b.day ? -1 : a.day > b.day ? 1 : 0);

/** The days that have most, in order of time. */
function busiest(days: LateDay[]): LateDay[] {
  const most = [...Map.groupBy(days, ({ day }) => day)].map(([day, some]) => ({ day, rows: sum(some.map(({ rows }) => rows)) }));
  const kept = new Set(
    most
      .sort((a, b) => b.rows - a.rows)
      .slice(0, MOST_DAYS)
      .map(({ day }) => day),
  );
  return days.filter(({ day }) => kept.has(day));
}

/** First the kinds, then their days. */
function lateTable(both: Both, kinds: Counted[]): Chart["table"] {
  const keyOf = (each: LateDay) => `${each.day} ${nameOf(each)}`;
  const found = new Map(
    [both.here, both.there].map((figures) => [figures, new Map((figures ? lateDays(figures) : []).map((each) => [keyOf(each), each]))]),
  );
  const all = [...new Map([...found.values()].flatMap((some) => [...some])).values()];
  const ofKind = Map.groupBy(all, nameOf);
  // a kind of one day is said once
  const days = all.filter((each) => ofKind.get(nameOf(each))!.length > 1);
  const dayOf = (each: Counted): string => (ofKind.get(nameOf(each))?.length === 1 ? ofKind.get(nameOf(each))![0].day : "all");
  const most = days.toSorted((a, b) => b.rows - a.rows).slice(0, MOST_LINES);
  const more =
    days.length > MOST_LINES
      ? `The ${MOST_LINES} days of a table and kind with most rows, of ${thousands(days.length)}; the manifest has all.`
      : undefined;
  const dayCells = (each: LateDay) =>
    cellsOf(both, (figures) => {
      const rows = found.get(figures)?.get(keyOf(each))?.rows ?? 0;
      return [thousands(rows), percent(rows / (rowsOf(figures, each.table) || 1))];
    });
  return {
    head: ["table and kind", "day", ...headsOf(both, ["rows", "share"])],
    rows: [
      ...kinds.map((each) => [nameOf(each), dayOf(each), ...cells(both, lateOf, each)]),
      ...most.sort(byDay).map((each) => [nameOf(each), each.day, ...dayCells(each)]),
    ],
    more: kinds.length === 0 ? "No row is late, or not from when it says." : more,
  };
}
