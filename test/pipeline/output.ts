/** Writes small outputs with the columns of SPEC.md, for tests of what reads them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SchemaElement } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";

export interface OutputRow {
  ranking: string;
  customer: bigint;
  slot: number;
  item: bigint;
  isOrder: boolean;
  actions: bigint[];
  types: number[];
}

const column = (name: string, type: SchemaElement["type"]): SchemaElement => ({ name, type, repetition_type: "REQUIRED" });
const list = (name: string, type: SchemaElement["type"]): SchemaElement[] => [
  { name, repetition_type: "REQUIRED", converted_type: "LIST", num_children: 1 },
  { name: "list", repetition_type: "REPEATED", num_children: 1 },
  column("element", type),
];

const SCHEMA: SchemaElement[] = [
  { name: "root", num_children: 8 },
  { ...column("ranking_id", "BYTE_ARRAY"), converted_type: "UTF8" },
  column("customer_id", "INT64"),
  column("impression_index", "INT32"),
  column("item_id", "INT64"),
  column("is_order", "BOOLEAN"),
  column("impressions", "INT64"),
  ...list("actions", "INT64"),
  ...list("action_types", "INT32"),
];

/** @returns the path of `folder/dt=.../part-....parquet` */
export function writeOutput(folder: string, dt: string, rows: OutputRow[], rowGroupSize = 3, part = 0): string {
  const partition = join(folder, `dt=${dt}`);
  mkdirSync(partition, { recursive: true });
  const columnData = [
    { name: "ranking_id", data: rows.map((row) => row.ranking) },
    { name: "customer_id", data: rows.map((row) => row.customer) },
    { name: "impression_index", data: rows.map((row) => row.slot) },
    { name: "item_id", data: rows.map((row) => row.item) },
    { name: "is_order", data: rows.map((row) => row.isOrder) },
    { name: "impressions", data: rows.map((row) => row.item) },
    { name: "actions", data: rows.map((row) => row.actions) },
    { name: "action_types", data: rows.map((row) => row.types) },
  ];
  const path = join(partition, `part-${part}.parquet`);
  writeFileSync(path, Buffer.from(parquetWriteBuffer({ schema: SCHEMA, columnData, rowGroupSize })));
  writeFileSync(join(partition, "_SUCCESS"), "");
  return path;
}

/** `slots` rows of one ranking; item n is 100 + n, and only slot 1 is an order. */
export function ranking(name: string, customer: bigint, slots: number, actions: bigint[], types: number[]): OutputRow[] {
  return Array.from({ length: slots }, (_, slot) => ({
    ranking: name,
    customer,
    slot,
    item: 100n + BigInt(slot),
    isOrder: slot === 1,
    actions,
    types,
  }));
}
