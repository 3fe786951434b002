import type { SchemaTree } from "hyparquet";
import type { Cell } from "../../transforms/cells";
import type { RowSink } from "../io/rows";
import type { RankingSink, ScannedRankings, ScanOptions } from "./columns";
import { flatPlace, ParquetScanner } from "./parquetscan";
import { ParquetSlots } from "./parquetslots";
import { DayColumn, isId, isPlainText } from "./parquettimes";
import { IntegerLeaf, TextLeaf } from "./parquetvalues";

interface Parts {
  ids: TextLeaf;
  customers: IntegerLeaf;
  days: DayColumn;
  slots: ParquetSlots;
}

/** Rankings from the row groups of a Parquet file. */
export class ParquetRankings extends ParquetScanner {
  private readonly out: ScannedRankings;
  private readonly days: Int32Array;

  /** @returns undefined where the columns are of other kinds, all of which the careful reader knows */
  static of(
    root: SchemaTree,
    columns: readonly string[],
    { partition = {} }: ScanOptions,
    sink: RowSink,
    to: Pick<RankingSink, "out" | "flush">,
  ): ParquetRankings | undefined {
    if (["ranking_id", "impressions", "customer_id"].some((name) => Object.hasOwn(partition, name))) return undefined;
    const id = flatPlace(root, "ranking_id");
    const customer = flatPlace(root, "customer_id");
    const days = DayColumn.of(root, "dt", partition);
    const slots = ParquetSlots.of(root, "impressions");
    if (id === undefined || !isPlainText(id) || customer === undefined || !isId(customer)) return undefined;
    if (days === undefined || slots === undefined) return undefined;
    return new ParquetRankings(columns, { ids: new TextLeaf(id), customers: new IntegerLeaf(customer), days, slots }, sink, to);
  }

  private constructor(
    columns: readonly string[],
    private readonly parts: Parts,
    sink: RowSink,
    private readonly to: Pick<RankingSink, "out" | "flush">,
  ) {
    const { ids, customers, days, slots } = parts;
    super(columns, [ids, customers, ...days.leaves, slots.items, slots.orders], sink, to.out.capacity);
    this.out = to.out;
    this.days = new Int32Array(to.out.capacity);
  }

  protected override read(rows: number) {
    const { odd } = this;
    const { ids, customers, days, slots } = this.parts;
    ids.read(rows);
    odd.markLacking(ids);
    for (let row = 0; row < rows; row++) if (!isAscii(ids.bytes, ids.starts[row], ids.starts[row + 1])) odd.mark(row);
    customers.read(rows);
    odd.markLacking(customers);
    days.read(rows, this.days, odd);
    slots.read(rows, odd);
  }

  protected override handOn(rows: number) {
    const { out } = this;
    for (let row = 0; row < rows; row++) if (this.odd.flags[row] === 0) this.add(row);
    if (out.length > 0) this.to.flush();
    out.length = 0;
  }

  protected override cell(column: string, row: number): Cell {
    const { ids, customers, days, slots } = this.parts;
    if (column === "ranking_id") return ids.cell(row);
    if (column === "customer_id") return customers.cell(row);
    return column === "impressions" ? slots.cell(row) : days.leaf?.cell(row);
  }

  private add(row: number) {
    const { out } = this;
    const { ids, customers, slots } = this.parts;
    const to = out.length++;
    out.customers[2 * to] = customers.pairs[2 * row];
    out.customers[2 * to + 1] = customers.pairs[2 * row + 1];
    out.days[to] = this.days[row];
    out.idStarts[to + 1] = this.addId(out.idStarts[to], ids, row);
    out.slotStarts[to + 1] = slots.add(out, out.slotStarts[to], row);
  }

  /** @returns where it ends */
  private addId(start: number, { bytes, starts }: TextLeaf, row: number): number {
    const { out } = this;
    const length = starts[row + 1] - starts[row];
    if (start + length > out.idBytes.length) out.growIds(start + length);
    for (let k = 0; k < length; k++) out.idBytes[start + k] = bytes[starts[row] + k];
    return start + length;
  }
}

/** Whether there are bytes [start, end), and all are ASCII. */
function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  let all = 0;
  for (let at = start; at < end; at++) all |= bytes[at];
  return end > start && all < 0x80;
}
