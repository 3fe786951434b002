import { type TypeColumn, TypeRows } from "./typerows";

const NAMED = [1, 2, 3];

export interface DayCounts {
  rows: number;
  /** histories, which are distinct customers as long as each (customer, dt) is added once */
  customers: number;
  /** rows whose history has no real action */
  emptyRows: number;
  /** type code -> times of the oldest and the newest action in histories, whole microseconds; empty if they are not known */
  used: Record<number, { oldest: number; newest: number }>;
}

/** All that a `Metrics` knows, as plain JSON. Counts are of rows: a history shared by 10 slots counts 10 times. */
export interface MetricsState {
  maxPositions: number;
  /** type code -> real actions of that type */
  types: Record<number, number>;
  /** for each position below maxPositions that has real actions: type code -> rows; position 0 is the newest action */
  positions: Record<number, number>[];
  /** real actions of a history -> rows */
  lengths: Record<number, number>;
  /** positions of a history, padding included -> rows */
  historyLengths: Record<number, number>;
  days: Record<string, DayCounts>;
}

/** The figures, as --metrics-json writes them. Counts are of rows: a history shared by 10 slots counts 10 times. */
export interface MetricsReport {
  /** rows of the output */
  rows: number;
  /** fraction of rows (0 to 1) whose history has no real action */
  zero_history_pct: number;
  /** mean number of real actions per row */
  avg_history_length: number;
  /** type code -> fraction of all positions of all rows; 0 is padding */
  action_type_distribution: Record<string, number>;
  /** type code -> fraction of the real actions of all rows */
  real_action_type_distribution: Record<string, number>;
  /** rows with that dt */
  rows_by_dt: Record<string, number>;
  /** distinct customers with a row on that dt */
  customers_by_dt: Record<string, number>;
  /** number of real actions -> number of rows */
  sequence_length_distribution: Record<string, number>;
  /** per position, newest first, up to maxPositions: type code -> number of rows; 0 is padding */
  action_type_frequency_by_position: Record<string, number>[];
}

function bump(counts: Record<number, number>, key: number, by: number): void {
  counts[key] = (counts[key] ?? 0) + by;
}

function bumpAll(counts: Record<number, number>, other: Record<number, number>): void {
  for (const key in other) bump(counts, Number(key), other[key]);
}

const sum = (counts: Record<number, number>) => Object.values(counts).reduce((a, b) => a + b, 0);

/** Sum of key times count. */
const weighted = (counts: Record<number, number>) => Object.entries(counts).reduce((a, [key, count]) => a + Number(key) * count, 0);

/**
 * Data quality of an output: how many histories are empty, how long they are, what they are made of and where.
 *
 * Histories to figures, in any order and any split: two halves merged are the whole. Of padding nothing is counted: it is
 * what a history lacks to its `historyLength`, so an addition costs as much as there are real actions. Memory is bounded by
 * types (128), positions (maxPositions), different lengths and days.
 */
export class Metrics {
  private readonly sums: MetricsState;
  /** type codes of additions that are not in `sums` yet */
  private readonly added: TypeRows;

  /** @param maxPositions positions of which the types are counted one by one */
  constructor(maxPositions = 100) {
    this.sums = { maxPositions, types: {}, positions: [], lengths: {}, historyLengths: {}, days: {} };
    this.added = new TypeRows(maxPositions);
  }

  /** All that was counted. */
  get state(): MetricsState {
    const { sums, added } = this;
    if (added.pending) {
      added.empty(
        (type, rows) => bump(sums.types, type, rows),
        (position, type, rows) => this.bumpPosition(position, type, rows),
      );
    }
    return sums;
  }

  /**
   * One history, shared by `rows` slots of one customer on one dt.
   * @param types type codes, newest first, of which [from, to) are this history's; zeros in it are padding
   * @param historyLength positions of the history, padding included; at least to - from
   * @param customers 1, or 0 for further rows of a (customer, dt) that has been added before
   * @throws RangeError for a type code outside 0 to 127
   */
  add(types: TypeColumn, from: number, to: number, historyLength: number, rows: number, dt: string, customers = 1): void {
    const actions = this.added.add(types, from, to, rows);
    bump(this.sums.lengths, actions, rows);
    bump(this.sums.historyLengths, historyLength, rows);
    this.bumpDay(dt, rows, customers, actions === 0 ? rows : 0);
  }

