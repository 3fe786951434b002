/** The charts of a report: what each shows, in words, as a picture, and as numbers. */
import { ageText, type Both, type Chart, type Charting, cellsOf, drift, headsOf, percent, sides, sum, thousands, typeName } from "./chart";
import { type Draw, typeMark } from "./draw";
import type { Figures, Share } from "./figures";
import { ledger, rejects } from "./inputs";
import { late } from "./late";

/** In the order of the page: what went in, what came out, of what and for whom, what did not fit. */
const ALL: Charting[] = [ledger, rowsByDay, zeroByDay, lengths, byPosition, recency, items, customers, rejects, late];

export function chartsOf(both: Both, draw: Draw): Chart[] {
  return ALL.map((chart) => chart(both, draw)).filter((chart) => chart !== null);
}

function rowsByDay(both: Both, draw: Draw): Chart | null {
  if (both.here.rows === 0) return null;
  const rows = sides(both, ({ days }) => days.map(({ dt, rows }) => ({ dt: new Date(dt), rows })));
  return {
    id: "rows",
    title: "Rows by dt",
    definition: "Impression slots, each of which is one row, by the day of their ranking.",
    svg: draw.lines(rows, { x: "dt", y: "rows", xLabel: "dt", yLabel: "rows" }),
    table: daysTable(both, "rows", ({ rows }) => thousands(rows)),
    drift: drift(both, ({ quality }) => quality.rows_by_dt),
  };
}

function zeroByDay(both: Both, draw: Draw): Chart | null {
  if (both.here.rows === 0) return null;
  const rows = sides(both, ({ days }) => days.map(({ dt, zeroHistory }) => ({ dt: new Date(dt), share: zeroHistory })));
  const { here, there } = both;
  return {
    id: "zero-history",
    title: "Rows without history",
    definition:
      "Share of the rows of a dt whose customer has no action before its cutoff and within the lookback: their history is padding only.",
    svg: draw.lines(rows, { x: "dt", y: "share", xLabel: "dt", yLabel: "share of rows", isShare: true }),
    table: daysTable(both, "share of rows", ({ zeroHistory }) => (zeroHistory === null ? "no rows" : percent(zeroHistory))),
    drift:
      there === undefined
        ? undefined
        : `${percent(here.quality.zero_history_pct)} of all rows here, ${percent(there.quality.zero_history_pct)} in the other`,
  };
}

function daysTable(both: Both, what: string, cell: (day: Figures["days"][number]) => string): Chart["table"] {
  const days = [...new Set([...both.here.days, ...(both.there?.days ?? [])].map(({ dt }) => dt))].sort();
  const of = (figures: Figures, dt: string): string => {
    const day = figures.days.find((each) => each.dt === dt);
    return day === undefined ? "not there" : cell(day);
  };
  return { head: ["dt", ...headsOf(both, [what])], rows: days.map((dt) => [dt, ...cellsOf(both, (figures) => [of(figures, dt)])]) };
}

/** The so-manieth bin of histories' lengths: 0 by itself, then 1, 2 to 3, 4 to 7, ... */
const binAt = (i: number): string => (i < 2 ? String(i) : `${2 ** (i - 1)} to ${2 ** i - 1}`);
const binOf = (length: number): number => (length === 0 ? 0 : Math.floor(Math.log2(length)) + 1);

function binned(distribution: Record<string, number>): Record<string, number> {
  const bins: Record<string, number> = {};
  for (const [length, rows] of Object.entries(distribution)) {
    const bin = binAt(binOf(Number(length)));
    bins[bin] = (bins[bin] ?? 0) + rows;
  }
  return bins;
}

function lengths(both: Both, draw: Draw): Chart | null {
  if (both.here.rows === 0) return null;
  const of = ({ quality }: Figures) => binned(quality.sequence_length_distribution);
  const all = [both.here, both.there].flatMap((figures) => Object.keys(figures?.quality.sequence_length_distribution ?? {}).map(Number));
  const [first, last] = [all.reduce((a, b) => Math.min(a, b)), all.reduce((a, b) => Math.max(a, b))].map(binOf);
  // also those between that no row has
  const bins = Array.from({ length: last - first + 1 }, (_, i) => binAt(first + i));
  const rows = sides(both, (figures) => bins.map((bin) => ({ bin, share: (of(figures)[bin] ?? 0) / (figures.rows || 1) })));
  const cells = (figures: Figures, bin: string) => [
    thousands(of(figures)[bin] ?? 0),
    percent((of(figures)[bin] ?? 0) / (figures.rows || 1)),
  ];
  return {
    id: "lengths",
    title: "Length of histories",
    definition: "Rows by the number of real actions in their history, padding not counted.",
    svg: draw.bars(rows, { x: "bin", y: "share", xLabel: "actions, at least", yLabel: "share of rows", order: bins }),
    table: {
      head: ["actions", ...headsOf(both, ["rows", "share"])],
      rows: bins.map((bin) => [bin, ...cellsOf(both, (figures) => cells(figures, bin))]),
    },
    drift: drift(both, of),
  };
}

