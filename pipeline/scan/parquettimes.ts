import type { RowGroup, SchemaElement, SchemaTree } from "hyparquet";
import { DAY_MICROS, END_DAY, FIRST_DAY } from "../../transforms/calendar";
import { words } from "../../transforms/ids";
import type { TimeUnit } from "../../transforms/rules";
import { date } from "../../transforms/values";
import { isInteger, isText, isUnsigned } from "../io/parquettypes";
import type { Leaf, LeafPlace } from "./parquetleaf";
import { flatPlace, type OddRows } from "./parquetscan";
import { boundsOf } from "./parquetstats";
import { Int96Leaf, IntegerLeaf, TextLeaf } from "./parquetvalues";
import { dayAt, NO_DAY, TimeReader } from "./times";

const FIRST = FIRST_DAY * DAY_MICROS;
const END = END_DAY * DAY_MICROS;
const WORD = 2 ** 32;

/** Whether a leaf holds ids: signed integers. */
export const isId = ({ element }: LeafPlace): boolean =>
  (element.type === "INT32" || element.type === "INT64") && isInteger(element) && !isUnsigned(element);

export const isPlainText = ({ element }: LeafPlace): boolean => element.type === "BYTE_ARRAY" && isText(element);

/** The first and the last of some times, in microseconds. */
export type Span = [first: number, last: number];

/** A column of points in time. */
export interface TimeColumn {
  readonly leaf: Leaf;
  /** whether the times read last are wall times */
  readonly wall: boolean;
  /** Reads the next times, in whole microseconds. */
  read(rows: number, times: Float64Array, odd: OddRows): void;
  /** Within which all times of a row group lie, none of them odd; undefined if its footer does not prove that. */
  span?(group: RowGroup): Span | undefined;
}

/** @param unit of numbers, null if they are no times */
export function timeColumn(root: SchemaTree, column: string, unit: TimeUnit | null, utc: boolean): TimeColumn | undefined {
  const place = flatPlace(root, column);
  if (place === undefined) return undefined;
  if (isPlainText(place)) return new TextTimes(new TextLeaf(place), utc);
  if (place.element.type === "INT96") return new Int96Times(new Int96Leaf(place));
  const known = typedUnit(place.element) ?? (isId(place) && unit !== null ? { unit, wall: false } : undefined);
  return known && new NumberTimes(new IntegerLeaf(place), known.unit, known.wall);
}

const UNITS = { MILLIS: "ms", MICROS: "us", NANOS: "ns" } as const;

/** As parquettypes.ts reads it. */
function typedUnit({
  type,
  logical_type: logical,
  converted_type: converted,
}: SchemaElement): { unit: TimeUnit; wall: boolean } | undefined {
  if (type !== "INT64") return undefined;
  if (logical !== undefined)
    return logical.type === "TIMESTAMP" ? { unit: UNITS[logical.unit], wall: !logical.isAdjustedToUTC } : undefined;
  if (converted === "TIMESTAMP_MILLIS") return { unit: "ms", wall: false };
  return converted === "TIMESTAMP_MICROS" ? { unit: "us", wall: false } : undefined;
}

const SCALES = { s: 1e6, ms: 1000, us: 1, ns: 0 };

class NumberTimes implements TimeColumn {
  constructor(
    readonly leaf: IntegerLeaf,
    private readonly unit: TimeUnit,
    readonly wall: boolean,
  ) {}

  read(rows: number, times: Float64Array, odd: OddRows) {
    const { leaf } = this;
    leaf.read(rows);
    this.micros(leaf.pairs, rows, times);
    markOutside(times, rows, odd);
    odd.markLacking(leaf);
  }

  span(group: RowGroup): Span | undefined {
    const bounds = boundsOf(group, this.leaf.place);
    if (bounds === undefined) return undefined;
    const times = new Float64Array(2);
    this.micros(words(BigInt64Array.from(bounds)), 2, times);
    return legal([times[0], times[1]]);
  }

  private micros(pairs: Int32Array, rows: number, times: Float64Array) {
    const { unit } = this;
    if (unit === "ns") thousandths(pairs, rows, times);
    else {
      // A number too great for a double to hold exactly lies outside of the years anyway, and stays there.
      const scale = SCALES[unit];
      for (let i = 0; i < rows; i++) times[i] = (pairs[2 * i + 1] * WORD + (pairs[2 * i] >>> 0)) * scale;
    }
  }
}

const legal = (span: Span): Span | undefined => (span[0] >= FIRST && span[1] < END ? span : undefined);

function markOutside(times: Float64Array, rows: number, odd: OddRows) {
  for (let i = 0; i < rows; i++) if (!(times[i] >= FIRST && times[i] < END)) odd.mark(i);
}

/** Rounded down. Both halves are divided apart, so that each step is exact. */
function thousandths(pairs: Int32Array, rows: number, out: Float64Array) {
  for (let i = 0; i < rows; i++) {
    const high = Math.floor(pairs[2 * i + 1] / 1000);
    const rest = (pairs[2 * i + 1] - high * 1000) * WORD + (pairs[2 * i] >>> 0);
    out[i] = high * WORD + Math.floor(rest / 1000);
  }
}

