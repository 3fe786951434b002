/** The rows of an output against those expected of some customers. */
import type { Findings, Where } from "../findings";
import type { Action } from "../inputs/tables";
import { bytesOf, type OutputHistory, type OutputRow } from "../output/rows";
import { nameOf } from "../zone";
import { type Customer, type Expected, type ExpectedDay, type ExpectedSlot, visibleOn } from "./expected";
import { Explainer, type FoundAction, matches } from "./explain";

/** Rows that no slot expects, kept until all rows were seen. */
const MOST_LEFT = 10_000;

interface Left {
  row: OutputRow;
  where: Where;
  day: number;
}

/** Slots that a row may stand for: those with the same ranking and index, as far as the output tells them. */
type Slots = Map<string, ExpectedSlot[]>;

export class Comparison {
  /** rows of customers that were recomputed */
  rows = 0;
  /** times of the actions of the histories compared: by day, by type, the oldest and the newest */
  readonly used = new Map<number, Map<number, [oldest: number, newest: number]>>();
  private readonly explainer: Explainer;
  private readonly slots = new Map<ExpectedDay, Slots>();
  private readonly left: Left[] = [];
  private readonly daysFound = new Set<number>();
  private readonly daysMissing = new Set<number>();
  private lists: { day: ExpectedDay; items: Buffer; types: Buffer; times: Buffer; real: number } | undefined;

  /**
   * @param isSampled which customers are recomputed
   * @param days those that the output is about
   */
  constructor(
    private readonly expected: Expected,
    private readonly isSampled: (customer: bigint) => boolean,
    private readonly days: (day: number) => boolean,
    private readonly findings: Findings,
  ) {
    this.explainer = new Explainer(expected.rules, expected.zone, findings);
  }

  take(file: string, day: number, row: OutputRow, history: OutputHistory) {
    this.daysFound.add(day);
    if (row.customer === undefined || !this.isSampled(row.customer)) return;
    this.rows++;
    const where: Where = { file, dt: nameOf(day), row: row.row };
    const customer = this.expected.customers.get(row.customer);
    const expected = customer?.days.get(day);
    if (customer === undefined || expected === undefined) return this.keep({ row, where, day });
    const slot = this.slotsOf(expected, row)
      .get(keyOf(row))
      ?.find((slot) => !slot.found && sameContent(slot, row));
    if (slot === undefined) this.keep({ row, where, day });
    else slot.found = true;
    this.compare(customer, expected, row, history, where);
  }

  /** After all rows: those that nobody expected, and those that nobody found. */
  finish() {
    for (const left of this.left) this.tellLeft(left);
    for (const customer of this.expected.customers.values())
      for (const day of customer.days.values()) if (this.days(day.day)) this.tellMissing(customer, day);
  }

  private slotsOf(day: ExpectedDay, row: OutputRow): Slots {
    let slots = this.slots.get(day);
    if (slots === undefined) {
      slots = Map.groupBy(day.slots, ({ ranking, index }) =>
        keyOf({ ranking: row.ranking === undefined ? undefined : ranking.id, index: row.index === undefined ? undefined : index }),
      );
      this.slots.set(day, slots);
    }
    return slots;
  }

  private keep(left: Left) {
    if (this.left.length < MOST_LEFT) this.left.push(left);
    else this.tellLeft(left);
  }

  private compare(customer: Customer, day: ExpectedDay, row: OutputRow, history: OutputHistory, where: Where) {
    if (!history.fresh && this.lists?.day === day) return this.compareLength(row, where);
    const { items, types, times } = history;
    if (this.lists?.day !== day) this.expect(customer, day);
    const lists = this.lists!;
    this.compareLength(row, where);
    if (this.expected.rules.dropEmptyHistory && lists.real === 0)
      this.findings.add("row without history", "its customer has no action to be seen, so it should have been dropped", where);
    const same = (found: BigInt64Array | Int32Array | undefined, list: Buffer) => found === undefined || bytesOf(found).equals(list);
    if (same(items, lists.items) && same(types, lists.types) && same(times, lists.times)) return;
    this.explain(customer, day, history, where);
  }

  /** Puts down what the lists of a history should be. */
  private expect(customer: Customer, day: ExpectedDay) {
    const { store, rules } = this.expected;
    const actions = this.expected.history(customer, day);
    const items = new BigInt64Array(rules.historyLength);
    const types = new Int32Array(rules.historyLength);
    const times = new BigInt64Array(rules.historyLength);
    const byType = this.used.get(day.day) ?? new Map<number, [number, number]>();
    this.used.set(day.day, byType);
    for (const [at, action] of actions.entries()) {
      const time = store.times[action];
      items[at] = store.items[action];
      types[at] = store.types[action];
      times[at] = BigInt(time);
      const range = byType.get(types[at]);
      if (range === undefined) byType.set(types[at], [time, time]);
      else if (time < range[0]) range[0] = time;
      else if (time > range[1]) range[1] = time;
    }
    this.lists = { day, items: bytesOf(items), types: bytesOf(types), times: bytesOf(times), real: actions.length };
  }

