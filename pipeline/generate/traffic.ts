/**
 * An invented shop, row by row: nothing is remembered from one row to the next, so any size fits into memory, and rows of
 * a customer come in no order of time.
 *
 * The trap: a slot's `is_order` is made together with a click, an add-to-cart and an order of the same day, after the
 * impression. Whoever lets actions of dt into the history of dt gives the label away.
 */
import { between, fine, growing, mix, powerLaw, type Random, sfc32, steepPowerLaw } from "./random";
import { dayOf, type Slot, type TableName, type Value } from "./tables";

export interface Plan {
  rankings: number;
  actions: number;
  customers: number;
  items: number;
  /** impressions happen on [firstDay, firstDay + days), days since 1970-01-01; actions end with the last of them */
  firstDay: number;
  days: number;
  /** actions begin this many days before the end of the last impression day */
  historySpanDays: number;
  slots: { from: number; to: number };
  seed: number;
  wideIds: boolean;
}

/** Takes one row, in the order of the table's columns. The array is reused. */
export type Emit = (table: TableName, row: readonly Value[]) => void;

const MINUTE = 60_000_000;
const DAY = 1440 * MINUTE;

/** Four times as much traffic at the end of the history as at its beginning; a little growth over the impression days. */
const HISTORY_GROWTH = 3;
const IMPRESSION_GROWTH = 0.25;

/** Together they give 85% clicks, 12% add-to-carts and 3% orders. */
const CART_PER_CLICK = 0.141;
const ORDER_PER_CART = 0.25;

/** Of rows whose dt is one to three days later than the day of their time. */
const LATE = 0.01;

/** A customer comes back to these few items, and orders them more often: what a model can learn from a history. */
const FAVOURITES = 8;
const FAVOURITE_VISITS = 0.3;
const ORDER_FAVOURITE = 0.06;
const ORDER_OTHER = 0.015;

/** One customer in 20 never sees a ranking, another one never acts; neither is the first. */
const neverShown = (customer: number) => customer % 20 === 7;
const neverActs = (customer: number) => customer % 20 === 13;

/** Ranks to ids that are spread out and one to one: multiplied modulo a prime. */
const customerNumber = (rank: number) => (rank * 618_033) % 10_000_000_019;
const itemNumber = (rank: number) => (rank * 618_033) % 1_000_000_007;

/**
 * Every eighth id beyond 2^53, half of those negative. They are close together on purpose: as doubles, which are 1,024
 * apart there, customers and items would be taken for one another.
 */
function wide(rank: number): bigint | undefined {
  if (rank % 8 !== 5) return undefined;
  const id = 9_000_000_000_000_000_000n + BigInt(rank);
  return rank % 16 === 5 ? id : -id;
}

export function customerId(rank: number, wideIds: boolean): number | bigint {
  return (wideIds && wide(rank)) || customerNumber(rank);
}

export function itemId(rank: number, wideIds: boolean): number | bigint {
  return (wideIds && wide(rank)) || itemNumber(rank);
}

class Shop {
  private readonly random: Random;
  private readonly endMicros: number;
  private readonly row: Value[] = [];
  private actionsLeft: number;

  constructor(
    private readonly plan: Plan,
    private readonly emit: Emit,
  ) {
    this.random = sfc32(plan.seed);
    this.endMicros = (plan.firstDay + plan.days) * DAY;
    this.actionsLeft = plan.actions;
  }

  /** Rankings and other visits take turns, so that what belongs to a ranking is spread over the files. */
  open(): void {
    const { rankings, actions } = this.plan;
    for (let n = 0; n < rankings; n++) {
      this.ranking(n);
      const left = actions - Math.floor((actions * (n + 1)) / rankings);
      while (this.actionsLeft > left) this.visit();
    }
    while (this.actionsLeft > 0) this.visit();
  }

