/**
 * The queries that export what a run needs. A row is left out only where it is certain that the run has no use for it: one whose day or time is
 * null, or a text that cannot be told without SPEC's rules, is exported, so that it is a reject as in files.
 */
import { Calendar, dayName, FIRST_DAY } from "../../transforms/calendar";
import { ActionNormaliser, IMPRESSION_COLUMNS, timeFromDate } from "../../transforms/normalise";
import { type ActionTable, ORDER, type Rules, type TimeUnit } from "../../transforms/rules";
import { columnOf, type Field, fieldOf, type Role, type Table, typeOf } from "./tables";
import { quoted, quotedTable } from "./uri";

/** First and last day, both included, as epoch days. */
export type Days = [number, number];

/** @param days null: every day there is @throws ConfigError where the table has not what impressions want */
export function selectImpressions(table: Table, days: Days | null): string {
  const roles: Record<(typeof IMPRESSION_COLUMNS)[number], Role> = {
    ranking_id: "text",
    impressions: "slots",
    dt: "day",
    customer_id: "id",
  };
  const fields = IMPRESSION_COLUMNS.map((column) => [column, columnOf(table, "impressions", column, roles[column])] as const);
  const columns = fields.map(([column, field]) => (column === "impressions" ? slots(field) : as(field, column)));
  return select(columns, table, days === null ? [] : [within(field("dt", table), days[0], days[1])]);
}

/** Days of impressions: the first, the last and how many, of the `newest` if that is given. */
export function selectDays(table: Table, days: Days | null, newest: number | undefined): string {
  const dt = columnOf(table, "impressions", "dt", "day");
  const all = select([`${day(dt)} AS day`], table, days === null ? [] : [within(dt, days[0], days[1])], "DISTINCT ");
  const limit = newest === undefined ? "" : `\nORDER BY day DESC\nLIMIT ${newest}`;
  const known = `SELECT day\nFROM (\n${all}\n)\nWHERE day IS NOT NULL${limit}`;
  return `SELECT CAST(MIN(day) AS STRING) AS first, CAST(MAX(day) AS STRING) AS last, COUNT(*) AS days\nFROM (\n${known}\n)`;
}

/** @param days those that the run may build; null: any @throws ConfigError where the table has not what these actions want */
export function selectActions(table: Table, actions: ActionTable, rules: Rules, days: Days | null): string {
  const fromDate = timeFromDate(actions, rules);
  const timed = fromDate ? actions.date! : actions.time;
  const role = (column: string): Role => {
    if (column === actions.customer || column === actions.item) return "id";
    if (column === actions.dt && rules.actionClock !== "time") return "day";
    if (column === timed && !fromDate) return rules.timeUnit === null ? "time" : "number";
    return "day";
  };
  const { columns } = new ActionNormaliser(actions, rules, { push: () => {} });
  const chosen = columns.map((column) => as(columnOf(table, actions.name, column, role(column)), column));
  return select(chosen, table, days === null ? [] : conditions(table, actions, rules, days));
}

function conditions(table: Table, actions: ActionTable, rules: Rules, [first, last]: Days): Condition[] {
  const lag = actions.type === ORDER ? rules.orderLagDays : 0;
  const fromDate = timeFromDate(actions, rules);
  const start = first - (rules.lookbackDays ?? Number.POSITIVE_INFINITY);
  const from = start < FIRST_DAY ? null : start;
  const until = rules.actionClock === "dt" ? null : Math.max(FIRST_DAY, last - lag);
  const timed = field(fromDate ? actions.date! : actions.time, table);
  const byTime = fromDate ? datesWithin(timed, rules, from, until) : timesWithin(timed, rules, from, until);
  return rules.actionClock === "time" ? [byTime] : [byTime, within(field(actions.dt, table), null, Math.max(FIRST_DAY, last - lag - 1))];
}

/** A condition in SQL, and the column whose partitions it can leave out; a text's it cannot. */
interface Condition {
  sql: string | null;
  prunes: string | null;
}

const field = (column: string, { fields }: Table): Field => fieldOf(fields, column)!;

/** Days [first, last], and rows of none. */
function within(column: Field, first: number | null, last: number | null): Condition {
  const bounds = [first === null ? null : `>= ${dateOf(first)}`, last === null ? null : `<= ${dateOf(last)}`];
  return among(column, day(column), bounds, typeOf(column) === "DATE");
}

/** Dates whose midnight is in [midnight(from), midnight(until)). In a few places and years a day was skipped: two have one midnight. */
function datesWithin(column: Field, { timezone }: Rules, from: number | null, until: number | null): Condition {
  const calendar = new Calendar(timezone);
  let low = from;
  while (low !== null && calendar.midnight(low - 1) >= calendar.midnight(from!)) low--;
  return within(column, low, until === null ? null : until - 1);
}

