/** A synthetic workload in BigQuery: the same rows as in files. */
import type { TableResource } from "./server";
import type { Services } from "./service";
import type { Field } from "./warehouse";

export const TABLES = ["impressions", "clicks", "add_to_carts", "previous_orders"];
export const PROJECT = "acme-shop-1";

const slots: Field[] = [
  { name: "item_id", type: "INTEGER" },
  { name: "is_order", type: "BOOLEAN" },
  // nobody asks for it
  { name: "score", type: "FLOAT" },
];

/** As a warehouse would have them. */
export const FIELDS: Record<string, Field[]> = {
  impressions: [
    { name: "dt", type: "DATE" },
    { name: "ranking_id", type: "STRING" },
    { name: "customer_id", type: "INTEGER" },
    { name: "impressions", type: "RECORD", mode: "REPEATED", fields: slots },
    { name: "page", type: "STRING" },
  ],
  clicks: [
    { name: "dt", type: "DATE" },
    { name: "customer_id", type: "INTEGER" },
    { name: "item_id", type: "INTEGER" },
    { name: "click_time", type: "TIMESTAMP" },
  ],
  add_to_carts: [
    { name: "dt", type: "DATE" },
    { name: "customer_id", type: "INTEGER" },
    { name: "config_id", type: "INTEGER" },
    { name: "simple_id", type: "INTEGER" },
    { name: "occurred_at", type: "TIMESTAMP" },
  ],
  previous_orders: [
    { name: "order_date", type: "DATE" },
    { name: "customer_id", type: "INTEGER" },
    { name: "config_id", type: "INTEGER" },
    { name: "occurred_at", type: "TIMESTAMP" },
  ],
};

/** Rows of a file, of the generator's Parquet, in columns of FIELDS. */
export function rowsOf(table: string, path: string): string {
  if (table === "impressions")
    return `SELECT *, 'start' AS page FROM (SELECT * REPLACE ([{'item_id': s.item_id, 'is_order': s.is_order, 'score': 0.5} for s in impressions] AS impressions) FROM read_parquet('${path}'))`;
  return `SELECT * FROM read_parquet('${path}')`;
}

export interface Change {
  fields?: Field[];
  /** a query in DuckDB's words over that of all rows */
  rows?: (all: string) => string;
  resource?: Partial<TableResource>;
}

/** Puts the workload of a folder into a dataset. */
export async function fill({ bigQuery }: Services, dataset: string, folder: string, changes: Record<string, Change> = {}): Promise<void> {
  for (const table of TABLES) {
    const { fields = FIELDS[table], rows = (all: string) => all, resource = {} } = changes[table] ?? {};
    await bigQuery.table(`${PROJECT}.${dataset}.${table}`, fields, rows(rowsOf(table, `${folder}/${table}.parquet`)), resource);
  }
}

export const inputs = (dataset: string): string[] =>
  TABLES.map((table) => `--${table.replaceAll("_", "-")}=bq://${PROJECT}.${dataset}.${table}`);
