import fc from "fast-check";
import { packColumn, unpackColumn } from "../../beam/columns";
import { ARRAYS, type Column, type Letter } from "../../beam/spill";

const letterOf = (column: Column) => (Object.keys(ARRAYS) as Letter[]).find((letter) => column instanceof ARRAYS[letter])!;
const bitsOf = ({ buffer, byteOffset, byteLength }: Column) => Buffer.from(buffer, byteOffset, byteLength);

/** Packed and unpacked, from a place in a message that is not aligned; the column itself where it is not packed. */
function sent(column: Column): Column {
  const packed = packColumn(column);
  if (packed === null) return column;
  expect(packed.length).toBeLessThan(column.byteLength);
  const message = new Uint8Array(packed.length + 3);
  message.set(packed, 3);
  return unpackColumn(letterOf(column), message.subarray(3));
}

function expectSame(column: Column): void {
  const back = sent(column);
  expect(back.constructor).toBe(column.constructor);
  expect(bitsOf(back).equals(bitsOf(column))).toBe(true);
}

const long = <T>(each: fc.Arbitrary<T>) => fc.array(each, { minLength: 0, maxLength: 200 });
/** Numbers around a place, near or far, some in order, some in runs. */
const shaped = (most: number) =>
  fc
    .tuple(fc.integer({ min: -most, max: most }), fc.constantFrom(0, 1, 3, 100, 2 ** 20, 2 ** 31, 2 ** 33, 2 ** 45, most), fc.nat(3))
    .chain(([base, spread, shape]) =>
      long(fc.integer({ min: 0, max: Math.min(spread, most) })).map((steps) => {
        if (shape === 1) steps.sort((a, b) => a - b);
        if (shape === 2) steps.sort((a, b) => b - a);
        if (shape === 3) steps = steps.flatMap((step) => [step, step, step]);
        return steps.map((step) => base + step);
      }),
    );

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
const columns: Record<string, fc.Arbitrary<Column>> = {
  "int64, any": long(fc.bigInt(INT64)).map((some) => BigInt64Array.from(some)),
  "int64, at the ends": long(fc.constantFrom(INT64.min, INT64.max, INT64.min + 1n, -1n, 0n)).map((some) => BigInt64Array.from(some)),
  "int64, near a place": fc
    .tuple(fc.bigInt(INT64), shaped(2 ** 52))
    .map(([base, some]) => BigInt64Array.from(some, (each) => BigInt.asIntN(64, base + BigInt(each)))),
  "floats, any": long(fc.double()).map((some) => Float64Array.from(some)),
  "floats, mostly whole": long(fc.oneof({ weight: 60, arbitrary: fc.nat(1000) }, fc.constantFrom(-0, Number.NaN, 0.5, Infinity))).map(
    (some) => Float64Array.from(some),
  ),
  "floats, whole": shaped(2 ** 53).map((some) => Float64Array.from(some)),
  "floats, whole seconds and milliseconds": fc
    .tuple(fc.constantFrom(1000, 1e6), shaped(2 ** 31))
    .map(([unit, some]) => Float64Array.from(some, (each) => each * unit)),
  "floats, bits of any kind": long(fc.bigInt(INT64)).map((some) => new Float64Array(BigInt64Array.from(some).buffer)),
  "int32, any": long(fc.integer()).map((some) => Int32Array.from(some)),
  "int32, at the ends": long(fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, 0)).map((some) => Int32Array.from(some)),
  "int32, shaped": shaped(2 ** 31).map((some) => Int32Array.from(some)),
  "bytes, any": long(fc.nat(255)).map((some) => Uint8Array.from(some)),
  "bytes, codes": fc.nat(15).chain((most) => long(fc.nat(most)).map((some) => Uint8Array.from(some))),
};

test.each(Object.entries(columns))(
  "every column comes back to the bit: %s",
  (_kind, column) => void fc.assert(fc.property(column, expectSame), { numRuns: 600 }),
);

test("a part of a column, and a column in shared memory", () => {
  const whole = BigInt64Array.from({ length: 100 }, (_, i) => BigInt(i));
  expectSame(whole.subarray(7, 93));
  const shared = new Int32Array(new SharedArrayBuffer(4000)).fill(7);
  expectSame(shared.subarray(3));
});

/** As they come: by time within customers, by customer, in no order. */
const random = (n: number, most: number) => Array.from({ length: n }, (_, i) => (Math.imul(i + 1, 0x9e3779b1) >>> 0) % most);
const N = 10_000;
test.each<[string, Column, number]>([
  ["customers of a million, in any order", BigInt64Array.from(random(N, 1e6), BigInt), 20],
  [
    "ids in order",
    BigInt64Array.from(
      random(N, 1e6).sort((a, b) => a - b),
      BigInt,
    ),
    9,
  ],
  ["microseconds of a year", Float64Array.from(random(N, 31536e3), (second) => 1.7e15 + second * 1e6 + (second % 999)), 45],
  ["seconds of a year", Float64Array.from(random(N, 31536e3), (second) => 1.7e15 + second * 1e6), 25],
  ["types", Uint8Array.from(random(N, 3), (type) => type + 1), 2],
  ["days of two weeks", Int32Array.from(random(N, 14), (day) => 20_000 + day), 4],
  ["one day", new Int32Array(N).fill(20_000), 0],
  ["offsets", Int32Array.from({ length: N }, (_, i) => i * 10 + (i % 3)), 4],
  ["few large numbers among small ones", Float64Array.from(random(N, 100), (x, i) => (i % 97 === 0 ? 2 ** 40 + x : x)), 8.5],
])("bits of %s", (_what, column, bits) => {
  const packed = packColumn(column)!;
  expect((8 * (packed.length - 40)) / N).toBeLessThanOrEqual(bits);
  expectSame(column);
});

test("what does not get smaller is left as it is", () => {
  expect(packColumn(Float64Array.from({ length: 100 }, (_, i) => i / 3))).toBe(null);
  expect(packColumn(Int32Array.from(random(100, 2 ** 31), (x) => 2 * x - 2 ** 31))).toBe(null);
  expect(packColumn(Uint8Array.from(Buffer.from("ranking-id".repeat(100))))).toBe(null);
  expect(packColumn(new Int32Array(3))).toBe(null);
});

test("a packed column that says it has more numbers than any has is refused, before there is memory for them", () => {
  const packed = packColumn(new Int32Array(1000))!;
  new DataView(packed.buffer).setUint32(0, 2 ** 27, true);
  expect(() => unpackColumn("i", packed)).toThrow("134217728 numbers");
});