  private ranking(number: number): void {
    const { plan, random } = this;
    const day = plan.firstDay + Math.floor(growing(random(), IMPRESSION_GROWTH) * plan.days);
    const customer = this.customer(neverShown);
    const seenMicros = day * DAY + Math.floor(fine(random) * 1200) * MINUTE;
    const ranks: number[] = [];
    const slots: Slot[] = [];
    for (let count = between(random, plan.slots.from, plan.slots.to); count > 0; count--) {
      const favourite = random() < FAVOURITE_VISITS;
      let item = this.item(customer, favourite);
      while (ranks.includes(item)) item = this.item(customer, false);
      ranks.push(item);
      const isOrder = random() < (favourite ? ORDER_FAVOURITE : ORDER_OTHER) && this.buy(customer, item, seenMicros);
      slots.push({ item: itemId(item, plan.wideIds), isOrder });
    }
    this.write("impressions", day, `r${String(number).padStart(9, "0")}`, customerId(customer, plan.wideIds), slots);
  }

  /** The day's events behind an `is_order`: at most 150 minutes after an impression before 20:00. False if actions are used up. */
  private buy(customer: number, item: number, seenMicros: number): boolean {
    if (this.actionsLeft < 3 || neverActs(customer)) return false;
    const clicked = this.after(seenMicros, 30);
    const added = this.after(clicked, 30);
    this.click(customer, item, clicked);
    this.cart(customer, item, added);
    this.order(customer, item, this.after(added, 90));
    return true;
  }

  /** A click, with luck an add-to-cart, with more luck an order, as long as there is time and actions are left. */
  private visit(): void {
    const { plan, random } = this;
    const customer = this.customer(neverActs);
    const item = this.item(customer, random() < FAVOURITE_VISITS);
    const span = plan.historySpanDays * DAY;
    const clicked = this.endMicros - span + Math.floor(growing(fine(random), HISTORY_GROWTH) * span);
    this.click(customer, item, clicked);
    if (random() >= CART_PER_CLICK) return;
    const added = this.after(clicked, 120);
    if (added >= this.endMicros || this.actionsLeft === 0) return;
    this.cart(customer, item, added);
    if (random() >= ORDER_PER_CART) return;
    const ordered = this.after(added, 3000);
    if (ordered < this.endMicros && this.actionsLeft > 0) this.order(customer, item, ordered);
  }

  private customer(avoid: (customer: number) => boolean): number {
    let rank = powerLaw(this.random, this.plan.customers);
    while (avoid(rank)) rank = powerLaw(this.random, this.plan.customers);
    return rank;
  }

  private item(customer: number, favourite: boolean): number {
    if (!favourite) return steepPowerLaw(this.random, this.plan.items);
    const nth = between(this.random, 0, FAVOURITES - 1);
    return 1 + ((mix(customer * FAVOURITES + nth) >>> 0) % this.plan.items);
  }

  /** Soon rather than late, within so many minutes. */
  private after(timeMicros: number, minutes: number): number {
    const wait = this.random();
    return timeMicros + 1 + Math.floor(wait * wait * minutes * MINUTE);
  }

  private click(customer: number, item: number, timeMicros: number): void {
    const { wideIds } = this.plan;
    this.actionsLeft--;
    this.write("clicks", this.loadDay(timeMicros), customerId(customer, wideIds), itemId(item, wideIds), timeMicros);
  }

  private cart(customer: number, item: number, timeMicros: number): void {
    this.product("add_to_carts", this.loadDay(timeMicros), customer, item, timeMicros);
  }

  private order(customer: number, item: number, timeMicros: number): void {
    this.product("previous_orders", dayOf(timeMicros), customer, item, timeMicros);
  }

  private product(table: TableName, day: number, customer: number, item: number, timeMicros: number): void {
    const { wideIds } = this.plan;
    this.actionsLeft--;
    const simple = itemNumber(item) * 10 + between(this.random, 0, 8);
    this.write(table, day, customerId(customer, wideIds), itemId(item, wideIds), simple, timeMicros);
  }

  /** The dt under which a row was loaded: now and then the row was late. */
  private loadDay(timeMicros: number): number {
    return dayOf(timeMicros) + (this.random() < LATE ? between(this.random, 1, 3) : 0);
  }

  private write(table: TableName, a: Value, b: Value, c: Value, d: Value, e?: Value): void {
    const { row } = this;
    row.length = 0;
    row.push(a, b, c, d);
    if (e !== undefined) row.push(e);
    this.emit(table, row);
  }
}

/** Emits `plan.rankings` impressions and exactly `plan.actions` rows of the three other tables together. */
export function traffic(plan: Plan, emit: Emit): void {
  new Shop(plan, emit).open();
}
