/** The columns of an output: names, what they hold, and the types that SPEC, "Output", gives them. */
import type { FileMetaData, SchemaElement } from "hyparquet";

export const TYPES = {
  ranking_id: "string",
  customer_id: "int64",
  impression_index: "int32",
  item_id: "int64",
  is_order: "boolean",
  impressions: "int64",
  actions: "list<int64>",
  action_types: "list<int32>",
  history_length: "int32",
  action_times: "list<int64>",
} as const;

export type Holds = keyof typeof TYPES;

/** A column as files have it. */
export interface Column {
  name: string;
  holds: Holds;
}

const PHYSICAL: Record<string, string> = { int64: "INT64", int32: "INT32", boolean: "BOOLEAN", string: "BYTE_ARRAY" };

/** What a schema that holds just these columns looks like, one line an element, depth first. */
export function schemaOf(columns: readonly Column[]): string[] {
  return columns.flatMap(({ name, holds }) => {
    const type = TYPES[holds];
    const inner = /^list<(.*)>$/.exec(type)?.[1];
    if (inner === undefined) return [`${name}: required ${PHYSICAL[type]}${type === "string" ? " UTF8" : ""}`];
    return [`${name}: required group LIST of 1`, "list: repeated group of 1", `element: required ${PHYSICAL[inner]}`];
  });
}

/** The schema that a file has, in the same form. */
export function schemaFound({ schema }: FileMetaData): string[] {
  return schema.slice(1).map(line);
}

function line({ name, type, num_children, repetition_type, converted_type, logical_type }: SchemaElement): string {
  const what = [repetition_type?.toLowerCase() ?? "required", type ?? "group", converted_type ?? wordOf(logical_type?.type)];
  if (num_children) what.push(`of ${num_children}`);
  return `${name}: ${what.filter((word) => word !== "").join(" ")}`;
}

const wordOf = (logical: string | undefined): string => (logical === undefined ? "" : logical === "STRING" ? "UTF8" : logical);

/** The top-level columns of a file, with what their default names say they hold. */
export function columnsByName({ schema }: FileMetaData): Column[] {
  const names: string[] = [];
  for (let i = 1; i < schema.length; i = behind(schema, i)) names.push(schema[i].name);
  return names.flatMap((name) => (Object.hasOwn(TYPES, name) ? [{ name, holds: name as Holds }] : []));
}

/** The place behind an element and all that is below it. */
function behind(schema: SchemaElement[], at: number): number {
  let next = at + 1;
  for (let child = 0; child < (schema[at].num_children ?? 0); child++) next = behind(schema, next);
  return next;
}
