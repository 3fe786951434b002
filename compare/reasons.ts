/** Why two histories of a row differ, as far as they tell. */
import type { List } from "./histories";
import { type Action, collapsed, distinct, extras, isAtEnd, isPrefix, isSame, isSameBy, shiftOf, sorted, stretches } from "./sequences";

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
  const withTypes = here.types !== null && there.types !== null;
  const [a, b] = [real(here, withTypes), real(there, withTypes)];
  return { reason: likely(a, b, rooms), position, more: moreOf(a.actions, b.actions) };
}

/** Of real and padding elements alike, as the lists are. */
function firstDifference(here: List, there: List): number {
  const columns = (["items", "types", "times"] as const).flatMap((name) => {
    const [a, b] = [here[name], there[name]];
    return a === null || b === null ? [] : [[a, b] as const];
  });
  const length = Math.max(...columns.flat().map((list) => list.length));
  for (let i = 0; i < length; i++) if (columns.some(([a, b]) => a[i] !== b[i])) return i;
  return -1;
}

/** By the first action that one side has and the other has not, or not as often. */
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
    if (times === undefined && onlyOrders) return "order time"; // an order in another place is one at another time, sooner than a tie
    if (isTies(a.actions, b.actions, times)) return "tie order";
    return onlyOrders ? "order time" : "another order";
  }
  if (isSameBy(a.actions, b.actions, ({ item }) => String(item))) return "type codes";
  const isFull = [a.actions.length === roomA, b.actions.length === roomB] as const;
  if (isDeduplicated(a.actions, b.actions, isFull)) return "duplicates";
  return byWindow(a.actions, b.actions, isFull) ?? (onlyOrders ? "order time" : byExtras(a.actions, b.actions, isFull));
}

/** Repeats of an action stand together if they have one time too, else anywhere. */
function isDeduplicated(a: Action[], b: Action[], [isFullA, isFullB]: readonly [boolean, boolean]): boolean {
  const [onceA, onceB] = [collapsed(a), collapsed(b)];
  if (isFullA || isFullB ? isPrefix(onceA, onceB) : isSame(onceA, onceB)) return true;
  const [wholeA, wholeB] = [distinct(a), distinct(b)];
  return (wholeA.length === a.length || wholeB.length === b.length) && isSame(wholeA, wholeB);
}

/** Where one side has something in front, and then what the other has: their cutoffs differ. Undefined where neither has. */
function byWindow(a: Action[], b: Action[], [isFullA, isFullB]: readonly [boolean, boolean]): Reason | undefined {
  const [newer, older, isFullNewer, isFullOlder] = shiftOf(a, b) > 0 ? [a, b, isFullA, isFullB] : [b, a, isFullB, isFullA];
  const more = shiftOf(newer, older);
  if (more === 0) return undefined;
  if (newer.slice(0, more).every((action) => isAtCutoff(action, newer[0]))) return "inclusive cutoff";
  const goesFurtherBack = newer.length - more < older.length && !isFullNewer;
  return goesFurtherBack && !isFullOlder ? "time zone" : "newer actions";
}

/** Whether an action is of the midnight that the newest one is of; orders are of one, where no time is told. */
function isAtCutoff({ type, time }: Action, newest: Action): boolean {
  return time === undefined ? type === ORDER : time === newest.time && time % QUARTER_MICROS === 0n;
}

/** In every time zone a day begins at a quarter of an hour of UTC. */
const QUARTER_MICROS = 900_000_000n;

/** By where the actions stand that only one side has. A list that is full loses its oldest for what it has more. */
function byExtras(a: Action[], b: Action[], [isFullA, isFullB]: readonly [boolean, boolean]): Reason {
  const [onlyA, onlyB] = [extras(a, b), extras(b, a)];
  const atEnds = isAtEnd(onlyA, a) && isAtEnd(onlyB, b);
  if (atEnds && isFullA && isFullB && onlyA.length <= NEAR && isOneTime(a, onlyA)) return "tie order";
  if (isLater(onlyA, onlyB, b) || isLater(onlyB, onlyA, a)) return "time zone";
  if (onlyA.length === 0 || onlyB.length === 0) return "actions missing";
  if (isAtEnd(onlyA, a) && isFullA) return "actions missing";
  if (isAtEnd(onlyB, b) && isFullB) return "actions missing";
  return "other items";
}

/** Whether one side has the newest, the other the oldest, whatever stands between them: orders move, if days begin at another time. */
const isLater = (newer: number[], older: number[], list: Action[]): boolean =>
  newer.length > 0 && older.length > 0 && newer.every((at, i) => at === i) && isAtEnd(older, list);

/** Ties at the cut: the oldest that there is room for. */
const isOneTime = (actions: Action[], extra: number[]): boolean => extra.every((at) => actions[at].time === actions[extra[0]].time);

interface Real {
  actions: Action[];
  isLeft: boolean;
}

/** @param withTypes whether both sides tell them */
function real({ items, types, times }: List, withTypes: boolean): Real {
  const told = types ?? items.map((item) => (item === 0n ? 0 : 1));
  let [from, to] = [0, items.length];
  while (to > from && told[to - 1] === 0) to--;
  while (from < to && told[from] === 0) from++;
  const actions: Action[] = [];
  for (let i = from; i < to; i++) {
    const type = withTypes ? told[i] : -1;
    actions.push({ key: `${items[i]} ${type}`, item: items[i], type, time: times?.[i] });
  }
  return { actions, isLeft: from > 0 };
}

/** Whether what changes places has the same time; where no side tells times, whether it stays near. */
function isTies(a: Action[], b: Action[], known: Action[] | undefined): boolean {
  return stretches(a, b).every(([from, to]) =>
    known === undefined ? to - from <= NEAR : known.slice(from, to).every(({ time }) => time === known[from].time),
  );
}

/** More actions than this at one time would be unusual. */
const NEAR = 16;

const withoutOrders = (actions: Action[]): Action[] => actions.filter(({ type }) => type !== ORDER);
