/** Where the bands of a flow from tables to places lie, in pixels from the top. */
interface Link {
  table: string;
  place: string;
  rows: number;
}

interface Band extends Link {
  /** middles of its two ends */
  from: number;
  to: number;
  width: number;
}

interface End {
  label: string;
  middle: number;
}

export interface Bands {
  bands: Band[];
  tables: End[];
  places: End[];
  height: number;
}

/** Of all rows of a table. */
const TABLE_WIDTH = 30;
const GAP = 18;
/** So that a single row shows, and lines of text do not touch. */
const LEAST = 1;
const LINE = 14;

/** Bands of one end lie beside each other in the order of the other ends, so that they cross as little as they must. */
export function bandsOf(links: readonly Link[]): Bands {
  const tables = [...new Set(links.map(({ table }) => table))];
  const total = (table: string) => links.reduce((sum, link) => sum + (link.table === table ? link.rows : 0), 0);
  const bands = links.map((link) => ({ ...link, from: 0, to: 0, width: Math.max(LEAST, (TABLE_WIDTH * link.rows) / total(link.table)) }));
  const ends = {
    table: stacked(bands, "table", tables, "from"),
    place: stacked(bands, "place", places(links), "to"),
  };
  const height = Math.max(ends.table.height, ends.place.height);
  center(bands, "from", ends.table, height);
  center(bands, "to", ends.place, height);
  return {
    bands,
    tables: ends.table.ends.map((end) => ({ ...end, label: end.label.replaceAll("_", " ") })),
    places: ends.place.ends,
    height,
  };
}

const places = (links: readonly Link[]): string[] => [...new Set(links.map(({ place }) => place))];

const widthOf = (bands: readonly Band[], side: "table" | "place", name: string): number =>
  bands.reduce((sum, band) => sum + (band[side] === name ? band.width : 0), 0);

interface Stack {
  ends: End[];
  height: number;
}

function stacked(bands: Band[], side: "table" | "place", names: readonly string[], end: "from" | "to"): Stack {
  const ends: End[] = [];
  let top = 0;
  for (const name of names) {
    const width = widthOf(bands, side, name);
    const room = Math.max(width, LINE);
    let at = top + (room - width) / 2;
    for (const band of bands) {
      if (band[side] !== name) continue;
      band[end] = at + band.width / 2;
      at += band.width;
    }
    ends.push({ label: name, middle: top + room / 2 });
    top += room + GAP;
  }
  return { ends, height: top - GAP };
}

/** The shorter side stands in the middle of the other. */
function center(bands: Band[], end: "from" | "to", stack: Stack, height: number): void {
  const down = (height - stack.height) / 2;
  for (const band of bands) band[end] += down;
  for (const each of stack.ends) each.middle += down;
}
