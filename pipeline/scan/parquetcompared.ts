/** Columns of Parquet files that are only compared (transforms/lateness.ts). */
import type { RowGroup, SchemaElement, SchemaTree } from "hyparquet";
import { END_DAY, FIRST_DAY } from "../../transforms/calendar";
import { NO_DAY_SAID, saidDay } from "../../transforms/lateness";
import type { TimeUnit } from "../../transforms/rules";
import type { Leaf } from "./parquetleaf";
import { flatPlace, OddRows } from "./parquetscan";
import { boundsOf, onlyText } from "./parquetstats";
import { isDate, isPlainText, type TimeColumn, timeColumn } from "./parquettimes";
import { DayTextLeaf, IntegerLeaf } from "./parquetvalues";

/** Physical types whose cells are neither texts nor days. */
const isNeither = ({ type }: SchemaElement): boolean => type === "BOOLEAN" || type === "INT64" || type === "FLOAT" || type === "DOUBLE";

/** A column that the careful reader has to look at. */
export class Unclear extends Error {}

/** The day that rows say. */
export class SaidColumn {
  private constructor(readonly leaf: DayTextLeaf | IntegerLeaf) {}

  /** @returns undefined where no row says any. @throws Unclear */
  static of(root: SchemaTree, column: string): SaidColumn | undefined {
    const node = root.children.find(({ element }) => element.name === column);
    if (node === undefined || isNeither(node.element)) return undefined;
    const place = flatPlace(root, column);
    if (place !== undefined && isPlainText(place)) return new SaidColumn(new DayTextLeaf(place));
    if (place !== undefined && isDate(place)) return new SaidColumn(new IntegerLeaf(place));
    if (place !== undefined && place.element.type === "INT32") return undefined;
    throw new Unclear();
  }

  read(rows: number, days: Int32Array) {
    const { leaf } = this;
    leaf.read(rows);
    if (leaf instanceof DayTextLeaf) return days.set(leaf.days.subarray(0, rows));
    for (let i = 0; i < rows; i++) {
      const day = leaf.pairs[2 * i];
      days[i] = day >= FIRST_DAY && day < END_DAY && leaf.depths[i] === leaf.place.maxDefinition ? day : NO_DAY_SAID;
    }
  }

  /** What all rows of a row group say; undefined if its footer does not prove that. */
  only(group: RowGroup): number | undefined {
    const { leaf } = this;
    if (leaf instanceof DayTextLeaf) {
      const text = onlyText(group, leaf.place);
      return text === undefined ? undefined : saidDay(text);
    }
    const bounds = boundsOf(group, leaf.place);
    return bounds !== undefined && bounds[0] === bounds[1] ? Number(bounds[0]) : undefined;
  }
}

/** The timestamp of rows whose time is another. */
export class ClockColumn {
  private odd = new OddRows(0);

  private constructor(
    private readonly times: TimeColumn,
    /** of wall times; undefined where these are instants */
    private readonly instant: ((wall: number) => number) | undefined,
  ) {}

  /** @returns undefined where no row has any. @throws Unclear */
  static of(
    root: SchemaTree,
    column: string,
    unit: TimeUnit | null,
    instant: ((wall: number) => number) | undefined,
  ): ClockColumn | undefined {
    const node = root.children.find(({ element }) => element.name === column);
    if (node === undefined) return undefined;
    const times = timeColumn(root, column, unit, instant === undefined);
    if (times === undefined && unit === null && isNeither(node.element)) return undefined;
    if (times === undefined) throw new Unclear();
    return new ClockColumn(times, instant);
  }

  get leaf(): Leaf {
    return this.times.leaf;
  }

  read(rows: number, clocks: Float64Array, odd: OddRows) {
    const { times, instant } = this;
    if (this.odd.flags.length < rows) this.odd = new OddRows(rows);
    this.odd.clear();
    times.read(rows, clocks, this.odd);
    if (instant !== undefined && times.wall) for (let i = 0; i < rows; i++) clocks[i] = instant(clocks[i]);
    if (this.odd.count === 0) return;
    const { depths, place } = times.leaf;
    for (let i = 0; i < rows; i++) {
      if (this.odd.flags[i] === 0) continue;
      clocks[i] = Number.NaN;
      if (depths[i] === place.maxDefinition) odd.mark(i);
    }
  }
}
