/** Why two histories of a row differ, as far as they tell. */
import type { List } from "./histories";

export const REASONS = {
  "padding side": "the same actions, with the padding on another side",
  "padding length": "the same actions, with more or less padding: other lengths of lists, or none",
  "oldest first": "the same actions in reverse: one side has the oldest first",
  "history length": "one side ends where its list is full: another --history-length",
  "lookback boundary": "one side goes further back: another lookback, or other old data",
  "tie order": "the same actions, those of the same time in another order",
  "another order": "the same actions in another order: ties, or another time of orders",
  "type codes": "the same items, with other codes of types",
  duplicates: "one side has each repeated action once only",
  "order time": "only orders differ: --order-time, --order-lag-days, or when their day begins",
  "newer actions": "one side has newer actions: those of the day itself, or another time zone or clock",
  "actions missing": "one side lacks actions in the middle: other inputs, or a filter",
  "other items": "both sides have actions that the other lacks",
  "other values": "histories are the same, other columns differ",
} as const;
export type Reason = keyof typeof REASONS;

/** A real action, for comparing. */
interface Action {
  key: string;
  item: bigint;
  type: number;
  time: bigint | undefined;
}

const ORDER = 3;

/** @returns the most likely reason, and the first position at which the lists differ (-1: they do not) */
export function reasonFor(here: List, there: List): { reason: Reason; position: number } {
  const position = firstDifference(here, there);
  if (position < 0) return { reason: "other values", position };
  // types and times are compared only if both sides have them
  const withTypes = here.types.length === here.items.length && there.types.length === there.items.length;
  return { reason: likely(real(here, withTypes), real(there, withTypes), here, there), position };
}

function likely(a: Real, b: Real, here: List, there: List): Reason {
  if (isSame(a.actions, b.actions)) return a.isLeft !== b.isLeft ? "padding side" : "padding length";
  if (a.actions.length > 1 && isSame(a.actions, b.actions.toReversed())) return "oldest first";
  const [short, long, list] = a.actions.length <= b.actions.length ? [a.actions, b.actions, here] : [b.actions, a.actions, there];
  if (isSame(short, long.slice(0, short.length))) return short.length === list.items.length ? "history length" : "lookback boundary";
  const onlyOrders = isPrefix(withoutOrders(a.actions), withoutOrders(b.actions));
  if (isSame(sorted(a.actions), sorted(b.actions))) {
    const times = [a.actions, b.actions].find((actions) => actions.every(({ time }) => time !== undefined));
    if (times === undefined && onlyOrders) return "order time";
    return isTies(a.actions, b.actions, times) ? "tie order" : "another order";
  }
  if (isSameBy(a.actions, b.actions, ({ item }) => String(item))) return "type codes";
  if (isSame(distinct(a.actions), distinct(b.actions))) return "duplicates";
  if (onlyOrders) return "order time";
  return byExtras(a.actions, b.actions, here.items.length, there.items.length);
}

/** By where the actions stand that only one side has. A list that is full loses its oldest for what it has more in front. */
function byExtras(a: Action[], b: Action[], lengthA: number, lengthB: number): Reason {
  const [onlyA, onlyB] = [extras(a, b), extras(b, a)];
  const atFront = (extra: number[]) => extra.length > 0 && extra.every((at, i) => at === i);
  const atEnd = (extra: number[], list: Action[]) => extra.every((at, i) => at === list.length - extra.length + i);
  if (atFront(onlyA) && atEnd(onlyB, b) && (onlyB.length === 0 || a.length === lengthA)) return "newer actions";
  if (atFront(onlyB) && atEnd(onlyA, a) && (onlyA.length === 0 || b.length === lengthB)) return "newer actions";
  if (onlyA.length === 0 || onlyB.length === 0) return "actions missing";
  if (atEnd(onlyA, a) && a.length === lengthA) return "actions missing";
  if (atEnd(onlyB, b) && b.length === lengthB) return "actions missing";
  return "other items";
}

