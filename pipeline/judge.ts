import { distance } from "fastest-levenshtein";
import { LATE_KINDS } from "../transforms/lateness";
import { type Ledger, noCounts, rejectedRows, type TableCounts } from "../transforms/tablecounts";

/** How many rejects are too many: a count, or a percentage of each table's rows. */
export interface Limits {
  maxRejects: { count: number } | { percent: number };
  /** the columns that each table must have */
  required: Record<string, string[]>;
  /** conditions of --fail-on, as given */
  failOn?: string;
}

export interface Verdict {
  error?: string;
  exitCode: number;
  warnings: string[];
}

/**
 * Whether what a run found may be published.
 * @param rejects where rejected rows are told, if they are
 */
export function judge(ledger: Ledger, limits: Limits, rejects?: string): Verdict {
  const warnings: string[] = [];
  for (const [table, counts] of Object.entries(ledger)) {
    const missing = missingColumn(table, counts, limits.required[table] ?? []);
    if (missing !== undefined) return { error: missing, exitCode: 2, warnings };
  }
  for (const [table, counts] of Object.entries(ledger)) {
    const many = tooManyRejects(table, counts, limits.maxRejects, rejects);
    if (many !== undefined) return { error: many, exitCode: 3, warnings };
    if (counts.zeroItems > 0)
      warnings.push(
        `${table}: ${counts.zeroItems} rows have an item 0, which is legal but often a default; padding is told by action_types, never by the item.`,
      );
    warnings.push(...lateWarnings(table, counts));
  }
  warnings.push(...emptyWarnings(ledger, limits.required));
  const { places = {} } = ledger.impressions ?? {};
  if ((places.used ?? 0) + (places["without history"] ?? 0) > 0) return { exitCode: 0, warnings };
  return { error: nothingInDates(ledger.impressions), exitCode: 2, warnings };
}

/** An export that failed may leave files without rows, or with a header alone: then the histories lack a table, and nothing else tells. */
function emptyWarnings(ledger: Ledger, required: Limits["required"]): string[] {
  const empty = Object.keys(required).filter((table) => (ledger[table]?.rows ?? 0) === 0);
  return empty.map((table) => `${table} has no rows: no history has anything of it. Check that its files are whole.`);
}

/** Of each kind of late rows how many, and the days that have most; rows of the newest dt itself are nothing to warn of. */
function lateWarnings(table: string, { rows, late }: TableCounts): string[] {
  if (late === undefined || late.rows === 0) return [];
  const kinds = Object.entries(late.days).filter(([kind]) => kind !== LATE_KINDS[0]);
  const told = kinds.map(([kind, days]) => {
    const all = Object.entries(days).toSorted(([, a], [, b]) => b - a);
    const most = all.slice(0, 3).map(([day, n]) => `${day} ${n}`);
    return `${kind} ${all.reduce((sum, [, n]) => sum + n, 0)} (${most.join(", ")}${all.length > 3 ? " ..." : ""})`;
  });
  return [`${table}: ${late.rows} of ${rows} rows are late, or not from when they say: ${told.join("; ")}. They count by their times.`];
}

function nothingInDates({ rows, places, otherDays }: TableCounts = noCounts()): string {
  const days = otherDays === undefined ? "" : ` (of ${otherDays.oldest} to ${otherDays.newest})`;
  const found =
    rows === 0
      ? "the impressions have no rows"
      : `of ${rows} rankings ${places["outside the dates"] ?? 0} are outside the dates${days} and ${places.rejected ?? 0} were rejected`;
  return `there are no impressions in the dates: ${found}. Check --impressions and --dates.`;
}

/** A table whose rows all lack a required column is another table, or has other names. */
function missingColumn(table: string, { rows, reasons, lacking, columns }: TableCounts, required: string[]): string | undefined {
  // Reasons about a column begin with its name; the others are about rows that could not be read at all.
  const unreadable = Object.entries(reasons).reduce((sum, [reason, n]) => (reason.includes(": ") ? sum : sum + n), 0);
  const column = required.find((name) => lacking[name] > 0 && lacking[name] === rows - unreadable);
  return column === undefined ? undefined : lackingMessage(table, column, columns);
}

/** Names the columns found and the nearest one. */
export function lackingMessage(table: string, column: string, found: string[]): string {
  if (found.length === 1 && /[;|\t]/.test(found[0]))
    return `${table} has no column "${column}"; found: ${JSON.stringify(found[0])}. That is a header without commas: write the cells of CSV with commas between them.`;
  const nearest = found.toSorted((a, b) => distance(a, column) - distance(b, column))[0];
  const hint = nearest === undefined ? "" : ` The nearest is "${nearest}".`;
  return `${table} has no column "${column}"; found: ${found.join(", ") || "none"}.${hint} Check that these files are ${table}, or rename columns in a --config file.`;
}

function tooManyRejects(table: string, counts: TableCounts, limit: Limits["maxRejects"], told?: string): string | undefined {
  const { rows, reasons, lacking } = counts;
  const rejected = rejectedRows(counts);
  // 0.57 * 10,000 / 100 is a hair less than 57, which is not to cost the user a row
  const allowed = "count" in limit ? limit.count : Math.floor((limit.percent * rows) / 100 + 1e-6);
  if (rejected <= allowed) return undefined;
  const said = "count" in limit ? String(limit.count) : `${limit.percent}%`;
  const worst = Object.entries(reasons)
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, 3)
    .map(([reason, n]) => `${n} ${reason}`)
    .join(", ");
  const [column, n] = Object.entries(lacking).toSorted(([, a], [, b]) => b - a)[0] ?? ["", 0];
  const hint = n === 0 ? "" : `; ${n} have no column "${column}" at all`;
  return `${table}: ${rejected} of ${rows} rows are rejects (${worst}${hint}), more than --max-rejects=${said}. Look at them ${told === undefined ? "with --rejects=FILE" : `in ${told}`}, mend them or allow more.`;
}
