import type { CoGrouped } from "../beam/cogroup";
import type { Window } from "./bounds";
import { compareWords, IdIndex, words } from "./ids";
import { pickRankings, type RankingBatch } from "./rankings";
import { type Ledger, place } from "./tablecounts";
import type { Timelines } from "./timelines";

/**
 * Rankings with their histories: row g of the group columns is one (customer, day), its history and its rankings.
 * A history is a stretch of the action columns, newest first, at most historyLength long; histories may share actions.
 */
export interface Joined {
  customers: BigInt64Array;
  /** epoch days */
  days: Int32Array;
  /** the history of group g: actions [historyStarts[g], historyEnds[g]) */
  historyStarts: Int32Array;
  historyEnds: Int32Array;
  /** the rankings of group g: [rankingStarts[g], rankingStarts[g + 1]), by ranking id, then content of the slots */
  rankingStarts: Int32Array;
  rankings: RankingBatch;
  items: BigInt64Array;
  types: Uint8Array;
  /** whole microseconds; empty unless the output asks for times */
  times: Float64Array;
}

/** The join of one bucket, and where its input rows ended. */
export interface JoinResult {
  joined: Joined;
  ledger: Ledger;
}

/** Gives each ranking of a bucket the history of its customer before its day. */
export function joinHistories({ left, right }: CoGrouped<Timelines, RankingBatch>, window: Window): JoinResult {
  const timelines = left.length === 0 ? NO_TIMELINES : onlyOne(left);
  const groups = groupRankings(right);
  const join = new Join(timelines, groups, window);
  join.run();
  return { joined: join.result(), ledger: join.ledger };
}

/** CombinePerKey gives one value a key; more would mean that actions were lost or doubled. */
function onlyOne(timelines: readonly Timelines[]): Timelines {
  if (timelines.length > 1) throw new Error(`a bucket has ${timelines.length} timelines, expected one`);
  return timelines[0];
}

const NO_TIMELINES: Timelines = {
  customers: new BigInt64Array(0),
  starts: new Int32Array(1),
  items: new BigInt64Array(0),
  times: new Float64Array(0),
  types: new Uint8Array(0),
  firsts: new Int32Array(0),
  tallies: {
    customers: new BigInt64Array(0),
    types: new Uint8Array(0),
    firsts: new Int32Array(0),
    lasts: new Int32Array(0),
    counts: new Float64Array(0),
  },
};

/** Rankings by customer, then day, then ranking id, then content; with the first ranking of each (customer, day). */
interface Groups {
  rankings: RankingBatch;
  starts: Int32Array;
}

function groupRankings(batches: readonly RankingBatch[]): Groups {
  const all = pickAll(batches);
  const order = Int32Array.from(all.days, (_, r) => r).sort((a, b) => compareRankings(all, a, b));
  const rankings = pickRankings([all], new Int32Array(order.length), order);
  const ids = words(rankings.customers);
  const starts: number[] = [];
  for (let r = 0; r < order.length; r++) {
    const same = r > 0 && ids[2 * r] === ids[2 * r - 2] && ids[2 * r + 1] === ids[2 * r - 1] && rankings.days[r] === rankings.days[r - 1];
    if (!same) starts.push(r);
  }
  return { rankings, starts: Int32Array.from([...starts, order.length]) };
}

function pickAll(batches: readonly RankingBatch[]): RankingBatch {
  const n = batches.reduce((sum, batch) => sum + batch.days.length, 0);
  const from = new Int32Array(n);
  const rows = new Int32Array(n);
  let at = 0;
  for (let b = 0; b < batches.length; b++) {
    for (let r = 0; r < batches[b].days.length; r++) {
      from[at] = b;
      rows[at++] = r;
    }
  }
  return pickRankings(batches, from, rows);
}

function compareRankings(all: RankingBatch, a: number, b: number): number {
  const ids = words(all.customers);
  return (
    compareWords(ids[2 * a], ids[2 * a + 1], ids[2 * b], ids[2 * b + 1]) ||
    all.days[a] - all.days[b] ||
    Buffer.compare(
      all.idBytes.subarray(all.idStarts[a], all.idStarts[a + 1]),
      all.idBytes.subarray(all.idStarts[b], all.idStarts[b + 1]),
    ) ||
    compareSlots(all, a, b)
  );
}

/** Slot by slot: item, then is_order; a ranking that is the beginning of another comes first. */
export function compareSlots({ slotStarts, slotItems, slotOrders }: RankingBatch, a: number, b: number): number {
  const items = words(slotItems);
  const aSlots = slotStarts[a + 1] - slotStarts[a];
  const bSlots = slotStarts[b + 1] - slotStarts[b];
  for (let s = 0; s < Math.min(aSlots, bSlots); s++) {
    const x = slotStarts[a] + s;
    const y = slotStarts[b] + s;
    const order = compareWords(items[2 * x], items[2 * x + 1], items[2 * y], items[2 * y + 1]) || slotOrders[x] - slotOrders[y];
    if (order !== 0) return order;
  }
  return aSlots - bSlots;
}

/** Walks the groups of rankings and the timelines side by side; both are sorted by customer. */
class Join {
  readonly ledger: Ledger = {};
  private readonly kept: number[] = [];
  private readonly from: number[] = [];
  private readonly to: number[] = [];
  private readonly used: Uint8Array;
  /** histories that are no stretch of their timeline (orders may lag behind) are copied out behind it */
  private readonly copied: number[] = [];
  private readonly typeTables = new Map<number, string>();
  private readonly daysOf: number[][];

