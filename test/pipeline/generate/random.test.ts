import fc from "fast-check";
import { between, fine, growing, powerLaw, sfc32, steepPowerLaw } from "../../../pipeline/generate/random";

const seeds = fc.maxSafeNat();

function take(seed: number, count: number): number[] {
  const random = sfc32(seed);
  return Array.from({ length: count }, random);
}

test("the same seed gives the same numbers, also beyond 32 bits another seed gives others", () =>
  fc.assert(
    fc.property(seeds, (seed) => {
      expect(take(seed, 4)).toEqual(take(seed, 4));
      expect(take(seed, 4)).not.toEqual(take(seed + 2 ** 32, 4));
    }),
  ));

test("numbers are in [0, 1), evenly spread over 16 parts", () => {
  const parts = Array<number>(16).fill(0);
  for (const number of take(1, 160_000)) parts[Math.floor(number * 16)]++;
  // 10,000 each; six standard deviations are 581
  for (const count of parts) expect(Math.abs(count - 10_000)).toBeLessThan(600);
});

test("numbers are within their bounds", () =>
  fc.assert(
    fc.property(seeds, fc.integer({ min: 1, max: 1e9 }), (seed, count) => {
      const random = sfc32(seed);
      for (const rank of [powerLaw(random, count), steepPowerLaw(random, count), between(random, 1, count)]) {
        expect(Number.isInteger(rank) && rank >= 1 && rank <= count).toBe(true);
      }
      const place = growing(fine(random), 3);
      expect(place >= 0 && place < 1).toBe(true);
    }),
  ));

test("the extremes of a uniform number stay within bounds", () => {
  const least = () => 0;
  const most = () => 1 - 2 ** -32;
  for (const count of [1, 2, 5_000, 400_000, 1e9]) {
    expect([powerLaw(least, count), steepPowerLaw(least, count)]).toEqual([1, 1]);
    expect([powerLaw(most, count), steepPowerLaw(most, count)].every((rank) => rank <= count)).toBe(true);
  }
  expect(growing(1 - 2 ** -53, 3)).toBeLessThanOrEqual(1);
  expect(fine(most)).toBeLessThan(1);
});

test("half way along, traffic that grows from 1 to 4 has had 35% of itself", () => {
  // (0.5 + 3 * 0.5 * 0.5 / 2) of (1 + 3 / 2)
  expect(growing(0.35, 3)).toBe(0.5);
});
