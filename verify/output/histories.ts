/** What a history must be whatever the inputs were: as long as all, of known types, padding at the end only, before its cutoff. */
import type { Findings } from "../findings";
import { ORDER, type Rules } from "../rules";
import { nameOf, type Zone } from "../zone";
import type { OutputHistory, OutputRow } from "./rows";

export interface HistoryRules extends Pick<Rules, "lookbackDays" | "orderLagDays" | "actionClock"> {
  zone: Zone;
}

/** Checks the histories of one file. */
export class HistoryCheck {
  /** real actions of the history at hand; undefined where the types are not in the file */
  real: number | undefined;
  private customer: bigint | undefined;

  /**
   * @param length of each list
   * @param types codes that actions may have
   * @param rules null where nobody knows by what rules the output was made
   */
  constructor(
    private readonly file: string,
    private readonly day: number,
    private readonly length: number,
    private readonly types: ReadonlySet<number>,
    private readonly rules: HistoryRules | null,
    private readonly findings: Findings,
  ) {}

  take(row: OutputRow, history: OutputHistory) {
    if (history.fresh) {
      if (row.customer !== undefined && row.customer === this.customer)
        this.add("two histories", row, "rows of one customer on one dt have different histories");
      this.customer = row.customer;
      this.checkLists(row, history);
    }
    if (row.historyLength !== undefined && this.real !== undefined && row.historyLength !== this.real)
      this.add("wrong history_length", row, `history_length is ${row.historyLength}; action_types have ${this.real} actions`);
    if (row.item !== undefined && row.impressions !== undefined && row.item !== row.impressions)
      this.add("wrong impressions", row, "impressions is not the same as item_id");
  }

  private checkLists(row: OutputRow, { items, types, times }: OutputHistory) {
    this.real = undefined;
    for (const list of [items, types, times])
      if (list !== undefined && list.length !== this.length)
        return this.add("wrong length", row, `a list has ${list.length} elements, expected ${this.length}`);
    if (types === undefined) return;
    const end = types.indexOf(0);
    this.real = end < 0 ? types.length : end;
    for (let at = 0; at < this.real; at++)
      if (!this.types.has(types[at])) this.add("wrong type", row, `action type ${types[at]} is of no table`, at);
    for (let at = this.real; at < types.length; at++) {
      if (types[at] !== 0) return this.add("wrong pad", row, "an action comes after padding", at);
      if (items !== undefined && items[at] !== 0n) return this.add("wrong pad", row, "padding has an item", at);
      if (times !== undefined && times[at] !== 0n) return this.add("wrong pad", row, "padding has a time", at);
    }
    if (times !== undefined) this.checkTimes(row, items, types, times);
  }

  private checkTimes(row: OutputRow, items: BigInt64Array | undefined, types: Int32Array, times: BigInt64Array) {
    for (let at = 0; at < this.real!; at++) {
      const time = Number(times[at]);
      const reason = this.rules === null ? undefined : whyNotVisible(time, types[at], this.day, this.rules);
      if (reason !== undefined) this.add(reason.kind, row, reason.message, at);
      if (at > 0 && newer(items, types, times, at, at - 1))
        this.add("wrong order of actions", row, "an action is newer than the one before it", at);
    }
  }

  private add(kind: string, { row }: OutputRow, message: string, position?: number) {
    this.findings.add(kind, message, { file: this.file, dt: nameOf(this.day), row, ...(position === undefined ? {} : { position }) });
  }
}

function newer(items: BigInt64Array | undefined, types: Int32Array, times: BigInt64Array, a: number, b: number): boolean {
  if (times[a] !== times[b]) return times[a] > times[b];
  if (types[a] !== types[b]) return types[a] > types[b];
  return items !== undefined && items[a] > items[b];
}

/** Why an action must not be in a history of a day, going by its time alone; undefined if it may. */
export function whyNotVisible(
  time: number,
  type: number,
  day: number,
  { zone, orderLagDays, lookbackDays, actionClock }: HistoryRules,
): { kind: string; message: string } | undefined {
  if (actionClock !== "dt") {
    const lag = type === ORDER ? orderLagDays : 0;
    if (time >= zone.midnight(day + 1)) return { kind: "action after the cutoff", message: "a leak: its time is after the dt" };
    if (time >= zone.midnight(day)) return { kind: "action of the same day", message: "a leak: its time is on the dt itself" };
    if (time >= zone.midnight(day - lag))
      return { kind: "order within the lag", message: `a leak: it is not ${lag} days older than the dt` };
  }
  if (lookbackDays !== null && time < zone.midnight(day - lookbackDays))
    return { kind: "action before the lookback", message: `its time is more than ${lookbackDays} days before the dt` };
  return undefined;
}