  constructor(
    private readonly timelines: Timelines,
    private readonly groups: Groups,
    private readonly window: Window,
  ) {
    this.used = new Uint8Array(timelines.times.length);
    this.daysOf = timelines.customers.length === 0 ? [] : Array.from({ length: timelines.customers.length }, () => []);
    for (const { name, type } of window.rules.tables) this.typeTables.set(type, name);
  }

  run(): void {
    const { rankings, starts } = this.groups;
    const index = indexOf(this.timelines.customers);
    const ids = words(rankings.customers);
    for (let g = 0; g + 1 < starts.length; g++) {
      const r = starts[g];
      const customer = index.find(ids[2 * r], ids[2 * r + 1]);
      this.group(g, customer, rankings.days[r]);
    }
    this.placeActions();
    this.placeTallies(index);
  }

  private group(g: number, customer: number, day: number): void {
    const at = this.to.length;
    if (customer >= 0) this.daysOf[customer].push(day);
    this.history(customer, day);
    const rankings = this.groups.starts[g + 1] - this.groups.starts[g];
    if (this.window.rules.dropEmptyHistory && this.from[at] === this.to[at]) {
      this.from.pop();
      this.to.pop();
      place(this.ledger, "impressions", "without history", rankings);
    } else {
      this.kept.push(g);
      place(this.ledger, "impressions", "used", rankings);
    }
  }

  /** The newest historyLength actions that the day sees: usually a stretch of the timeline, else a copy. */
  private history(customer: number, day: number): void {
    const { starts, firsts, times } = this.timelines;
    const { historyLength } = this.window.rules;
    const start = this.window.start(day);
    const rows: number[] = [];
    const end = customer < 0 ? 0 : starts[customer + 1];
    for (let i = customer < 0 ? 0 : starts[customer]; i < end && times[i] >= start && rows.length < historyLength; i++) {
      if (firsts[i] > day) continue;
      rows.push(i);
      this.used[i] = 1;
    }
    const stretch = rows.length === 0 || rows[rows.length - 1] - rows[0] === rows.length - 1;
    if (stretch) {
      this.from.push(rows[0] ?? 0);
      this.to.push(rows.length === 0 ? 0 : rows[rows.length - 1] + 1);
    } else {
      const from = times.length + this.copied.length;
      for (const row of rows) this.copied.push(row);
      this.from.push(from);
      this.to.push(from + rows.length);
    }
  }

  private placeActions(): void {
    const { customers, starts, times, types, firsts } = this.timelines;
    for (let c = 0; c < customers.length; c++) {
      for (let i = starts[c]; i < starts[c + 1]; i++) {
        if (this.used[i] === 1) this.placeAction(types[i], "used", 1);
        else this.placeUnused(c, types[i], firsts[i], this.window.last(times[i]), 1);
      }
    }
  }

  private placeTallies(index: IdIndex): void {
    const { customers, types, firsts, lasts, counts } = this.timelines.tallies;
    const ids = words(customers);
    const shown = indexOf(this.groups.rankings.customers);
    for (let i = 0; i < counts.length; i++) {
      const low = ids[2 * i];
      const high = ids[2 * i + 1];
      if (shown.find(low, high) < 0) this.placeAction(types[i], "customer never shown", counts[i]);
      else this.placeUnused(index.find(low, high), types[i], firsts[i], lasts[i], counts[i]);
    }
  }

  private placeUnused(customer: number, type: number, first: number, last: number, n: number): void {
    // A customer with tallies only has no timeline: all of theirs were outside of every window of the run.
    const days = customer < 0 ? [] : this.daysOf[customer];
    if (customer >= 0 && days.length === 0) this.placeAction(type, "customer never shown", n);
    else this.placeAction(type, days.some((day) => first <= day && day <= last) ? "beyond the history length" : "outside every window", n);
  }

  private placeAction(
    type: number,
    where: "used" | "customer never shown" | "outside every window" | "beyond the history length",
    n: number,
  ): void {
    place(this.ledger, this.typeTables.get(type) ?? `type ${type}`, where, n);
  }

  result(): Joined {
    const { timelines, kept, copied } = this;
    const { rankings, starts } = this.groups;
    const n = timelines.times.length;
    const picked = kept.flatMap((g) => Array.from({ length: starts[g + 1] - starts[g] }, (_, i) => starts[g] + i));
    const rankingStarts = new Int32Array(kept.length + 1);
    for (let i = 0; i < kept.length; i++) rankingStarts[i + 1] = rankingStarts[i] + starts[kept[i] + 1] - starts[kept[i]];
    const rows = Int32Array.from({ length: n + copied.length }, (_, i) => (i < n ? i : copied[i - n]));
    return {
      customers: BigInt64Array.from(kept, (g) => rankings.customers[starts[g]]),
      days: Int32Array.from(kept, (g) => rankings.days[starts[g]]),
      historyStarts: Int32Array.from(this.from),
      historyEnds: Int32Array.from(this.to),
      rankingStarts,
      rankings:
        kept.length === starts.length - 1 ? rankings : pickRankings([rankings], new Int32Array(picked.length), Int32Array.from(picked)),
      items: copied.length === 0 ? timelines.items : BigInt64Array.from(rows, (i) => timelines.items[i]),
      types: copied.length === 0 ? timelines.types : Uint8Array.from(rows, (i) => timelines.types[i]),
      times: this.window.rules.keepTimes ? Float64Array.from(rows, (i) => timelines.times[i]) : new Float64Array(0),
    };
  }
}

function indexOf(customers: BigInt64Array): IdIndex {
  const ids = words(customers);
  const index = new IdIndex(customers.length);
  for (let c = 0; c < customers.length; c++) index.add(ids[2 * c], ids[2 * c + 1]);
  return index;
}
