/** SPEC, "Rule", in plain code: the histories and rows of some customers, from their actions and rankings. */
import type { Action, Ranking, Slot } from "../inputs/tables";
import { ORDER, type Rules } from "../rules";
import type { Zone } from "../zone";

/** A slot that a row is expected for, and whether one was found. */
export interface ExpectedSlot extends Slot {
  ranking: Ranking;
  index: number;
  found: boolean;
}

/** The rows of a customer on a day. */
export interface ExpectedDay {
  day: number;
  slots: ExpectedSlot[];
  /** newest first; computed when it is first asked for */
  history?: Action[];
}

export interface Customer {
  days: Map<number, ExpectedDay>;
  /** all of them, whether a day sees them or not */
  actions: Action[];
  sorted: boolean;
}

export class Expected {
  readonly customers = new Map<bigint, Customer>();

  constructor(
    readonly rules: Rules,
    readonly zone: Zone,
  ) {}

  customer(id: bigint): Customer {
    let customer = this.customers.get(id);
    if (customer === undefined) this.customers.set(id, (customer = { days: new Map(), actions: [], sorted: false }));
    return customer;
  }

  addRanking(ranking: Ranking): void {
    const { days } = this.customer(ranking.customer);
    let expected = days.get(ranking.day);
    if (expected === undefined) days.set(ranking.day, (expected = { day: ranking.day, slots: [] }));
    for (const [index, slot] of ranking.slots.entries()) expected.slots.push({ ...slot, ranking, index, found: false });
  }

  history(customer: Customer, expected: ExpectedDay): Action[] {
    return (expected.history ??= historyOf(customer, expected.day, this.rules, this.zone));
  }
}

function historyOf(customer: Customer, day: number, rules: Rules, zone: Zone): Action[] {
  if (!customer.sorted) customer.actions.sort(newestFirst);
  customer.sorted = true;
  return customer.actions.filter((action) => isVisible(action, day, rules, zone)).slice(0, rules.historyLength);
}

/** Rule 3: newest first; at equal times the higher type, then the higher item. */
function newestFirst(a: Action, b: Action): number {
  return b.time - a.time || b.table.type - a.table.type || (a.item < b.item ? 1 : a.item > b.item ? -1 : 0);
}

/** Rules 1 and 2. */
export function isVisible(action: Action, day: number, rules: Rules, zone: Zone): boolean {
  const lag = action.table.type === ORDER ? rules.orderLagDays : 0;
  if (rules.actionClock !== "dt" && !(action.time < zone.midnight(day - lag))) return false;
  if (rules.actionClock !== "time" && !(action.day < day - lag)) return false;
  return rules.lookbackDays === null || action.time >= zone.midnight(day - rules.lookbackDays);
}
