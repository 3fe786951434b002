/** One look at the rows of an output: at ids always, at histories where it has to be. */
import { ConfigError } from "../pipeline/errors";
import type { Metrics } from "../transforms/metrics";
import type { ArrowColumn } from "../verify/output/arrow";
import { columnsIn } from "../verify/output/reader";
import { type Cells, cellsIn } from "./cells";
import { idsOf, Tally } from "./tally";

/** Elements of a list that a batch of rows has room for. */
const LIST = 2000;
/** Larger files are read in parts, so that memory stays bounded. */
const WHOLE_BYTES = 128 << 20;

type Lists = Extract<ArrowColumn, { kind: "lists" }>;

export class Pass {
  items: Tally | null = null;
  customers: Tally | null = null;
  /** rows with is_order */
  orders: number | null = null;
  /** different customers; nothing for a day without that column */
  readonly customersByDay: Record<string, number> = {};
  /** of the day */
  private seen = new Tally();

  /**
   * @param metrics that histories are added to
   * @param nameOf what the column of a content is called
   */
  constructor(
    readonly metrics: Metrics,
    private readonly nameOf: (holds: string) => string,
  ) {}

  /** @throws BrokenFile */
  async ids(path: string): Promise<void> {
    const [customers, items, orders] = ["customer_id", "item_id", "is_order"].map(this.nameOf);
    for await (const { column, values } of cellsIn(path, [customers, items, orders])) {
      if (column === customers) this.addCustomers(column, values);
      else if (column === items) this.addItems(column, values);
      else this.addOrders(values);
    }
  }

  /** @throws ConfigError where the file lacks the columns that histories are read by, Error where it cannot be read */
  async histories(path: string, dt: string): Promise<void> {
    const names = ["customer_id", "action_types"].map(this.nameOf);
    for await (const { rows, found } of columnsIn(path, names, LIST, WHOLE_BYTES)) {
      const [customers, types] = names.map((name) => found.get(name));
      if (customers?.kind !== "ints" || types?.kind !== "lists")
        throw new ConfigError(
          `"${path}" has no columns ${names.join(" and ")} as a build writes them. Where no manifest tells what is in a file, a report needs both.`,
        );
      this.addHistories(rows, dt, customers.values, types);
    }
  }

  endDay(dt: string): void {
    if (this.seen.size > 0) this.customersByDay[dt] = this.seen.size;
    this.seen = new Tally();
  }

  /** Slots of a customer stand together, and share a history: it is counted once, times the slots. */
  private addHistories(rows: number, dt: string, customers: BigInt64Array | Int32Array, { offsets, values }: Lists): void {
    for (const [from, to] of stretches(rows, customers)) {
      const length = offsets[from + 1] - offsets[from];
      this.metrics.add(values as Int32Array, offsets[from], offsets[from + 1], length, to - from, dt, 0);
    }
  }

  private addCustomers(column: string, values: Cells["values"]): void {
    this.customers ??= new Tally();
    const ids = idsOf(values, column);
    for (const [from, to] of stretches(values.length, values)) {
      this.customers.add(ids[2 * from], ids[2 * from + 1], to - from);
      this.seen.add(ids[2 * from], ids[2 * from + 1], 1);
    }
  }

  private addItems(column: string, values: Cells["values"]): void {
    this.items ??= new Tally();
    const ids = idsOf(values, column);
    for (let i = 0; i < values.length; i++) this.items.add(ids[2 * i], ids[2 * i + 1], 1);
  }

  private addOrders(values: Cells["values"]): void {
    this.orders ??= 0;
    for (let i = 0; i < values.length; i++) this.orders += values[i] === true ? 1 : 0;
  }
}

/** Rows [from, to) that stand together and have the same value. */
function* stretches(rows: number, values: ArrayLike<unknown>): Generator<[from: number, to: number]> {
  for (let from = 0, to = 1; from < rows; from = to++) {
    while (to < rows && values[to] === values[from]) to++;
    yield [from, to];
  }
}
