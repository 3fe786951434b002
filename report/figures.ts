/** All that a report shows, as numbers: from the rows of an output, and from what its runs say of themselves. */
import { join } from "node:path";
import { type Manifest, microsOf } from "../pipeline/manifest";
import { dateRange } from "../pipeline/options";
import { DAY_MICROS, dayName } from "../transforms/calendar";
import type { MetricsReport } from "../transforms/metrics";
import { Copies, isPublished } from "../verify/copies";
import { Findings } from "../verify/findings";
import { type FoundOutput, findOutput } from "../verify/output/found";
import { Pass } from "./pass";
import { toldBy } from "./told";

export interface DayFigures {
  dt: string;
  rows: number;
  /** fraction of rows (0 to 1) without any action; null where there are no rows */
  zeroHistory: number | null;
  /** by type code, of the actions in histories: days from the newest and from the oldest to the cutoff; from the certificates */
  used: { type: number; newest: number; oldest: number }[];
}

export interface Figures {
  output: string;
  rows: number;
  /** in order of time; those that a run was asked for and has no rows of, too */
  days: DayFigures[];
  quality: MetricsReport;
  /** fraction of rows with is_order; null where there is no such column */
  orders: number | null;
  /** share of all rows that the most frequent so many items, or customers, have together; null where there is no such column */
  items: Share[] | null;
  customers: Share[] | null;
  /** the runs whose files are there, in order of their publishing */
  manifests: Manifest[];
  /** whether all figures of histories are as the runs have counted them, so that no history was read */
  isTold: boolean;
}

/** What the first `count` (`fraction` of all) have together, as a fraction. */
export interface Share {
  count: number;
  fraction: number;
  share: number;
}

/**
 * Reads the ids of all rows, and histories where no manifest tells what is in them.
 * @throws ConfigError where there is no output, or it lacks columns that have to be read
 */
export async function figuresOf(path: string, tempDir?: string): Promise<Figures> {
  const copies = new Copies(tempDir);
  try {
    const folder = await copies.output(path, (below) => isPublished(below, () => true));
    return await read(path, folder, await copies.rows(folder));
  } finally {
    copies.remove();
  }
}

/** @param rows where its files lie as those of the layout rows */
async function read(path: string, folder: string, rows: string): Promise<Figures> {
  const { manifests: published } = findOutput(folder, () => true, new Findings(0));
  const output = { ...findOutput(rows, () => true, new Findings(0)), manifests: published };
  const { partitions } = output;
  const manifests = manifestsOf(output);
  const told = toldBy(output);
  const pass = new Pass(told.metrics, namesOf(manifests));
  const isTold = partitions.every(({ files }) => files.every((file) => told.files.has(file.path)));
  for (const { dt, files } of partitions) {
    for (const file of files) {
      await pass.ids(join(rows, file.path));
      if (!told.files.has(file.path)) await pass.histories(join(rows, file.path), dt);
    }
    pass.endDay(dt);
  }
  const quality = pass.metrics.report();
  return {
    output: path,
    rows: quality.rows,
    days: daysOf(pass, manifests),
    quality: { ...quality, customers_by_dt: pass.customersByDay },
    orders: pass.orders !== null && quality.rows > 0 ? pass.orders / quality.rows : null,
    items: pass.items?.shares() ?? null,
    customers: pass.customers?.shares() ?? null,
    manifests,
    isTold,
  };
}

/** Of the runs whose files are there; of one whose rows were all left out, if there are no others. */
function manifestsOf({ partitions, manifests }: FoundOutput): Manifest[] {
  const named = new Set(partitions.flatMap(({ runs }) => runs ?? []));
  const runs = [...manifests.values()].sort((a, b) => (a.committed < b.committed ? -1 : 1));
  return partitions.length === 0 ? runs.slice(-1) : runs.filter(({ run }) => named.has(run));
}

/** What columns are called in this output; runs that append to one another have the same. */
function namesOf(manifests: readonly Manifest[]): (holds: string) => string {
  const schema = manifests.at(-1)?.schema ?? [];
  return (holds) => schema.find((column) => column.holds === holds)?.name ?? holds;
}

function daysOf({ metrics }: Pass, manifests: readonly Manifest[]): DayFigures[] {
  const { days } = metrics.state;
  const asked = manifests.flatMap(({ options: { dates } }) => (typeof dates === "string" ? askedFor(dates) : []));
  return [...new Set([...Object.keys(days), ...asked])].sort().map((dt) => {
    const { rows, emptyRows } = days[dt] ?? { rows: 0, emptyRows: 0 };
    return { dt, rows, zeroHistory: rows === 0 ? null : emptyRows / rows, used: usedOn(dt, manifests) };
  });
}

/** More days than that are a range without an end, of which nobody expects each. */
const MOST_ASKED = 400;

function askedFor(dates: string): string[] {
  const [from, to] = dateRange(dates);
  return to - from >= MOST_ASKED ? [] : Array.from({ length: to - from + 1 }, (_, i) => dayName(from + i));
}

/** Ages at the cutoff, by the certificates of all runs that have rows of the day. */
function usedOn(dt: string, manifests: readonly Manifest[]): DayFigures["used"] {
  const certificates = manifests.flatMap(({ partitions }) =>
    partitions.filter((each) => each.dt === dt).map(({ certificate }) => certificate),
  );
  const byType = new Map<number, { newest: number; oldest: number }>();
  for (const { cutoff, used } of certificates) {
    for (const [type, { newest, oldest }] of Object.entries(used)) {
      const age = (instant: string) => (microsOf(cutoff) - microsOf(instant)) / DAY_MICROS;
      const known = byType.get(Number(type)) ?? { newest: Infinity, oldest: -Infinity };
      byType.set(Number(type), { newest: Math.min(known.newest, age(newest)), oldest: Math.max(known.oldest, age(oldest)) });
    }
  }
  return [...byType].sort(([a], [b]) => a - b).map(([type, ages]) => ({ type, ...ages }));
}
