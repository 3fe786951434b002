/** Charts as SVG, by Observable Plot in a document that no browser has. Colours are names that the page gives for light and for dark. */
import type * as PlotModule from "@observablehq/plot";

type Plot = typeof PlotModule;

/** Rows of one output, or of the one that it is compared with. */
export interface Series {
  series: string;
}

interface Axes {
  x: string;
  y: string;
  xLabel: string;
  yLabel: string;
  isShare?: boolean;
  /** of the categories */
  order?: readonly string[];
  /** bars from left to right */
  isLying?: boolean;
}

const twoColors = { domain: ["this output", "the other"], range: ["var(--first)", "var(--second)"] };
const TYPE_COLORS: Record<string, string> = {
  padding: "var(--padding)",
  click: "var(--first)",
  "add-to-cart": "var(--second)",
  order: "var(--third)",
};
const colorOf = (type: string): string => TYPE_COLORS[type] ?? "var(--fourth)";

/** As wide as a phone shows without scaling, so that text has its size everywhere. */
const WIDTH = 350;
const HEIGHT = 230;
/** Height of a line of text, as a part of a chart's. */
const LINE_OF_TEXT = 0.07;

export interface Draw {
  lines(rows: readonly Series[], axes: Axes): string;
  bars(rows: readonly Series[], axes: Axes): string;
  shares(rows: readonly (Series & { fraction: number; share: number })[], label: string): string;
  types(
    here: readonly { position: number; type: string; share: number }[],
    there: readonly { position: number; type: string; share: number }[],
    types: readonly string[],
  ): string;
  ranges(rows: readonly { dt: Date; type: string; newest: number; oldest: number }[], types: readonly string[]): string;
  flow(rows: readonly { table: string; place: string; rows: number }[]): string;
}

export async function drawing(): Promise<Draw> {
  const { parseHTML } = await import("linkedom");
  const plot = await import("@observablehq/plot");
  const { document } = parseHTML("<html><body></body></html>");
  return new Drawing(plot, document);
}

class Drawing implements Draw {
  constructor(
    private readonly plot: Plot,
    private readonly document: unknown,
  ) {}

  lines(rows: readonly Series[], { x, y, xLabel, yLabel, isShare }: Axes): string {
    const { plot } = this;
    const top = Math.max(isShare ? 0.01 : 1, ...rows.map((row) => Number((row as unknown as Record<string, unknown>)[y])));
    return this.svg({
      x: { label: xLabel, type: "utc" },
      y: { label: yLabel, domain: [0, top], nice: true, grid: true, tickFormat: isShare ? percentTick : "~s" },
      color: { ...twoColors, legend: false },
      marks: [
        plot.ruleY([0]),
        plot.line(rows, { x, y, stroke: "series", strokeWidth: 2 }),
        plot.dot(rows, { x, y, fill: "series", r: 3, symbol: "series" }),
      ],
      symbol: { domain: twoColors.domain, range: ["circle", "square"] },
    });
  }

  bars(rows: readonly Series[], { x, y, xLabel, yLabel, order, isLying }: Axes): string {
    const { plot } = this;
    if (isLying) {
      return this.svg({
        height: 60 + 24 * rows.length,
        marginLeft: 170,
        x: { label: xLabel, grid: true, tickFormat: "~s", ticks: 3 },
        y: { label: null, domain: order?.slice(0, rows.length), tickFormat: (text: string) => shortened(text, 26) },
        color: twoColors,
        marks: [plot.barX(rows, { x, y, fill: "series" }), plot.ruleX([0])],
      });
    }
    const isTwo = new Set(rows.map(({ series }) => series)).size > 1;
    const common = { y, fill: "series" };
    return this.svg({
      marginBottom: 64,
      x: {
        label: isTwo ? null : xLabel,
        domain: isTwo ? twoColors.domain : order,
        labelOffset: 56,
        axis: isTwo ? null : "bottom",
        tickRotate: -40,
        padding: 0.15,
      },
      ...(isTwo ? { fx: { label: xLabel, labelOffset: 56, domain: order, tickRotate: -40, axis: "bottom" as const } } : {}),
      y: { label: yLabel, grid: true, tickFormat: percentTick },
      color: twoColors,
      marks: [plot.barY(rows, isTwo ? { ...common, x: "series", fx: x } : { ...common, x }), plot.ruleY([0])],
    });
  }

  shares(rows: readonly (Series & { fraction: number; share: number })[], label: string): string {
    const { plot } = this;
    return this.svg({
      x: { label, type: "log", tickFormat: percentTick, ticks: 4 },
      y: { label: "share of rows", domain: [0, 1], tickFormat: percentTick, grid: true },
      color: twoColors,
      symbol: { domain: twoColors.domain, range: ["circle", "square"] },
      marks: [
        plot.ruleY([0]),
        plot.line(rows, { x: "fraction", y: "share", stroke: "series", strokeWidth: 2 }),
        plot.dot(rows, { x: "fraction", y: "share", fill: "series", r: 2.5, symbol: "series" }),
      ],
    });
  }

