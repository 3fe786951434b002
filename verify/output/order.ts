/** Whether the rows of a file are in the order of ARCHITECTURE, "Row order and bytes", and in the right file. */
import type { Findings } from "../findings";
import type { OutputRow } from "./rows";

/** MurmurHash3_x86_32 of whole 4-byte words, unsigned (github.com/aappleby/smhasher, MurmurHash3.cpp). */
export function murmur3(seed: number, ...words: number[]): number {
  let hash = seed;
  for (const word of words) {
    const mixed = Math.imul(word, 0xcc9e2d51);
    hash ^= Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
    hash = Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64;
  }
  hash ^= 4 * words.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const low = (id: bigint): number => Number(BigInt.asIntN(32, id));
const high = (id: bigint): number => Number(BigInt.asIntN(32, id >> 32n));

/** Which of so many files a customer's rows are in. */
export const shardOf = (customer: bigint, shards: number): number => murmur3(0, low(customer), high(customer)) % shards;

interface Key {
  hash: number;
  customer: bigint;
  ranking: Buffer;
}

/** The files of a partition share the customers: `shard` of `shards`; null where a file's name does not tell. */
export class OrderCheck {
  private last: Key | undefined;
  private slots: OutputRow[] = [];

  constructor(
    private readonly file: string,
    private readonly dt: string,
    private readonly day: number,
    private readonly shard: { shard: number; shards: number } | null,
    private readonly findings: Findings,
  ) {}

  take(row: OutputRow) {
    if (row.customer === undefined) return;
    const key = this.keyOf(row as OutputRow & { customer: bigint });
    const order = this.last === undefined ? 1 : compare(key, this.last);
    if (order < 0) this.add("order of rows", row, "the row belongs before the one above it");
    if (order !== 0) this.finish();
    if (key.customer !== this.last?.customer) this.checkShard(row, key.customer);
    this.last = key;
    if (row.ranking !== undefined && row.index !== undefined) this.slots.push(row);
  }

  /** After the last row of a ranking, or of the file. */
  finish() {
    const { slots } = this;
    this.slots = [];
    let before: OutputRow[] = [];
    for (let at = 0; at < slots.length; ) {
      if (slots[at].index !== 0) return this.add("order of slots", slots[at], "a ranking does not begin with slot 0");
      const { next, ranking } = this.ranking(slots, at);
      if (next === undefined) return;
      if (compareContent(ranking, before) < 0)
        this.add("order of rows", slots[at], "of two rankings with one ranking_id the lower items come first");
      before = ranking;
      at = next;
    }
  }

  /** One ranking, or equal ones whose slots alternate; @returns its slots, and the place behind them */
  private ranking(slots: OutputRow[], from: number): { next?: number; ranking: OutputRow[] } {
    const ranking: OutputRow[] = [];
    let twins = slots.length;
    for (let at = from; ; ) {
      let same = at;
      while (same < slots.length && slots[same].index === ranking.length && sameContent(slots[same], slots[at])) same++;
      if (same - at > twins) {
        this.add("duplicate row", slots[at + twins], `slot ${ranking.length} is there more often than the one before it`);
        return { ranking };
      }
      twins = same - at;
      ranking.push(slots[at]);
      at = same;
      if (at === slots.length || slots[at].index === 0) return { next: at, ranking };
      if (slots[at].index !== ranking.length) {
        this.add("order of slots", slots[at], `slot ${slots[at].index} comes where slot ${ranking.length} belongs`);
        return { ranking };
      }
    }
  }

  private keyOf({ customer, ranking }: OutputRow & { customer: bigint }): Key {
    if (customer === this.last?.customer) return { ...this.last, ranking: Buffer.from(ranking ?? "") };
    return { hash: murmur3(1, low(customer), high(customer), this.day), customer, ranking: Buffer.from(ranking ?? "") };
  }

  private checkShard(row: OutputRow, customer: bigint) {
    if (this.shard === null) return;
    const shard = shardOf(customer, this.shard.shards);
    if (shard !== this.shard.shard)
      this.add("row in the wrong file", row, `the customer belongs into file ${shard} of ${this.shard.shards}`);
  }

  private add(kind: string, { row }: OutputRow, message: string) {
    this.findings.add(kind, message, { file: this.file, dt: this.dt, row });
  }
}

const compare = (a: Key, b: Key): number =>
  a.hash - b.hash || Number(a.customer > b.customer) - Number(a.customer < b.customer) || Buffer.compare(a.ranking, b.ranking);

const sameContent = (a: OutputRow, b: OutputRow): boolean => a.item === b.item && a.isOrder === b.isOrder;

/** Slot by slot: item, then is_order; the beginning of another comes first. */
function compareContent(a: OutputRow[], b: OutputRow[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [x, y] = [a[i].item ?? 0n, b[i].item ?? 0n];
    if (x !== y) return x < y ? -1 : 1;
    if (a[i].isOrder !== b[i].isOrder) return a[i].isOrder ? 1 : -1;
  }
  return a.length - b.length;
}
