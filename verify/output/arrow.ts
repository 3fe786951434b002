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

/** The columns of a record batch by name. `undefined` stands for a column of another type than outputs have, or with nulls. */
export function columnsOf(memory: ArrayBuffer, array: number, schema: number): Map<string, ArrowColumn | undefined> {
  const view = new DataView(memory);
  const columns = new Map<string, ArrowColumn | undefined>();
  for (let i = 0; i < long(view, schema + 24); i++) {
    const childSchema = pointer(view, pointer(view, schema + 32) + 4 * i);
    const childArray = pointer(view, pointer(view, array + 44) + 4 * i);
    columns.set(text(memory, pointer(view, childSchema + 4)), columnOf(view, childArray, childSchema));
  }
  return columns;
}

function columnOf(view: DataView<ArrayBuffer>, array: number, schema: number): ArrowColumn | undefined {
  const memory = view.buffer;
  const format = text(memory, pointer(view, schema));
  const length = long(view, array);
  const offset = long(view, array + 16);
  if (long(view, array + 8) > 0) return undefined;
  const buffer = (i: number) => pointer(view, pointer(view, array + 40) + 4 * i);
  if (length === 0) return empty(format);
  if (format === "b") return { kind: "bools", bits: new Uint8Array(memory, buffer(1), Math.ceil((offset + length) / 8)), first: offset };
  if (format === "l") return { kind: "ints", values: new BigInt64Array(memory, buffer(1) + 8 * offset, length) };
  if (format === "i" || format === "tdD") return { kind: "ints", values: new Int32Array(memory, buffer(1) + 4 * offset, length) };
  const narrow = NARROW[format];
  if (narrow !== undefined)
    return { kind: "ints", values: Int32Array.from(new narrow(memory, buffer(1) + narrow.BYTES_PER_ELEMENT * offset, length)) };
  if (format !== "u" && format !== "+l") return undefined;
  const offsets = new Int32Array(memory, buffer(1) + 4 * offset, length + 1);
  if (format === "u") return { kind: "texts", offsets, bytes: Buffer.from(memory, buffer(2), offsets[length]) };
  const elements = pointer(view, pointer(view, array + 44));
  const child = columnOf(view, elements, pointer(view, pointer(view, schema + 32)));
  if (child?.kind === "bools") return { kind: "lists", offsets, values: flagsOf(child, long(view, elements)) };
  return child?.kind === "ints" ? { kind: "lists", offsets, values: child.values } : undefined;
}

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
