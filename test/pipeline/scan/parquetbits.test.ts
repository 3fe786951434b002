import fc from "fast-check";
import { readHybrid } from "../../../pipeline/io/hybrid";
import { isOneRun, unpackHybrid } from "../../../pipeline/scan/parquetbits";

/** What is read, or that it cannot be. */
function outcome(read: () => Int32Array): number[] | "broken" {
  try {
    return [...read()];
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError);
    return "broken";
  }
}

const varint = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...varint(n >>> 7)]);
/** Runs as they are, and now and then bytes that are none. */
const packed = fc.integer({ min: 0, max: 25 }).chain((width) => {
  const byte = fc.nat(255);
  const run = fc
    .tuple(fc.nat(200), fc.nat(2 ** width - 1))
    .map(([length, value]) => [...varint(length << 1), ...Array.from({ length: (width + 7) >> 3 }, (_, k) => (value >>> (8 * k)) & 255)]);
  const group = fc
    .integer({ min: 0, max: 5 })
    .chain((eights) =>
      fc.array(byte, { minLength: eights * width, maxLength: eights * width }).map((bytes) => [...varint((eights << 1) | 1), ...bytes]),
    );
  const runs = fc.array(fc.oneof({ weight: 5, arbitrary: run }, { weight: 5, arbitrary: group }, fc.array(byte, { maxLength: 3 })));
  return fc.record({
    width: fc.constant(width),
    bytes: runs.map((parts) => parts.flat()),
    before: fc.nat(9),
    behind: fc.nat(9),
    count: fc.nat(300),
  });
});

test("packed integers that are not cut are those that readHybrid reads, wherever they lie in memory", () => {
  let whole = 0;
  fc.assert(
    fc.property(packed, ({ width, bytes, before, behind, count }) => {
      const memory = Uint8Array.from([...Array(before).fill(255), ...bytes, ...Array(behind).fill(255)]);
      const part = memory.subarray(before);
      const view = new DataView(part.buffer, part.byteOffset, part.length);
      const out = new Int32Array(count);
      let greatest = 0;
      const found = outcome(() => {
        greatest = unpackHybrid(part, view, 0, bytes.length, width, count, out);
        return out;
      });
      if (found === "broken") return; // readHybrid takes a cut run all the same
      whole++;
      expect(found).toEqual(outcome(() => readHybrid(part, 0, bytes.length, width, count)));
      expect(greatest).toBe(Math.max(0, ...found));
    }),
    { numRuns: 2000 },
  );
  expect(whole).toBeGreaterThan(800);
});

test("one run of a level is seen as one", () => {
  fc.assert(
    fc.property(packed, fc.nat(3), ({ bytes, count }, level) => {
      const part = Uint8Array.from(bytes);
      if (!isOneRun(part, 0, part.length, level, count)) return;
      expect([...readHybrid(part, 0, part.length, 2, count)]).toEqual(Array(count).fill(level));
    }),
    { numRuns: 2000 },
  );
  expect(isOneRun(Uint8Array.of(200, 1, 1), 0, 3, 1, 100)).toBe(true);
  expect(isOneRun(Uint8Array.of(200, 1, 1), 0, 3, 1, 101)).toBe(false);
  expect(isOneRun(Uint8Array.of(200, 1, 1), 0, 3, 0, 100)).toBe(false);
  expect(isOneRun(Uint8Array.of(200, 1, 1), 0, 2, 1, 100)).toBe(false);
});
