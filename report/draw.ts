/** Charts as SVG, by Observable Plot in a document that no browser has. Colours are names that the page gives for light and for dark. */
import type * as PlotModule from "@observablehq/plot";
import { bandsOf } from "./bands";
import type { Mark } from "./chart";
import { AGES, ageTick, apart, countTick, daysAxis, firstTick, percentTick, shortened, spread } from "./ticks";

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
}

const twoColors = { domain: ["this output", "the other"], range: ["var(--first)", "var(--second)"] };
const TYPE_MARKS: Record<string, Mark> = {
  padding: { color: "var(--padding)", shape: "circle" },
  click: { color: "var(--first)", shape: "circle" },
  "add-to-cart": { color: "var(--second)", shape: "square" },
  order: { color: "var(--third)", shape: "triangle" },
};
/** Of types that users have declared, one after the other. */
const OTHER_MARKS: Mark[] = [
  { color: "var(--fourth)", shape: "diamond" },
  { color: "var(--fifth)", shape: "circle" },
  { color: "var(--sixth)", shape: "square" },
];
export const typeMark = (type: string, types: readonly string[]): Mark =>
  TYPE_MARKS[type] ?? OTHER_MARKS[types.filter((each) => TYPE_MARKS[each] === undefined).indexOf(type) % OTHER_MARKS.length];

/** As wide as a phone shows without scaling, so that text has its size everywhere. */
const WIDTH = 350;
const HEIGHT = 230;
/** Height of a line of text, as a part of a chart's. */
const LINE_OF_TEXT = 0.07;

export interface Draw {
  lines(rows: readonly Series[], axes: Axes): string;
  bars(rows: readonly Series[], axes: Axes): string;
  lying(rows: readonly (Series & { what: string; rows: number })[], order: readonly string[]): string;
  shares(rows: readonly (Series & { fraction: number; share: number })[], label: string): string;
  types(
    here: readonly { position: number; type: string; share: number }[],
    there: readonly { position: number; type: string; share: number }[],
    types: readonly string[],
  ): string;
  ranges(rows: readonly { dt: Date; type: string; newest: number; oldest: number }[], types: readonly string[]): string;
  flow(rows: readonly { table: string; place: string; rows: number }[]): string;
  /** @param labels in order from the top */
  days(rows: readonly { label: string; color: string; day: string; rows: number }[], labels: readonly string[]): string;
}

export async function drawing(): Promise<Draw> {
  const { parseHTML } = await import("linkedom");
  const plot = await import("@observablehq/plot");
  const { document } = parseHTML("<html><body></body></html>");
  return new Drawing(plot, document);
}

/** So fine that the first of all people on earth is among them. */
const TENTHS = Array.from({ length: 11 }, (_, i) => 10 ** (i - 10));
const PLACE_COLORS: Record<string, string> = { used: "var(--first)", rejected: "var(--second)" };

class Drawing implements Draw {
  constructor(
    private readonly plot: Plot,
    private readonly document: unknown,
  ) {}

  lines(rows: readonly Series[], { x, y, xLabel, yLabel, isShare }: Axes): string {
    const { plot } = this;
    const top = rows.reduce((most, row) => Math.max(most, Number((row as unknown as Record<string, unknown>)[y])), isShare ? 0.01 : 1);
    return this.svg({
      x: { label: xLabel, type: "utc", ...daysAxis(rows.map((row) => (row as unknown as Record<string, Date>)[x])) },
      y: {
        label: yLabel,
        domain: [0, top],
        nice: true,
        grid: true,
        ticks: isShare ? 5 : Math.min(5, top),
        tickFormat: isShare ? percentTick : countTick,
      },
      color: { ...twoColors, legend: false },
      marks: [
        plot.ruleY([0]),
        plot.line(rows, { x, y, z: "series", stroke: "series", strokeWidth: 2 }),
        plot.dot(rows, { x, y, fill: "series", r: 3, symbol: "series" }),
      ],
      symbol: { domain: twoColors.domain, range: ["circle", "square"] },
    });
  }

