import { ColumnsCoder } from "../beam/coders";
import type { KV } from "../beam/cogroup";
import { flatten, P, type PCollection, parDo, requireForSerialization, withCoderInternal, withName } from "../beam/sdk";
import { load } from "../beam/spill";
import { dayName } from "./calendar";
import { buildHistories } from "./histories";
import type { HistoryActions, Joined } from "./join";
import { type KeptJoin, partsOf } from "./joinbucket";
import { type Ledger, sumLedgers } from "./ledger";
import { normaliseRows, type RejectedRow } from "./rows";
import { DEFAULT_RULES, DEFAULT_TABLES, type Rules } from "./rules";
import { date } from "./values";

/**
 * What to compute; everything has its default. `days` are the dts to build, as YYYY-MM-DD; without them
 * every dt of the impressions is built, and need not be known: each midnight is a cutoff then, which is exact for any days
 * and keeps up to `historyLength` actions for each of them.
 */
export interface TrainingOptions extends Partial<Omit<Rules, "days" | "shards">> {
  /** the dts to build, YYYY-MM-DD; else every one that has rankings */
  days?: string[];
}

/** The event streams by table: impressions, and the tables of actions (clicks, add_to_carts and previous_orders by default). */
export type EventStreams = { impressions: Rows; [table: string]: Rows };

/** Rows as readers give them: one, or an array of them, an element. */
// biome-ignore lint/suspicious/noExplicitAny: rows are judged one by one, so a collection of any objects is welcome
type Rows = PCollection<any>;

/** One row for one impression slot. Rows of one (customer, dt) share their arrays, which must not be changed. */
export interface TrainingRow {
  /** YYYY-MM-DD */
  dt: string;
  /** as in the impressions */
  ranking_id: string;
  /** whose history it is */
  customer_id: bigint;
  /** 0-based place of the slot in its ranking */
  impression_index: number;
  /** item shown in the slot */
  item_id: bigint;
  /** whether it was ordered */
  is_order: boolean;
  /** the same as item_id */
  impressions: bigint;
  /** [historyLength] items, newest first, then zeros */
  actions: BigInt64Array;
  /** [historyLength] type codes beside them, zero for padding */
  action_types: Int32Array;
  /** real actions */
  history_length: number;
  /** [historyLength] whole microseconds since the epoch, zero for padding; only with keepTimes */
  action_times?: BigInt64Array;
}

/** What buildTrainingInputs gives; every input row is in exactly one place of the ledger. */
export type TrainingInputs = {
  /** one for each impression slot */
  rows: PCollection<TrainingRow>;
  /** rows that could not be taken, with the reason */
  rejects: PCollection<RejectedRow>;
  /** one element: where every input row ended */
  ledger: PCollection<Ledger>;
};

/**
 * Leakage-safe training inputs from event streams, with no idea of storage: for every impression slot one row with the
 * customer's newest `historyLength` actions from before that day.
 *
 * `const { rows } = P({ impressions, clicks, add_to_carts, previous_orders }).apply(buildTrainingInputs({ historyLength: 100 }));`
 *
 * A stream that is left out is a table without rows.
 * @param options what differs from the defaults
 * @returns a transform of the streams by table
 * @throws Error for a stream whose table is unknown, or a day that is none
 */
export function buildTrainingInputs(options: TrainingOptions = {}) {
  const rules = rulesOf(options);
  return withName("buildTrainingInputs", (streams: EventStreams): TrainingInputs => {
    for (const table of Object.keys(streams)) checkTable(rules, table);
    const normalised = Object.entries(streams).map(([table, rows]) => ({ table, ...rows.apply(normaliseRows(rules, table)) }));
    const { joined, ledger } = P({
      actions: P(normalised.map(({ actions }) => actions)).apply(withName("allActions", flatten())),
      rankings: normalised.find(({ table }) => table === "impressions")!.rankings,
    }).apply(buildHistories(rules));
    return {
      rows: joined
        .apply(withName("explode", parDo(new ExplodeRows(rules.historyLength))))
        .apply(withCoderInternal(new ColumnsCoder<TrainingRow>())),
      rejects: P(normalised.map(({ rejects }) => rejects)).apply(withName("allRejects", flatten())),
      ledger: P([ledger, ...normalised.map((each) => each.ledger)])
        .apply(withName("allLedgers", flatten()))
        .apply(withName("sumLedgers", sumLedgers)),
    };
  });
}

function rulesOf({ days, ...rules }: TrainingOptions): Rules {
  const known = days === undefined ? null : [...new Set(days.map(dayOf))].sort((a, b) => a - b);
  return { ...DEFAULT_RULES, ...rules, tables: rules.tables ?? DEFAULT_TABLES, days: known, shards: 1 };
}

function dayOf(day: string): number {
  try {
    return date(day);
  } catch {
    throw new Error(`days must be days such as 2025-08-16; got "${day}".`);
  }
}

function checkTable({ tables }: Rules, table: string): void {
  const known = ["impressions", ...tables.map(({ name }) => name)];
  if (!known.includes(table)) throw new Error(`there is no table "${table}"; choose from ${known.join(", ")}, or add it to tables.`);
}

/** Joined batches to rows, one for each slot. */
export class ExplodeRows {
  constructor(readonly historyLength: number) {}

  *process({ value }: KV<KeptJoin>): Generator<TrainingRow> {
    for (const joined of partsOf(value)) {
      const actions = load(joined.actions);
      for (let group = 0; group < joined.days.length; group++) yield* this.rows(joined, actions, group);
    }
  }

  private *rows(joined: Joined, actions: HistoryActions, group: number): Generator<TrainingRow> {
    const { rankings, rankingStarts } = joined;
    const history = this.history(joined, actions, group);
    for (let r = rankingStarts[group]; r < rankingStarts[group + 1]; r++) {
      const ranking_id = Buffer.from(rankings.idBytes.subarray(rankings.idStarts[r], rankings.idStarts[r + 1])).toString();
      for (let slot = rankings.slotStarts[r]; slot < rankings.slotStarts[r + 1]; slot++) {
        const item = rankings.slotItems[slot];
        const impression_index = slot - rankings.slotStarts[r];
        yield { ...history, ranking_id, impression_index, item_id: item, is_order: rankings.slotOrders[slot] === 1, impressions: item };
      }
    }
  }

  /** The part of a row that all slots of a (customer, dt) share. */
  private history({ customers, days, historyStarts, historyEnds }: Joined, { items, types, times }: HistoryActions, group: number) {
    const from = historyStarts[group];
    const to = historyEnds[group];
    const actions = new BigInt64Array(this.historyLength);
    const action_types = new Int32Array(this.historyLength);
    actions.set(items.subarray(from, to));
    action_types.set(types.subarray(from, to));
    const shared = { dt: dayName(days[group]), customer_id: customers[group], actions, action_types, history_length: to - from };
    if (times.length === 0) return shared;
    const action_times = new BigInt64Array(this.historyLength);
    for (let i = from; i < to; i++) action_times[i - from] = BigInt(times[i]);
    return { ...shared, action_times };
  }
}

requireForSerialization("backstory/transforms/inputs", exports);
