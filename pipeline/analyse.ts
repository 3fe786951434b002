/** `backstory analyse`: the data quality of an existing output, from its action_types alone. */
import { Metrics } from "../transforms/metrics";
import { type OutputFile, OutputReader, outputFiles } from "./output";

interface Group {
  customer: bigint;
  types: number[];
  rows: number;
}

/** The rows of one dt: adjacent ones of a customer share a history, which is counted once for all of them. */
class Day {
  private readonly customers = new Set<bigint>();
  private group: Group | undefined;
  constructor(
    private readonly metrics: Metrics,
    readonly dt: string,
  ) {}

  add(customer: bigint, types: number[]): void {
    if (this.group?.customer === customer) this.group.rows++;
    else {
      this.flush();
      this.group = { customer, types, rows: 1 };
    }
  }

  flush(): void {
    if (!this.group) return;
    const { customer, types, rows } = this.group;
    this.metrics.add(types, 0, types.length, types.length, rows, this.dt, this.customers.has(customer) ? 0 : 1);
    this.customers.add(customer);
    this.group = undefined;
  }
}

async function analyseFile(reader: OutputReader, file: OutputFile, day: Day): Promise<void> {
  const rows = await reader.open(file, ["customer_id", "action_types"]);
  for (const { start, end } of rows.groups) {
    for (const row of await rows.read(start, end)) day.add(row.customer_id as bigint, row.action_types as number[]);
  }
  day.flush();
}

/**
 * Counts every row of an output folder, a partition folder or a file. That all rows of a customer on one dt have the same
 * history is taken as given where they are adjacent; else nothing is assumed of their order. In memory: one row group's
 * action types, and one dt's distinct customers.
 * @param maxPositions positions whose types are counted one by one
 * @throws ConfigError where there is no output or a file lacks a column, BrokenFile where it is no Parquet
 */
export async function analyse(path: string, maxPositions = 100): Promise<Metrics> {
  const metrics = new Metrics(maxPositions);
  let day: Day | undefined;
  const reader = new OutputReader();
  try {
    for (const file of await outputFiles(path)) {
      if (day?.dt !== file.dt) day = new Day(metrics, file.dt);
      await analyseFile(reader, file, day);
    }
  } finally {
    reader.close();
  }
  return metrics;
}
