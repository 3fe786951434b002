import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Case } from "../cases";

export interface OracleRun {
  code: number;
  /** rows as JSON text, ids of any size in digits, sorted by dt, ranking, customer, slot */
  rows: string[];
  ledger: Record<string, Record<string, number>>;
  rejects: Record<string, number>;
  /** late rows by table, kind and day */
  late: Record<string, Record<string, Record<string, number>>>;
}

export const TABLES = ["impressions", "clicks", "add_to_carts", "previous_orders"] as const;

/** Writes a case's tables as NDJSON files and gives the flags that name them. */
export function writeCase(folder: string, tables: Omit<Case, "options">): Record<string, string> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return Object.fromEntries(
    TABLES.map((table) => {
      const path = join(folder, `${table}.ndjson`);
      writeFileSync(path, tables[table].map((line) => `${line}\n`).join(""));
      return [table.replaceAll("_", "-"), path];
    }),
  );
}

export const flagsOf = (options: Record<string, string | boolean>): string[] =>
  Object.entries(options).map(([name, value]) => (value === true ? `--${name}` : `--${name}=${value}`));

/** oracle.py, started once and asked many times. */
export class Oracle {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly answers: AsyncIterator<string>;

  constructor(python = process.env.PYTHON ?? "python3") {
    this.child = spawn(python, [join(__dirname, "serve.py")]);
    this.child.stderr.resume();
    this.answers = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  async run(flags: string[]): Promise<OracleRun> {
    this.child.stdin.write(`${JSON.stringify(flags)}\n`);
    const { value, done } = await this.answers.next();
    if (done) throw new Error("the oracle has ended; is python3 with zone data (package tzdata) installed?");
    const { code, out, err } = JSON.parse(value);
    if (code !== 0) return { code, rows: [], ledger: {}, rejects: {}, late: {} };
    const { ledger, rejects, late } = JSON.parse(err);
    return { code, rows: out.split("\n").slice(0, -1), ledger, rejects, late };
  }

  stop(): void {
    this.child.kill();
  }
}
