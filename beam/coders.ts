import type { Reader, Writer } from "protobufjs";
import "./precombine";
import { packColumn, unpackColumn } from "./columns";
import {
  type Coder,
  type Context,
  globalRegistry,
  KVCoder,
  type PCollection,
  type PipelineContext,
  requireForSerialization,
  VarIntCoder,
  withCoderInternal,
  withName,
} from "./sdk";
import { ARRAYS, type Column, isSpilled, type Letter, load } from "./spill";

/**
 * Plain objects of typed arrays. Arrays of whole numbers are packed where that is smaller (columns.ts), others go as they lie in memory,
 * little-endian. Anything else in the object (numbers, strings, nested objects and arrays of such) is allowed and small.
 *   object  = count, then per field: name, value
 *   value   = a letter, then what the letter says; of arrays, a capital letter says that they are packed
 */
export class ColumnsCoder<T> implements Coder<T> {
  static URN = "backstory:coder:columns:v1";

  encode(element: T, writer: Writer, _context: Context): void {
    writeValue(element, writer);
  }

  decode(reader: Reader, _context: Context): T {
    return readValue(reader) as T;
  }

  toProto(_context: PipelineContext) {
    return { spec: { urn: ColumnsCoder.URN, payload: new Uint8Array() }, componentCoderIds: [] };
  }
}
globalRegistry().register(ColumnsCoder.URN, ColumnsCoder);

function writeValue(value: unknown, writer: Writer): void {
  for (const [letter, type] of Object.entries(ARRAYS)) {
    if (value instanceof type) {
      writeColumn(letter, value as Column, writer);
      return;
    }
  }
  if (Array.isArray(value)) {
    writer.string("a").uint32(value.length);
    for (const item of value) writeValue(item, writer);
  } else if (value !== null && typeof value === "object") {
    const fields = Object.entries(isSpilled(value) ? load(value) : value); // a disk is one machine's alone
    writer.string("o").uint32(fields.length);
    for (const [name, field] of fields) {
      writer.string(name);
      writeValue(field, writer);
    }
  } else if (typeof value === "bigint") writer.string("g").string(String(value));
  else if (typeof value === "number") writer.string("n").double(value);
  else writer.string("j").string(JSON.stringify(value) ?? "null");
}

function writeColumn(letter: string, column: Column, writer: Writer): void {
  const packed = packColumn(column);
  if (packed !== null) writer.string(letter.toUpperCase()).bytes(packed);
  else writer.string(letter).bytes(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
}

function readValue(reader: Reader): unknown {
  const letter = reader.string();
  if (Object.hasOwn(ARRAYS, letter)) {
    // A copy, because a typed array must be aligned and the message around it must not be kept alive.
    const bytes = Uint8Array.prototype.slice.call(reader.bytes());
    return new ARRAYS[letter as Letter](bytes.buffer);
  }
  const array = letter.toLowerCase();
  if (Object.hasOwn(ARRAYS, array)) return unpackColumn(array as Letter, reader.bytes());
  if (letter === "a") return Array.from({ length: reader.uint32() }, () => readValue(reader));
  if (letter === "o") {
    const object: Record<string, unknown> = {};
    for (let fields = reader.uint32(); fields > 0; fields--) {
      const name = reader.string();
      // an assignment to __proto__ would be no field
      Object.defineProperty(object, name, { value: readValue(reader), enumerable: true, configurable: true, writable: true });
    }
    return object;
  }
  if (letter === "g") return BigInt(reader.string());
  return letter === "n" ? reader.double() : JSON.parse(reader.string());
}

/** Says that a PCollection holds (number, columns): no shuffle may meet the SDK's general coder, which cannot carry typed arrays. */
export function withColumns<K extends number, V>() {
  return withName("withColumns", (input: PCollection<{ key: K; value: V }>) =>
    input.apply(withCoderInternal(new KVCoder(new VarIntCoder() as unknown as Coder<K>, new ColumnsCoder<V>()))),
  );
}

requireForSerialization("backstory/beam/coders", exports);
