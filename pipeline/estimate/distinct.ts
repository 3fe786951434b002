/**
 * How many distinct values a population has, from a sample of it without replacement: Chao's lower bound for finite populations
 * (Chao and Lin, "Nonparametric lower bounds for species richness and shared species richness under sampling without replacement", Biometrics 2012).
 * Exact where everything was sampled; where some values are far more frequent than others, too low.
 * @param counts how often each value found is in the sample
 * @param share sampled part of the population, 0 to 1
 */
export function distinctOf(counts: Iterable<number>, share: number): number {
  let found = 0;
  let total = 0;
  let once = 0;
  let twice = 0;
  for (const count of counts) {
    found++;
    total += count;
    once += +(count === 1);
    twice += +(count === 2);
  }
  if (share >= 1 || once === 0) return found;
  const weight = (2 * total * Math.max(twice, 1)) / Math.max(1, total - 1);
  return Math.min(found + (once * once) / (weight + (share / (1 - share)) * once), total / share);
}
