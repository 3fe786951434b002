import type { CoGrouped } from "../beam/cogroup";
import type { MaybeSpilled } from "../beam/spill";
import { copyIds } from "./actions";
import type { Window } from "./bounds";
import { type Groups, groupRankings, takeGroups } from "./groups";
import { compareWords, IdIndex, words } from "./ids";
import { Lasts } from "./lasts";
import { ActionPlaces, BEYOND, NEVER_SHOWN, OUTSIDE, USED } from "./placing";
import type { RankingBatch } from "./rankings";
import { Histories } from "./stretches";
import { type Ledger, place } from "./tablecounts";
import { EMPTY_TALLIES } from "./tallies";
import type { Timelines } from "./timelines";
import { type UsedTimes, UsedTimesBuilder } from "./usedtimes";

export { compareSlots } from "./groups";

/**
 * Rankings with their histories: row g of the group columns is one (customer, day), its history and its rankings. Groups are in the order of days.
 * A history is a stretch of the action columns, newest first, at most historyLength long; histories may share actions.
 */
export interface Joined {
  /** of each group */
  customers: BigInt64Array;
  /** epoch days */
  days: Int32Array;
  /** the history of group g: actions [historyStarts[g], historyEnds[g]) */
  historyStarts: Int32Array;
  /** half-open, see historyStarts */
  historyEnds: Int32Array;
  /** the rankings of group g: [rankingStarts[g], rankingStarts[g + 1]), by ranking id, then content of the slots */
  rankingStarts: Int32Array;
  /** of all groups, with their slots */
  rankings: RankingBatch;
  /** those that histories are stretches of; on disk where they do not fit into memory */
  actions: MaybeSpilled<HistoryActions>;
  /** 0; or 1, 2, ... where these are the first, second, ... rankings of one (customer, day) that has too many for one element */
  piece: number;
  /** of the actions in histories, for the certificates */
  used: UsedTimes;
}

/** The actions that histories are stretches of. */
export interface HistoryActions {
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
  if (timelines.length > 1)
    throw new Error(
      `CombinePerKey gave a bucket ${timelines.length} times: it has ${timelines.length} timelines, so actions were lost or doubled.`,
    );
  return timelines[0];
}

const NO_TIMELINES: Timelines = {
  customers: new BigInt64Array(0),
  starts: new Int32Array(1),
  items: new BigInt64Array(0),
  times: new Float64Array(0),
  types: new Uint8Array(0),
  firsts: new Int32Array(0),
  tallies: EMPTY_TALLIES,
};

/** Walks the groups of rankings and the timelines side by side; both are sorted by customer. */
class Join {
  readonly ledger: Ledger = {};
  private readonly places = new ActionPlaces();
  private readonly histories: Histories;
  private readonly used: UsedTimesBuilder;
  /** the groups that have a row */
  private readonly kept: Int32Array;
  private keptCount = 0;
  /** shown customers by number: id, first group (and one more, the end) */
  private readonly shown = new IdIndex();
  private readonly customerGroups: Int32Array;

  constructor(
    private readonly timelines: Timelines,
    private readonly groups: Groups,
    private readonly window: Window,
  ) {
    const n = groups.starts.length - 1;
    this.histories = new Histories(timelines, window, n);
    this.used = new UsedTimesBuilder(timelines.types);
    this.kept = new Int32Array(n);
    this.customerGroups = new Int32Array(n + 1);
  }

  run(): void {
    this.numberCustomers();
    const { customers } = this.timelines;
    const ids = words(customers);
    const shownIds = words(this.shown.toArray());
    let s = 0;
    for (let c = 0; c < customers.length; c++) {
      const low = ids[2 * c];
      const high = ids[2 * c + 1];
      while (s < this.shown.size && compareWords(shownIds[2 * s], shownIds[2 * s + 1], low, high) < 0) this.keepCustomer(s++, -1);
      if (s < this.shown.size && shownIds[2 * s] === low && shownIds[2 * s + 1] === high) this.keepCustomer(s++, c);
      else this.places.addAll(NEVER_SHOWN, this.timelines.types, this.timelines.starts[c], this.timelines.starts[c + 1]);
    }
    while (s < this.shown.size) this.keepCustomer(s++, -1);
    this.placeTallies();
    this.places.addTo(this.ledger, this.window.rules);
  }

