/** The charts of a report: what each shows, in words, as a picture, and as numbers. */
import type { Manifest } from "../pipeline/manifest";
import type { Draw, Series } from "./draw";
import type { Figures, Share } from "./figures";

export interface Chart {
  id: string;
  title: string;
  /** one or two sentences: what is counted, of what */
  definition: string;
  svg: string;
  table: { head: string[]; rows: string[][] };
  /** how far the two outputs are apart, where there are two */
  drift?: string;
}

/** What charts of two outputs compare: `there` is the one compared with. */
export interface Both {
  here: Figures;
  there: Figures | undefined;
}

const TYPE_NAMES = ["padding", "click", "add-to-cart", "order"];
export const typeName = (type: number | string): string => TYPE_NAMES[Number(type)] ?? `type ${type}`;

export const percent = (fraction: number): string => `${(100 * fraction).toFixed(fraction !== 0 && Math.abs(fraction) < 0.001 ? 3 : 1)}%`;
export const thousands = (n: number): string => n.toLocaleString("en", { maximumFractionDigits: 1 });

const name = (which: "here" | "there"): string => (which === "here" ? "this output" : "the other");

/** One series, or two to be compared. */
function sides<Row>({ here, there }: Both, rows: (figures: Figures) => Row[]): (Row & Series)[] {
  return [
    ...rows(here).map((row) => ({ ...row, series: name("here") })),
    ...(there === undefined ? [] : rows(there).map((row) => ({ ...row, series: name("there") }))),
  ];
}

/** Half of the sum of all differences of shares: 0 for the same distribution, 1 for ones that have nothing in common. */
export function variation(a: Record<string, number>, b: Record<string, number>): number {
  const total = (counts: Record<string, number>) => Object.values(counts).reduce((x, y) => x + y, 0) || 1;
  const [sumA, sumB] = [total(a), total(b)];
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].reduce((sum, key) => sum + Math.abs((a[key] ?? 0) / sumA - (b[key] ?? 0) / sumB), 0) / 2;
}

function drift({ here, there }: Both, of: (figures: Figures) => Record<string, number>): string | undefined {
  return there === undefined ? undefined : `${percent(variation(of(here), of(there)))} of the total lies elsewhere (total variation)`;
}

export function chartsOf(both: Both, draw: Draw): Chart[] {
  const all = [rowsByDay, zeroByDay, lengths, byPosition, recency, customers, items, ledger, rejects];
  return all.map((chart) => chart(both, draw)).filter((chart) => chart !== null);
}

