/** Draws customers, each with the same chance however often they come, in memory for the sample only. */
import { hash } from "node:crypto";

/** The `size` customers whose hash with the seed is lowest, of all that were offered. */
export class Sample {
  private readonly drawn = new Map<bigint, string>();
  private limit = "g";

  constructor(
    readonly size: number,
    readonly seed: string,
  ) {}

  offer(customer: bigint): void {
    const rank = hash("sha1", `${this.seed} ${customer}`);
    if (rank >= this.limit) return;
    this.drawn.set(customer, rank);
    if (this.drawn.size > 2 * this.size) this.prune();
  }

  customers(): Set<bigint> {
    this.prune();
    return new Set(this.drawn.keys());
  }

  /** True where customers were left out. */
  get isPart(): boolean {
    return this.limit !== "g" || this.drawn.size > this.size;
  }

  private prune(): void {
    if (this.drawn.size <= this.size) return;
    const lowest = [...this.drawn].sort(([, a], [, b]) => (a < b ? -1 : 1));
    for (const [customer] of lowest.splice(this.size)) this.drawn.delete(customer);
    this.limit = lowest.at(-1)?.[1] ?? "";
  }
}

/** The slots of each day, counted and summed up so that their order does not matter: two sides with the same sums have the same slots. */
export class Totals {
  readonly days = new Map<number, { slots: number; sum: number }>();

  add(
    day: number,
    customer: bigint | undefined,
    ranking: string | undefined,
    index: number | undefined,
    item: bigint | undefined,
    isOrder: boolean | undefined,
  ): void {
    let total = this.days.get(day);
    if (total === undefined) this.days.set(day, (total = { slots: 0, sum: 0 }));
    const text = `${customer}\0${ranking}\0${index}\0${item}\0${isOrder}`;
    total.slots++;
    total.sum = (total.sum + Number.parseInt(hash("sha1", text).slice(0, 12), 16)) % 2 ** 48;
  }
}
