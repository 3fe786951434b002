import { isUtf8 } from "node:buffer";
import type { SchemaElement } from "hyparquet";
import { type Cell, EpochDay, Moment } from "../../transforms/cells";

/** Stands for text that is not UTF-8; compared by identity, and never handed on. */
export const NOT_UTF8: Cell = {};

/** What a column's pages hold before anyone says what it means. */
export type RawValues = ArrayLike<unknown>;

/**
 * How the values of a Parquet leaf become cells. hyparquet would make a Date of milliseconds of any time and a double of any decimal,
 * so it is asked for plain pages only, and what they mean is said here, after the format's LogicalTypes.md.
 */
export function cellsOf(element: SchemaElement): (values: RawValues) => Cell[] {
  if (element.type === "INT64" && isInteger(element) && !isUnsigned(element)) {
    return (values) => (values instanceof BigInt64Array ? longs(values) : Array.from(values as bigint[], exact));
  }
  const cell = cellOf(element);
  return (values) => Array.from(values, cell);
}

function cellOf(element: SchemaElement): (value: unknown) => Cell {
  switch (element.type) {
    case "BOOLEAN":
      return (value) => value === true || value === 1;
    case "INT32":
    case "INT64":
      return integerCell(element);
    case "INT96":
      return (value) => int96(value as bigint);
    case "BYTE_ARRAY":
    case "FIXED_LEN_BYTE_ARRAY":
      return bytesCell(element);
    default:
      return () => Number.NaN; // a FLOAT or DOUBLE is no id and no time, even where it happens to be whole
  }
}

function integerCell(element: SchemaElement): (value: unknown) => Cell {
  const { logical_type: logical, converted_type: converted } = element;
  if (logical?.type === "DATE" || converted === "DATE") return (value) => new EpochDay(Number(value));
  if (logical?.type === "TIMESTAMP") return timestamp(logical.unit, !logical.isAdjustedToUTC);
  if (converted === "TIMESTAMP_MILLIS") return timestamp("MILLIS", false);
  if (converted === "TIMESTAMP_MICROS") return timestamp("MICROS", false);
  if (isDecimal(element)) return scaleOf(element) === 0 ? (value) => exact(BigInt(value as bigint)) : () => Number.NaN;
  if (!isInteger(element)) return () => Number.NaN; // a time of day
  if (!isUnsigned(element)) return (value) => (typeof value === "number" ? value : exact(value as bigint));
  return element.type === "INT32" ? (value) => (value as number) >>> 0 : (value) => exact(BigInt.asUintN(64, value as bigint));
}

export function isInteger({ logical_type: logical, converted_type: converted }: SchemaElement): boolean {
  if (logical) return logical.type === "INTEGER";
  return converted === undefined || /^U?INT_/.test(converted);
}

export function isUnsigned({ logical_type: logical, converted_type: converted }: SchemaElement): boolean {
  return (logical?.type === "INTEGER" && !logical.isSigned) || /^UINT_/.test(converted ?? "");
}

function isDecimal({ logical_type: logical, converted_type: converted }: SchemaElement): boolean {
  return logical?.type === "DECIMAL" || converted === "DECIMAL";
}

function scaleOf({ logical_type: logical, scale }: SchemaElement): number {
  return (logical?.type === "DECIMAL" ? logical.scale : scale) ?? 0;
}

function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** 64-bit integers without a BigInt for each: most fit into a double. */
function longs(values: BigInt64Array): Cell[] {
  const halves = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  const cells: Cell[] = new Array(values.length);
  for (let k = 0; k < cells.length; k++) {
    const value = halves[2 * k + 1] * 2 ** 32 + (halves[2 * k] >>> 0);
    cells[k] = Number.isSafeInteger(value) ? value : values[k];
  }
  return cells;
}

function timestamp(unit: "MILLIS" | "MICROS" | "NANOS", wall: boolean): (value: unknown) => Moment {
  if (unit === "MILLIS") return (value) => new Moment((value as bigint) * 1000n, wall);
  if (unit === "MICROS") return (value) => new Moment(value as bigint, wall);
  return (value) => new Moment(floorThousandth(value as bigint), wall);
}

function floorThousandth(nanos: bigint): bigint {
  return (nanos - BigInt.asUintN(64, ((nanos % 1000n) + 1000n) % 1000n)) / 1000n;
}

const JULIAN_DAY_OF_EPOCH = 2440588n;

/**
 * INT96: 8 bytes nanoseconds of the day, 4 bytes Julian day. It does not say whether it is adjusted to UTC; Spark and Hive write
 * instants, old Impala wrote local time. We take it for an instant.
 */
function int96(value: bigint): Moment {
  const day = (value >> 64n) - JULIAN_DAY_OF_EPOCH;
  return new Moment(day * 86_400_000_000n + floorThousandth(BigInt.asIntN(64, value)), false);
}

function bytesCell(element: SchemaElement): (value: unknown) => Cell {
  if (isDecimal(element)) return scaleOf(element) === 0 ? (value) => bigEndian(value as Uint8Array) : () => Number.NaN;
  if (element.logical_type?.type === "UUID") return (value) => uuid(value as Uint8Array);
  return isText(element) ? (value) => text(value as Uint8Array) : () => Number.NaN;
}

export function isText(element: SchemaElement): boolean {
  const { logical_type: logical, converted_type: converted } = element;
  if (isDecimal(element) || !/BYTE_ARRAY$/.test(element.type ?? "")) return false;
  return (logical === undefined || /^(STRING|ENUM|JSON)$/.test(logical.type)) && !/^(BSON|INTERVAL)$/.test(converted ?? "");
}

/** Impala, Hive and BigQuery leave out that bytes are text, so plain bytes are taken for it. */
function text(value: Uint8Array): Cell {
  if (!isUtf8(value)) return NOT_UTF8;
  return Buffer.from(value.buffer, value.byteOffset, value.length).toString("utf8");
}

function uuid(value: Uint8Array): string {
  const hex = Buffer.from(value).toString("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** A two's complement number of any length. */
function bigEndian(value: Uint8Array): number | bigint {
  if (value.length === 0) return 0;
  const hex = Buffer.from(value).toString("hex");
  return exact(BigInt.asIntN(value.length * 8, BigInt(`0x${hex}`)));
}
