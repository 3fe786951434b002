import type { SchemaTree } from "hyparquet";
import type { Cell } from "../../transforms/cells";
import { isElement, isList, type Levels, levelsOf } from "../io/parquetnested";
import type { ScannedRankings } from "./columns";
import type { LeafPlace } from "./parquetleaf";
import type { OddRows } from "./parquetscan";
import { isId } from "./parquettimes";
import { BooleanLeaf, IntegerLeaf } from "./parquetvalues";

/** Definition levels from which on there is a list, an entry in it, and a struct as that entry. */
interface Depths {
  list: number;
  entry: number;
  element: number;
}

/** A list of structs with item_id and is_order. */
export class ParquetSlots {
  private constructor(
    readonly items: IntegerLeaf,
    readonly orders: BooleanLeaf,
    private readonly depths: Depths,
  ) {}

  /** @returns undefined where the column is something else, or has more within it than a plain struct */
  static of(root: SchemaTree, column: string): ParquetSlots | undefined {
    const nodes = root.children.filter(({ element }) => element.name === column);
    const found = nodes.length === 1 ? elementOf(nodes[0]) : undefined;
    if (found === undefined || found.path.at(-1)!.children.some(isInvolved)) return undefined;
    const item = memberOf(found, "item_id");
    const order = memberOf(found, "is_order");
    if (item === undefined || !isId(item) || order?.element.type !== "BOOLEAN") return undefined;
    return new ParquetSlots(new IntegerLeaf(item), new BooleanLeaf(order), found.depths);
  }

  /** Reads the lists of the next rows; both members have to tell the same lists. */
  read(rows: number, odd: OddRows) {
    const { items, orders } = this;
    items.readRows(rows);
    orders.readRows(rows);
    if (items.length !== orders.length) throw new RangeError("lists differ");
    for (let row = 0; row < rows; row++) if (items.rowStarts[row] !== orders.rowStarts[row]) throw new RangeError("lists differ");
    if (items.lacking + orders.lacking > 0) this.markLacking(rows, odd);
  }

  /** Puts the slots of a row behind slot `to`. @returns where they end */
  add(out: ScannedRankings, to: number, row: number): number {
    const { items, orders } = this;
    const { rowStarts, pairs } = items;
    const start = rowStarts[row];
    const shift = to - start;
    const end = rowStarts[row + 1];
    while (end + shift > out.slotOrders.length) out.growSlots();
    for (let slot = start; slot < end; slot++) {
      out.slotItems[2 * (slot + shift)] = pairs[2 * slot];
      out.slotItems[2 * (slot + shift) + 1] = pairs[2 * slot + 1];
      out.slotOrders[slot + shift] = orders.flags[slot];
    }
    return end + shift;
  }

  cell(row: number): Cell {
    const { items, orders, depths } = this;
    const { rowStarts } = items;
    const first = items.depths[rowStarts[row]];
    if (first < depths.list) return null;
    if (first < depths.entry) return [];
    const cells: Cell[] = [];
    for (let slot = rowStarts[row]; slot < rowStarts[row + 1]; slot++)
      cells.push(items.depths[slot] < depths.element ? null : { item_id: items.cell(slot), is_order: orders.cell(slot) });
    return cells;
  }

  private markLacking(rows: number, odd: OddRows) {
    const { items, orders, depths } = this;
    const { rowStarts } = items;
    for (let row = 0; row < rows; row++) {
      for (let slot = rowStarts[row]; slot < rowStarts[row + 1]; slot++) {
        const [item, order] = [items.depths[slot], orders.depths[slot]];
        if (Math.min(item, depths.element) !== Math.min(order, depths.element)) throw new RangeError("lists differ");
        if (item < items.place.maxDefinition || order < orders.place.maxDefinition) odd.mark(row);
      }
    }
  }
}

interface Element {
  /** from the column down */
  path: SchemaTree[];
  levels: Levels;
  depths: Depths;
}

/** The element of a list, in the forms that NestedColumn knows. */
function elementOf(column: SchemaTree): Element | undefined {
  const outer = levelsOf(column, { definition: 0, repetition: 0 });
  const repeats = column.element.repetition_type === "REPEATED";
  if (!isList(column)) {
    if (!repeats || column.children.length === 0) return undefined;
    return { path: [column], levels: outer, depths: { list: 0, entry: 1, element: 1 } };
  }
  const [list] = column.children;
  const inner = levelsOf(list, outer);
  const path = isElement(list, column) ? [column, list] : [column, list, list.children[0]];
  const element = path.at(-1)!;
  if (repeats || element.children.length === 0 || isList(element)) return undefined;
  if (path.length === 2)
    return { path, levels: inner, depths: { list: outer.definition, entry: inner.definition, element: inner.definition } };
  const levels = levelsOf(element, inner);
  if (levels.repetition > 1) return undefined;
  return { path, levels, depths: { list: outer.definition, entry: inner.definition, element: levels.definition } };
}

/** Whether a member is more than a value, or text, of which the careful reader says whether it is UTF-8. */
function isInvolved({ element, children }: SchemaTree): boolean {
  return children.length > 0 || element.repetition_type === "REPEATED" || /BYTE_ARRAY$/.test(element.type ?? "");
}

function memberOf({ path, levels }: Element, name: string): LeafPlace | undefined {
  const members = path.at(-1)!.children.filter(({ element }) => element.name === name);
  if (members.length !== 1) return undefined;
  return {
    path: [...path, members[0]].map(({ element }) => element.name),
    element: members[0].element,
    maxDefinition: levelsOf(members[0], levels).definition,
    maxRepetition: 1,
  };
}