function rowsByDay(both: Both, draw: Draw): Chart {
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

function zeroByDay(both: Both, draw: Draw): Chart {
  const rows = sides(both, ({ days }) => days.map(({ dt, zeroHistory }) => ({ dt: new Date(dt), share: zeroHistory })));
  const { here, there } = both;
  return {
    id: "zero-history",
    title: "Rows without history",
    definition:
      "Share of the rows of a dt whose customer has no action before its cutoff and within the lookback: their history is padding only.",
    svg: draw.lines(rows, { x: "dt", y: "share", xLabel: "dt", yLabel: "share of rows", isShare: true }),
    table: daysTable(both, "share of rows", ({ zeroHistory }) => percent(zeroHistory)),
    drift:
      there === undefined
        ? undefined
        : `${percent(here.quality.zero_history_pct)} of all rows here, ${percent(there.quality.zero_history_pct)} of the other's`,
  };
}

function daysTable({ here, there }: Both, what: string, cell: (day: Figures["days"][number]) => string): Chart["table"] {
  const days = [...new Set([...here.days, ...(there?.days ?? [])].map(({ dt }) => dt))].sort();
  const of = (figures: Figures, dt: string) => {
    const day = figures.days.find((each) => each.dt === dt);
    return day === undefined ? "none" : cell(day);
  };
  return {
    head: ["dt", what, ...(there === undefined ? [] : [`${what}, other`])],
    rows: days.map((dt) => [dt, of(here, dt), ...(there === undefined ? [] : [of(there, dt)])]),
  };
}

/** Bins of histories' lengths: 0 by itself, then 1, 2 to 3, 4 to 7, ... */
function binned(distribution: Record<string, number>): Record<string, number> {
  const bins: Record<string, number> = {};
  for (const [length, rows] of Object.entries(distribution)) {
    const from = Number(length) === 0 ? 0 : 2 ** Math.floor(Math.log2(Number(length)));
    const bin = from < 2 ? String(from) : `${from} to ${2 * from - 1}`;
    bins[bin] = (bins[bin] ?? 0) + rows;
  }
  return bins;
}

const byFirst = (a: string, b: string): number => Number.parseInt(a, 10) - Number.parseInt(b, 10);

function lengths(both: Both, draw: Draw): Chart {
  const of = ({ quality }: Figures) => binned(quality.sequence_length_distribution);
  const bins = [...new Set([of(both.here), both.there === undefined ? {} : of(both.there)].flatMap(Object.keys))].sort(byFirst);
  const rows = sides(both, (figures) => bins.map((bin) => ({ bin, share: (of(figures)[bin] ?? 0) / figures.rows })));
  return {
    id: "lengths",
    title: "Length of histories",
    definition: "Rows by the number of real actions in their history, padding not counted.",
    svg: draw.bars(rows, { x: "bin", y: "share", xLabel: "actions", yLabel: "share of rows", order: bins }),
    table: sharesTable(both, "actions", bins, of),
    drift: drift(both, of),
  };
}

function sharesTable(
  { here, there }: Both,
  head: string,
  keys: readonly string[],
  of: (figures: Figures) => Record<string, number>,
): Chart["table"] {
  const cells = (figures: Figures, key: string) => {
    const counts = of(figures);
    const total = Object.values(counts).reduce((a, b) => a + b, 0) || 1;
    return [thousands(counts[key] ?? 0), percent((counts[key] ?? 0) / total)];
  };
  return {
    head: [head, "rows", "share", ...(there === undefined ? [] : ["rows, other", "share, other"])],
    rows: keys.map((key) => [key, ...cells(here, key), ...(there === undefined ? [] : cells(there, key))]),
  };
}

function byPosition(both: Both, draw: Draw): Chart {
  const of = ({ quality: { action_type_frequency_by_position: positions } }: Figures) =>
    positions.flatMap((counts, position) => {
      const total = Object.values(counts).reduce((a, b) => a + b, 0) || 1;
      return Object.entries(counts).map(([type, rows]) => ({ position: position + 1, type: typeName(type), share: rows / total }));
    });
  const types = [...new Set(of(both.here).map(({ type }) => type))];
  const { action_type_frequency_by_position: positions } = both.here.quality;
  const told = [1, 2, 5, 10, 20, 50, 100].filter((position) => position <= positions.length);
  return {
    id: "positions",
    title: "Action types by position",
    definition: `Of all rows, which type of action stands at a position of the history; 1 is the newest action. ${both.there === undefined ? "" : "Dashed: the other output."}`,
    svg: draw.types(of(both.here), both.there === undefined ? [] : of(both.there), types),
    table: {
      head: ["position", ...types],
      rows: told.map((position) => {
        const at = of(both.here).filter((row) => row.position === position);
        return [String(position), ...types.map((type) => percent(at.find((row) => row.type === type)?.share ?? 0))];
      }),
    },
    drift: drift(both, ({ quality }) => quality.real_action_type_distribution),
  };
}

function recency(both: Both, draw: Draw): Chart | null {
  const of = ({ days }: Figures) =>
    days.flatMap(({ dt, used }) => used.map((each) => ({ dt: new Date(dt), ...each, type: typeName(each.type) })));
  const rows = of(both.here);
  if (rows.length === 0) return null;
  return {
    id: "recency",
    title: "Newest and oldest action used",
    definition:
      "By dt and type: how many days before the cutoff (midnight of the dt) the newest and the oldest action lies that any history has. No newest one may lie after its cutoff: below 0 days would be a leak.",
    svg: draw.ranges(rows, [...new Set(rows.map(({ type }) => type))]),
    table: {
      head: ["dt", "type", "newest, days before", "oldest, days before"],
      rows: rows.map(({ dt, type, newest, oldest }) => [dt.toISOString().slice(0, 10), type, newest.toFixed(3), oldest.toFixed(1)]),
    },
  };
}

function concentration(both: Both, draw: Draw, id: string, title: string, what: string, of: (figures: Figures) => Share[]): Chart {
  const rows = sides(both, (figures) => of(figures).map(({ fraction, share }) => ({ fraction, share })));
  const cells = ({ count, fraction, share }: Share) => [thousands(count), percent(fraction), percent(share)];
  return {
    id,
    title,
    definition: `The ${what} with the most rows: what share of all rows they have together. A straight diagonal would be all alike.`,
    svg: draw.shares(rows, `share of ${what}`),
    table: { head: [`first ${what}`, `of all ${what}`, "share of rows"], rows: of(both.here).map(cells) },
  };
}

const customers = (both: Both, draw: Draw): Chart =>
  concentration(both, draw, "customers", "Skew of customers", "customers", (figures) => figures.customers);

const items = (both: Both, draw: Draw): Chart | null =>
  both.here.items === null ? null : concentration(both, draw, "items", "Top items", "items shown", ({ items }) => items ?? []);

/** Where input rows ended, over all runs. */
function placesOf({ manifests }: Figures): { table: string; place: string; rows: number }[] {
  const sums = new Map<string, { table: string; place: string; rows: number }>();
  for (const { ledger } of manifests as Manifest[])
    for (const [table, { places }] of Object.entries(ledger))
      for (const [place, rows] of Object.entries(places)) {
        const key = `${table}\n${place}`;
        sums.set(key, { table, place, rows: (sums.get(key)?.rows ?? 0) + rows });
      }
  return [...sums.values()].filter(({ rows }) => rows > 0);
}

function ledger(both: Both, draw: Draw): Chart | null {
  const rows = placesOf(both.here);
  if (rows.length === 0) return null;
  return {
    id: "ledger",
    title: "Where input rows ended",
    definition: "Every row of the inputs ends in exactly one place; the first that fits. Widths are shares of a table's rows.",
    svg: draw.flow(rows),
    table: { head: ["table", "place", "rows"], rows: rows.map(({ table, place, rows }) => [table, place, thousands(rows)]) },
    drift: drift(both, (figures) => Object.fromEntries(placesOf(figures).map(({ table, place, rows }) => [`${table} ${place}`, rows]))),
  };
}

function rejects({ here }: Both, draw: Draw): Chart | null {
  const sums = new Map<string, { reason: string; rows: number }>();
  for (const { ledger } of here.manifests)
    for (const [table, { reasons }] of Object.entries(ledger))
      for (const [reason, rows] of Object.entries(reasons)) {
        const key = `${table}: ${reason}`;
        sums.set(key, { reason: key, rows: (sums.get(key)?.rows ?? 0) + rows });
      }
  const rows = [...sums.values()].sort((a, b) => b.rows - a.rows);
  if (rows.length === 0) return null;
  return {
    id: "rejects",
    title: "Rejects",
    definition:
      "Input rows that could not be read as what they should be, by table and reason. --rejects of a build names file and line of each.",
    svg: draw.bars(
      rows.slice(0, 12).map((row) => ({ ...row, series: name("here") })),
      { x: "rows", y: "reason", xLabel: "rows", yLabel: "", order: rows.map(({ reason }) => reason), isLying: true },
    ),
    table: { head: ["table and reason", "rows"], rows: rows.map(({ reason, rows }) => [reason, thousands(rows)]) },
  };
}
