/** All that a report shows, as numbers: from the rows of an output, and from what its runs say of themselves. */
import { join } from "node:path";
import { ConfigError } from "../pipeline/errors";
import { type Manifest, microsOf } from "../pipeline/manifest";
import { Metrics, type MetricsReport } from "../transforms/metrics";
import { Copies, isPublished } from "../verify/copies";
import { Findings } from "../verify/findings";
import type { ArrowColumn } from "../verify/output/arrow";
import { findOutput, type PartFile } from "../verify/output/found";
import { columnsIn } from "../verify/output/reader";
import { Tally } from "./tally";

export interface DayFigures {
  dt: string;
  rows: number;
  /** fraction of rows (0 to 1) without any action */
  zeroHistory: number;
  /** by type code, of the actions in histories: days from the newest and from the oldest to the cutoff; from the certificates */
  used: { type: number; newest: number; oldest: number }[];
}

export interface Figures {
  output: string;
  rows: number;
  days: DayFigures[];
  quality: MetricsReport;
  /** fraction of rows with is_order, by dt; null where there is no such column */
  orders: number | null;
  /** share of all rows that the most frequent so many items, or customers, have together */
  items: Share[] | null;
  customers: Share[];
  /** the runs whose files are there */
  manifests: Manifest[];
}

/** What the first `count` (`fraction` of all) have together, as a fraction. */
export interface Share {
  count: number;
  fraction: number;
  share: number;
}

const MICROS_PER_DAY = 86_400_000_000;

/**
 * Reads all rows of an output.
 * @throws ConfigError where there is none, or it lacks customer_id or action_types
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
  const { manifests } = findOutput(folder, () => true, new Findings(0));
  const { partitions } = findOutput(rows, () => true, new Findings(0));
  const pass = new Pass();
  for (const { dt, files } of partitions) {
    for (const file of files) await pass.file(rows, file, dt);
    pass.endDay();
  }
  const named = new Set(partitions.flatMap(({ runs }) => runs ?? []));
  const runs = [...manifests].filter(([run]) => named.has(run)).map(([, manifest]) => manifest);
  const quality = pass.metrics.report();
  const { days } = pass.metrics.state;
  return {
    output: path,
    rows: quality.rows,
    days: Object.keys(days)
      .sort()
      .map((dt) => ({ dt, rows: days[dt].rows, zeroHistory: days[dt].emptyRows / days[dt].rows, used: usedOn(dt, runs) })),
    quality,
    orders: pass.hasOrders && quality.rows > 0 ? pass.orders / quality.rows : null,
    items: pass.hasItems ? pass.items.shares() : null,
    customers: pass.customers.shares(),
    manifests: runs,
  };
}

/** Ages at the cutoff, by the certificates of all runs that have rows of the day. */
function usedOn(dt: string, manifests: readonly Manifest[]): DayFigures["used"] {
  const certificates = manifests.flatMap(({ partitions }) =>
    partitions.filter((each) => each.dt === dt).map(({ certificate }) => certificate),
  );
  const byType = new Map<number, { newest: number; oldest: number }>();
  for (const { cutoff, used } of certificates) {
    for (const [type, { newest, oldest }] of Object.entries(used)) {
      const age = (instant: string) => (microsOf(cutoff) - microsOf(instant)) / MICROS_PER_DAY;
      const known = byType.get(Number(type)) ?? { newest: Infinity, oldest: -Infinity };
      byType.set(Number(type), { newest: Math.min(known.newest, age(newest)), oldest: Math.max(known.oldest, age(oldest)) });
    }
  }
  return [...byType].sort(([a], [b]) => a - b).map(([type, ages]) => ({ type, ...ages }));
}

const NEEDED = ["customer_id", "action_types"];
const WELCOME = ["item_id", "is_order"];

/** One look at every row. */
class Pass {
  readonly metrics = new Metrics(100);
  readonly items = new Tally();
  readonly customers = new Tally();
  orders = 0;
  hasOrders = false;
  hasItems = false;
  /** of the day: customers that a history was counted of */
  private seen = new Set<bigint>();

  async file(folder: string, { path }: PartFile, dt: string): Promise<void> {
    for await (const { rows, found } of columnsIn(join(folder, path), [...NEEDED, ...WELCOME], 2000)) {
      const [customers, types] = NEEDED.map((name) => found.get(name));
      if (customers?.kind !== "ints" || types?.kind !== "lists")
        throw new ConfigError(`"${path}" has no columns ${NEEDED.join(" and ")} as a build writes them. A report needs both.`);
      this.batch(rows, dt, customers.values as BigInt64Array, types.offsets, types.values as Int32Array);
      this.others(rows, found.get("item_id"), found.get("is_order"));
    }
  }

  endDay(): void {
    this.seen = new Set();
  }

  /** Slots of a customer stand together, and share a history. */
  private batch(rows: number, dt: string, customers: BigInt64Array, offsets: Int32Array, types: Int32Array): void {
    for (let from = 0, to = 1; from < rows; from = to++) {
      while (to < rows && customers[to] === customers[from]) to++;
      const isNew = !this.seen.has(customers[from]);
      this.seen.add(customers[from]);
      const length = offsets[from + 1] - offsets[from];
      this.metrics.add(types, offsets[from], offsets[from + 1], length, to - from, dt, isNew ? 1 : 0);
      this.customers.add(customers[from], to - from);
    }
  }

  private others(rows: number, items: ArrowColumn | undefined, orders: ArrowColumn | undefined): void {
    if (items?.kind === "ints") {
      this.hasItems = true;
      for (let i = 0; i < rows; i++) this.items.add(items.values[i] as bigint, 1);
    }
    if (orders?.kind === "bools") {
      this.hasOrders = true;
      for (let i = orders.first; i < orders.first + rows; i++) this.orders += (orders.bits[i >> 3] >> (i & 7)) & 1;
    }
  }
}
