/** What a Parquet schema has for comparing: columns, and the fields of structs and of structs in lists. */
import type { FileMetaData, SchemaElement } from "hyparquet";

export interface Known {
  isList: boolean;
  /** of the struct, or of the structs in the list; empty where there is none */
  fields: string[];
}

/** The top-level columns by name. */
export function columnsIn({ schema }: FileMetaData): Map<string, Known> {
  const [root] = tree(schema, 0);
  return new Map(root.children.map((column) => [column.element.name, knownOf(column)]));
}

/** The names by which a table's columns can be told, fields of structs as COLUMN.FIELD. */
export const namesOf = (columns: ReadonlyMap<string, Known>): string[] =>
  [...columns].flatMap(([name, { fields }]) => (fields.length === 0 ? [name] : fields.map((field) => `${name}.${field}`)));

/** The top-level column that a name is, or is a field of; undefined if there is none. */
export function topOf(columns: ReadonlyMap<string, Known>, name: string): string | undefined {
  if (columns.has(name)) return name;
  return [...columns].find(([top, { fields }]) => name.startsWith(`${top}.`) && fields.includes(name.slice(top.length + 1)))?.[0];
}

interface Node {
  element: SchemaElement;
  children: Node[];
}

/** The tree from an element on, and the place behind it: Parquet has it depth first. */
function tree(schema: readonly SchemaElement[], at: number): [Node, number] {
  const children: Node[] = [];
  let next = at + 1;
  for (let i = 0; i < (schema[at].num_children ?? 0); i++) {
    const [child, behind] = tree(schema, next);
    children.push(child);
    next = behind;
  }
  return [{ element: schema[at], children }, next];
}

/** Lists as the format's page of logical types has them, those of two levels too. */
function knownOf(column: Node): Known {
  const isList = column.element.converted_type === "LIST" || column.element.logical_type?.type === "LIST";
  if (!isList) return { isList: false, fields: column.children.map(({ element }) => element.name) };
  const [repeated] = column.children;
  const isElement =
    repeated.children.length !== 1 || repeated.element.name === "array" || repeated.element.name === `${column.element.name}_tuple`;
  const element = isElement ? repeated : repeated.children[0];
  const isNested = element.element.converted_type !== undefined || element.element.logical_type !== undefined;
  return { isList: true, fields: isNested ? [] : element.children.map(({ element }) => element.name) };
}
