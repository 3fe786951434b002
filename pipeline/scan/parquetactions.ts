import type { RowGroup, SchemaTree } from "hyparquet";
import { DAY_MICROS } from "../../transforms/calendar";
import type { Cell } from "../../transforms/cells";
import { type Lateness, NO_DAY_SAID } from "../../transforms/lateness";
import type { TimeUnit } from "../../transforms/rules";
import type { RowSink } from "../io/rows";
import type { ActionFields, ActionSink, ScannedActions, ScanOptions } from "./columns";
import { ClockColumn, SaidColumn, Unclear } from "./parquetcompared";
import type { Leaf } from "./parquetleaf";
import { flatPlace, ParquetScanner } from "./parquetscan";
import { boundsOf } from "./parquetstats";
import { DayColumn, isId, type Span, type TimeColumn, timeColumn } from "./parquettimes";
import { IntegerLeaf } from "./parquetvalues";

/** What is in an action, of the columns that a file has. */
interface Parts {
  customers: IntegerLeaf;
  items: IntegerLeaf;
  /** undefined where a date is the time */
  time: TimeColumn | undefined;
  /** the date that is the time, and the action's own day; both may be one */
  date: DayColumn | undefined;
  ownDay: DayColumn | undefined;
  /** what is only compared */
  said: SaidColumn | undefined;
  clock: ClockColumn | undefined;
}

type Options = ScanOptions & { timeUnit: TimeUnit | null; late?: Pick<Lateness, "isSure"> };

/** No wall clock is so far from UTC. */
const ZONES_MICROS = 26 * 3_600_000_000;

/**
 * Actions from the row groups of a Parquet file. Where a footer proves that no action of a row group is of use, nothing is read
 * but what is counted: the customers, who are known or not, and the items if there may be a 0 among them. What is broken elsewhere
 * in such a row group goes unnoticed.
 */
export class ParquetActions extends ParquetScanner {
  private readonly out: ScannedActions;
  /** the leaves read of the row group at hand if nothing of it is of use */
  private counted: IntegerLeaf[] | undefined;

  /** @returns undefined where the columns are of other kinds, all of which the careful reader knows */
  static of(
    root: SchemaTree,
    columns: readonly string[],
    fields: ActionFields,
    options: Options,
    sink: RowSink,
    to: Pick<ActionSink, "out" | "flush">,
  ): ParquetActions | undefined {
    const partition = options.partition ?? {};
    const { customer, item, time, timeIs, ownDay } = fields;
    const shared = timeIs === "date" && ownDay === time;
    const names = [customer, item, time, ...(ownDay === null || shared ? [] : [ownDay])];
    if (new Set(names).size < names.length) return undefined;
    if ([customer, item, ...(timeIs === "date" ? [] : [time])].some((name) => Object.hasOwn(partition, name))) return undefined;
    const customers = idLeaf(root, customer, to.out.customers);
    const items = idLeaf(root, item, to.out.items);
    const times = timeIs === "date" ? undefined : timeColumn(root, time, options.timeUnit, options.utc);
    const date = timeIs === "date" ? DayColumn.of(root, time, partition) : undefined;
    const own = ownDay === null ? undefined : shared ? date : DayColumn.of(root, ownDay, partition);
    if (customers === undefined || items === undefined || (times ?? date) === undefined) return undefined;
    if (ownDay !== null && own === undefined) return undefined;
    try {
      const said = fields.said ? SaidColumn.of(root, fields.said) : undefined;
      const instant = options.utc ? undefined : options.instant;
      const clock = fields.clock ? ClockColumn.of(root, fields.clock, options.timeUnit, instant) : undefined;
      if (said === undefined && fields.said) to.out.ownDays.fill(NO_DAY_SAID);
      return new ParquetActions(columns, { customers, items, time: times, date, ownDay: own, said, clock }, options, sink, to);
    } catch (error) {
      if (error instanceof Unclear) return undefined;
      throw error;
    }
  }

  private constructor(
    columns: readonly string[],
    private readonly parts: Parts,
    private readonly options: Options,
    sink: RowSink,
    private readonly to: Pick<ActionSink, "out" | "flush">,
  ) {
    super(columns, leavesOf(parts), sink, to.out.capacity);
    this.out = to.out;
  }

