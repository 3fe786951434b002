import type { KV } from "../beam/cogroup";
import { type OneOf, type OutputsOf, outputs } from "../beam/outputs";
import { GlobalWindow, PaneInfoCoder, type PCollection, parDo, requireForSerialization, type WindowedValue, withName } from "../beam/sdk";
import { type ActionBatch, ActionBuilder } from "./actions";
import type { Cell } from "./cells";
import { ActionNormaliser, type Normaliser, RankingNormaliser } from "./normalise";
import { type RankingBatch, RankingBuilder } from "./rankings";
import type { Rules } from "./rules";
import { type Ledger, noCounts, place, placeOutside, rejectedRows, type TableCounts } from "./tablecounts";

/** One row of an input table, by column: { customer_id: 7, item_id: 12n, click_time: "2025-08-16 10:00:00" }. */
export type InputRow = { [column: string]: Cell };

/** A row that was not taken, whole, so that a pipeline can send it where its rejects go. */
export interface RejectedRow {
  /** impressions, or the name of a table of actions */
  table: string;
  /** `column: what is wrong with it`, without the value */
  reason: string;
  /** as it came */
  row: InputRow;
}

interface Outputs {
  actions: KV<ActionBatch>;
  rankings: KV<RankingBatch>;
  rejects: RejectedRow;
  ledger: Ledger;
}

/** Rows gathered over a bundle before they become batches. */
const BATCH_ROWS = 1 << 16;

/** Rows of one table to batches by bucket of customers. An element is a row, or an array of rows. */
export class NormaliseRows {
  private bundle?: Bundle;

  constructor(
    readonly rules: Rules,
    readonly table: string,
  ) {}

  startBundle(): void {
    this.bundle = new Bundle(this.rules, this.table);
  }

  *process(element: InputRow | InputRow[]): Generator<OneOf<Outputs>> {
    const bundle = this.bundle!;
    for (const row of Array.isArray(element) ? element : [element]) {
      const reason = bundle.take(row);
      if (reason !== undefined) yield { rejects: { table: this.table, reason, row } };
    }
    if (bundle.gathered >= BATCH_ROWS) yield* bundle.batches();
  }

  *finishBundle(): Generator<WindowedValue<OneOf<Outputs>>> {
    const window = new GlobalWindow();
    for (const value of [...this.bundle!.batches(), { ledger: this.bundle!.ledger() }])
      yield { value, windows: [window], pane: PaneInfoCoder.ONE_AND_ONLY_FIRING, timestamp: window.maxTimestamp() };
  }
}

class Bundle {
  private readonly actions = new ActionBuilder();
  private readonly rankings = new RankingBuilder();
  private readonly counts: TableCounts = noCounts();
  private readonly normaliser: Normaliser;

  constructor(
    private readonly rules: Rules,
    private readonly table: string,
  ) {
    const actions = rules.tables.find(({ name }) => name === table);
    this.normaliser =
      actions === undefined ? new RankingNormaliser(rules, this.rankings) : new ActionNormaliser(actions, rules, this.actions);
  }

  get gathered(): number {
    return this.actions.length + this.rankings.length;
  }

  take(row: InputRow): string | undefined {
    this.counts.rows++;
    const cells = this.normaliser.columns.map((column) => row[column]);
    const reason = this.normaliser.take(cells, { partition: {}, csv: false });
    if (reason !== undefined) this.counts.reasons[reason] = (this.counts.reasons[reason] ?? 0) + 1;
    return reason;
  }

  *batches(): Generator<OneOf<Outputs>> {
    for (const actions of this.actions.take(this.rules.buckets)) yield { actions };
    for (const rankings of this.rankings.take(this.rules.buckets)) yield { rankings };
  }

  ledger(): Ledger {
    const ledger: Ledger = { [this.table]: { ...this.counts, zeroItems: this.normaliser.zeroItems } };
    if (this.normaliser instanceof RankingNormaliser) placeOutside(ledger, this.table, this.normaliser.outside);
    place(ledger, this.table, "rejected", rejectedRows(this.counts));
    return ledger;
  }
}

/**
 * Normalisation: rows of one table, in whatever form inputs may have, to batches of exact columns.
 *   in   rows, or arrays of rows
 *   out  actions or rankings, by bucket; rejects; ledger
 * @param rules the same for all transforms of a run
 * @param table impressions, or the name of one of the tables of the rules
 */
export function normaliseRows(rules: Rules, table: string) {
  return withName(
    `normalise_${table}`,
    (rows: PCollection<InputRow | InputRow[]>): OutputsOf<Outputs> =>
      rows
        .apply(withName("normaliseRows", parDo(new NormaliseRows(rules, table))))
        .apply(outputs<Outputs>(["actions", "rankings", "rejects", "ledger"])),
  );
}

requireForSerialization("backstory/transforms/rows", exports);
