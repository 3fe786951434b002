import type { Share } from "./figures";

/** Counts by id, and what the most frequent have together. */
export class Tally {
  private readonly counts = new Map<bigint, number>();

  add(id: bigint, by: number): void {
    this.counts.set(id, (this.counts.get(id) ?? 0) + by);
  }

  /** Of the first 1, 2, 5, 10, 20, 50, ... and of all. */
  shares(): Share[] {
    const counts = Float64Array.from(this.counts.values()).sort().reverse();
    const total = counts.reduce((a, b) => a + b, 0);
    const shares: Share[] = [];
    let sum = 0;
    for (let i = 0; i < counts.length; i++) {
      sum += counts[i];
      if (isRound(i + 1) || i + 1 === counts.length) shares.push({ count: i + 1, fraction: (i + 1) / counts.length, share: sum / total });
    }
    return shares;
  }
}

const isRound = (n: number): boolean => /^[125]0*$/.test(String(n));
