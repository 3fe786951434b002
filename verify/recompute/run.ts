/** Recomputes a sample of the customers of a run from its raw files, and compares. */
import type { Findings } from "../findings";
import type { RawFile } from "../inputs/cells";
import { type Action, eachAction, eachRanking, type Ranking } from "../inputs/tables";
import type { Column, Holds } from "../output/columns";
import type { OutputHistory, OutputRow } from "../output/rows";
import type { ActionTable, Rules } from "../rules";
import { nameOf, type Zone } from "../zone";
import { Comparison } from "./compare";
import { Expected } from "./expected";
import { Sample, Totals } from "./sample";

export interface Inputs {
  impressions: RawFile[];
  tables: { table: ActionTable; files: RawFile[] }[];
}

export interface Task {
  rules: Rules;
  zone: Zone;
  inputs: Inputs;
  /** first and last day of --dates */
  range: [number, number] | null;
  trainDays: number | null;
  /** days that the output at hand answers for, of those that the rule wants */
  answersFor: (day: number) => boolean;
  /** null: all customers */
  sample: number | null;
  seed: string;
}

export interface Recount {
  /** by table: rows read and rejects; what of them is known of a sample is less */
  counts: Record<string, { rows: number; rejects: number }>;
  customers: number;
  /** false: all customers */
  isPart: boolean;
  /** times of the actions of the histories compared: by day, by type, the oldest and the newest */
  used: Map<number, Map<number, [oldest: number, newest: number]>>;
}

/** Gives every row of the output that a task is about: only customers, or all of it. */
export interface Output {
  columns: readonly Column[];
  customers(take: (customer: bigint) => void): Promise<void>;
}

/** What has to be seen of every row. */
export interface Recompute {
  take(file: string, day: number, row: OutputRow, history: OutputHistory): void;
  finish(): Recount;
  readonly rows: number;
}

/** Reads the inputs; the rows come then, one by one. */
export async function prepare(task: Task, output: Output, findings: Findings): Promise<Recompute> {
  const wanted = await daysWanted(task);
  const isDay = (day: number) => wanted(day) && task.answersFor(day);
  const has = (holds: Holds) => output.columns.some((column) => column.holds === holds);
  const drawn = task.sample === null ? null : await draw(task, task.sample, isDay, output);
  const expected = new Expected(task.rules, task.zone);
  const totals = drawn?.isPart && !task.rules.dropEmptyHistory ? { expected: new Totals(), found: new Totals() } : null;
  const counts: Recount["counts"] = {};
  counts.impressions = await eachRanking(task.inputs.impressions, (ranking) => {
    if (!isDay(ranking.day)) return;
    if (totals !== null) addRanking(totals.expected, ranking, has);
    if (drawn === null || drawn.customers.has(ranking.customer)) expected.addRanking(ranking);
  });
  await readActions(task, expected, drawn === null, counts);
  const comparison = new Comparison(expected, (customer) => drawn === null || drawn.customers.has(customer), isDay, findings);
  return {
    take(file, day, row, history) {
      const { customer, ranking, index, item, isOrder } = row;
      totals?.found.add(day, customer, ranking, index, item, isOrder);
      comparison.take(file, day, row, history);
    },
    finish() {
      comparison.finish();
      if (totals !== null) compareTotals(totals.expected, totals.found, findings);
      return { counts, customers: drawn?.customers.size ?? expected.customers.size, isPart: drawn?.isPart ?? false, used: comparison.used };
    },
    get rows() {
      return comparison.rows;
    },
  };
}

/** Which days the rule wants: those of --dates, and of those found the newest so many. */
async function daysWanted({ inputs, range, trainDays }: Task): Promise<(day: number) => boolean> {
  const inRange = (day: number) => range === null || (range[0] <= day && day <= range[1]);
  if (trainDays === null) return inRange;
  const found = new Set<number>();
  await eachRanking(inputs.impressions, ({ day }) => void found.add(day));
  const newest = new Set(
    [...found]
      .filter(inRange)
      .sort((a, b) => b - a)
      .slice(0, trainDays),
  );
  return (day) => newest.has(day);
}

/** Customers of inputs and output alike, so that neither what is missing nor what is too much has less of a chance. */
async function draw({ inputs, seed }: Task, size: number, isDay: (day: number) => boolean, output: Output) {
  const sample = new Sample(size, seed);
  await eachRanking(inputs.impressions, ({ day, customer }) => {
    if (isDay(day)) sample.offer(customer);
  });
  await output.customers((customer) => sample.offer(customer));
  return { isPart: sample.isPart, customers: sample.customers() };
}

async function readActions({ inputs, rules, zone }: Task, expected: Expected, all: boolean, counts: Recount["counts"]): Promise<void> {
  // all rows are looked at where all are counted, those of customers without a ranking too
  const wanted = (customer: bigint) => all || expected.customers.has(customer);
  const take = (customer: bigint, action: Action) => expected.addAction(customer, action);
  for (const { table, files } of inputs.tables) counts[table.name] = await eachAction(files, table, rules, zone, wanted, take);
}

function addRanking(totals: Totals, { day, customer, id, slots }: Ranking, has: (holds: Holds) => boolean): void {
  for (const [index, { item, isOrder }] of slots.entries())
    totals.add(
      day,
      has("customer_id") ? customer : undefined,
      has("ranking_id") ? id : undefined,
      has("impression_index") ? index : undefined,
      has("item_id") ? item : undefined,
      has("is_order") ? isOrder : undefined,
    );
}

function compareTotals(expected: Totals, found: Totals, findings: Findings): void {
  for (const day of new Set([...expected.days.keys(), ...found.days.keys()])) {
    const [a, b] = [expected.days.get(day) ?? { slots: 0, sum: 0 }, found.days.get(day) ?? { slots: 0, sum: 0 }];
    const dt = nameOf(day);
    if (b.slots === 0) findings.add("missing partition", `the inputs have ${a.slots} slots of this dt, the output has no row`, { dt });
    else if (a.slots !== b.slots)
      findings.add(
        "slots of a dt",
        `the inputs have ${a.slots} slots of this dt, the output has ${b.slots} rows; --sample=all tells which`,
        { dt },
      );
    else if (a.sum !== b.sum)
      findings.add("slots of a dt", "rows differ from the inputs' slots, of whatever customer; --sample=all tells which", { dt });
  }
}
