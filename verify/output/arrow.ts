/**
 * Arrow arrays in the memory of parquet-wasm, as views that hold until it is asked for anything else. Their layout is that of
 * the Arrow C data interface (arrow.apache.org/docs/format/CDataInterface.html) on a machine of 32 bits.
 */
export interface Ints<Values extends BigInt64Array | Int32Array> {
  kind: "ints";
  values: Values;
}
export interface Bools {
  kind: "bools";
  bits: Uint8Array;
  /** bit of the first value */
  first: number;
}
export interface Texts {
  kind: "texts";
  /** text i is bytes[offsets[i], offsets[i + 1]) */
  offsets: Int32Array;
  bytes: Buffer;
}
export interface Lists<Values extends BigInt64Array | Int32Array> {
  kind: "lists";
  /** list i is values[offsets[i], offsets[i + 1]) */
  offsets: Int32Array;
  values: Values;
}
export type ArrowColumn = Ints<BigInt64Array | Int32Array> | Bools | Texts | Lists<BigInt64Array | Int32Array>;

/** How many rows a record batch has. */
export const lengthOf = (memory: ArrayBuffer, array: number): number => long(new DataView(memory), array);

/**
 * The columns of a record batch by name; fields of structs, and of structs in lists, as COLUMN.FIELD. `undefined` stands for a column of another
 * type than outputs have, or with nulls.
 * @param nullLists whether a list that is null is an empty one
 */
export function columnsOf(memory: ArrayBuffer, array: number, schema: number, nullLists = false): Map<string, ArrowColumn | undefined> {
  const view = new DataView(memory);
  const columns = new Map<string, ArrowColumn | undefined>();
  for (const [name, childArray, childSchema] of childrenOf(view, array, schema)) {
    columns.set(name, columnOf(view, childArray, childSchema, nullLists));
    for (const [field, column] of fieldsOf(view, childArray, childSchema, nullLists)) columns.set(`${name}.${field}`, column);
  }
  return columns;
}

function childrenOf(view: DataView<ArrayBuffer>, array: number, schema: number): [name: string, array: number, schema: number][] {
  return Array.from({ length: long(view, schema + 24) }, (_, i) => {
    const childSchema = pointer(view, pointer(view, schema + 32) + 4 * i);
    return [text(view.buffer, pointer(view, childSchema + 4)), pointer(view, pointer(view, array + 44) + 4 * i), childSchema];
  });
}

/** Of a struct, or of a list of structs: its fields as columns, the latter as lists. */
function fieldsOf(view: DataView<ArrayBuffer>, array: number, schema: number, nullLists: boolean): [string, ArrowColumn | undefined][] {
  const format = text(view.buffer, pointer(view, schema));
  const [nulls, offset] = [long(view, array + 8), long(view, array + 16)];
  if (format === "+s") {
    // fields of a struct that begins further on would have to, too; and those of one that is null are none
    const isWhole = nulls === 0 && offset === 0;
    return childrenOf(view, array, schema).map(([name, child, its]) => [name, isWhole ? columnOf(view, child, its, nullLists) : undefined]);
  }
  if (format !== "+l") return [];
  const [[, elements, its]] = childrenOf(view, array, schema);
  const offsets = offsetsOf(view, array, nullLists);
  return fieldsOf(view, elements, its, false).map(([name, column]) => [name, listsOf(offsets, column, long(view, elements))]);
}

