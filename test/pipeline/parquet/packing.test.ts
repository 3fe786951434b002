import fc from "fast-check";
import { readRleBitPackedHybrid } from "hyparquet/src/encoding.js";
import { Bytes } from "../../../pipeline/parquet/bytes";
import { bitWidth, packColumn, packGroups, packRow } from "../../../pipeline/parquet/packing";

/** The format's own words: value after value, each from its least significant bit, into bytes from their least significant bit. */
function naiveGroups(indexes: number[], groups: number, width: number): number[] {
  const bits = Array.from({ length: groups * 8 }, (_, i) => indexes[i] ?? 0).flatMap((index) =>
    Array.from({ length: width }, (_, bit) => Math.floor(index / 2 ** bit) % 2),
  );
  return Array.from({ length: groups * width }, (_, at) => bits.slice(8 * at, 8 * at + 8).reduce((sum, bit, i) => sum + bit * 2 ** i, 0));
}

function unpack(bytes: Uint8Array, width: number, count: number): number[] {
  const output = new Array<number>(count);
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
  readRleBitPackedHybrid(reader, width, output, bytes.length);
  return output.slice(0, count);
}

/** indexes that fit a width, and that width */
const packable = (most: number, widest = 22) =>
  fc.integer({ min: 1, max: widest }).chain((width) =>
    fc.record({
      width: fc.constant(width),
      indexes: fc.array(fc.oneof(fc.integer({ min: 0, max: 2 ** width - 1 }), fc.constantFrom(0, 2 ** width - 1)), {
        maxLength: most,
        size: "max",
      }),
    }),
  );

test("bitWidth is the least width, from 1 on, that holds all indexes", () => {
  for (let count = 1; count < 600; count++) {
    const width = bitWidth(count);
    expect(2 ** width).toBeGreaterThanOrEqual(count);
    expect(width === 1 || 2 ** (width - 1) < count).toBe(true);
  }
  expect(bitWidth(2 ** 20)).toBe(20);
  expect(bitWidth(2 ** 20 + 1)).toBe(21);
});

test("packGroups writes the bits that the format describes, zeros after the last index", () =>
  fc.assert(
    fc.property(packable(70), fc.integer({ min: 0, max: 2 }), ({ width, indexes }, more) => {
      const groups = Math.ceil(indexes.length / 8) + more;
      const out = new Bytes(1);
      out.byte(99);
      packGroups(out, Int32Array.from([5, ...indexes]), 1, 1 + indexes.length, groups, width);
      expect([...out.view()]).toEqual([99, ...naiveGroups(indexes, groups, width)]);
    }),
  ));

test("packGroups does so too for 8-bit indexes", () =>
  fc.assert(
    fc.property(packable(70, 7), fc.integer({ min: 0, max: 2 }), ({ width, indexes }, more) => {
      const groups = Math.ceil(indexes.length / 8) + more;
      const out = new Bytes(1);
      packGroups(out, Uint8Array.from([5, ...indexes]), 1, 1 + indexes.length, groups, width);
      expect([...out.view()]).toEqual(naiveGroups(indexes, groups, width));
    }),
  ));

test("packGroups has room for a row of any length", () => {
  for (const width of [1, 2, 16, 17, 22]) {
    const indexes = Array.from({ length: 8 * 5000 }, (_, i) => (i * 7919) % 2 ** width);
    const out = new Bytes(1);
    packGroups(out, Int32Array.from(indexes), 0, indexes.length, 5000, width);
    expect(Buffer.compare(out.view(), Uint8Array.from(naiveGroups(indexes, 5000, width)))).toBe(0);
  }
});

test("rows of any length and any number of real elements, one behind the other, decode to indexes and zeros", () =>
  fc.assert(
    fc.property(packable(40), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 3 }), ({ width, indexes }, length, times) => {
      const real = indexes.slice(0, length);
      const out = new Bytes(1);
      for (let i = 0; i < times; i++) packRow(out, Int32Array.from([3, 3, ...real]), 2, real.length, length, width);
      const row = [...real, ...new Array<number>(length - real.length).fill(0)];
      const rows = Array.from({ length: times }, () => row).flat();
      expect(unpack(out.view(), width, rows.length)).toEqual(rows);
    }),
  ));

test("rows of 8-bit indexes decode as well", () => {
  const out = new Bytes();
  packRow(out, Uint8Array.of(1, 2, 3, 1, 2, 3, 1, 2, 3, 1), 0, 10, 13, 2);
  expect(unpack(out.view(), 2, 13)).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 0, 0, 0]);
});

test("a row of padding is one run", () => {
  const out = new Bytes();
  packRow(out, new Int32Array(0), 0, 0, 1000, 18);
  expect([...out.view()]).toEqual([0xd0, 0x0f, 0, 0, 0]);
});

test("columns with and without runs decode to their indexes", () =>
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 25 })), { maxLength: 20 }),
      fc.integer({ min: 0, max: 9 }),
      (runs, skipped) => {
        const indexes = runs.flatMap(([index, count]) => new Array<number>(count).fill(index));
        const from = Math.min(skipped, indexes.length);
        const out = new Bytes(1);
        packColumn(out, Int32Array.from(indexes), from, indexes.length, 5);
        expect(unpack(out.view(), 5, indexes.length - from)).toEqual(indexes.slice(from));
      },
    ),
  ));

test("a column of one value is one run", () => {
  const out = new Bytes();
  packColumn(out, new Int32Array(10_000).fill(3), 0, 10_000, 2);
  expect([...out.view()]).toEqual([0xa0, 0x9c, 0x01, 3]);
});
