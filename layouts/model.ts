/** What every layout holds, in the order of the rows: histories, each followed by the rankings that share it. */

/** Real actions only, newest first. Good until the next history. */
export interface History {
  customer: bigint;
  count: number;
  /** at least `count` of each */
  items: BigInt64Array;
  types: Int32Array;
  times: BigInt64Array | undefined;
}

export interface Ranking {
  /** UTF-8 */
  id: Uint8Array;
  items: readonly bigint[];
  /** 0 or 1 */
  orders: readonly number[];
}

export interface Sink {
  history(history: History): void;
  ranking(ranking: Ranking): void;
  finish(): void;
}

/** Slots of rankings with the same id, as they stand in rows. */
export interface Slots {
  indexes: number[];
  items: bigint[];
  orders: number[];
}

/**
 * The rankings that slots of one id and history are of. In the order of rows slots of rankings that are the same alternate, and shorter
 * rankings come before longer ones that begin alike: 0 0 0 1 1 is one ranking of one slot, and twice one of two.
 * @returns undefined where the slots are in another order
 */
export function rankingsOf(id: Uint8Array, { indexes, items, orders }: Slots): Ranking[] | undefined {
  const rankings: Ranking[] = [];
  const n = indexes.length;
  const runEnd = (from: number): number => {
    let to = from;
    while (to < n && indexes[to] === indexes[from]) to++;
    return to;
  };
  for (let at = 0; at < n; ) {
    if (indexes[at] !== 0) return undefined;
    const ones = runEnd(at);
    const twins = ones < n && indexes[ones] === 1 ? runEnd(ones) - ones : 0;
    if (twins > ones - at) return undefined;
    for (; at < ones - twins; at++) rankings.push({ id, items: [items[at]], orders: [orders[at]] });
    if (twins === 0) continue;
    const ranking = { id, items: [] as bigint[], orders: [] as number[] };
    for (let slot = 0; at < n && indexes[at] === slot; slot++, at += twins) {
      for (let twin = at; twin < at + twins; twin++)
        if (indexes[twin] !== slot || items[twin] !== items[at] || orders[twin] !== orders[at]) return undefined;
      ranking.items.push(items[at]);
      ranking.orders.push(orders[at]);
    }
    // the same rankings in a row without alternating: their order would be lost
    const last = rankings.at(-1);
    if (last !== undefined && isSame(last, ranking)) return undefined;
    for (let twin = 0; twin < twins; twin++) rankings.push(ranking);
  }
  return rankings;
}

export function isSame(a: Ranking, b: Ranking): boolean {
  if (a === b) return true;
  if (a.items.length !== b.items.length || Buffer.compare(a.id, b.id) !== 0) return false;
  return a.items.every((item, i) => item === b.items[i] && a.orders[i] === b.orders[i]);
}

/** Gives rankings that are the same and next to each other at once, so that their slots can alternate as they do in rows. */
export class Twins {
  private ranking: Ranking | undefined;
  private count = 0;

  constructor(private readonly emit: (ranking: Ranking, twins: number) => void) {}

  add(ranking: Ranking): void {
    if (this.ranking !== undefined && isSame(this.ranking, ranking)) this.count++;
    else {
      this.flush();
      this.ranking = ranking;
      this.count = 1;
    }
  }

  flush(): void {
    if (this.ranking !== undefined) this.emit(this.ranking, this.count);
    this.ranking = undefined;
  }
}
