import fc from "fast-check";
import { distinctOf } from "../../../pipeline/estimate/distinct";
import { meanCut } from "../../../pipeline/estimate/meancut";

jest.setTimeout(300_000);

/** Numbers from 0 to 1 that look random, the same ones each time. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (Math.imul(state ^ (state >>> 15), 2246822519) >>> 0) / 2 ** 32;
  };
}

const tally = (values: number[]): number[] => [...Map.groupBy(values, (value) => value).values()].map(({ length }) => length);

test("distinctOf: of a whole population, exactly its distinct values", () =>
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 100 }), (values) => expect(distinctOf(tally(values), 1)).toBe(new Set(values).size)),
  ));

test("distinctOf: never fewer than were found, never more than there are rows", () =>
  fc.assert(
    fc.property(fc.array(fc.nat(50), { minLength: 1, maxLength: 100 }), fc.double({ min: 0.001, max: 1, noNaN: true }), (values, share) => {
      const estimated = distinctOf(tally(values), share);
      expect(estimated).toBeGreaterThanOrEqual(new Set(values).size);
      expect(estimated).toBeLessThanOrEqual(values.length / share + 1e-9);
    }),
  ));

test.each([0.02, 0.1, 0.5])("distinctOf: values that are equally frequent, within a tenth, from %d of them", (share) => {
  const random = randomOf(7);
  const rows = Array.from({ length: 200_000 }, (_, i) => i % 20_000);
  const sample = rows.filter(() => random() < share);
  const estimated = distinctOf(tally(sample), sample.length / rows.length);
  expect(estimated).toBeGreaterThan(18_000);
  expect(estimated).toBeLessThan(22_000);
});

/** The middle of each of so many equally likely parts of a log-normal distribution. */
function logNormal(mu: number, sigma: number): number[] {
  const n = 200_001;
  const step = 16 / n;
  return Array.from({ length: n }, (_, i) => {
    const z = -8 + (i + 0.5) * step;
    return Math.exp(mu + sigma * z);
  });
}

test("meanCut is the mean of min(X, limit), by adding up the density", () => {
  for (const [mu, sigma, limit] of [
    [5, 1, 1000],
    [7, 0.5, 1000],
    [3, 2, 50],
    [2, 0.1, 1e6],
  ]) {
    const n = 200_001;
    const density = Array.from({ length: n }, (_, i) => Math.exp(-((-8 + ((i + 0.5) * 16) / n) ** 2) / 2));
    const all = density.reduce((a, b) => a + b, 0);
    const naive = logNormal(mu, sigma).reduce((sum, x, i) => sum + (Math.min(x, limit) * density[i]) / all, 0);
    const mean = Math.exp(mu + sigma ** 2 / 2);
    expect(meanCut(mean, mean ** 2 * Math.exp(sigma ** 2), limit) / naive).toBeCloseTo(1, 3);
  }
});

test("meanCut: at most the mean and the limit, and more with a higher limit", () =>
  fc.assert(
    fc.property(
      fc.double({ min: 0.01, max: 1e6, noNaN: true }),
      fc.double({ min: 0, max: 100, noNaN: true }),
      fc.nat(10_000),
      (mean, cv, k) => {
        const at = (limit: number) => meanCut(mean, mean * mean * (1 + cv), limit);
        expect(at(k + 1)).toBeLessThanOrEqual(Math.min(mean, k + 1) * (1 + 1e-5));
        expect(at(2 * (k + 1))).toBeGreaterThanOrEqual(at(k + 1) * (1 - 1e-5));
      },
    ),
  ));
