import fc from "fast-check";
import { Reader, Writer } from "protobufjs";
import { ColumnsCoder, withColumns } from "../../beam/coders";
import { type Context, globalRegistry, groupByKey } from "../../beam/sdk";
import { collect, given } from "./collect";

const NESTED = "needsDelimiters" as unknown as Context;

function encode<T>(elements: readonly T[]): Uint8Array {
  const writer = Writer.create();
  for (const element of elements) new ColumnsCoder<T>().encode(element, writer, NESTED);
  return writer.finish();
}

function decode<T>(bytes: Uint8Array): T[] {
  const reader = Reader.create(bytes);
  const elements: T[] = [];
  while (reader.pos < reader.len) elements.push(new ColumnsCoder<T>().decode(reader, NESTED));
  return elements;
}

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<unknown>(null, true, false),
    fc.double(),
    fc.integer(),
    fc.string({ unit: "grapheme" }),
    fc.array(int64).map((some) => BigInt64Array.from(some)),
    fc.array(fc.integer()).map((some) => Int32Array.from(some)),
    fc.array(fc.double()).map((some) => Float64Array.from(some)),
    fc.array(fc.nat(255)).map((some) => Uint8Array.from(some)),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(
      fc.string({ unit: "grapheme" }).filter((name) => name !== "__proto__"),
      tie("value"),
      { maxKeys: 5, noNullPrototype: true },
    ),
  ),
}));

test("what is encoded comes back: any nesting of typed arrays, numbers, strings and plain objects, one after the other", () =>
  fc.assert(
    fc.property(fc.array(value, { maxLength: 4 }), (elements) => expect(decode(encode(elements))).toEqual(elements)),
    { numRuns: 500 },
  ));

test("numbers come back to the bit", () =>
  fc.assert(fc.property(fc.double(), (x) => expect(Object.is(decode<number>(encode([x]))[0], x)).toBe(true))));

test("a part of an array is encoded without the rest, and comes back on its own", () => {
  const whole = BigInt64Array.of(1n, 2n, 3n, 4n);
  const [ids] = decode<BigInt64Array>(encode([whole.subarray(1, 3)]));
  expect(ids).toEqual(BigInt64Array.of(2n, 3n));
  expect([ids.byteOffset, ids.buffer.byteLength]).toEqual([0, 16]);
});

test("what was decoded does not hold on to the message", () => {
  const bytes = encode([Int32Array.of(7)]);
  const [column] = decode<Int32Array>(bytes);
  bytes.fill(0);
  expect(column).toEqual(Int32Array.of(7));
});

test("a field without a value comes back as null, so that it is told from one that is not there", () => {
  expect(decode(encode([{ a: undefined, b: 1 }]))).toEqual([{ a: null, b: 1 }]);
});

test("a column costs its bytes and little more", () => expect(encode([new Float64Array(1000)]).length).toBeLessThan(8020));

test("the coder is found by its urn", () => {
  const proto = new ColumnsCoder().toProto({} as never);
  expect(globalRegistry().getCoder(proto.spec.urn)).toBeInstanceOf(ColumnsCoder);
});

test("withColumns: typed arrays pass a shuffle", async () => {
  const elements = [
    { key: 1, value: Int32Array.of(1) },
    { key: 2, value: Int32Array.of(2) },
    { key: 1, value: Int32Array.of(3) },
  ];
  const { out } = await collect<{ out: { key: number; value: Int32Array[] } }>((root) => ({
    out: given(root, elements).apply(withColumns<number, Int32Array>()).apply(groupByKey()) as never,
  }));
  expect(out).toEqual([
    { key: 1, value: [Int32Array.of(1), Int32Array.of(3)] },
    { key: 2, value: [Int32Array.of(2)] },
  ]);
});

test("fields and letters that every object has are fields and letters like others", () => {
  const given = JSON.parse('{"__proto__":{"a":1},"constructor":2}');
  const [value] = decode<object>(encode([given]));
  expect(Object.entries(value)).toEqual(Object.entries(given));
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  // no letter of a column: what follows is JSON
  for (const letter of ["constructor", "toString"]) expect(decode(Writer.create().string(letter).string("0").finish())).toEqual([0]);
});