  /** Bars from left to right, each with its name above it, so that names have all the room there is. */
  lying(rows: readonly (Series & { what: string; rows: number })[], order: readonly string[]): string {
    const { plot } = this;
    const isTwo = new Set(rows.map(({ series }) => series)).size > 1;
    const most = Math.max(1, ...rows.map(({ rows }) => rows));
    return this.svg({
      height: 28 + (isTwo ? 46 : 36) * order.length,
      marginLeft: 2,
      marginTop: 4,
      marginBottom: 24,
      fy: { domain: order, axis: null, padding: 0 },
      y: { domain: ["name", ...twoColors.domain.slice(0, isTwo ? 2 : 1)], axis: null, padding: 0.1 },
      x: { domain: [0, most], label: "rows", tickFormat: countTick, ticks: Math.min(4, most) },
      color: twoColors,
      marks: [
        plot.barX(rows, { x: "rows", y: "series", fy: "what", fill: "series" }),
        plot.text(order, {
          fy: (what: string) => what,
          y: () => "name",
          x: () => 0,
          text: (what: string) => shortened(what, 56),
          textAnchor: "start",
          dx: 3,
        }),
        plot.ruleX([0]),
      ],
    });
  }

  bars(rows: readonly Series[], { x, y, xLabel, yLabel, order }: Axes): string {
    const { plot } = this;
    const isTwo = new Set(rows.map(({ series }) => series)).size > 1;
    const common = { y, fill: "series" };
    const axis = { label: xLabel, domain: order, tickFormat: firstTick, axis: "bottom" as const };
    return this.svg({
      ...(isTwo ? { fx: axis, x: { axis: null, domain: twoColors.domain, padding: 0 } } : { x: { ...axis, padding: 0.15 } }),
      y: { label: yLabel, grid: true, tickFormat: percentTick },
      color: twoColors,
      marks: [plot.barY(rows, isTwo ? { ...common, x: "series", fx: x } : { ...common, x }), plot.ruleY([0])],
    });
  }

