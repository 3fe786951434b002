import fc from "fast-check";
import { snappyUncompress } from "hyparquet/src/snappy.js";
import { snappyCompress } from "hyparquet-writer/src/snappy.js";
import { unsnap } from "../../../pipeline/scan/parquetsnappy";

/** Pieces that come again, near and far, and some that do not. */
const body = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.nat(40)).map(([piece, times]) =>
        Uint8Array.from(
          Array(times)
            .fill([...piece])
            .flat(),
        ),
      ),
      fc
        .constantFrom(59, 60, 61, 255, 256, 257, 65_535, 65_537, 70_000)
        .map((n) => Uint8Array.from({ length: n }, (_, i) => (i * i * 31) >> 5)),
    ),
    { maxLength: 6 },
  )
  .chain((pieces) => fc.shuffledSubarray([...pieces, ...pieces]))
  .map((pieces) => Uint8Array.from(Buffer.concat(pieces)));

function packed(bytes: Uint8Array): Uint8Array {
  return snappyCompress(bytes);
}

test("what was packed comes out again", () =>
  fc.assert(
    fc.property(body, (bytes) => {
      const out = new Uint8Array(bytes.length);
      unsnap(packed(bytes), out);
      expect(Buffer.compare(out, bytes)).toBe(0);
    }),
  ));

test("all elements of the format: copies with offsets of four bytes, literals with lengths of one to four", () => {
  const long = Uint8Array.from({ length: 300 }, (_, i) => i);
  const block = Uint8Array.from([
    ...varint(300 * 2 + 8),
    61 << 2,
    43,
    1,
    ...long,
    (63 << 2) | 0,
    43,
    1,
    0,
    0,
    ...long,
    (7 << 2) | 3,
    1,
    0,
    0,
    0,
  ]);
  const out = new Uint8Array(608);
  unsnap(block, out);
  expect([...out]).toEqual([...long, ...long, ...Array(8).fill(long[299])]);
});

const varint = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...varint(n >>> 7)]);

test("bytes that are wrong are refused, or read as another decoder reads them", () => {
  let refused = 0;
  fc.assert(
    fc.property(body, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }), fc.boolean(), (bytes, changes, cut) => {
      const wrong = packed(bytes).slice();
      for (const [at, byte] of changes) if (wrong.length > 0) wrong[at % wrong.length] = byte;
      const block = cut ? wrong.subarray(0, wrong.length - 1) : wrong;
      const out = new Uint8Array(bytes.length);
      try {
        unsnap(block, out);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
        refused++;
        return;
      }
      const other = new Uint8Array(bytes.length);
      snappyUncompress(block, other);
      expect(Buffer.compare(out, other)).toBe(0);
    }),
    { numRuns: 500 },
  );
  expect(refused).toBeGreaterThan(20);
});