  protected override wanted(group: RowGroup): readonly Leaf[] {
    const { customers, items } = this.parts;
    this.counted = undefined;
    const bounds = boundsOf(group, items.place);
    if (bounds === undefined || boundsOf(group, customers.place) === undefined || !this.isUseless(group)) return super.wanted(group);
    this.counted = bounds[0] > 0n || bounds[1] < 0n ? [customers] : [customers, items];
    return this.counted;
  }

  /** Whether all times of a row group are legal, and outside of what is of use. An action's own day may say more than its time. */
  private isUseless(group: RowGroup): boolean {
    const { utc, useful } = this.options;
    const { time, date, ownDay } = this.parts;
    const span = time === undefined ? date?.span(group) : time.span?.(group);
    if (useful === undefined || span === undefined || ownDay !== undefined) return false;
    const off = utc || time?.wall === false ? 0 : ZONES_MICROS;
    return (span[1] + off < useful.first || span[0] - off >= useful.end) && this.isOnTime(group, span, off);
  }

  /** Whether no row of a row group is late. */
  private isOnTime(group: RowGroup, [first, last]: Span, off: number): boolean {
    const { said, clock } = this.parts;
    const day = clock !== undefined ? undefined : said === undefined ? NO_DAY_SAID : said.only(group);
    return this.options.late?.isSure(first, last, day, off) ?? true;
  }

  private readCounted(rows: number, leaves: readonly IntegerLeaf[]) {
    const { times, items } = this.out;
    times.fill(Number.NaN, 0, rows);
    items.fill(1, 0, 2 * rows);
    for (const leaf of leaves) {
      leaf.read(rows);
      if (leaf.lacking > 0) throw new RangeError("the footer knows of no nulls");
    }
  }

  protected override read(rows: number) {
    if (this.counted !== undefined) return this.readCounted(rows, this.counted);
    const { out, odd } = this;
    const { customers, items, time, date, ownDay, said, clock } = this.parts;
    customers.read(rows);
    odd.markLacking(customers);
    items.read(rows);
    odd.markLacking(items);
    time?.read(rows, out.times, odd);
    if (date !== undefined) {
      date.read(rows, out.ownDays, odd);
      for (let i = 0; i < rows; i++) out.times[i] = out.ownDays[i] * DAY_MICROS;
    }
    if (said !== undefined) said.read(rows, out.ownDays);
    else if (ownDay !== undefined && ownDay !== date) ownDay.read(rows, out.ownDays, odd);
    clock?.read(rows, out.clocks, odd);
  }

  protected override handOn(rows: number) {
    const { out, parts } = this;
    out.length = this.odd.count === 0 ? rows : this.close(rows);
    out.unread = this.counted !== undefined;
    if (out.length > 0) this.to.flush(this.counted === undefined && (parts.time?.wall ?? true));
    out.length = 0;
  }

  protected override cell(column: string, row: number): Cell {
    const { customers, items, time, date, ownDay, said, clock } = this.parts;
    for (const leaf of [customers, items, time?.leaf, said?.leaf, clock?.leaf]) if (leaf?.place.path[0] === column) return leaf.cell(row);
    return [date, ownDay].find((day) => day?.column === column)?.leaf?.cell(row);
  }

  /** Closes the gaps that odd rows leave. @returns how many rows there are then */
  private close(rows: number): number {
    const { customers, items, times, ownDays, clocks } = this.out;
    let to = 0;
    for (let i = 0; i < rows; i++) {
      if (this.odd.flags[i] !== 0) continue;
      customers[2 * to] = customers[2 * i];
      customers[2 * to + 1] = customers[2 * i + 1];
      items[2 * to] = items[2 * i];
      items[2 * to + 1] = items[2 * i + 1];
      times[to] = times[i];
      clocks[to] = clocks[i];
      ownDays[to++] = ownDays[i];
    }
    return to;
  }
}

function idLeaf(root: SchemaTree, column: string, pairs: Int32Array): IntegerLeaf | undefined {
  const place = flatPlace(root, column);
  return place !== undefined && isId(place) ? new IntegerLeaf(place, pairs) : undefined;
}

function leavesOf({ customers, items, time, date, ownDay, said, clock }: Parts): Leaf[] {
  const days = new Set([date, ownDay].flatMap((day) => day?.leaves ?? []));
  return [customers, items, ...[time, said, clock].flatMap((column) => column?.leaf ?? []), ...days];
}
