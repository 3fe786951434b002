import fc from "fast-check";
import { bucketOf, compareWords, IdIndex, orderHash, words } from "../../transforms/ids";

const id = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
/** Ids of which some differ in one half only. */
const nearIds = fc.oneof(
  id,
  fc
    .tuple(fc.constantFrom(-1n, 0n, 1n, 2n ** 31n - 1n, -(2n ** 31n)), fc.constantFrom(0n, 1n, 2n ** 31n, 2n ** 32n - 1n))
    .map(([high, low]) => (high << 32n) | low),
);
const halves = (given: bigint): [low: number, high: number] => {
  const [low, high] = words(BigInt64Array.of(given));
  return [low, high];
};

const M32 = 0xffff_ffffn;
const rotate = (x: bigint, by: bigint): bigint => ((x << by) | (x >> (32n - by))) & M32;

/** MurmurHash3_x86_32 as its reference is written, on whole blocks of 4 bytes. */
function murmur3(bytes: Uint8Array, seed: bigint): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let h = seed;
  for (let at = 0; at < bytes.length; at += 4) {
    const k = rotate((BigInt(view.getUint32(at, true)) * 0xcc9e2d51n) & M32, 15n);
    h = (rotate(h ^ ((k * 0x1b873593n) & M32), 13n) * 5n + 0xe6546b64n) & M32;
  }
  h ^= BigInt(bytes.length);
  h = ((h ^ (h >> 16n)) * 0x85ebca6bn) & M32;
  h = ((h ^ (h >> 13n)) * 0xc2b2ae35n) & M32;
  return h ^ (h >> 16n);
}

const bytesOf = (given: bigint): Uint8Array => new Uint8Array(BigInt64Array.of(given).buffer);

/** Published vectors of whole blocks: the twin is the hash it says it is. */
test.each([
  [new Uint8Array(0), 0n, 0n],
  [new Uint8Array(0), 1n, 0x514e28b7n],
  [new Uint8Array(4), 0n, 0x2362f9den],
  [Uint8Array.of(0xff, 0xff, 0xff, 0xff), 0n, 0x76293b50n],
  [Uint8Array.of(0x21, 0x43, 0x65, 0x87), 0n, 0xf55b516bn],
  [Uint8Array.of(0x21, 0x43, 0x65, 0x87), 0x5082edeen, 0x2362f9den],
  [new TextEncoder().encode("test"), 0n, 0xba6bd213n],
])("MurmurHash3 of %p with seed %p", (bytes, seed, hash) => expect(murmur3(bytes, seed)).toBe(hash));

test("bucketOf is MurmurHash3 of the id's bytes, modulo the buckets", () =>
  fc.assert(
    fc.property(nearIds, fc.integer({ min: 1, max: 5000 }), (given, buckets) => {
      expect(BigInt(bucketOf(...halves(given), buckets))).toBe(murmur3(bytesOf(given), 0n) % BigInt(buckets));
    }),
  ));

test("orderHash is MurmurHash3 of the id's bytes and the day's, with seed 1", () =>
  fc.assert(
    fc.property(nearIds, fc.integer({ min: -100_000, max: 84_000 }), (given, day) => {
      const bytes = new Uint8Array(12);
      bytes.set(bytesOf(given));
      new DataView(bytes.buffer).setInt32(8, day, true);
      expect(BigInt(orderHash(...halves(given), day))).toBe(murmur3(bytes, 1n));
    }),
  ));

test("compareWords orders as int64", () =>
  fc.assert(
    fc.property(nearIds, nearIds, (a, b) => {
      expect(Math.sign(compareWords(...halves(a), ...halves(b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
    }),
  ));

test("words sees the same memory, also of a part of an array", () => {
  const ids = BigInt64Array.of(1n, -2n, 2n ** 40n);
  expect([...words(ids.subarray(1))]).toEqual([-2, -1, 0, 256]);
  words(ids)[0] = 7;
  expect(ids[0]).toBe(7n);
});

test("IdIndex numbers ids as a Map would, in the order of their first appearance", () =>
  fc.assert(
    fc.property(fc.array(nearIds, { maxLength: 200 }), fc.array(nearIds, { maxLength: 20 }), fc.nat(40), (added, asked, expected) => {
      const index = new IdIndex(expected);
      const map = new Map<bigint, number>();
      for (const each of added) {
        if (!map.has(each)) map.set(each, map.size);
        expect(index.add(...halves(each))).toBe(map.get(each));
      }
      for (const each of [...asked, ...added]) expect(index.find(...halves(each))).toBe(map.get(each) ?? -1);
      expect(index.size).toBe(map.size);
      expect([...index.toArray()]).toEqual([...map.keys()]);
    }),
  ));

test("IdIndex grows far beyond what was expected", () => {
  const index = new IdIndex(1);
  for (let i = 0; i < 5000; i++) expect(index.add(i, -i)).toBe(i);
  for (let i = 0; i < 5000; i++) expect(index.find(i, -i)).toBe(i);
  expect(index.find(1, 1)).toBe(-1);
});

test("what IdIndex hands out is a copy", () => {
  const index = new IdIndex();
  index.add(1, 0);
  const ids = index.toArray();
  ids[0] = 9n;
  expect(index.find(1, 0)).toBe(0);
  expect([...index.toArray()]).toEqual([1n]);
});