  shares(rows: readonly (Series & { fraction: number; share: number })[], label: string): string {
    const { plot } = this;
    const least = Math.min(0.1, ...rows.map(({ fraction }) => fraction));
    return this.svg({
      x: { label, type: "log", domain: [least, 1], tickFormat: percentTick, ticks: TENTHS.filter((tenth) => tenth >= least) },
      y: { label: "share of rows", domain: [0, 1], tickFormat: percentTick, grid: true },
      color: twoColors,
      symbol: { domain: twoColors.domain, range: ["circle", "square"] },
      marks: [
        plot.ruleY([0]),
        plot.line(rows, { x: "fraction", y: "share", z: "series", stroke: "series", strokeWidth: 2 }),
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
    const last = Math.max(2, ...[...here, ...there].map(({ position }) => position));
    return this.svg({
      marginRight: 76,
      x: { label: "position, 1 is the newest", domain: [1, last], ticks: Math.min(5, last), tickFormat: "d" },
      y: { label: "share of rows", domain: [0, 1], tickFormat: percentTick, grid: true },
      color: { domain: types, range: types.map((type) => typeMark(type, types).color) },
      marks: [
        plot.ruleY([0]),
        plot.line(here, { x: "position", y: "share", z: "type", stroke: "type", strokeWidth: 2 }),
        plot.line(there, { x: "position", y: "share", z: "type", stroke: "type", strokeWidth: 1.5, strokeDasharray: "4 3" }),
        this.named(here, types),
      ],
    });
  }

  /** The name of each line at its end: colours alone say nothing to some. */
  private named(rows: readonly { position: number; type: string; share: number }[], types: readonly string[]) {
    const last = Math.max(...rows.map(({ position }) => position), 1);
    const ends = types.flatMap((type) => rows.filter((row) => row.type === type && row.position === last));
    return this.plot.text(apart(ends, LINE_OF_TEXT), { x: "position", y: "share", text: "type", textAnchor: "start", dx: 5, fill: "type" });
  }

  ranges(rows: readonly { dt: Date; type: string; newest: number; oldest: number }[], types: readonly string[]): string {
    const { plot } = this;
    const marks = types.map((type) => typeMark(type, types));
    // a logarithmic scale has no 0: what is less than a minute shows as one; d3's would not label hours
    const log = (days: number) => Math.log10(Math.max(1 / 1440, days));
    const shown = rows.map((row) => ({ ...row, newest: log(row.newest), oldest: log(row.oldest) }));
    const [first, last] = [Math.min(...shown.map(({ newest }) => newest)), Math.max(...shown.map(({ oldest }) => oldest))];
    // wide enough for a tick
    const margin = Math.max(0.1, (1.5 - last + first) / 2);
    const [low, high] = [first - margin, last + margin];
    const ages = AGES.map(([age]) => log(age)).filter((age) => age >= low && age <= high);
    return this.svg({
      height: 200 + 10 * types.length,
      marginLeft: 62,
      x: { label: "dt", type: "utc", ...daysAxis(rows.map(({ dt }) => dt)) },
      y: { label: "before the cutoff", domain: [high, low], grid: true, ticks: ages, tickFormat: (age: number) => ageTick(10 ** age) },
      color: { domain: types, range: marks.map(({ color }) => color) },
      symbol: { domain: types, range: marks.map(({ shape }) => shape) },
      marks: [
        plot.dot(shown, { x: "dt", y: "newest", stroke: "type", symbol: "type", r: 3.5 }),
        plot.dot(shown, { x: "dt", y: "oldest", fill: "type", symbol: "type", r: 3.5 }),
      ],
    });
  }

  /** Tables on the left, places on the right, and bands between them as wide as the share of the table's rows. */
  flow(rows: readonly { table: string; place: string; rows: number }[]): string {
    const { plot } = this;
    const { bands, tables, places, height } = bandsOf(rows);
    const text = (x: number, textAnchor: "start" | "end") => ({
      x: () => x,
      y: "middle",
      text: "label",
      textAnchor,
      dx: textAnchor === "end" ? -6 : 6,
    });
    return this.svg({
      height: height + 8,
      marginLeft: 104,
      marginRight: 142,
      marginTop: 4,
      marginBottom: 4,
      x: { domain: [0, 1], axis: null },
      y: { domain: [height, 0], axis: null },
      marks: [
        plot.link(bands, {
          x1: () => 0,
          x2: () => 1,
          y1: "from",
          y2: "to",
          curve: "bump-x",
          stroke: ({ place }: { place: string }) => PLACE_COLORS[place] ?? "var(--padding)",
          strokeOpacity: 0.65,
          strokeWidth: "width",
          strokeLinecap: "butt",
        }),
        plot.text(tables, text(0, "end")),
        plot.text(places, text(1, "start")),
      ],
    });
  }

  /** Rows by day, as circles whose area says how many: a few stay visible beside very many. */
  days(rows: readonly { label: string; color: string; day: string; rows: number }[], labels: readonly string[]): string {
    const { plot } = this;
    const days = [...new Set(rows.map(({ day }) => day))].sort();
    const most = Math.max(...rows.map(({ rows }) => rows));
    const colors = new Map(rows.map(({ label, color }) => [label, color]));
    return this.svg({
      height: 28 + 44 * labels.length,
      marginLeft: 30,
      marginRight: 30,
      marginTop: 4,
      marginBottom: 24,
      fy: { domain: labels, axis: null, padding: 0 },
      x: { type: "point", domain: days, label: null, ticks: spread(days, 4), tickSize: 4 },
      y: { domain: [0, 1], axis: null },
      r: { domain: [0, most], range: [0, 11] },
      color: { domain: labels, range: labels.map((label) => colors.get(label)!) },
      marks: [
        plot.ruleY(labels, { fy: (label: string) => label, y: () => 0.32, stroke: "var(--line)" }),
        plot.text(labels, {
          fy: (label: string) => label,
          frameAnchor: "top-left",
          dx: -28,
          dy: 4,
          text: (label: string) => shortened(label, 56),
        }),
        plot.dot(rows, {
          fy: "label",
          x: "day",
          y: () => 0.32,
          r: (row: { rows: number }) => Math.max(row.rows, most / 30),
          fill: "label",
          fillOpacity: 0.8,
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
      .replace(/ class="plot-[^"]*"/, "")
      .replaceAll(/"[^"]*\.\d{3}[^"]*"/g, (value) => value.replaceAll(/(\.\d\d)\d+/g, "$1"))
      .replaceAll(/ aria-(label|description|hidden)="[^"]*"/g, "")
      .replaceAll(/ (fill|stroke)="(white|#fff)"/g, ' $1="var(--paper)"');
  }
}
