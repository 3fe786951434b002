/**
 * Seeded numbers, the same on every machine: integer operations, and of floating point only what IEEE 754 fixes to the
 * last bit (+ - * / sqrt). Math.pow, log and exp may differ between engines, so the laws below do without them.
 */

/** @returns a number in [0, 1) with 32 random bits */
export type Random = () => number;

/** Spreads a word's bits over all 32, one to one: the finaliser of MurmurHash3 (Austin Appleby, public domain). */
export function mix(word: number): number {
  let z = (word + 0x9e3779b9) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) | 0;
}

/** sfc32 of Chris Doty-Humphrey's PractRand (2010): 128 bits of state, one of them a counter, so no period below 2^32. */
export function sfc32(seed: number): Random {
  let a = mix(seed | 0);
  let b = mix(Math.floor(seed / 2 ** 32) ^ a);
  let c = mix(b);
  let counter = 1;
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let warmUp = 0; warmUp < 12; warmUp++) next();
  return next;
}

/** A whole number in [low, high], both included. */
export function between(random: Random, low: number, high: number): number {
  return low + Math.floor(random() * (high - low + 1));
}

/** 53 random bits in [0, 1): a year has more microseconds than 32 bits can tell apart. */
export function fine(random: Random): number {
  return (Math.floor(random() * 2 ** 21) * 2 ** 32 + random() * 2 ** 32) / 2 ** 53;
}

/**
 * A rank in 1..count whose probability falls with rank^-0.75: the first of 50,000 gets 1.4%, half of all goes to 1 in 12.
 * The inverse of the distribution is a fourth power, of which the fourth root is two square roots.
 */
export function powerLaw(random: Random, count: number): number {
  const root = 1 + random() * (Math.sqrt(Math.sqrt(count + 1)) - 1);
  return Math.min(count, Math.floor(root * root * (root * root)));
}

/** A steeper one, rank^-0.875: items are more unequal than customers. */
export function steepPowerLaw(random: Random, count: number): number {
  const root = 1 + random() * (Math.sqrt(Math.sqrt(Math.sqrt(count + 1))) - 1);
  const fourth = root * root * (root * root);
  return Math.min(count, Math.floor(fourth * fourth));
}

/**
 * Where on a stretch of time [0, 1) something happens when traffic grows in a straight line from 1 at the beginning to
 * 1 + growth at the end. `uniform` is a uniform number in [0, 1).
 */
export function growing(uniform: number, growth: number): number {
  return (Math.sqrt(1 + uniform * growth * (2 + growth)) - 1) / growth;
}