  types(
    here: readonly { position: number; type: string; share: number }[],
    there: readonly { position: number; type: string; share: number }[],
    types: readonly string[],
  ): string {
    const { plot } = this;
    return this.svg({
      x: { label: "position, 1 is the newest" },
      y: { label: "share of rows", domain: [0, 1], tickFormat: percentTick, grid: true },
      color: { domain: types, range: types.map(colorOf) },
      marks: [
        plot.ruleY([0]),
        plot.line(here, { x: "position", y: "share", stroke: "type", strokeWidth: 2 }),
        plot.line(there, { x: "position", y: "share", stroke: "type", strokeWidth: 1.5, strokeDasharray: "4 3" }),
        this.named(here, types),
      ],
    });
  }

  /** The name of each line, where there is most room for it: colours alone say nothing to some. */
  private named(rows: readonly { position: number; type: string; share: number }[], types: readonly string[]) {
    const last = Math.max(...rows.map(({ position }) => position), 1);
    const ends = types.flatMap((type) => rows.filter((row) => row.type === type && row.position === last));
    const apart: typeof ends = [];
    for (const end of ends.toSorted((a, b) => a.share - b.share)) {
      const below = apart.at(-1)?.share ?? -Infinity;
      apart.push({ ...end, share: Math.max(end.share, below + LINE_OF_TEXT) });
    }
    return this.plot.text(apart, {
      x: "position",
      y: "share",
      text: "type",
      textAnchor: "end",
      dx: -2,
      dy: -7,
      fill: "type",
      stroke: "var(--paper)",
      strokeWidth: 4,
    });
  }

  ranges(rows: readonly { dt: Date; type: string; newest: number; oldest: number }[], types: readonly string[]): string {
    const { plot } = this;
    // a logarithmic scale has no 0: what is less than a minute shows as one
    const shown = rows.map((row) => ({ ...row, newest: Math.max(1 / 1440, row.newest), oldest: Math.max(1 / 1440, row.oldest) }));
    return this.svg({
      x: { label: "dt", type: "utc" },
      y: { label: "days before the cutoff", type: "log", reverse: true, grid: true, ticks: 4, tickFormat: daysTick },
      color: { domain: types, range: types.map(colorOf) },
      symbol: { domain: types, range: ["circle", "square", "triangle", "diamond"] },
      marks: [
        plot.dot(shown, { x: "dt", y: "newest", stroke: "type", symbol: "type", r: 3.5 }),
        plot.dot(shown, { x: "dt", y: "oldest", fill: "type", symbol: "type", r: 3.5 }),
      ],
    });
  }

  /** Tables on the left, places on the right, and bands between them as wide as the share of the table's rows. */
  flow(rows: readonly { table: string; place: string; rows: number }[]): string {
    const { plot } = this;
    const tables = [...new Set(rows.map(({ table }) => table))];
    const places = [...new Set(rows.map(({ place }) => place))];
    const total = (table: string) => rows.filter((row) => row.table === table).reduce((sum, row) => sum + row.rows, 0);
    const left = (table: string) => ((tables.indexOf(table) + 0.5) / tables.length) * places.length;
    const links = rows.map((row) => ({
      ...row,
      from: left(row.table),
      to: places.indexOf(row.place) + 0.5,
      width: Math.max(1, (24 * row.rows) / total(row.table)),
    }));
    return this.svg({
      height: 60 + 36 * Math.max(places.length, tables.length),
      marginLeft: 104,
      marginRight: 150,
      x: { domain: [0, 1], axis: null },
      y: { domain: [places.length, 0], axis: null },
      marks: [
        plot.link(links, {
          x1: () => 0,
          x2: () => 1,
          y1: "from",
          y2: "to",
          curve: "bump-x",
          stroke: (link: { place: string }) =>
            link.place === "used" ? "var(--first)" : link.place === "rejected" ? "var(--second)" : "var(--padding)",
          strokeOpacity: 0.6,
          strokeWidth: "width",
          strokeLinecap: "butt",
        }),
        plot.text(tables, { x: () => 0, y: left, text: (table: string) => table.replaceAll("_", " "), textAnchor: "end", dx: -6 }),
        plot.text(places, {
          x: () => 1,
          y: (place: string) => places.indexOf(place) + 0.5,
          text: (place: string) => place,
          textAnchor: "start",
          dx: 6,
        }),
      ],
    });
  }

  private svg(options: PlotModule.PlotOptions): string {
    const { document } = this;
    const drawn = this.plot.plot({
      width: WIDTH,
      height: HEIGHT,
      marginLeft: 48,
      marginRight: 16,
      marginTop: 24,
      marginBottom: 36,
      ...options,
      document,
      figure: false,
    } as never);
    // the style that Plot brings is the page's matter, and would be there once for each chart; what the parts are called says nothing to anyone
    return (drawn as unknown as { outerHTML: string }).outerHTML
      .replace(/<style>.*?<\/style>/s, "")
      .replace(/^<svg class="[^"]*"/, "<svg")
      .replaceAll(/ aria-(label|description|hidden)="[^"]*"/g, "")
      .replaceAll(/ (fill|stroke)="(white|#fff)"/g, ' $1="var(--paper)"');
  }
}

const percentTick = (share: number): string => `${Number((100 * share).toPrecision(3))}%`;
const daysTick = (days: number): string =>
  days >= 1
    ? `${Number(days.toPrecision(3))} d`
    : days * 24 >= 1
      ? `${Number((days * 24).toPrecision(2))} h`
      : `${Number((days * 1440).toPrecision(2))} min`;
const shortened = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most - 1)}…`);
