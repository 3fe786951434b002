/**
 * The mean of min(X, limit) for a random X of which two moments are known: X is taken to be log-normal, as traffic of customers about is, a few of whom do
 * most.
 */
export function meanCut(mean: number, meanSquare: number, limit: number): number {
  const variance = Math.log(Math.max(1, meanSquare / (mean * mean)));
  const deviation = Math.sqrt(variance);
  if (deviation < 1e-6) return Math.min(mean, limit);
  const at = (Math.log(limit) - Math.log(mean) + variance / 2) / deviation;
  return mean * normal(at - deviation) + limit * (1 - normal(at));
}

/** The standard normal distribution function, to 1e-7: Abramowitz and Stegun, 26.2.17. */
function normal(x: number): number {
  if (x < 0) return 1 - normal(-x);
  const t = 1 / (1 + 0.2316419 * x);
  const tail = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return 1 - (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * tail;
}