  private numberCustomers(): void {
    const { rankings, starts } = this.groups;
    const ids = words(rankings.customers);
    for (let g = 0; g + 1 < starts.length; g++) {
      const before = this.shown.size;
      const s = this.shown.add(ids[2 * starts[g]], ids[2 * starts[g] + 1]);
      if (s === before) this.customerGroups[s] = g;
    }
    this.customerGroups[this.shown.size] = starts.length - 1;
  }

  /** Finds the histories of shown customer s, whose timeline is c or, if -1, empty, and places their actions. */
  private keepCustomer(s: number, c: number): void {
    const { rankings, starts } = this.groups;
    const from = this.customerGroups[s];
    const to = this.customerGroups[s + 1];
    if (c >= 0) this.histories.begin(c);
    for (let g = from; g < to; g++) {
      const day = rankings.days[starts[g]];
      const some = c >= 0 && this.histories.find(this.keptCount, day);
      if (some) this.histories.tell(this.keptCount, day, this.used);
      const dropped = !some && this.window.rules.dropEmptyHistory;
      if (!dropped) this.kept[this.keptCount++] = g;
      place(this.ledger, "impressions", dropped ? "without history" : "used", starts[g + 1] - starts[g]);
    }
    if (c >= 0) this.placeActions(s, c);
  }

  private placeActions(s: number, c: number): void {
    const { starts, times, types, firsts } = this.timelines;
    const { marks } = this.histories;
    const lasts = new Lasts(this.window);
    let first = 0;
    let last = -1;
    let place = OUTSIDE;
    for (let i = starts[c], uses = 0; i < starts[c + 1]; i++) {
      uses += marks[i];
      if (uses > 0) this.places.add(USED, types[i], 1);
      else {
        const itsLast = lasts.of(times[i]);
        if (firsts[i] !== first || itsLast !== last) {
          first = firsts[i];
          last = itsLast;
          place = this.placeOf(s, first, last);
        }
        this.places.add(place, types[i], 1);
      }
    }
  }

  /** Where an unused action of a shown customer ends that the days [first, last] would have seen. */
  private placeOf(s: number, first: number, last: number): number {
    const { rankings, starts } = this.groups;
    let low = this.customerGroups[s];
    let high = this.customerGroups[s + 1];
    const end = high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (rankings.days[starts[middle]] < first) low = middle + 1;
      else high = middle;
    }
    return low < end && rankings.days[starts[low]] <= last ? BEYOND : OUTSIDE;
  }

  private placeTallies(): void {
    const { customers, types, firsts, lasts, counts } = this.timelines.tallies;
    const ids = words(customers);
    for (let i = 0; i < counts.length; i++) {
      const s = this.shown.find(ids[2 * i], ids[2 * i + 1]);
      const place = s < 0 ? NEVER_SHOWN : this.placeOf(s, firsts[i], lasts[i]);
      this.places.add(place, types[i], counts[i]);
    }
  }

  result(): Joined {
    const { groups, histories } = this;
    const found = this.foundByDay();
    const kept = found.map((h) => this.kept[h]);
    const heads = Int32Array.from(kept, (g) => groups.starts[g]);
    const customers = new BigInt64Array(kept.length);
    copyIds(groups.rankings.customers, heads, customers);
    return {
      customers,
      days: Int32Array.from(heads, (r) => groups.rankings.days[r]),
      historyStarts: found.map((h) => histories.from[h]),
      historyEnds: found.map((h) => histories.to[h]),
      ...takeGroups(groups, kept),
      actions: histories.actions(),
      piece: 0,
      used: this.used.take(),
    };
  }

  /** The numbers of the kept groups by day, since files are by day; those of one day by customer. */
  private foundByDay(): Int32Array {
    const { rankings, starts } = this.groups;
    const n = this.keptCount;
    // exact: days are below 2^23, groups below 2^30
    const keys = Float64Array.from({ length: n }, (_, h) => rankings.days[starts[this.kept[h]]] * n + h);
    return Int32Array.from(keys.sort(), (key) => key - n * Math.floor(key / n));
  }
}
