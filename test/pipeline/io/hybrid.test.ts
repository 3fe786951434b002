import fc from "fast-check";
import { readHybrid } from "../../../pipeline/io/hybrid";

type Run = { value: number; times: number } | { group: number[] };

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

/** Bit by bit, least first, as Encodings.md draws it. */
function packed(values: number[], width: number): number[] {
  const bits = values.flatMap((value) => Array.from({ length: width }, (_, bit) => (value >>> bit) & 1));
  return Array.from({ length: bits.length / 8 }, (_, byte) =>
    bits.slice(byte * 8, byte * 8 + 8).reduce((sum, bit, k) => sum + bit * 2 ** k, 0),
  );
}

function encode(runs: Run[], width: number): number[] {
  return runs.flatMap((run) => {
    if ("group" in run) return [...varint(((run.group.length / 8) << 1) | 1), ...packed(run.group, width)];
    return [...varint(run.times << 1), ...Array.from({ length: Math.ceil(width / 8) }, (_, k) => (run.value >>> (8 * k)) & 0xff)];
  });
}

const runs = () =>
  fc.integer({ min: 1, max: 25 }).chain((width) => {
    const value = fc.nat({ max: 2 ** width - 1 });
    const group = fc.integer({ min: 1, max: 4 }).chain((groups) => fc.array(value, { minLength: groups * 8, maxLength: groups * 8 }));
    const run = fc.oneof(fc.record({ value, times: fc.nat({ max: 300 }) }), fc.record({ group }));
    return fc.tuple(fc.constant(width), fc.array(run, { minLength: 1 }));
  });
const valuesOf = (list: Run[]) => list.flatMap((run) => ("group" in run ? run.group : new Array<number>(run.times).fill(run.value)));

test("what is packed comes back, and no more than asked for", () =>
  fc.assert(
    fc.property(runs(), fc.nat(), ([width, list], some) => {
      const values = valuesOf(list);
      const count = some % (values.length + 1);
      const bytes = Uint8Array.from([9, ...encode(list, width), 9]);
      expect([...readHybrid(bytes, 1, bytes.length - 1, width, count)]).toEqual(values.slice(0, count));
    }),
  ));

test("what is cut is refused", () =>
  fc.assert(
    fc.property(runs(), fc.nat(), ([width, list], some) => {
      const bytes = Uint8Array.from(encode(list, width));
      const end = some % bytes.length;
      expect(() => readHybrid(bytes, 0, end, width, valuesOf(list).length + 1)).toThrow(RangeError);
    }),
  ));

test("a run that says it is 2^30 long costs no memory", () => {
  const bytes = Uint8Array.from([...varint(2 ** 30), 1]);
  expect([...readHybrid(bytes, 0, bytes.length, 1, 3)]).toEqual([1, 1, 1]);
});

test("values without bits are 0", () => expect([...readHybrid(new Uint8Array(0), 0, 0, 0, 2)]).toEqual([0, 0]));
test("bounds that are none are refused", () => expect(() => readHybrid(new Uint8Array(9), 0, Number.NaN, 1, 3)).toThrow(RangeError));
