/** `backstory compare`: which rows two outputs share, and why others differ. */
import { ConfigError } from "../pipeline/errors";
import { isPlain } from "../pipeline/layout";
import { Copies } from "../verify/copies";
import { date } from "../verify/inputs/values";
import { rangeOf } from "../verify/settings";
import { type Counted, Explained } from "./explain";
import { match } from "./match";
import { COLUMNS, type ColumnName, type CompareOptions, isColumn, KEYS, LISTS, parseMapping, SLOTS } from "./options";
import type { Reason } from "./reasons";
import { type Place, type Plan, Side } from "./side";
import { openTable, type Table, type TableFile } from "./table";

export interface Counts {
  here: number;
  there: number;
  same: number;
  different: number;
  onlyHere: number;
  onlyThere: number;
}

export interface Comparison {
  here: string;
  there: string;
  /** columns that tell rows apart, and those compared */
  key: readonly ColumnName[];
  compared: readonly ColumnName[];
  /** columns that only one side has */
  columns: { here: ColumnName[]; there: ColumnName[] };
  dts: ({ dt: string } & Counts)[];
  total: Counts;
  /** rows that differ and were looked at */
  lookedAt: number;
  reasons: ({ reason: Reason } & Counted)[];
  /** the first row that only one side has */
  onlyHere: Place | null;
  onlyThere: Place | null;
}

/** @throws ConfigError, BrokenFile */
export async function compare(here: string, there: string, options: CompareOptions): Promise<Comparison> {
  const copies = new Copies(options.tempDir);
  const open = async (path: string, mapping: string | undefined) =>
    openTable(path, await copies.output(path, (below) => /(^|[^/])\.(parquet|pq)$/i.test(below)), parseMapping(mapping ?? "") ?? {});
  const asRows = async (table: Table, mapping: string | undefined) =>
    table.layout === null || isPlain(table.layout)
      ? table
      : { ...(await openTable(table.name, await copies.rows(table.folder), parseMapping(mapping ?? "") ?? {})), name: table.name };
  try {
    const [a, b] = [await open(here, options.columnsHere), await open(there, options.columns)];
    if (areAlike(a, b)) return await compareTables(a, b, options);
    return await compareTables(await asRows(a, options.columnsHere), await asRows(b, options.columns), options);
  } finally {
    copies.remove();
  }
}

/** Whether two tables can be compared as they are. Padding is no difference between outputs of builds, but is one where another program has none. */
function areAlike(a: Table, b: Table): boolean {
  if ([a, b].some(({ layout }) => layout?.layout === "histories")) return false;
  const isSamePadding = a.layout === null || b.layout === null || a.layout.padding === b.layout.padding;
  return isSamePadding && (a.isRankings ?? b.isRankings) === (b.isRankings ?? a.isRankings);
}

async function compareTables(here: Table, there: Table, options: CompareOptions): Promise<Comparison> {
  const plan = planOf(here, there, options);
  const explained = new Explained(here, there, plan, options);
  const dts = new Map<string, Counts>();
  let onlyHere: Place | null = null;
  let onlyThere: Place | null = null;
  for (const [filesHere, filesThere] of groups(here, there)) {
    const a = await new Side(here, filesHere, plan).read();
    const b = await new Side(there, filesThere, plan).read();
    const { different, ...only } = match(a, b);
    count(dts, a, b, { different, ...only });
    if (only.onlyHere.length > 0) onlyHere ??= a.placeOf(only.onlyHere[0]);
    if (only.onlyThere.length > 0) onlyThere ??= b.placeOf(only.onlyThere[0]);
    await explained.look(a, b, different.slice(0, options.explain));
  }
  // Days that are nowhere differ in nothing, and whoever asks for them waits for an answer about rows.
  if (dts.size === 0 && options.dates !== undefined)
    throw new ConfigError(`neither "${here.name}" nor "${there.name}" has rows of --dates=${options.dates}. Check --dates and the paths.`);
  const sorted = [...dts].map(([dt, counts]) => ({ dt, ...counts })).sort((a, b) => (a.dt < b.dt ? -1 : 1));
  return {
    here: here.name,
    there: there.name,
    key: plan.key,
    compared: plan.content,
    columns: { here: onlyIn(here, there), there: onlyIn(there, here) },
    dts: sorted,
    total: sorted.reduce(plus, { ...NONE }),
    lookedAt: explained.rows,
    reasons: explained.reasons(),
    onlyHere,
    onlyThere,
  };
}