  private explain(customer: Customer, day: ExpectedDay, history: OutputHistory, where: Where) {
    const { store, rules, zone } = this.expected;
    const expected = this.expected.history(customer, day).map((action) => store.at(action));
    const found = foundActions(history, expected);
    if (found.length === expected.length && found.every((action, at) => matches(action, expected[at]))) return;
    const isVisible = visibleOn(day.day, store, rules, zone);
    const actions = customer.actions.map((action) => ({ action: store.at(action), isVisible: isVisible(action) }));
    this.explainer.explain({ found, expected, actions, day: day.day, where });
  }

  private compareLength(row: OutputRow, where: Where) {
    if (row.historyLength !== undefined && row.historyLength !== this.lists!.real)
      this.findings.add("wrong history_length", `history_length is ${row.historyLength}, expected ${this.lists!.real}`, where);
  }

  private tellLeft({ row, where, day }: Left) {
    const expected = this.expected.customers.get(row.customer!)?.days.get(day);
    const values = { row: { ranking_id: row.ranking, customer_id: row.customer, item_id: row.item, is_order: row.isOrder } };
    if (expected === undefined)
      return this.findings.add("row of another run", "no input has a ranking of its customer on this dt", where, values);
    const same = this.slotsOf(expected, row).get(keyOf(row)) ?? [];
    const free = same.find(({ found }) => !found);
    if (free !== undefined) {
      free.found = true;
      const input = `${free.ranking.file.name}:${free.ranking.position}`;
      const wrong = row.item !== undefined && row.item !== free.item ? "item" : row.isOrder === undefined ? "item" : "is_order";
      const expectedValues = { item_id: free.item, is_order: free.isOrder };
      return this.findings.add(
        `wrong ${wrong}`,
        `the slot has another ${wrong} in the inputs`,
        { ...where, input },
        { ...values, expected: expectedValues },
      );
    }
    if (same.some((slot) => sameContent(slot, row)))
      return this.findings.add("duplicate row", "the row is there more often than in the inputs", where, values);
    const isKnown = expected.slots.some(({ ranking }) => ranking.id === row.ranking);
    this.findings.add(
      "row of another run",
      isKnown ? "its ranking has no such slot in the inputs" : "no input has its ranking on this dt",
      where,
      values,
    );
  }

  private tellMissing(customer: Customer, day: ExpectedDay) {
    const missing = day.slots.filter(({ found }) => !found);
    if (missing.length === 0) return;
    if (this.expected.rules.dropEmptyHistory && this.expected.history(customer, day).length === 0) return;
    const dt = nameOf(day.day);
    if (!this.daysFound.has(day.day)) {
      if (!this.daysMissing.has(day.day))
        this.findings.add("missing partition", "the inputs have rankings of this dt, the output has no row", { dt });
      this.daysMissing.add(day.day);
      return;
    }
    for (const [ranking, slots] of Map.groupBy(missing, ({ ranking }) => ranking)) {
      const input = `${ranking.file.name}:${ranking.position}`;
      const which = slots.map(({ index }) => index).join(", ");
      this.findings.add("missing row", `slots of the ranking that have no row: ${which}`, { dt, input });
    }
  }
}

const keyOf = ({ ranking, index }: Pick<OutputRow, "ranking" | "index">): string => `${ranking ?? ""}\0${index ?? ""}`;

const sameContent = (slot: ExpectedSlot, { item, isOrder }: OutputRow): boolean =>
  (item === undefined || item === slot.item) && (isOrder === undefined || isOrder === slot.isOrder);

/** The actions that a row has: up to the first padding; without types, up to the last that is more than zeros. */
function foundActions({ items, types, times }: OutputHistory, expected: readonly Action[]): FoundAction[] {
  const length = (types ?? items ?? times ?? []).length;
  const end = types === undefined ? -1 : types.indexOf(0);
  let real = types === undefined ? length : end < 0 ? length : end;
  if (types === undefined) while (real > expected.length && (items?.[real - 1] ?? 0n) === 0n && (times?.[real - 1] ?? 0n) === 0n) real--;
  return Array.from({ length: real }, (_, at) => ({
    item: items?.[at],
    type: types?.[at],
    time: times === undefined ? undefined : Number(times[at]),
  }));
}