interface AtPosition {
  position: number;
  type: string;
  share: number;
}

const positionsOf = ({ quality: { action_type_frequency_by_position: positions } }: Figures): AtPosition[] =>
  positions.flatMap((counts, i) => {
    const total = sum(Object.values(counts)) || 1;
    return Object.entries(counts).map(([type, rows]) => ({ position: i + 1, type: typeName(type), share: rows / total }));
  });

function byPosition(both: Both, draw: Draw): Chart | null {
  if (both.here.rows === 0) return null;
  const [here, there] = [positionsOf(both.here), both.there === undefined ? [] : positionsOf(both.there)];
  const types = [...new Set([...here, ...there].map(({ type }) => type))];
  const last = Math.max(0, ...[...here, ...there].map(({ position }) => position));
  const cell = (rows: AtPosition[], position: number, type: string): string => {
    const at = rows.filter((row) => row.position === position);
    return at.length === 0 ? "not there" : percent(at.find((row) => row.type === type)?.share ?? 0);
  };
  return {
    id: "positions",
    title: "Action types by position",
    definition: `Of all rows, which type of action stands at a position of the history; 1 is the newest action.${both.there === undefined ? "" : " Dashed: the other output."}`,
    svg: draw.types(here, there, types),
    table: {
      head: ["position", ...headsOf(both, types)],
      rows: [1, 2, 5, 10, 20, 50, 100]
        .filter((position) => position <= last)
        .map((position) => [
          String(position),
          ...cellsOf(both, (figures) => types.map((type) => cell(figures === both.here ? here : there, position, type))),
        ]),
    },
    drift: drift(both, ({ quality }) => quality.real_action_type_distribution),
  };
}

function recency(both: Both, draw: Draw): Chart | null {
  const of = ({ days }: Figures) => days.flatMap(({ dt, used }) => used.map((each) => ({ ...each, dt, type: typeName(each.type) })));
  const rows = of(both.here);
  if (rows.length === 0) return null;
  const types = [...new Set(rows.map(({ type }) => type))];
  const others = both.there === undefined ? [] : of(both.there);
  const cells = (figures: Figures, dt: string, type: string): string[] => {
    const at = (figures === both.here ? rows : others).find((row) => row.dt === dt && row.type === type);
    return at === undefined ? ["none", "none"] : [ageText(at.newest), ageText(at.oldest)];
  };
  return {
    id: "recency",
    title: "Newest and oldest action used",
    definition: `By dt and type: how long before the cutoff (midnight of the dt) the newest and the oldest action lies that any history has. A newest one after its cutoff would be a leak.${both.there === undefined ? "" : " The picture is of this output."}`,
    svg: draw.ranges(
      rows.map((row) => ({ ...row, dt: new Date(row.dt) })),
      types,
    ),
    legend: types.flatMap((type) => [
      { mark: { ...typeMark(type, types), isHollow: true }, label: `newest ${type}` },
      { mark: typeMark(type, types), label: `oldest ${type}` },
    ]),
    table: {
      head: ["dt", "type", ...headsOf(both, ["newest", "oldest"])],
      rows: rows.map(({ dt, type }) => [dt, type, ...cellsOf(both, (figures) => cells(figures, dt, type))]),
    },
  };
}

function concentration(
  both: Both,
  draw: Draw,
  id: string,
  title: string,
  what: string,
  of: (figures: Figures) => Share[] | null,
): Chart | null {
  const here = of(both.here);
  if (here === null || here.length === 0) return null;
  const all = (figures: Figures) => of(figures) ?? [];
  const rows = sides(both, (figures) => all(figures).map(({ fraction, share }) => ({ fraction, share })));
  const counts = [...new Set([...here, ...(both.there === undefined ? [] : all(both.there))].map(({ count }) => count))].sort(
    (a, b) => a - b,
  );
  const cells = (figures: Figures, count: number): string[] => {
    const at = all(figures).find((share) => share.count === count);
    return at === undefined ? ["", ""] : [percent(at.fraction), percent(at.share)];
  };
  return {
    id,
    title,
    definition: `The ${what} with the most rows: what share of all rows they have together. If all were alike, 1% of the ${what} would have 1% of the rows.`,
    svg: draw.shares(rows, `share of ${what}`),
    table: {
      head: [`first ${what}`, ...headsOf(both, [`of all ${what}`, "of rows"])],
      rows: counts.map((count) => [thousands(count), ...cellsOf(both, (figures) => cells(figures, count))]),
    },
  };
}

function customers(both: Both, draw: Draw): Chart | null {
  return concentration(both, draw, "customers", "Skew of customers", "customers", (figures) => figures.customers);
}

function items(both: Both, draw: Draw): Chart | null {
  return concentration(both, draw, "items", "Top items", "items shown", (figures) => figures.items);
}
