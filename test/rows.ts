import { readdirSync } from "node:fs";
import { join } from "node:path";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";

/** The rows of an output as JSON text in the oracle's form and order: by dt, ranking, customer, slot. */
export async function rowsOf(output: string): Promise<string[]> {
  const rows: Record<string, unknown>[] = [];
  for (const file of partsOf(output)) {
    const dt = /dt=([^/]+)/.exec(file)![1];
    const found = await parquetReadObjects({ file: await asyncBufferFromFile(join(output, file)), compressors });
    for (const row of found) rows.push({ dt, ...row });
  }
  return rows.sort(byKey).map(text);
}

/** The Parquet files of an output, relative to it, in order. */
export function partsOf(output: string): string[] {
  return readdirSync(output, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".parquet"))
    .sort();
}

type Row = Record<string, unknown>;
function byKey(a: Row, b: Row): number {
  const compare = (x: unknown, y: unknown) => ((x as bigint) < (y as bigint) ? -1 : (x as bigint) > (y as bigint) ? 1 : 0);
  return (
    compare(a.dt, b.dt) ||
    Buffer.compare(Buffer.from(String(a.ranking_id)), Buffer.from(String(b.ranking_id))) ||
    compare(a.customer_id, b.customer_id) ||
    compare(a.impression_index, b.impression_index)
  );
}

/** JSON with the digits of every int64, strings escaped as Python's json does. */
function text(row: Row): string {
  const json = JSON.stringify(row, (_, value) => {
    if (typeof value === "bigint") return `@@${value}@@`;
    return ArrayBuffer.isView(value) ? Array.from(value as unknown as ArrayLike<unknown>) : value;
  });
  return json
    .replaceAll(/"@@(-?\d+)@@"/g, "$1")
    .replaceAll(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
