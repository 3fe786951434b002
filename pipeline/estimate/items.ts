/**
 * Bytes that the items of some actions take on the wire, each: as varints, or as the fewest bits that hold their range, whichever is smaller. About what
 * beam/integers.ts does, and what dictionaries of Parquet come to.
 */
export class ItemBytes {
  private count = 0;
  private varint = 0;
  private least = Number.POSITIVE_INFINITY;
  private most = Number.NEGATIVE_INFINITY;

  add(item: bigint | number): void {
    const value = Number(item);
    this.count++;
    this.varint += bytesOfVarint(value);
    this.least = Math.min(this.least, value);
    this.most = Math.max(this.most, value);
  }

  /** none of no items */
  get mean(): number {
    if (this.count === 0) return 0;
    return Math.min(this.varint / this.count, Math.log2(this.most - this.least + 1) / 8);
  }
}

/** Seven bits a byte; a negative one is as long as can be. */
const bytesOfVarint = (value: number): number => (value < 0 ? 10 : Math.max(1, Math.ceil(Math.log2(value + 1) / 7)));
