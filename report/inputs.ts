/** Charts of what became of the inputs, from the ledgers of an output's runs: places and rejects. */
import type { Example, Manifest } from "../pipeline/manifest";
import { PLACES, type Place } from "../transforms/tablecounts";
import { type Both, type Chart, cellsOf, drift, headsOf, percent, sides, sum, thousands } from "./chart";
import type { Draw } from "./draw";
import type { Figures } from "./figures";

/** Rows of a table, by something that a ledger counts. */
export interface Counted {
  table: string;
  what: string;
  rows: number;
}

type Counts = Manifest["ledger"][string];

/** Sums over all runs, in the order of tables and then of `order`. */
export function counted({ manifests }: Figures, of: (counts: Counts) => [what: string, rows: number][]): Counted[] {
  const sums = new Map<string, Counted>();
  for (const { ledger } of manifests)
    for (const [table, counts] of Object.entries(ledger))
      for (const [what, rows] of of(counts)) {
        const key = `${table}\n${what}`;
        sums.set(key, { table, what, rows: (sums.get(key)?.rows ?? 0) + rows });
      }
  return [...sums.values()].filter(({ rows }) => rows > 0);
}

export const rowsOf = ({ manifests }: Figures, table: string): number => sum(manifests.map(({ ledger }) => ledger[table]?.rows ?? 0));

export const nameOf = ({ table, what }: Pick<Counted, "table" | "what">): string => `${table.replaceAll("_", " ")}: ${what}`;

/** What is counted in one output or the other, each once. */
export const union = ({ here, there }: Both, of: (figures: Figures) => Counted[]): Counted[] => [
  ...new Map([...of(here), ...(there === undefined ? [] : of(there))].map((each) => [nameOf(each), each])).values(),
];

const found = (figures: Figures, of: (figures: Figures) => Counted[], { table, what }: Counted): number =>
  of(figures).find((each) => each.table === table && each.what === what)?.rows ?? 0;

/** Rows, and their share of the table's. */
export const cells = (both: Both, of: (figures: Figures) => Counted[], each: Counted): string[] =>
  cellsOf(both, (figures) => {
    const rows = found(figures, of, each);
    return [thousands(rows), percent(rows / (rowsOf(figures, each.table) || 1))];
  });

const placesOf = (figures: Figures): Counted[] => {
  const at = ({ what }: Counted) => PLACES.indexOf(what as Place);
  const all = counted(figures, ({ places }) => Object.entries(places));
  const tables = [...new Set(all.map(({ table }) => table))];
  return tables.flatMap((table) => all.filter((each) => each.table === table).sort((a, b) => at(b) - at(a)));
};

export function ledger(both: Both, draw: Draw): Chart | null {
  const rows = placesOf(both.here);
  if (rows.length === 0) return null;
  return {
    id: "ledger",
    title: "Where input rows ended",
    definition: `Every row of the inputs ends in exactly one place, the first that fits. Widths, and shares, are of the table's rows.${both.there === undefined ? "" : " The picture is of this output."}`,
    svg: draw.flow(rows.map(({ table, what, rows }) => ({ table, place: what, rows }))),
    table: {
      head: ["table and place", ...headsOf(both, ["rows", "share"])],
      rows: union(both, placesOf).map((each) => [nameOf(each), ...cells(both, placesOf, each)]),
    },
    drift: drift(both, (figures) => Object.fromEntries(placesOf(figures).map((each) => [nameOf(each), each.rows]))),
  };
}

const reasonsOf = (figures: Figures): Counted[] =>
  counted(figures, ({ reasons }) => Object.entries(reasons)).sort((a, b) => b.rows - a.rows);

/** Bars that a picture has room for. */
const MOST_BARS = 12;

export function rejects(both: Both, draw: Draw): Chart | null {
  if (both.here.manifests.length === 0) return null;
  const all = union(both, reasonsOf);
  const examples = examplesOf(both.here);
  const shown = all.slice(0, MOST_BARS);
  return {
    id: "rejects",
    title: "Rejects",
    definition:
      "Input rows that could not be read as what they should be, by table and reason, as shares of the table, and where the first of each are: file, then line (of text), row (of Parquet) or element (of a JSON array). --rejects of a build names all of them; --max-rejects and --fail-on=rejects>0.1% say how many are too many.",
    svg:
      all.length === 0
        ? undefined
        : draw.lying(
            sides(both, (figures) => shown.map((each) => ({ what: nameOf(each), rows: found(figures, reasonsOf, each) }))),
            shown.map(nameOf),
          ),
    table: {
      head: ["table and reason", ...headsOf(both, ["rows", "share"]), "where the first are"],
      rows: all.map((each) => [nameOf(each), ...cells(both, reasonsOf, each), examples.get(nameOf(each)) ?? ""]),
      more: all.length === 0 ? "No row of the inputs was rejected." : undefined,
    },
    drift: worst(both, reasonsOf),
  };
}

/** Of the table that has most of it, as --fail-on looks at it. */
export function worst({ here, there }: Both, of: (figures: Figures) => Counted[]): string | undefined {
  if (there === undefined) return undefined;
  const most = (figures: Figures): number => {
    const tables = new Set(of(figures).map(({ table }) => table));
    return Math.max(
      0,
      ...[...tables].map(
        (table) =>
          sum(
            of(figures)
              .filter((each) => each.table === table)
              .map(({ rows }) => rows),
          ) / (rowsOf(figures, table) || 1),
      ),
    );
  };
  return `${percent(most(here))} of the table that has most here, ${percent(most(there))} in the other`;
}

/** By table and reason: `clicks.ndjson:123`, without the folders that all files of the table share. */
function examplesOf({ manifests }: Figures): Map<string, string> {
  const told = new Map<string, string>();
  for (const { ledger, inputs } of manifests)
    for (const [table, { examples }] of Object.entries(ledger)) {
      const folder = sharedFolder(inputs.filter((input) => input.table === table).map(({ path }) => path));
      const byReason = Map.groupBy(examples ?? [], ({ reason }: Example) => reason);
      for (const [reason, some] of byReason) {
        const places = some.map(({ file, position }) => `${file.startsWith(folder) ? file.slice(folder.length) : file}:${position}`);
        // of several runs the last
        told.set(nameOf({ table, what: reason }), places.join(", "));
      }
    }
  return told;
}

/** What all paths begin with, up to a slash. */
export function sharedFolder(paths: readonly string[]): string {
  const folders = paths.map((path) => path.split("/").slice(0, -1));
  const [first = []] = folders;
  let depth = 0;
  while (depth < first.length && folders.every((folder) => folder[depth] === first[depth])) depth++;
  return first
    .slice(0, depth)
    .map((part) => `${part}/`)
    .join("");
}
