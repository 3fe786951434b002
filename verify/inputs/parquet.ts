/** Parquet by hyparquet's reader of rows. What values mean is said here, after parquet-format's LogicalTypes.md. */
import { isUtf8 } from "node:buffer";
import {
  type AsyncBuffer,
  asyncBufferFromFile,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
  type SchemaElement,
  type SchemaTree,
} from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { BrokenFile } from "../../pipeline/io/rows";
import { type Cell, Day, Instant, type RawFile, type RawRow } from "./cells";
import { bytesOf } from "./files";

const ROWS_AT_ONCE = 16_384;

class NotUtf8 extends Error {}

/** hyparquet makes Dates and doubles of what is more than they hold, so it is told of physical types only. */
const AS_STORED = {
  timestampFromMilliseconds: (value: bigint) => value,
  timestampFromMicroseconds: (value: bigint) => value,
  timestampFromNanoseconds: (value: bigint) => value,
  dateFromDays: (value: number) => value,
};

/** Rows of a Parquet file; positions are rows from 1. */
export async function* parquetRows(raw: RawFile, columns: readonly string[]): AsyncGenerator<RawRow[]> {
  if (raw.size === 0) return;
  const file = await buffered(raw);
  const { metadata, root } = await whileReading(raw, () => described(file));
  const wanted = root.children.filter(({ element }) => columns.includes(element.name));
  const meanings = wanted.map((node): [string, (value: unknown) => Cell] => [node.element.name, meaningOf(node)]);
  physicalOnly(metadata);
  const options = { file, metadata, columns: wanted.map(({ element }) => element.name), compressors, utf8: false, parsers: AS_STORED };
  let start = 0;
  for (const { num_rows } of metadata.row_groups) {
    const end = start + Number(num_rows);
    for (; start < end; start = Math.min(end, start + ROWS_AT_ONCE)) {
      const rowEnd = Math.min(end, start + ROWS_AT_ONCE);
      const found =
        wanted.length === 0
          ? Array.from({ length: rowEnd - start }, () => ({}))
          : await whileReading(raw, () => parquetReadObjects({ ...options, rowStart: start, rowEnd, useOffsetIndex: true }));
      yield found.map((row, i) => rowOf(row, meanings, start + i + 1));
    }
  }
}

async function buffered(raw: RawFile): Promise<AsyncBuffer> {
  if (raw.packed === "none") return asyncBufferFromFile(raw.path);
  const parts: Buffer[] = [];
  for await (const part of bytesOf(raw)) parts.push(part);
  const bytes = new Uint8Array(Buffer.concat(parts));
  return { byteLength: bytes.length, slice: (from, to) => bytes.slice(from, to).buffer };
}

async function described(file: AsyncBuffer): Promise<{ metadata: FileMetaData; root: SchemaTree }> {
  const metadata = await parquetMetadataAsync(file, { geoparquet: false, parsers: AS_STORED });
  return { metadata, root: parquetSchema(structuredClone(metadata)) };
}

async function whileReading<T>({ name }: RawFile, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new BrokenFile(`"${name}" cannot be read as Parquet (${(error as Error).message}).`);
  }
}

function physicalOnly({ schema }: FileMetaData): void {
  for (const element of schema.filter(({ num_children }) => !num_children)) {
    delete element.converted_type;
    delete element.logical_type;
  }
}

function rowOf(row: Record<string, unknown>, meanings: [string, (value: unknown) => Cell][], position: number): RawRow {
  const cells: { [column: string]: Cell } = {};
  try {
    for (const [name, meaning] of meanings) cells[name] = meaning(row[name]);
    return { position, cells };
  } catch (error) {
    if (error instanceof NotUtf8) return { position, fault: "not UTF-8" };
    throw error;
  }
}

/** From values as hyparquet puts them together to cells. */
function meaningOf({ element, children }: SchemaTree): (value: unknown) => Cell {
  if (children.length === 0) {
    const leaf = leafMeaning(element);
    return element.repetition_type === "REPEATED" ? orNull((value) => (value as unknown[]).map(orNull(leaf))) : orNull(leaf);
  }
  if (element.logical_type?.type === "LIST" || element.converted_type === "LIST") {
    const [list] = children;
    const isElement = list.children.length !== 1 || list.element.name === "array" || list.element.name === `${element.name}_tuple`;
    const inner = list.children.length === 0 ? leafMeaning(list.element) : isElement ? struct(list) : meaningOf(list.children[0]);
    return orNull((value) => elementsOf(value, list, isElement).map((each) => orNull(inner)(each)));
  }
  return element.repetition_type === "REPEATED"
    ? orNull((value) => Array.from(value as unknown[], struct({ element, children } as SchemaTree)))
    : struct({ element, children } as SchemaTree);
}

