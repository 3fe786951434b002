import fc from "fast-check";
import { withColumns } from "../../beam/coders";
import { type CoGrouped, coGroupByKey, type KV } from "../../beam/cogroup";
import { P } from "../../beam/sdk";
import { collect, given } from "./collect";

// Jest's Uint8Array is of another realm than its Object; fast-deep-equal, by which the SDK knows equal coders, would call any two different.
jest.mock("fast-deep-equal", () => jest.requireActual("node:util").isDeepStrictEqual);

jest.setTimeout(30_000);

const keys = fc.constantFrom(0, 1, 2, 2 ** 31, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER);
const pairs = fc.array(fc.record({ key: keys, value: fc.array(fc.nat(9), { maxLength: 2 }).map((some) => Int32Array.from(some)) }), {
  maxLength: 8,
});
type Pair = KV<Int32Array>;

/** For each key that any side has, the values of both sides in their order. */
function naive(left: readonly Pair[], right: readonly Pair[]): KV<CoGrouped<Int32Array, Int32Array>>[] {
  const of = (side: readonly Pair[], key: number) => side.filter((pair) => pair.key === key).map(({ value }) => value);
  const all = new Set([...left, ...right].map(({ key }) => key));
  return [...all].map((key) => ({ key, value: { left: of(left, key), right: of(right, key) } }));
}

const byKey = (a: KV<unknown>, b: KV<unknown>): number => a.key - b.key;

test("coGroupByKey gives every key once, with all values of each side", () =>
  fc.assert(
    fc.asyncProperty(pairs, pairs, async (left, right) => {
      const { out } = await collect<{ out: KV<CoGrouped<Int32Array, Int32Array>> }>((root) => ({
        out: P({
          left: given(root, left, "left").apply(withColumns<number, Int32Array>()),
          right: given(root, right, "right"),
        }).apply(coGroupByKey<Int32Array, Int32Array>()),
      }));
      expect(out.sort(byKey)).toEqual(naive(left, right).sort(byKey));
    }),
    { numRuns: 30 },
  ));
