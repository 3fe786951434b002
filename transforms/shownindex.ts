import { Window } from "./bounds";
import { IdIndex, words } from "./ids";
import type { RankingBatch } from "./rankings";
import type { Rules } from "./rules";

/**
 * The customers that have a ranking, and their days: what a scan needs to leave out actions that no row can use.
 * Row c of each column is one customer.
 */
export interface Shown {
  customers: BigInt64Array;
  /** first and last epoch day of a ranking */
  firstDays: Int32Array;
  lastDays: Int32Array;
}

/** The customers of some rankings. */
export function shownOf({ customers, days }: RankingBatch): Shown {
  return mergeShown([{ customers, firstDays: days, lastDays: days }]);
}

/** The customers of any of the parts; a part may name a customer more than once. */
export function mergeShown(parts: readonly Shown[]): Shown {
  const index = new IdIndex();
  const first: number[] = [];
  const last: number[] = [];
  for (const { customers, firstDays, lastDays } of parts) {
    const ids = words(customers);
    for (let i = 0; i < firstDays.length; i++) {
      const c = index.add(ids[2 * i], ids[2 * i + 1]);
      if (c === first.length) {
        first.push(firstDays[i]);
        last.push(lastDays[i]);
      } else {
        if (firstDays[i] < first[c]) first[c] = firstDays[i];
        if (lastDays[i] > last[c]) last[c] = lastDays[i];
      }
    }
  }
  return { customers: index.toArray(), firstDays: Int32Array.from(first), lastDays: Int32Array.from(last) };
}

/** Where a customer's actions can be of use: looked up once for each action of the input. */
export class ShownIndex {
  private readonly index: IdIndex;
  /** no ranking of customer c sees an action before earliest[c] or from latest[c] on: microseconds */
  readonly earliest: Float64Array;
  readonly latest: Float64Array;

  constructor({ customers, firstDays, lastDays }: Shown, rules: Rules) {
    const window = new Window(rules);
    const ids = words(customers);
    this.index = new IdIndex(customers.length);
    this.earliest = new Float64Array(customers.length);
    this.latest = new Float64Array(customers.length);
    const start = memo((day) => window.start(day));
    // With the action clock dt alone an action's time says nothing about the cutoff.
    const cutoff = rules.actionClock === "dt" ? () => Infinity : memo((day) => window.midnight(day));
    for (let c = 0; c < customers.length; c++) {
      this.index.add(ids[2 * c], ids[2 * c + 1]);
      this.earliest[c] = start(firstDays[c]);
      this.latest[c] = cutoff(lastDays[c]);
    }
  }

  /** out[i] = the row of customer i, -1 if they have no ranking, for the first n (low, high) pairs. */
  findAll(customers: Int32Array, n: number, out: Int32Array): void {
    this.index.findAll(customers, n, out);
  }
}

/** A midnight takes a search in the zone's table; there are few days and many customers. */
function memo(of: (day: number) => number): (day: number) => number {
  const known = new Map<number, number>();
  return (day) => {
    let value = known.get(day);
    if (value === undefined) known.set(day, (value = of(day)));
    return value;
  };
}