/** Files of one dt after the other where folders tell the dt on both sides; else all at once. */
function groups(here: Table, there: Table): [TableFile[], TableFile[]][] {
  if ([...here.files, ...there.files].some(({ dt }) => dt === undefined)) return [[here.files, there.files]];
  const [a, b] = [Map.groupBy(here.files, ({ dt }) => dt!), Map.groupBy(there.files, ({ dt }) => dt!)];
  return [...new Set([...a.keys(), ...b.keys()])].sort().map((dt) => [a.get(dt) ?? [], b.get(dt) ?? []]);
}

function planOf(here: Table, there: Table, { key, dates, ignorePadding }: CompareOptions): Plan {
  const both = COLUMNS.filter((name) => name !== "dt" && here.columns[name] !== undefined && there.columns[name] !== undefined);
  refuseKinds(here, there);
  // what tells rankings apart is no list
  const single = both.filter((name) => !LISTS.includes(name) && !(here.isRankings && SLOTS.includes(name)));
  const keys = key === undefined ? KEYS.filter((name) => single.includes(name)) : keysOf(key, single);
  if (keys.length === 0)
    throw new ConfigError(
      `no column tells rows apart: of ${KEYS.join(", ")} "${here.name}" has ${listed(here)}, "${there.name}" has ${listed(there)}. Name columns by --columns.`,
    );
  for (const [table, other] of [
    [here, there],
    [there, here],
  ])
    if (!hasDays(table) && hasDays(other))
      throw new ConfigError(
        `"${table.name}" does not say which dt its rows are of: it has neither folders dt=YYYY-MM-DD nor a column dt. Name one, as in --columns=dt=day.`,
      );
  const range = dates === undefined ? null : rangeOf(dates);
  return {
    key: keys,
    content: both.filter((name) => !keys.includes(name)),
    ignorePadding,
    isWanted: (dt) => range === null || isWithin(dt, range),
  };
}

/** A slot is not to be compared with a ranking. */
function refuseKinds(here: Table, there: Table): void {
  if (here.isRankings === null || there.isRankings === null || here.isRankings === there.isRankings) return;
  const [rows, rankings] = here.isRankings ? [there, here] : [here, there];
  throw new ConfigError(
    `a row of "${rows.name}" is a slot, one of "${rankings.name}" a ranking, with its slots as lists. Make one of them as the other: backstory convert OUTPUT --to=FOLDER --layout=rankings|rows.`,
  );
}

function keysOf(text: string, single: readonly ColumnName[]): ColumnName[] {
  return text.split(",").map((part) => {
    const name = part.trim();
    if (!isColumn(name) || !single.includes(name))
      throw new ConfigError(
        `--key names "${name}", which is no column of both sides that tells rows apart. Choose from ${single.join(", ")}.`,
      );
    return name;
  });
}

function isWithin(dt: string, [from, to]: [number, number]): boolean {
  try {
    const day = date(dt);
    return from <= day && day <= to;
  } catch {
    return false;
  }
}

const hasDays = ({ files, columns }: Table): boolean => columns.dt !== undefined || files.every(({ dt }) => dt !== undefined);
const listed = ({ columns }: Table): string => KEYS.filter((name) => columns[name] !== undefined).join(", ") || "none";
const onlyIn = (a: Table, b: Table): ColumnName[] =>
  COLUMNS.filter((name) => name !== "dt" && a.columns[name] !== undefined && b.columns[name] === undefined);

const NONE: Counts = { here: 0, there: 0, same: 0, different: 0, onlyHere: 0, onlyThere: 0 };

function count(
  dts: Map<string, Counts>,
  here: Side,
  there: Side,
  { different, onlyHere, onlyThere }: Omit<ReturnType<typeof match>, "same">,
): void {
  const of = (side: Side, row: number): Counts => {
    const dt = side.dtNames[side.dts[row]];
    let counts = dts.get(dt);
    if (counts === undefined) dts.set(dt, (counts = { ...NONE }));
    return counts;
  };
  for (let row = 0; row < here.rows; row++) of(here, row).here++;
  for (let row = 0; row < there.rows; row++) of(there, row).there++;
  for (const [row] of different) of(here, row).different++;
  for (const row of onlyHere) of(here, row).onlyHere++;
  for (const row of onlyThere) of(there, row).onlyThere++;
  for (const counts of dts.values()) counts.same = counts.here - counts.different - counts.onlyHere;
}

function plus(a: Counts, b: Counts): Counts {
  return Object.fromEntries(
    Object.keys(NONE).map((name) => [name, a[name as keyof Counts] + b[name as keyof Counts]]),
  ) as unknown as Counts;
}