/** Times in [midnight(from), midnight(until)). */
function timesWithin(column: Field, { timezone, timeUnit }: Rules, from: number | null, until: number | null): Condition {
  const calendar = new Calendar(timezone);
  const bound = (day: number | null, slack: number): string | null => {
    if (day === null) return null;
    const type = typeOf(column);
    if (type === "TIMESTAMP") return timestampOf(calendar.midnight(day));
    // what a wall clock shows and when that was are in the same order but for clock changes, which are a day at most
    if (type === "DATETIME") return `DATETIME '${dayName(day + slack)} 00:00:00'`;
    return type === "INTEGER" ? numberOf(calendar.midnight(day), timeUnit!, slack) : null;
  };
  const [low, high] = [bound(from, -1), bound(until, 1)];
  const bounds = [low === null ? null : `>= ${low}`, high === null ? null : `< ${high}`];
  return among(column, quoted(column.name), bounds, typeOf(column) !== "STRING");
}

function among(column: Field, value: string, bounds: readonly (string | null)[], prunes: boolean): Condition {
  const parts = bounds.filter((bound) => bound !== null).map((bound) => `${value} ${bound}`);
  if (parts.length === 0) return { sql: null, prunes: null };
  return { sql: `(${parts.join(" AND ")} OR ${value} IS NULL)`, prunes: prunes ? column.name : null };
}

/** A day as a DATE; null for a text that is none. SAFE.PARSE_DATE by itself takes more than SPEC's days for days. */
function day(column: Field): string {
  const name = quoted(column.name);
  if (typeOf(column) === "DATE") return name;
  return `SAFE.PARSE_DATE('%Y-%m-%d', REGEXP_EXTRACT(${name}, r'^(?:dt=)?([0-9]{4}-[0-9]{2}-[0-9]{2})$'))`;
}

const dateOf = (day: number): string => `DATE '${dayName(day)}'`;

/** Microseconds since 1970. */
function timestampOf(micros: number): string {
  const millis = Math.floor(micros / 1000);
  const text = new Date(millis)
    .toISOString()
    .replace("T", " ")
    .replace("Z", String(micros - millis * 1000).padStart(3, "0"));
  return `TIMESTAMP '${text}+00'`;
}

const NANOS: Record<TimeUnit, bigint> = { s: 1_000_000_000n, ms: 1_000_000n, us: 1000n, ns: 1n };

/** An instant in a unit that may not hold it exactly; one unit of slack, so that no row is left out for that. */
function numberOf(micros: number, unit: TimeUnit, slack: number): string {
  return String((BigInt(micros) * 1000n) / NANOS[unit] + BigInt(slack));
}

function as(column: Field, name: string): string {
  return column.name === name ? quoted(name) : `${quoted(column.name)} AS ${quoted(name)}`;
}

/** Only the two columns of the record, so that no others are read. */
function slots(column: Field): string {
  if (typeOf(column) === "STRING") return as(column, "impressions");
  const part = (name: string) => {
    const found = fieldOf(column.fields ?? [], name)!;
    return `slot.${quoted(found.name)}${found.name === name ? "" : ` AS ${quoted(name)}`}`;
  };
  const from = `UNNEST(${quoted(column.name)}) AS slot WITH OFFSET AS place ORDER BY place`;
  return `ARRAY(SELECT AS STRUCT ${part("item_id")}, ${part("is_order")} FROM ${from}) AS \`impressions\``;
}

function select(columns: readonly string[], table: Table, conditions: readonly Condition[], distinct = ""): string {
  const filters = conditions.flatMap(({ sql }) => (sql === null ? [] : [sql]));
  const pruned = conditions.some(
    ({ prunes }) => prunes !== null && table.partitions.some((each) => each.toLowerCase() === prunes.toLowerCase()),
  );
  if (table.wantsFilter && !pruned) filters.push(...table.partitions.slice(0, 1).map((column) => everything(table, column)));
  const where = filters.length === 0 ? "" : `\nWHERE ${filters.join("\n  AND ")}`;
  return `SELECT ${distinct}${columns.join(", ")}\nFROM ${quotedTable(table.name)}${where}`;
}

/** A filter that lets every row through, where BigQuery wants one: a row's partition says nothing of its time. */
function everything(table: Table, column: string): string {
  const type = column === "_PARTITIONTIME" ? "TIMESTAMP" : typeOf(field(column, table));
  const name = column === "_PARTITIONTIME" ? column : quoted(column);
  const least: Record<string, string> = {
    DATE: "DATE '0001-01-01'",
    TIMESTAMP: "TIMESTAMP '0001-01-01 00:00:00+00'",
    DATETIME: "DATETIME '0001-01-01 00:00:00'",
    INTEGER: "-9223372036854775808",
  };
  return `(${name} >= ${least[type] ?? "''"} OR ${name} IS NULL)`;
}