/** hyparquet takes the older lists of two levels for structs, and those of structs with one field for lists of that field. */
function elementsOf(value: unknown, list: SchemaTree, isElement: boolean): unknown[] {
  const elements = Array.isArray(value)
    ? value
    : Array.from((value as Record<string, unknown[]>)[list.element.name] ?? (value as unknown[]));
  const field = isElement && list.children.length === 1 ? list.children[0].element.name : undefined;
  return field === undefined ? elements : elements.map((each) => ({ [field]: each }));
}

function struct({ children }: SchemaTree): (value: unknown) => Cell {
  const members = children.map((child): [string, (value: unknown) => Cell] => [child.element.name, meaningOf(child)]);
  return orNull((value) => Object.fromEntries(members.map(([name, meaning]) => [name, meaning((value as Record<string, unknown>)[name])])));
}

const orNull =
  (meaning: (value: unknown) => Cell) =>
  (value: unknown): Cell =>
    value === null || value === undefined ? null : meaning(value);

function leafMeaning(element: SchemaElement): (value: unknown) => Cell {
  const { type, logical_type: logical, converted_type: converted } = element;
  const isDecimal = logical?.type === "DECIMAL" || converted === "DECIMAL";
  const scale = (logical?.type === "DECIMAL" ? logical.scale : element.scale) ?? 0;
  if (isDecimal && scale !== 0) return () => Number.NaN;
  if (type === "BOOLEAN") return (value) => Boolean(value);
  // Julian days come with it: 2440588 is 1970-01-01
  if (type === "INT96") return (value) => new Instant(floorDiv(value as bigint, 1000n), false);
  if (type === "BYTE_ARRAY" || type === "FIXED_LEN_BYTE_ARRAY") return bytesMeaning(element, isDecimal);
  if (type !== "INT32" && type !== "INT64") return () => Number.NaN;
  if (logical?.type === "DATE" || converted === "DATE") return (value) => new Day(Number(value));
  const unit = logical?.type === "TIMESTAMP" ? logical.unit : /^TIMESTAMP_(.*)/.exec(converted ?? "")?.[1];
  if (unit !== undefined) {
    const wall = logical?.type === "TIMESTAMP" && !logical.isAdjustedToUTC;
    return (value) =>
      new Instant(
        unit === "MILLIS" ? BigInt(value as bigint) * 1000n : unit === "NANOS" ? floorDiv(value as bigint, 1000n) : (value as bigint),
        wall,
      );
  }
  const isUnsigned = (logical?.type === "INTEGER" && !logical.isSigned) || /^UINT_/.test(converted ?? "");
  const isInteger =
    logical === undefined ? converted === undefined || isDecimal || /^U?INT_/.test(converted) : logical.type === "INTEGER" || isDecimal;
  if (!isInteger) return () => Number.NaN;
  const bits = type === "INT32" ? 32 : 64;
  return (value) => (isUnsigned ? BigInt.asUintN(bits, BigInt(value as bigint)) : BigInt(value as bigint));
}

function bytesMeaning({ logical_type: logical, converted_type: converted }: SchemaElement, isDecimal: boolean): (value: unknown) => Cell {
  const hex = (value: unknown) => Buffer.from(value as Uint8Array).toString("hex");
  if (isDecimal) return (value) => BigInt.asIntN(4 * hex(value).length, BigInt(`0x${hex(value) || "0"}`));
  if (logical?.type === "UUID") return (value) => hex(value).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  if ((logical !== undefined && !/^(STRING|ENUM|JSON)$/.test(logical.type)) || /^(BSON|INTERVAL)$/.test(converted ?? ""))
    return () => Number.NaN;
  return (value) => {
    if (!isUtf8(value as Uint8Array)) throw new NotUtf8();
    return Buffer.from(value as Uint8Array).toString("utf8");
  };
}

const floorDiv = (a: bigint, b: bigint): bigint => (a - (((a % b) + b) % b)) / b;
