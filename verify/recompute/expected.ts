/** SPEC, "Rule", in plain code: the histories and rows of some customers, from their actions and rankings. */
import type { Action, Ranking, Slot } from "../inputs/tables";
import { ORDER, type Rules } from "../rules";
import type { Zone } from "../zone";
import { ActionStore } from "./store";

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
}

export interface Customer {
  days: Map<number, ExpectedDay>;
  /** numbers of all their actions, whether a day sees them or not */
  actions: number[];
  /** newest first */
  sorted: boolean;
}

export class Expected {
  readonly customers = new Map<bigint, Customer>();
  readonly store = new ActionStore();

  constructor(
    readonly rules: Rules,
    readonly zone: Zone,
  ) {}

  addRanking(ranking: Ranking): void {
    const customer = this.customers.get(ranking.customer) ?? { days: new Map<number, ExpectedDay>(), actions: [], sorted: false };
    this.customers.set(ranking.customer, customer);
    const expected = customer.days.get(ranking.day) ?? { day: ranking.day, slots: [] };
    customer.days.set(ranking.day, expected);
    for (const [index, slot] of ranking.slots.entries()) expected.slots.push({ ...slot, ranking, index, found: false });
  }

  /** Actions of customers without a ranking are in no history. */
  addAction(id: bigint, action: Action): void {
    this.customers.get(id)?.actions.push(this.store.push(action));
  }

  /** The numbers of the actions of a history, newest first. */
  history(customer: Customer, { day }: ExpectedDay): number[] {
    if (!customer.sorted) customer.actions.sort((a, b) => newestFirst(this.store, a, b));
    customer.sorted = true;
    return customer.actions.filter(visibleOn(day, this.store, this.rules, this.zone)).slice(0, this.rules.historyLength);
  }
}

/** Rule 3: newest first; at equal times the higher type, then the higher item. */
function newestFirst({ times, types, items }: ActionStore, a: number, b: number): number {
  return times[b] - times[a] || types[b] - types[a] || (items[a] < items[b] ? 1 : items[a] > items[b] ? -1 : 0);
}

/** Rules 1 and 2: which actions, by their numbers, a day sees. */
export function visibleOn(day: number, { times, types, days }: ActionStore, rules: Rules, zone: Zone): (action: number) => boolean {
  const { orderLagDays, lookbackDays, actionClock } = rules;
  const cutoff = zone.midnight(day);
  const orderCutoff = zone.midnight(day - orderLagDays);
  const begin = lookbackDays === null ? Number.NEGATIVE_INFINITY : zone.midnight(day - lookbackDays);
  return (action) => {
    const isOrder = types[action] === ORDER;
    if (actionClock !== "dt" && !(times[action] < (isOrder ? orderCutoff : cutoff))) return false;
    if (actionClock !== "time" && !(days[action] < (isOrder ? day - orderLagDays : day))) return false;
    return times[action] >= begin;
  };
}