interface Real {
  actions: Action[];
  isLeft: boolean;
}

function real({ items, types, times }: List, withTypes: boolean): Real {
  const told = types.length === items.length ? types : items.map((item) => (item === 0n ? 0 : 1));
  let [from, to] = [0, items.length];
  while (to > from && told[to - 1] === 0) to--;
  while (from < to && told[from] === 0) from++;
  const actions: Action[] = [];
  for (let i = from; i < to; i++) {
    const type = withTypes ? types[i] : -1;
    actions.push({ key: `${items[i]} ${type}`, item: items[i], type, time: times[i] });
  }
  return { actions, isLeft: from > 0 };
}

/** Of real and padding elements alike, as the lists are. */
function firstDifference(here: List, there: List): number {
  const columns: (keyof List)[] = ["items", "types", "times"];
  const both = columns.filter((name) => here[name].length > 0 && there[name].length > 0);
  const length = Math.max(here.items.length, there.items.length, here.types.length, there.types.length);
  for (let i = 0; i < length; i++) if (both.some((name) => here[name][i] !== there[name][i])) return i;
  return -1;
}

/** Whether what changes places has the same time; where no side tells times, whether it stays near. */
function isTies(a: Action[], b: Action[], known: Action[] | undefined): boolean {
  return stretches(a, b).every(([from, to]) =>
    known === undefined ? to - from <= NEAR : known.slice(from, to).every(({ time }) => time === known[from].time),
  );
}

/** More actions than this at one time would be unusual. */
const NEAR = 16;

/** The shortest stretches that hold the same actions on both sides, and of which the ends differ. */
function stretches(a: Action[], b: Action[]): Extents {
  const found: Extents = [];
  for (let i = 0; i < a.length; i++) {
    if (a[i].key === b[i].key) continue;
    const open = new Map<string, number>();
    let unmatched = 0;
    let to = i;
    do {
      unmatched += count(open, a[to].key, 1) + count(open, b[to].key, -1);
      to++;
    } while (unmatched > 0 && to < a.length);
    found.push([i, to]);
    i = to - 1;
  }
  return found;
}
type Extents = [from: number, to: number][];

/** Adds to a count; @returns by how much the number of counts that are not 0 has changed */
function count(counts: Map<string, number>, key: string, by: number): number {
  const before = counts.get(key) ?? 0;
  counts.set(key, before + by);
  return Math.abs(before + by) - Math.abs(before);
}

/** Positions in a of what b has not, each as often as it is more. */
function extras(a: Action[], b: Action[]): number[] {
  const left = new Map<string, number>();
  for (const { key } of b) left.set(key, (left.get(key) ?? 0) + 1);
  // from the oldest on, so that of equal ones the newest count as more
  const found: number[] = [];
  for (let i = a.length - 1; i >= 0; i--) {
    const n = left.get(a[i].key) ?? 0;
    if (n > 0) left.set(a[i].key, n - 1);
    else found.push(i);
  }
  return found.reverse();
}

const withoutOrders = (actions: Action[]): Action[] => actions.filter(({ type }) => type !== ORDER);
const sorted = (actions: Action[]): Action[] => actions.toSorted((x, y) => (x.key < y.key ? -1 : x.key > y.key ? 1 : 0));
const distinct = (actions: Action[]): Action[] => {
  const seen = new Set<string>();
  return actions.filter(({ key }) => !seen.has(key) && seen.add(key));
};
const isPrefix = (a: Action[], b: Action[]): boolean => isSame(a.slice(0, b.length), b.slice(0, a.length));
const isSame = (a: Action[], b: Action[]): boolean => isSameBy(a, b, ({ key }) => key);

function isSameBy(a: Action[], b: Action[], by: (action: Action) => string): boolean {
  return a.length === b.length && a.every((action, i) => by(action) === by(b[i]));
}