  /** Histories of a dt use actions of a type from `oldest` to `newest`. */
  use(dt: string, type: number, oldest: number, newest: number): void {
    const { used } = this.dayOf(dt);
    const known = used[type];
    used[type] =
      known === undefined ? { oldest, newest } : { oldest: Math.min(known.oldest, oldest), newest: Math.max(known.newest, newest) };
  }

  /** Takes over what `other` has counted. @returns this */
  merge(other: Metrics): this {
    return this.mergeState(other.state);
  }

  /** The same with a state, of which nothing is kept. @returns this */
  mergeState(from: MetricsState): this {
    const { state } = this;
    if (from.maxPositions !== state.maxPositions) {
      throw new Error(`metrics of ${from.maxPositions} positions do not merge with those of ${state.maxPositions}.`);
    }
    bumpAll(state.types, from.types);
    bumpAll(state.lengths, from.lengths);
    bumpAll(state.historyLengths, from.historyLengths);
    from.positions.forEach((counts, position) => {
      for (const type in counts) this.bumpPosition(position, Number(type), counts[type]);
    });
    for (const [dt, { rows, customers, emptyRows, used }] of Object.entries(from.days)) {
      this.bumpDay(dt, rows, customers, emptyRows);
      for (const type in used) this.use(dt, Number(type), used[type].oldest, used[type].newest);
    }
    return this;
  }

  /** The figures, with shares of 0 where there are no rows. */
  report(): MetricsReport {
    const { state } = this;
    const rows = sum(state.lengths);
    const realActions = sum(state.types);
    const positions = weighted(state.historyLengths);
    const share = (count: number, of: number) => (of === 0 ? 0 : count / of);
    const types = [...new Set([...NAMED, ...Object.keys(state.types).map(Number)])].sort((a, b) => a - b);
    const shares = (of: number) => types.map((type) => [type, share(state.types[type] ?? 0, of)] as const);
    const days = Object.keys(state.days).sort();
    return {
      rows,
      zero_history_pct: share(state.lengths[0] ?? 0, rows),
      avg_history_length: share(realActions, rows),
      action_type_distribution: Object.fromEntries([[0, share(positions - realActions, positions)], ...shares(positions)]),
      real_action_type_distribution: Object.fromEntries(shares(realActions)),
      rows_by_dt: Object.fromEntries(days.map((dt) => [dt, state.days[dt].rows])),
      customers_by_dt: Object.fromEntries(days.map((dt) => [dt, state.days[dt].customers])),
      sequence_length_distribution: { ...state.lengths },
      action_type_frequency_by_position: this.byPosition(types),
    };
  }

  /** A copy of the state, which JSON and structured clones carry. */
  toJSON(): MetricsState {
    return structuredClone(this.state);
  }

  /** The inverse of toJSON. */
  static fromJSON(state: MetricsState): Metrics {
    const metrics = new Metrics(state.maxPositions);
    Object.assign(metrics.state, structuredClone(state));
    return metrics;
  }

  /** Padding at a position: the rows that are long enough to have it, less those with a real action there. */
  private byPosition(types: number[]): Record<string, number>[] {
    const { maxPositions, historyLengths, positions } = this.state;
    const longest = Math.max(0, ...Object.keys(historyLengths).map(Number));
    return Array.from({ length: Math.min(maxPositions, longest) }, (_, position) => {
      const counts = positions[position] ?? {};
      const reach = Object.entries(historyLengths).reduce((n, [length, rows]) => n + (Number(length) > position ? rows : 0), 0);
      return Object.fromEntries([[0, reach - sum(counts)], ...types.map((type) => [type, counts[type] ?? 0])]);
    });
  }

  private bumpPosition(position: number, type: number, rows: number): void {
    const { positions } = this.sums;
    while (positions.length <= position) positions.push({});
    bump(positions[position], type, rows);
  }

  private bumpDay(dt: string, rows: number, customers: number, emptyRows: number): void {
    const counts = this.dayOf(dt);
    counts.rows += rows;
    counts.customers += customers;
    counts.emptyRows += emptyRows;
  }

  private dayOf(dt: string): DayCounts {
    return (this.sums.days[dt] ??= { rows: 0, customers: 0, emptyRows: 0, used: {} });
  }
}