function columnOf(view: DataView<ArrayBuffer>, array: number, schema: number, nullLists: boolean): ArrowColumn | undefined {
  const memory = view.buffer;
  const format = text(memory, pointer(view, schema));
  const length = long(view, array);
  const offset = long(view, array + 16);
  if (long(view, array + 8) > 0 && !(nullLists && format === "+l")) return undefined;
  const buffer = (i: number) => pointer(view, pointer(view, array + 40) + 4 * i);
  if (length === 0) return empty(format);
  if (format === "b") return { kind: "bools", bits: new Uint8Array(memory, buffer(1), Math.ceil((offset + length) / 8)), first: offset };
  if (format === "l") return { kind: "ints", values: new BigInt64Array(memory, buffer(1) + 8 * offset, length) };
  if (format === "i" || format === "tdD") return { kind: "ints", values: new Int32Array(memory, buffer(1) + 4 * offset, length) };
  const toMicros = MICROS[format.slice(0, 4)];
  if (toMicros !== undefined) return { kind: "ints", values: new BigInt64Array(memory, buffer(1) + 8 * offset, length).map(toMicros) };
  const narrow = NARROW[format];
  if (narrow !== undefined)
    return { kind: "ints", values: Int32Array.from(new narrow(memory, buffer(1) + narrow.BYTES_PER_ELEMENT * offset, length)) };
  if (format === "u") {
    const offsets = new Int32Array(memory, buffer(1) + 4 * offset, length + 1);
    return { kind: "texts", offsets, bytes: Buffer.from(memory, buffer(2), offsets[length]) };
  }
  if (format !== "+l") return undefined;
  const [[, elements, its]] = childrenOf(view, array, schema);
  return listsOf(offsetsOf(view, array, nullLists), columnOf(view, elements, its, false), long(view, elements));
}

/** Where the lists of an array begin and end; undefined where some are null, unless those are empty then. */
function offsetsOf(view: DataView<ArrayBuffer>, array: number, nullLists: boolean): Int32Array | undefined {
  const [length, nulls, offset] = [long(view, array), long(view, array + 8), long(view, array + 16)];
  const buffer = (i: number) => pointer(view, pointer(view, array + 40) + 4 * i);
  const offsets = new Int32Array(view.buffer, buffer(1) + 4 * offset, length + 1);
  if (nulls === 0) return offsets;
  if (!nullLists) return undefined;
  const valid = new Uint8Array(view.buffer, buffer(0), Math.ceil((offset + length) / 8));
  const isNull = (i: number) => ((valid[(offset + i) >> 3] >> ((offset + i) & 7)) & 1) === 0;
  for (let i = 0; i < length; i++) if (isNull(i) && offsets[i] < offsets[i + 1]) return undefined;
  return offsets;
}

function listsOf(offsets: Int32Array | undefined, elements: ArrowColumn | undefined, length: number): ArrowColumn | undefined {
  if (offsets === undefined || elements === undefined) return undefined;
  if (elements.kind === "bools") return { kind: "lists", offsets, values: flagsOf(elements, length) };
  return elements.kind === "ints" ? { kind: "lists", offsets, values: elements.values } : undefined;
}

/** Instants of other programs, as microseconds since 1970; finer digits are cut off, as in inputs. */
const MICROS: Record<string, ((value: bigint) => bigint) | undefined> = {
  "tss:": (s) => s * 1_000_000n,
  "tsm:": (ms) => ms * 1000n,
  "tsu:": (us) => us,
  "tsn:": (ns) => (ns - (((ns % 1000n) + 1000n) % 1000n)) / 1000n,
};

/** Booleans in lists, as 0 and 1. */
const flagsOf = ({ bits, first }: Bools, length: number): Int32Array =>
  Int32Array.from({ length }, (_, i) => (bits[(first + i) >> 3] >> ((first + i) & 7)) & 1);

/** Integers that fit into 32 bits. No output has them, other programs' tables may. */
const NARROW: Record<string, typeof Int8Array | typeof Int16Array | typeof Uint8Array | typeof Uint16Array | undefined> = {
  c: Int8Array,
  s: Int16Array,
  C: Uint8Array,
  S: Uint16Array,
};

function empty(format: string): ArrowColumn {
  if (format === "b") return { kind: "bools", bits: new Uint8Array(0), first: 0 };
  if (format === "u") return { kind: "texts", offsets: new Int32Array(1), bytes: Buffer.alloc(0) };
  return format === "+l"
    ? { kind: "lists", offsets: new Int32Array(1), values: new BigInt64Array(0) }
    : { kind: "ints", values: format === "i" ? new Int32Array(0) : new BigInt64Array(0) };
}

const pointer = (view: DataView, at: number): number => view.getUint32(at, true);
const long = (view: DataView, at: number): number => Number(view.getBigInt64(at, true));

function text(memory: ArrayBuffer, at: number): string {
  const bytes = new Uint8Array(memory, at);
  return Buffer.from(memory, at, bytes.indexOf(0)).toString("utf8");
}
