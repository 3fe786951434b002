/** Tables and queries of the test server: DuckDB, and of GoogleSQL just what backstory sends. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";

export interface Field {
  name: string;
  type: string;
  mode?: string;
  description?: string;
  fields?: Field[];
}

/** A query that BigQuery would refuse, in its words. */
export class QueryError extends Error {
  constructor(
    readonly reason: string,
    message: string,
  ) {
    super(message);
  }
}

const TYPES: Record<string, string> = {
  STRING: "VARCHAR",
  INTEGER: "BIGINT",
  INT64: "BIGINT",
  BOOLEAN: "BOOLEAN",
  BOOL: "BOOLEAN",
  DATE: "DATE",
  FLOAT: "DOUBLE",
  // of BigQuery, TIMESTAMP is an instant and DATETIME is what a clock on a wall shows
  TIMESTAMP: "TIMESTAMPTZ",
  DATETIME: "TIMESTAMP",
};

export function duckType({ type, mode, fields }: Field): string {
  const parts = (fields ?? []).map((field) => `"${field.name}" ${duckType(field)}`);
  const one = type === "RECORD" || type === "STRUCT" ? `STRUCT(${parts.join(", ")})` : TYPES[type];
  return mode === "REPEATED" ? `${one}[]` : one;
}

/** What DuckDB has no function for. */
const MACROS = [
  "CREATE MACRO safe_parse_date(f, x) AS CAST(try_strptime(x, f) AS DATE)",
  "CREATE MACRO extract_group(x, r) AS CASE WHEN regexp_matches(x, r) THEN regexp_extract(x, r, 1) END",
  "SET TimeZone = 'UTC'",
];

const ARRAY = /ARRAY\(SELECT AS STRUCT (.*?) FROM UNNEST\((`[^`]+`)\) AS slot WITH OFFSET AS place ORDER BY place\)/g;
const EXPORT =
  /^EXPORT DATA OPTIONS \(uri = '(gs:\/\/[^'*]+\/)\*\.parquet', format = 'PARQUET', compression = 'SNAPPY', overwrite = false\) AS\n([\s\S]+)$/;

/** A query of backstory's in DuckDB's words. */
export function translated(sql: string): string {
  const structs = sql.replaceAll(ARRAY, (_, parts: string, list: string) => {
    const fields = parts.split(", ").map((part) => {
      const [, from, to = from] = /^slot\.`([^`]+)`(?: AS `([^`]+)`)?$/.exec(part)!;
      return `'${to}': slot."${from}"`;
    });
    return `[{${fields.join(", ")}} for slot in ${list}]`;
  });
  return structs
    .replaceAll("SAFE.PARSE_DATE(", "safe_parse_date(")
    .replaceAll("REGEXP_EXTRACT(", "extract_group(")
    .replaceAll(" r'", " '")
    .replaceAll("TIMESTAMP '", "TIMESTAMPTZ '")
    .replaceAll("DATETIME '", "TIMESTAMP '")
    .replaceAll("CAST(MIN(day) AS STRING)", "CAST(MIN(day) AS VARCHAR)")
    .replaceAll("CAST(MAX(day) AS STRING)", "CAST(MAX(day) AS VARCHAR)")
    .replaceAll("`", '"');
}

export function parseExport(sql: string): { prefix: string; query: string } | undefined {
  const found = EXPORT.exec(sql);
  return found === null ? undefined : { prefix: found[1], query: found[2] };
}

/** `p.d.t` in the FROM of a query. */
export const tableOf = (sql: string): string => /FROM `([^`]+)`/.exec(sql)![1];

export class Warehouse {
  private constructor(
    private readonly db: DuckDBConnection,
    private readonly folder: string,
  ) {}

  private exports = 0;

  static async open(): Promise<Warehouse> {
    const db = await (await DuckDBInstance.create(":memory:", { threads: "1" })).connect();
    for (const macro of MACROS) await db.run(macro);
    return new Warehouse(db, mkdtempSync(join(tmpdir(), "warehouse-")));
  }

  close(): void {
    this.db.disconnectSync();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** @param rows a query in DuckDB's words */
  async create(name: string, fields: readonly Field[], rows: string): Promise<void> {
    const columns = fields.map((field) => `"${field.name}" ${duckType(field)}`);
    await this.db.run(`CREATE OR REPLACE TABLE "${name}" (${columns.join(", ")})`);
    await this.db.run(`INSERT INTO "${name}" BY NAME SELECT ${fields.map(({ name }) => `"${name}"`).join(", ")} FROM (${rows})`);
  }

  async rows(sql: string): Promise<Record<string, unknown>[]> {
    return (await this.db.runAndReadAll(sql)).getRowObjectsJson();
  }

  async count(sql: string): Promise<number> {
    return Number((await this.rows(`SELECT COUNT(*) AS n FROM (${sql})`))[0].n);
  }

  /** Runs a query of backstory's. @throws QueryError */
  async query(sql: string): Promise<Record<string, unknown>[]> {
    try {
      return await this.rows(translated(sql));
    } catch (error) {
      throw new QueryError("invalidQuery", `Syntax error: ${(error as Error).message}`);
    }
  }

  /** A query's rows as Parquet files, two of them where there is more than one row; none of no rows. */
  async parquet(sql: string): Promise<{ rows: number; files: Buffer[] }> {
    // several exports are at work at once
    const name = `exported${this.exports++}`;
    await this.db.run(`CREATE TEMP TABLE ${name} AS ${translated(sql)}`);
    const rows = await this.count(`FROM ${name}`);
    const files: Buffer[] = [];
    for (let part = 0; part < Math.min(2, rows); part++) {
      const path = join(this.folder, `${name}-${part}.parquet`);
      await this.db.run(`COPY (FROM ${name} WHERE rowid % 2 = ${part}) TO '${path}' (FORMAT parquet, COMPRESSION snappy)`);
      files.push(readFileSync(path));
    }
    return { rows, files };
  }

  /** Replaces the rows of a day by those of Parquet files, all at once. @throws QueryError where the files do not have these columns */
  async replaceDay(name: string, dt: string, fields: readonly Field[], files: readonly Buffer[]): Promise<number> {
    const load = this.exports++;
    const paths = files.map((bytes, i) => {
      const path = join(this.folder, `load${load}-${i}.parquet`);
      writeFileSync(path, bytes);
      return path;
    });
    const from = `read_parquet([${paths.map((path) => `'${path}'`).join(", ")}], hive_partitioning = false)`;
    const found = await this.rows(`DESCRIBE FROM ${from}`);
    for (const field of fields) {
      const type = found.find((column) => column.column_name === field.name)?.column_type as string | undefined;
      if (type?.replace("INTEGER", "BIGINT") !== duckType(field))
        throw new QueryError("invalid", `Provided Schema does not match Table. Field ${field.name} has type ${type}.`);
    }
    const columns = fields.map((field) => `"${field.name}"`).join(", ");
    const insert = `INSERT INTO "${name}" BY NAME SELECT DATE '${dt}' AS dt, ${columns} FROM ${from}`;
    // one call, since there is one connection
    await this.db.run(`BEGIN; DELETE FROM "${name}" WHERE dt = DATE '${dt}'; ${insert}; COMMIT`);
    return this.count(`FROM ${from}`);
  }

  async removeDay(name: string, dt: string): Promise<void> {
    await this.db.run(`DELETE FROM "${name}" WHERE dt = DATE '${dt}'`);
  }
}
