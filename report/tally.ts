import { ConfigError } from "../pipeline/errors";
import { customerHash, words } from "../transforms/ids";
import type { Share } from "./figures";

/** How full the table gets before it doubles. */
const MOST_FULL = 0.7;

/** Counts by id, and what the most frequent have together. A hash table with open places: 23 to 46 bytes for each different id. */
export class Tally {
  private ids = new Int32Array(2 << 10);
  /** 0 where a place is free */
  private counts = new Float64Array(1 << 10);
  private different = 0;

  /** Of an id by its words, low and high. @returns whether it is the first of it */
  add(low: number, high: number, by: number): boolean {
    const at = this.find(low, high);
    const isNew = this.counts[at] === 0;
    this.counts[at] += by;
    if (!isNew) return false;
    this.ids[2 * at] = low;
    this.ids[2 * at + 1] = high;
    if (++this.different > MOST_FULL * this.counts.length) this.grow();
    return true;
  }

  get size(): number {
    return this.different;
  }

  /** Of the first 1, 2, 5, 10, 20, 50, ... and of all. */
  shares(): Share[] {
    const counts = this.counts
      .filter((count) => count > 0)
      .sort()
      .reverse();
    const total = counts.reduce((a, b) => a + b, 0);
    const shares: Share[] = [];
    let sum = 0;
    for (let i = 0; i < counts.length; i++) {
      sum += counts[i];
      if (isRound(i + 1) || i + 1 === counts.length) shares.push({ count: i + 1, fraction: (i + 1) / counts.length, share: sum / total });
    }
    return shares;
  }

  private find(low: number, high: number): number {
    const { ids, counts } = this;
    const mask = counts.length - 1;
    let at = customerHash(low, high) & mask;
    while (counts[at] !== 0 && (ids[2 * at] !== low || ids[2 * at + 1] !== high)) at = (at + 1) & mask;
    return at;
  }

  private grow(): void {
    const { ids, counts } = this;
    this.ids = new Int32Array(2 * ids.length);
    this.counts = new Float64Array(2 * counts.length);
    for (let i = 0; i < counts.length; i++) {
      if (counts[i] === 0) continue;
      const at = this.find(ids[2 * i], ids[2 * i + 1]);
      this.ids.set(ids.subarray(2 * i, 2 * i + 2), 2 * at);
      this.counts[at] = counts[i];
    }
  }
}

/**
 * Whole numbers, of 64 bits or less, as pairs of words.
 * @throws ConfigError where a value is something else
 */
export function idsOf(values: ArrayLike<unknown>, column: string): Int32Array {
  const ids = new BigInt64Array(values.length);
  for (let i = 0; i < ids.length; i++) {
    const value = values[i];
    if (typeof value !== "bigint" && !Number.isInteger(value))
      throw new ConfigError(`column ${column} has values that are no int64, so it is not of a build. Give the --output of a build.`);
    ids[i] = BigInt(value as bigint | number);
  }
  return words(ids);
}

/** 1, 2, 5, 10, 20, 50, ... */
function isRound(n: number): boolean {
  let rest = n;
  while (rest % 10 === 0) rest /= 10;
  return rest === 1 || rest === 2 || rest === 5;
}
