/** `backstory inspect`: a few rows of an output, for people. */
import { z } from "zod";
import { type OutputFile, OutputReader, outputFiles } from "./output";

const whole = (low: number, high: number) => z.coerce.number<number | string>().int().min(low).max(high);

export const InspectOptions = z.object({
  rows: whole(1, 100_000).default(10).describe("number of rows to show, from the first"),
  actions: whole(0, 100_000).default(10).describe("number of actions to show of each history, newest first"),
});

export type InspectOptions = z.infer<typeof InspectOptions>;

const COLUMNS = ["ranking_id", "customer_id", "impression_index", "item_id", "is_order", "actions", "action_types"];

interface Row {
  ranking_id: string;
  customer_id: bigint;
  impression_index: number;
  item_id: bigint;
  is_order: boolean;
  actions: bigint[];
  action_types: number[];
}

const TYPE_NAMES = ["padding", "click", "cart", "order"];

/** "5(click) 7(order) + 3 more + 993 padding", "none + 1000 padding". What is padding is told by the type, never by the item. */
function historyText({ actions, action_types: types }: Row, shown: number): string {
  let real = types.length;
  while (real > 0 && types[real - 1] === 0) real--;
  const words = Array.from({ length: Math.min(real, shown) }, (_, i) => `${actions[i]}(${TYPE_NAMES[types[i]] ?? types[i]})`);
  if (real > shown) words.push(`+ ${real - shown} more`);
  if (types.length > real) words.push(`+ ${types.length - real} padding`);
  return (real === 0 ? ["none", ...words] : words).join(" ");
}

/** Lines of one file; those of a ranking follow a heading, which is where their history is told. */
async function* inspectFile(reader: OutputReader, file: OutputFile, rows: number, actions: number): AsyncGenerator<string, number> {
  const output = await reader.open(file, COLUMNS);
  const found = (await output.read(0, Math.min(rows, output.count))) as unknown as Row[];
  let last: Row | undefined;
  for (const row of found) {
    if (!last || last.customer_id !== row.customer_id || last.ranking_id !== row.ranking_id || row.impression_index === 0) {
      yield `dt ${file.dt}, ranking ${row.ranking_id}, customer ${row.customer_id}`;
      yield `  history: ${historyText(row, actions)}`;
    }
    yield `  slot ${row.impression_index}: item ${row.item_id}, is_order ${row.is_order}`;
    last = row;
  }
  return found.length;
}

/**
 * The first rows of an output folder, a partition folder or a file, as lines.
 * @throws ConfigError where there is no output or a file lacks a column, BrokenFile where it is no Parquet
 */
export async function* inspect(path: string, options: z.input<typeof InspectOptions> = {}): AsyncGenerator<string> {
  const { rows, actions } = InspectOptions.parse(options);
  let left = rows;
  const reader = new OutputReader();
  try {
    for (const file of await outputFiles(path)) {
      if (left === 0) return;
      left -= yield* inspectFile(reader, file, left, actions);
    }
  } finally {
    reader.close();
  }
}
