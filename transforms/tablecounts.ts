import { dayName } from "./calendar";
import { addLate, type LateCounts } from "./lateness";

/**
 * Where an input row can end, in the order in which the first that fits is taken. Rankings end in the first three or as
 * used; actions in all but "outside the dates" and "without history".
 */
export const PLACES = [
  "rejected",
  "outside the dates",
  "customer never shown",
  "outside every window",
  "beyond the history length",
  "without history",
  "used",
] as const;
export type Place = (typeof PLACES)[number];

/** What is known of the rows of one table. Counts only: they add up in any order. */
export interface TableCounts {
  /** rows read */
  rows: number;
  /** rows by where they ended; together they are `rows` */
  places: Partial<Record<Place, number>>;
  /** rejected rows by reason */
  reasons: Record<string, number>;
  /** rows without a required column, by column */
  lacking: Record<string, number>;
  /** names of columns seen where a required one was missing, at most MAX_COLUMNS */
  columns: string[];
  /** rows that have an item 0: legal, but often a mistake */
  zeroItems: number;
  /** rows of actions that are not from when they say, or came late; absent if there are none */
  late?: LateCounts;
  /** the oldest and the newest day of rankings outside of the dates, as YYYY-MM-DD; absent if there are none */
  otherDays?: { oldest: string; newest: string };
  /** where the first rejects of each reason lie, in order of files; absent if there are none, and before all of a run is put together */
  examples?: RejectExample[];
}

/** A rejected row by its place alone: nothing of what is in it. */
export interface RejectExample {
  reason: string;
  file: string;
  /** line, row or element, from 1 */
  position: number;
}

/** By table: where every input row ended. */
export type Ledger = Record<string, TableCounts>;

/** So many of each reason are told. */
export const MOST_EXAMPLES = 3;

const MAX_COLUMNS = 50;

export const noCounts = (): TableCounts => ({ rows: 0, places: {}, reasons: {}, lacking: {}, columns: [], zeroItems: 0 });

/** Adds `n` rows of a table to a place. */
export function place(ledger: Ledger, table: string, where: Place, n: number): void {
  if (n === 0) return;
  ledger[table] ??= noCounts();
  const { places } = ledger[table];
  places[where] = (places[where] ?? 0) + n;
}

/** Rankings outside of the dates, and from when they are: whoever has mistaken the dates sees which there are. */
export function placeOutside(
  ledger: Ledger,
  table: string,
  { rows, oldest, newest }: { rows: number; oldest: number; newest: number },
): void {
  if (rows === 0) return;
  place(ledger, table, "outside the dates", rows);
  ledger[table].otherDays = { oldest: dayName(oldest), newest: dayName(newest) };
}

/** Rows of a table that were rejected, for whatever reason. */
export const rejectedRows = ({ reasons }: TableCounts): number => Object.values(reasons).reduce((sum, n) => sum + n, 0);

/** Takes note of columns that a table has. */
export function seeColumns(counts: TableCounts, names: readonly string[]): void {
  counts.columns = [...new Set([...counts.columns, ...names])].sort().slice(0, MAX_COLUMNS);
}

/** Adds the counts of `from` to `to`. */
export function addLedger(to: Ledger, from: Ledger): Ledger {
  for (const [table, counts] of Object.entries(from)) {
    to[table] ??= noCounts();
    const sum = to[table];
    sum.rows += counts.rows;
    sum.zeroItems += counts.zeroItems;
    addCounts(sum.places as Record<string, number>, counts.places as Record<string, number>);
    addCounts(sum.reasons, counts.reasons);
    addCounts(sum.lacking, counts.lacking);
    seeColumns(sum, counts.columns);
    const late = addLate(sum.late, counts.late);
    if (late !== undefined) sum.late = late;
    if (counts.otherDays !== undefined) sum.otherDays = both(sum.otherDays ?? counts.otherDays, counts.otherDays);
  }
  return to;
}

/** Days as text are in order of time. */
const both = (a: Days, b: Days): Days => ({
  oldest: a.oldest < b.oldest ? a.oldest : b.oldest,
  newest: a.newest > b.newest ? a.newest : b.newest,
});
type Days = NonNullable<TableCounts["otherDays"]>;

function addCounts(to: Record<string, number>, from: Record<string, number>): void {
  for (const [name, count] of Object.entries(from)) to[name] = (to[name] ?? 0) + count;
}

/** The tables whose rows do not all end in exactly one place: a bug, or rows lost on the way. */
export function unbalanced(ledger: Ledger): string[] {
  return Object.entries(ledger)
    .filter(([, { rows, places }]) => Object.values(places).reduce((sum, n) => sum + n, 0) !== rows)
    .map(([table, { rows, places }]) => `${table}: ${rows} rows read, places ${JSON.stringify(places)}`);
}
