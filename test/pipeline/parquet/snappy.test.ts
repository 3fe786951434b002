import fc from "fast-check";
import { snappyUncompress } from "hyparquet/src/snappy.js";
import { snappyUncompressor } from "hysnappy";
import { Bytes } from "../../../pipeline/parquet/bytes";
import { PlainBody, SnappyBody, snappyInt64 } from "../../../pipeline/parquet/snappy";

/** Two decoders that know nothing of each other. */
function decode(compressed: Uint8Array, rawLength: number): Uint8Array {
  const output = new Uint8Array(rawLength);
  snappyUncompress(compressed, output);
  expect(Buffer.compare(snappyUncompressor()(compressed, rawLength), output)).toBe(0);
  return output;
}

interface Step {
  literal: Uint8Array;
  /** the part of the body's end that is repeated, from 0 (nothing but a byte) to 1 (all of it) */
  part: number;
  times: number;
}

const steps = fc.array(
  fc.record({
    literal: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 80 }),
      fc.constantFrom(59, 60, 61, 62, 256, 257, 300, 65536, 65537, 70000).map((n) => Uint8Array.from({ length: n }, (_, i) => i * 7)),
    ),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
    times: fc.integer({ min: 0, max: 3 }),
  }),
  { minLength: 1, maxLength: 6 },
);

function naiveBody(script: Step[]): number[] {
  let body: number[] = [];
  for (const { literal, part, times } of script) {
    body = [...body, ...literal];
    const repeated = body.slice(-Math.max(1, Math.floor(part * body.length)));
    for (let i = 0; i < times; i++) body = [...body, ...repeated];
  }
  return body;
}

function run(body: PlainBody | SnappyBody, script: Step[]): void {
  for (const { literal, part, times } of script) {
    body.literal(Uint8Array.from([1, ...literal, 1]), 1, 1 + literal.length);
    body.repeat(Math.max(1, Math.floor(part * body.rawLength)), times);
  }
}

test("SnappyBody and PlainBody are the bytes, literal by literal and repeat by repeat", () => {
  const snappy = new SnappyBody();
  const plain = new PlainBody();
  fc.assert(
    fc.property(steps, (script) => {
      snappy.clear();
      plain.clear();
      run(snappy, script);
      run(plain, script);
      const expected = Uint8Array.from(naiveBody(script));
      expect(Buffer.compare(plain.view(), expected)).toBe(0);
      const compressed = new Bytes();
      compressed.varint(snappy.rawLength);
      compressed.put(snappy.view());
      expect(snappy.rawLength).toBe(expected.length);
      expect(plain.rawLength).toBe(expected.length);
      expect(Buffer.compare(decode(compressed.view(), expected.length), expected)).toBe(0);
    }),
    { numRuns: 60 },
  );
});

test("a repeat costs three bytes for every 64", () => {
  const body = new SnappyBody();
  body.literal(new Uint8Array(640), 0, 640);
  const before = body.view().length;
  body.repeat(640, 9);
  expect(body.view().length - before).toBe((640 * 9 * 3) / 64);
});

test("snappyInt64 decodes to the values' bytes", () => {
  const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const values = fc.oneof(
    fc.array(fc.bigInt({ min: 0n, max: 400_000n }), { maxLength: 400, size: "max" }),
    fc.array(fc.oneof(int64, fc.bigInt({ min: 0n, max: 2n ** 33n })), { maxLength: 50, size: "max" }),
    // far apart: offsets of two bytes, and beyond those that two bytes can say
    fc
      .integer({ min: 1000, max: 20_000 })
      .map((n) => Array.from({ length: n }, (_, i) => BigInt(i) * 65_537n * (i % 3 === 0 ? 4_294_967_311n : 1n))),
  );
  fc.assert(
    fc.property(values, (array) => {
      const ids = BigInt64Array.from(array.map((value) => BigInt.asIntN(64, value)));
      const bytes = new Uint8Array(ids.buffer);
      const compressed = snappyInt64(new Int32Array(ids.buffer));
      expect(Buffer.compare(decode(compressed, bytes.length), bytes)).toBe(0);
    }),
    { numRuns: 100 },
  );
});

test.each([
  ["a value whose like is too far back", [0x1_0001n, ...Array.from({ length: 9000 }, (_, i) => 0x2_0000n + BigInt(i)), 0x1_0002n]],
  ["values that differ in the high word alone", Array.from({ length: 20_000 }, (_, i) => BigInt((i * 7919) % 9973) << 32n)],
])("snappyInt64 decodes to the values' bytes: %s", (_, values) => {
  const ids = BigInt64Array.from(values);
  const bytes = new Uint8Array(ids.buffer);
  expect(Buffer.compare(decode(snappyInt64(new Int32Array(ids.buffer)), bytes.length), bytes)).toBe(0);
});

test("snappyInt64 takes five bytes for an id like its neighbours", () => {
  const ids = BigInt64Array.from({ length: 1000 }, (_, i) => BigInt((i * 7919) % 65_536));
  expect(snappyInt64(new Int32Array(ids.buffer)).length).toBeLessThan(5300);
});