const JULIAN_DAY_OF_EPOCH = 2_440_588;

/** Spark's and Hive's old kind of time, taken for an instant as parquettypes.ts does. */
class Int96Times implements TimeColumn {
  readonly wall = false;
  constructor(readonly leaf: Int96Leaf) {}

  read(rows: number, times: Float64Array, odd: OddRows) {
    const { leaf } = this;
    leaf.read(rows);
    const { triples } = leaf;
    for (let i = 0; i < rows; i++) {
      const nanos = triples[3 * i + 1] * WORD + (triples[3 * i] >>> 0);
      times[i] = (triples[3 * i + 2] - JULIAN_DAY_OF_EPOCH) * DAY_MICROS + Math.floor(nanos / 1000);
      // more than a day has: the division may be off by one
      if (!(nanos >= 0 && nanos < 2 ** 50)) odd.mark(i);
    }
    markOutside(times, rows, odd);
    odd.markLacking(leaf);
  }
}

/** Times as text. Those of a batch that name a zone where the others do not are left out, or the other way round. */
class TextTimes implements TimeColumn {
  wall = true;
  private readonly reader: TimeReader;

  constructor(
    readonly leaf: TextLeaf,
    utc: boolean,
  ) {
    this.reader = new TimeReader(utc);
  }

  read(rows: number, times: Float64Array, odd: OddRows) {
    const { leaf, reader } = this;
    leaf.read(rows);
    const { starts, bytes, view } = leaf;
    let known = false;
    for (let i = 0; i < rows; i++) {
      const end = reader.timestamp(bytes, view, starts[i], times, i);
      if (end !== starts[i + 1] || (known && reader.wall !== this.wall)) odd.mark(i);
      else if (!known) {
        known = true;
        this.wall = reader.wall;
      }
    }
    odd.markLacking(leaf);
  }
}

/** A column of days, which the folder may supply. */
export class DayColumn {
  private constructor(
    readonly column: string,
    /** undefined if the file has no such column */
    readonly leaf: IntegerLeaf | TextLeaf | undefined,
    /** what the folder says, NO_DAY if nothing */
    private readonly folder: number,
  ) {}

  static of(root: SchemaTree, column: string, partition: Readonly<Record<string, string>>): DayColumn | undefined {
    const folder = folderDay(partition[column]);
    if (!root.children.some(({ element }) => element.name === column))
      return folder === undefined || folder === NO_DAY ? undefined : new DayColumn(column, undefined, folder);
    const place = flatPlace(root, column);
    if (place === undefined || folder === undefined) return undefined;
    if (isPlainText(place)) return new DayColumn(column, new TextLeaf(place), folder);
    return isDate(place) ? new DayColumn(column, new IntegerLeaf(place), folder) : undefined;
  }

  /** The leaves to be read, none or one. */
  get leaves(): Leaf[] {
    return this.leaf === undefined ? [] : [this.leaf];
  }

  read(rows: number, days: Int32Array, odd: OddRows) {
    const { leaf, folder } = this;
    if (leaf === undefined) {
      days.fill(folder, 0, rows);
      return;
    }
    leaf.read(rows);
    if (leaf instanceof TextLeaf) textDays(leaf, rows, days);
    else for (let i = 0; i < rows; i++) days[i] = leaf.pairs[2 * i];
    for (let i = 0; i < rows; i++) {
      const day = days[i];
      if (!(day >= FIRST_DAY && day < END_DAY) || (folder !== NO_DAY && day !== folder)) odd.mark(i);
    }
    odd.markLacking(leaf);
  }

  /** As TimeColumn's, of the days' midnights on the wall. */
  span(group: RowGroup): Span | undefined {
    const { leaf, folder } = this;
    if (leaf === undefined) return [folder * DAY_MICROS, folder * DAY_MICROS];
    // A folder that says a day as well has to say the same one.
    const days = leaf instanceof IntegerLeaf && folder === NO_DAY ? boundsOf(group, leaf.place) : undefined;
    return days && legal([Number(days[0]) * DAY_MICROS, Number(days[1]) * DAY_MICROS]);
  }
}

function textDays({ starts, view }: TextLeaf, rows: number, days: Int32Array) {
  for (let i = 0; i < rows; i++) days[i] = starts[i + 1] - starts[i] === 10 ? dayAt(view, starts[i]) : NO_DAY;
}

export const isDate = ({ element: { type, logical_type: logical, converted_type: converted } }: LeafPlace): boolean =>
  type === "INT32" && (logical?.type === "DATE" || converted === "DATE");

/** NO_DAY if the folder says nothing, undefined if what it says is no day. */
function folderDay(text: string | undefined): number | undefined {
  if (text === undefined) return NO_DAY;
  try {
    return date(text);
  } catch {
    return undefined;
  }
}
