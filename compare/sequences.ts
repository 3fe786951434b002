/** Lists of actions, laid beside each other. */

/** A real action, for comparing. */
export interface Action {
  /** item and type, which say whether two are the same */
  key: string;
  item: bigint;
  type: number;
  time: bigint | undefined;
}

/** The shortest stretches that hold the same actions on both sides, and of which the ends differ. */
export function stretches(a: Action[], b: Action[]): Extents {
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
export function extras(a: Action[], b: Action[]): number[] {
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

export const sorted = (actions: Action[]): Action[] => actions.toSorted((x, y) => (x.key < y.key ? -1 : x.key > y.key ? 1 : 0));
export const distinct = (actions: Action[]): Action[] => {
  const seen = new Set<string>();
  return actions.filter(({ key }) => !seen.has(key) && seen.add(key));
};
/** Of equal actions that stand together, one. */
export const collapsed = (actions: Action[]): Action[] => actions.filter(({ key }, i) => i === 0 || key !== actions[i - 1].key);

/** Whether positions are the last ones of a list. */
export const isAtEnd = (positions: number[], list: Action[]): boolean =>
  positions.every((at, i) => at === list.length - positions.length + i);

/**
 * How many actions the newer list has in front of what the older one begins with; 0 if it does not go on with that. Of several answers the
 * smallest, and only one by which at least half of the shorter list is shared: else a single action would do.
 */
export function shiftOf(newer: Action[], older: Action[]): number {
  for (let shift = 1; shift < newer.length; shift++) {
    const shared = Math.min(newer.length - shift, older.length);
    if (2 * shared < Math.min(newer.length, older.length)) return 0;
    let i = 0;
    while (i < shared && newer[shift + i].key === older[i].key) i++;
    if (i === shared && shared > 0) return shift;
  }
  return 0;
}

export const isPrefix = (a: Action[], b: Action[]): boolean => isSame(a.slice(0, b.length), b.slice(0, a.length));
export const isSame = (a: Action[], b: Action[]): boolean => isSameBy(a, b, ({ key }) => key);

export function isSameBy(a: Action[], b: Action[], by: (action: Action) => string): boolean {
  return a.length === b.length && a.every((action, i) => by(action) === by(b[i]));
}
