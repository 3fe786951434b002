import type { ParquetType, SchemaElement } from "hyparquet";

export type Compression = "snappy" | "zstd" | "none";

/** What a column of the output can hold. */
export type Content =
  | "ranking_id"
  | "customer_id"
  | "impression_index"
  | "item_id"
  | "is_order"
  | "impressions"
  | "actions"
  | "action_types"
  | "history_length"
  | "action_times";

/** One output column: what it holds, and the name it has in the file. */
export interface OutputColumn {
  holds: Content;
  name: string;
}

/** Decoded: 10,000 rows at a history length of 1000. Random access stays cheap, and larger ones read no faster. */
export const ROW_GROUP_BYTES = 120_640_000;

const TYPES: Record<Content, ParquetType> = {
  ranking_id: "BYTE_ARRAY",
  customer_id: "INT64",
  impression_index: "INT32",
  item_id: "INT64",
  is_order: "BOOLEAN",
  impressions: "INT64",
  actions: "INT64",
  action_types: "INT32",
  history_length: "INT32",
  action_times: "INT64",
};

const LISTS: ReadonlySet<Content> = new Set<Content>(["actions", "action_types", "action_times"]);

/** A leaf of the schema: where a column's values are. */
export interface Leaf {
  /** names from the column down to the values */
  path: string[];
  type: ParquetType;
  element: SchemaElement;
}

export function leafOf({ holds, name }: OutputColumn): Leaf {
  const elements = elementsOf({ holds, name });
  return { path: elements.map((element) => element.name), type: TYPES[holds], element: elements.at(-1)! };
}

/** The schema of a file, depth first as Parquet wants it. */
export function schemaOf(columns: readonly OutputColumn[]): SchemaElement[] {
  return [{ name: "schema", num_children: columns.length }, ...columns.flatMap(elementsOf)];
}

/** A list has three levels (parquet-format, LogicalTypes.md, "Lists"): column, repeated group `list`, required `element`. */
function elementsOf({ holds, name }: OutputColumn): SchemaElement[] {
  const type = TYPES[holds];
  if (!LISTS.has(holds)) return [{ name, type, repetition_type: "REQUIRED", ...(type === "BYTE_ARRAY" ? STRING : {}) }];
  return [
    { name, repetition_type: "REQUIRED", num_children: 1, converted_type: "LIST", logical_type: { type: "LIST" } },
    { name: "list", repetition_type: "REPEATED", num_children: 1 },
    { name: "element", type, repetition_type: "REQUIRED" },
  ];
}

const STRING = { converted_type: "UTF8", logical_type: { type: "STRING" } } as const;
