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
  "inclusive cutoff": "one side has what happened at the cutoff itself, such as orders of the day itself: a cutoff by <= in the place of <",
  "order time": "only orders differ: --order-time, --order-lag-days, or when their day begins",
  "time zone": "one side is some hours later at both ends: its days begin at another time",
  "newer actions": "one side has newer actions: a leak of the day itself, or another time zone or clock",
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

export interface Found {
  /** the most likely one */
  reason: Reason;
  /** the first position at which the lists differ (-1: they do not) */
  position: number;
  /** the side that has more, or newer, actions; null where neither has */
  more: "here" | "there" | null;
}

/** @param rooms how long lists of each side get: one that is shorter, without padding, has not lost anything for want of room */
export function reasonFor(here: List, there: List, rooms: [number, number] = [here.items.length, there.items.length]): Found {
  const position = firstDifference(here, there);
  if (position < 0) return { reason: "other values", position, more: null };
  // types and times are compared only if both sides have them
  const withTypes = here.types.length === here.items.length && there.types.length === there.items.length;
  const [a, b] = [real(here, withTypes), real(there, withTypes)];
  return { reason: likely(a, b, rooms), position, more: moreOf(a.actions, b.actions) };
}

/** By what one side has at the first position at which its real actions differ and the other has nowhere. */
function moreOf(a: Action[], b: Action[]): Found["more"] {
  const [onlyA, onlyB] = [extras(a, b)[0] ?? Infinity, extras(b, a)[0] ?? Infinity];
  if (onlyA === onlyB) return null;
  return onlyA < onlyB ? "here" : "there";
}

function likely(a: Real, b: Real, [roomA, roomB]: [number, number]): Reason {
  if (isSame(a.actions, b.actions)) return a.isLeft !== b.isLeft ? "padding side" : "padding length";
  if (a.actions.length > 1 && isSame(a.actions, b.actions.toReversed())) return "oldest first";
  const [short, long, room] = a.actions.length <= b.actions.length ? [a.actions, b.actions, roomA] : [b.actions, a.actions, roomB];
  if (isSame(short, long.slice(0, short.length))) return short.length === room ? "history length" : "lookback boundary";
  const onlyOrders = isPrefix(withoutOrders(a.actions), withoutOrders(b.actions));
  if (isSame(sorted(a.actions), sorted(b.actions))) {
    const times = [a.actions, b.actions].find((actions) => actions.every(({ time }) => time !== undefined));
    if (times === undefined && onlyOrders) return "order time";
    return isTies(a.actions, b.actions, times) ? "tie order" : "another order";
  }
  if (isSameBy(a.actions, b.actions, ({ item }) => String(item))) return "type codes";
  if (isSame(distinct(a.actions), distinct(b.actions))) return "duplicates";
  if (isAtCutoff(a.actions, b.actions, roomA) || isAtCutoff(b.actions, a.actions, roomB)) return "inclusive cutoff";
  if (onlyOrders) return "order time";
  return byExtras(a.actions, b.actions, roomA, roomB);
}

/** Whether what a has in front, and b has not, is all of one midnight; where no time is told, whether it is orders, which are of one. */
function isAtCutoff(a: Action[], b: Action[], room: number): boolean {
  const newer = extras(a, b);
  if (!isInFront(newer) || !isFallen(extras(b, a), b, a.length === room)) return false;
  const [{ time }] = a;
  return newer.every((at) => (time === undefined ? a[at].type === ORDER : a[at].time === time && time % QUARTER_MICROS === 0n));
}

/** In every time zone a day begins at a quarter of an hour of UTC. */
const QUARTER_MICROS = 900_000_000n;

const isInFront = (extra: number[]): boolean => extra.length > 0 && extra.every((at, i) => at === i);
const isAtEnd = (extra: number[], list: Action[]): boolean => extra.every((at, i) => at === list.length - extra.length + i);
/** Whether a list lacks no more than the oldest of the other one, since it is full. */
const isFallen = (extra: number[], list: Action[], isFull: boolean): boolean => extra.length === 0 || (isFull && isAtEnd(extra, list));

/** By where the actions stand that only one side has. A list that is full loses its oldest for what it has more in front. */
function byExtras(a: Action[], b: Action[], roomA: number, roomB: number): Reason {
  const [onlyA, onlyB] = [extras(a, b), extras(b, a)];
  const [isFullA, isFullB] = [a.length === roomA, b.length === roomB];
  if (isInFront(onlyA) && isFallen(onlyB, b, isFullA)) return "newer actions";
  if (isInFront(onlyB) && isFallen(onlyA, a, isFullB)) return "newer actions";
  if ((isInFront(onlyA) && isAtEnd(onlyB, b)) || (isInFront(onlyB) && isAtEnd(onlyA, a))) return "time zone";
  if (isFullA && isFullB && isAtEnd(onlyA, a) && isAtEnd(onlyB, b) && onlyA.length <= NEAR && isOneTime(a, onlyA)) return "tie order";
  if (onlyA.length === 0 || onlyB.length === 0) return "actions missing";
  if (isAtEnd(onlyA, a) && isFullA) return "actions missing";
  if (isAtEnd(onlyB, b) && isFullB) return "actions missing";
  return "other items";
}

/** Ties at the cut: the oldest that there is room for. */
const isOneTime = (actions: Action[], extra: number[]): boolean => extra.every((at) => actions[at].time === actions[extra[0]].time);

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
