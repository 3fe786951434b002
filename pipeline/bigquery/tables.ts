/** What BigQuery says of a table before anything is read, and whether it has the columns that a run wants. */
import { closest } from "fastest-levenshtein";
import { ConfigError } from "../errors";
import type { Client } from "./client";
import type { Attempted } from "./errors";
import { type TableName, uriOf } from "./uri";

/** As the API has it. */
export interface Field {
  name: string;
  type: string;
  mode?: string;
  description?: string;
  fields?: Field[];
}

interface TableResource {
  type?: string;
  location?: string;
  numRows?: string;
  streamingBuffer?: object;
  schema?: { fields?: Field[] };
  timePartitioning?: { type?: string; field?: string; requirePartitionFilter?: boolean };
  rangePartitioning?: { field?: string };
  requirePartitionFilter?: boolean;
  externalDataConfiguration?: { hivePartitioningOptions?: { requirePartitionFilter?: boolean; fields?: string[] } };
}

export interface Table {
  name: TableName;
  /** TABLE, VIEW, MATERIALIZED_VIEW, EXTERNAL, SNAPSHOT */
  kind: string;
  location: string;
  /** undefined where BigQuery does not know: views, external tables, rows that have just come */
  rows: number | undefined;
  fields: Field[];
  /** columns that partitions go by; _PARTITIONTIME where they go by when rows came */
  partitions: string[];
  /** by DAY, HOUR, ... of a column or of _PARTITIONTIME */
  partitionUnit: string | undefined;
  /** whether queries must filter by one of these columns */
  wantsFilter: boolean;
}

const DATA_READER = "roles/bigquery.dataViewer on the table or its dataset";
export const reading = (name: TableName): Attempted => ({ doing: `read ${uriOf(name)}`, roles: DATA_READER });

/** @throws NotFound, ConfigError without permission */
export async function describe(client: Client, name: TableName, attempted = reading(name)): Promise<Table> {
  const path = `/datasets/${name.dataset}/tables/${encodeURIComponent(name.table)}`;
  const found = await client.call<TableResource>({ method: "GET", path, project: name.project, attempted });
  const { timePartitioning: time, rangePartitioning: range, externalDataConfiguration: external } = found;
  const hive = external?.hivePartitioningOptions;
  const column = time === undefined ? range?.field : (time.field ?? "_PARTITIONTIME");
  return {
    name,
    kind: found.type ?? "TABLE",
    location: found.location ?? "US",
    rows: found.type === "TABLE" && found.numRows !== undefined && found.streamingBuffer === undefined ? Number(found.numRows) : undefined,
    fields: found.schema?.fields ?? [],
    partitions: column === undefined ? (hive?.fields ?? []) : [column],
    partitionUnit: time?.type,
    wantsFilter: (found.requirePartitionFilter || time?.requirePartitionFilter || hive?.requirePartitionFilter) ?? false,
  };
}

/** What a column is for, and the types that can be that. */
export type Role = "id" | "text" | "day" | "time" | "number" | "slots";

const TYPES: Record<Exclude<Role, "slots">, { types: string[]; said: string }> = {
  id: { types: ["INTEGER", "STRING"], said: "INT64, or STRING with digits" },
  text: { types: ["STRING"], said: "STRING" },
  day: { types: ["DATE", "STRING"], said: "DATE, or STRING with YYYY-MM-DD" },
  time: { types: ["TIMESTAMP", "DATETIME", "STRING"], said: "TIMESTAMP, DATETIME or STRING (INT64 with --time-unit)" },
  number: { types: ["TIMESTAMP", "DATETIME", "STRING", "INTEGER"], said: "TIMESTAMP, DATETIME, STRING or INT64" },
};

/** The old names of types are those that the API gives; either is taken. */
const OLD: Record<string, string> = { INT64: "INTEGER", BOOL: "BOOLEAN", STRUCT: "RECORD", FLOAT64: "FLOAT" };
const NEW: Record<string, string> = { INTEGER: "INT64", BOOLEAN: "BOOL", RECORD: "STRUCT", FLOAT: "FLOAT64" };

export const typeOf = ({ type }: Field): string => OLD[type.toUpperCase()] ?? type.toUpperCase();

export function toldType(field: Field): string {
  const name = NEW[typeOf(field)] ?? typeOf(field);
  return field.mode === "REPEATED" ? `ARRAY<${name}>` : name;
}

/** BigQuery minds no case in names of columns. @returns undefined where there is none */
export const fieldOf = (fields: readonly Field[], column: string): Field | undefined =>
  fields.find(({ name }) => name.toLowerCase() === column.toLowerCase());

/**
 * The column of a table that is to play a role.
 * @param table what the run calls the table
 * @throws ConfigError where there is none, or of a type that cannot be read so
 */
export function columnOf({ name, fields }: Table, table: string, column: string, role: Role): Field {
  const field = fieldOf(fields, column);
  if (field === undefined) throw lacking(uriOf(name), table, column, fields);
  if (role === "slots") return slotsOf(uriOf(name), table, field);
  const { types, said } = TYPES[role];
  if (field.mode === "REPEATED" || !types.includes(typeOf(field))) throw mistyped(uriOf(name), table, field.name, field, said);
  return field;
}

const SLOTS = "ARRAY<STRUCT<item_id INT64, is_order BOOL>>, or STRING with the list as JSON";

function slotsOf(uri: string, table: string, field: Field): Field {
  const type = typeOf(field);
  if (field.mode !== "REPEATED" && type === "STRING") return field;
  if (field.mode !== "REPEATED" || type !== "RECORD") throw mistyped(uri, table, field.name, field, SLOTS);
  const parts: [string, string[]][] = [
    ["item_id", TYPES.id.types],
    ["is_order", ["BOOLEAN"]],
  ];
  for (const [column, types] of parts) {
    const part = fieldOf(field.fields ?? [], column);
    if (part === undefined) throw lacking(uri, table, `${field.name}.${column}`, field.fields ?? []);
    if (part.mode === "REPEATED" || !types.includes(typeOf(part))) throw mistyped(uri, table, `${field.name}.${part.name}`, part, SLOTS);
  }
  return field;
}

function lacking(uri: string, table: string, column: string, fields: readonly Field[]): ConfigError {
  const found = fields.map(({ name }) => name);
  const hint = found.length === 0 ? "" : ` The nearest is "${closest(column, found)}".`;
  return new ConfigError(
    `${uri} has no column "${column}"; found: ${found.join(", ") || "none"}.${hint} Check that this is ${table}, or rename columns in a --config file or in a view.`,
  );
}

const mistyped = (uri: string, table: string, column: string, field: Field, said: string): ConfigError =>
  new ConfigError(`${uri}: ${column} of ${table} is ${toldType(field)}; it must be ${said}. Cast it in a view, and name that.`);
