import { Window } from "../../transforms/bounds";
import type { Cell } from "../../transforms/cells";
import { ActionNormaliser, type Normaliser, RankingNormaliser } from "../../transforms/normalise";
import type { Rules } from "../../transforms/rules";
import { type Ledger, noCounts, place, placeOutside, rejectedRows, seeColumns, type TableCounts } from "../../transforms/tablecounts";
import type { Plan } from "../backstory";
import { ConfigError } from "../errors";
import { IMPRESSIONS, type InputFile, type Split } from "../io/rows";
import { judge } from "../judge";
import { sourceOf } from "../scansplit";
import { distinctOf } from "./distinct";
import { ItemBytes } from "./items";
import { meanCut } from "./meancut";
import { type Sampled, sampleTable, type Taker } from "./sample";
import type { Shape, TableShape } from "./shape";

/** Sampled actions for each customer from which on histories can be seen one by one; below, their distribution is guessed from its moments. */
const SEEN_WELL = 8;
/** Actions of customers shown that must have been met to tell how many are theirs. */
const MET = 10;

/** What a run has to do, by samples of its inputs. */
export interface Survey {
  shape: Shape;
  warnings: string[];
}

/**
 * Looks into the inputs of a planned run.
 * @throws ConfigError where a table lacks a column, or no ranking of the days is found; BrokenFile
 */
export async function survey({ rankings, actions, rules, publish }: Plan, inputs: ReadonlyMap<string, InputFile[]>): Promise<Survey> {
  const ledger: Ledger = {};
  const shown = new ShownSample(rules);
  const impressions = await sampleOf(IMPRESSIONS, shown.normaliser, inputs, ledger);
  placeOutside(ledger, IMPRESSIONS, shown.normaliser.outside);
  place(ledger, IMPRESSIONS, "used", shown.rankings);
  const days = rules.days ?? [...new Set(shown.days)].sort((a, b) => a - b);
  const seen = new SeenSample({ ...rules, days }, shown.weights);
  const tables: TableShape[] = [];
  for (const table of rules.tables) {
    const normaliser = new ActionNormaliser(table, { ...rules, days }, seen);
    const sampled = await sampleOf(table.name, normaliser, inputs, ledger);
    seen.endTable(sampled);
    tables.push(shapeOf(table.name, inputs, sampled));
  }
  const warnings = verdict(ledger, publish.limits);
  const share = Math.min(1, impressions.sampled / Math.max(1, impressions.rows));
  const customers = distinctOf(shown.weights.counts(), share);
  return {
    warnings,
    shape: {
      impressions: shapeOf(IMPRESSIONS, inputs, impressions),
      actions: tables,
      days: days.length,
      rows: shown.slots / share,
      customers,
      customerDays: distinctOf(shown.customerDays.values(), share),
      keptActions: seen.kept(customers),
      meanHistory: seen.meanHistory(rules.historyLength),
      itemBytes: seen.items.mean,
      layout: { rankingSplits: rankings.length, actionSplits: actions.length, buckets: rules.buckets, shards: rules.shards },
    },
  };
}

/** The files that a run reads, by table. */
export function filesOf({ rankings, actions, rules }: Plan): Map<string, InputFile[]> {
  const files = new Map<string, InputFile[]>([[IMPRESSIONS, []], ...rules.tables.map(({ name }): [string, InputFile[]] => [name, []])]);
  const last = (split: Split) => files.get(split.table)!.at(-1);
  for (const split of [...rankings, ...actions]) if (last(split)?.path !== split.file.path) files.get(split.table)!.push(split.file);
  return files;
}

/** What a run with these rows would be refused for. Of a sample, rejects are no more than a warning. */
function verdict(ledger: Ledger, limits: Plan["publish"]["limits"]): string[] {
  const { error, exitCode, warnings } = judge(ledger, limits);
  if (exitCode === 2) throw new ConfigError(error!);
  return error === undefined ? warnings : [`in the sample, ${error}`, ...warnings];
}

function shapeOf(name: string, inputs: ReadonlyMap<string, InputFile[]>, { rows, counted, bytesRead }: Sampled): TableShape {
  const files = inputs.get(name) ?? [];
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  return { name, format: files[0]?.format ?? "ndjson", files: files.length, bytes, bytesRead, rows, counted };
}

async function sampleOf(table: string, normaliser: Normaliser, inputs: ReadonlyMap<string, InputFile[]>, ledger: Ledger): Promise<Sampled> {
  const counts = noCounts();
  ledger[table] = counts;
  const sampled = await sampleTable(inputs.get(table) ?? [], new Counting(normaliser, counts));
  counts.zeroItems = normaliser.zeroItems;
  place(ledger, table, "rejected", rejectedRows(counts));
  return sampled;
}

/** Rows to a normaliser, with what a ledger says of them. */
class Counting implements Taker {
  readonly columns: readonly string[];

  constructor(
    private readonly normaliser: Normaliser,
    private readonly counts: TableCounts,
  ) {
    this.columns = normaliser.columns;
  }

  row(cells: readonly Cell[], file: InputFile): void {
    this.counts.rows++;
    for (const [i, column] of this.columns.entries())
      if (cells[i] === undefined && !Object.hasOwn(file.partition, column))
        this.counts.lacking[column] = (this.counts.lacking[column] ?? 0) + 1;
    const reason = this.normaliser.take(cells, sourceOf({ table: "", file, index: 0, start: 0, end: 0 }));
    if (reason !== undefined) this.count(reason);
  }

  reject(reason: string): void {
    this.counts.rows++;
    this.count(reason);
  }

  found(names: readonly string[]): void {
    seeColumns(this.counts, names);
  }

  private count(reason: string): void {
    this.counts.reasons[reason] = (this.counts.reasons[reason] ?? 0) + 1;
  }
}

interface Customer {
  rankings: number;
  slots: number;
  /** actions in a history of theirs, estimated */
  seen: number;
  /** what the square of `seen` has too much, on average, since it follows from a sample */
  noise: number;
}

/** Customers of sampled rankings. */
class Customers {
  private readonly all = new Map<string, Customer>();

  add(customer: bigint | number, slots: number): void {
    const found = this.get(customer);
    if (found === undefined) this.all.set(String(customer), { rankings: 1, slots, seen: 0, noise: 0 });
    else {
      found.rankings++;
      found.slots += slots;
    }
  }

  get = (customer: bigint | number) => this.all.get(String(customer));
  get size(): number {
    return this.all.size;
  }
  counts = (): Iterable<number> => [...this.all.values()].map(({ rankings }) => rankings);
  values = () => this.all.values();
}

/** Sampled rankings of the days that are built. */
class ShownSample {
  readonly weights = new Customers();
  readonly customerDays = new Map<string, number>();
  readonly days: number[] = [];
  rankings = 0;
  slots = 0;
  readonly normaliser: RankingNormaliser;

  constructor(rules: Rules) {
    this.normaliser = new RankingNormaliser(rules, {
      push: (customer, day, _id, slots) => {
        this.rankings++;
        this.slots += slots.length;
        this.days.push(day);
        this.weights.add(customer, slots.length);
        const key = `${customer} ${day}`;
        this.customerDays.set(key, (this.customerDays.get(key) ?? 0) + 1);
      },
    });
  }
}

/** Sampled actions: those of customers who were met among the rankings tell of everyone. */
class SeenSample {
  readonly items = new ItemBytes();
  private readonly window: Window;
  /** places of the days that are built */
  private readonly places: ReadonlyMap<number, number>;
  /** of the table at hand */
  private inWindow = 0;
  private met = 0;
  private metCustomers = new Map<Customer, number>();
  /** of all tables so far */
  private allMet = 0;
  private allInWindow = 0;
  private rowsInWindow = 0;
  private rowsMet = 0;

  constructor(
    rules: Rules,
    private readonly customers: Customers,
  ) {
    this.window = new Window(rules);
    this.places = new Map((rules.days ?? []).map((day, i) => [day, i]));
  }

  push = (customer: bigint | number, item: bigint | number, time: number, type: number, ownDay: number): void => {
    this.items.add(item);
    const share = this.shareOfDays(this.window.first(time, type, ownDay), this.window.last(time));
    if (share === 0) return;
    this.inWindow++;
    const found = this.customers.get(customer);
    if (found === undefined) return;
    this.met++;
    this.metCustomers.set(found, (this.metCustomers.get(found) ?? 0) + share);
  };

  /** Of the days that are built, those that see an action which the days [first, last] see. */
  private shareOfDays(first: number, last: number): number {
    const from = this.places.get(first);
    if (from === undefined || last < first) return 0;
    return ((this.places.get(last) ?? this.places.size - 1) - from + 1) / this.places.size;
  }

  /** Sampled rows stand for all of the table's. */
  endTable({ rows, sampled }: Sampled): void {
    const each = sampled === 0 ? 0 : rows / sampled;
    for (const [customer, count] of this.metCustomers) {
      customer.seen += count * each;
      customer.noise += count * each * each;
    }
    this.rowsInWindow += this.inWindow * each;
    this.rowsMet += this.met * each;
    this.allMet += this.met;
    this.allInWindow += this.inWindow;
    this.inWindow = this.met = 0;
    this.metCustomers = new Map();
  }

  /**
   * Actions that some ranking of their customer can see. Customers met are those shown more often, who act more often too; so this is too high
   * rather than too low.
   */
  kept(customers: number): number {
    if (this.customers.size === 0 || this.allInWindow === 0) return 0;
    const coverage = Math.min(1, this.customers.size / customers);
    if (this.allMet < MET && coverage < 1) return this.rowsInWindow;
    return Math.min(this.rowsInWindow, this.rowsMet / coverage);
  }

  /** The mean over rows of the actions that a history has. */
  meanHistory(historyLength: number): number {
    let slots = 0;
    let sum = 0;
    let squares = 0;
    let cut = 0;
    for (const { slots: weight, seen, noise } of this.customers.values()) {
      slots += weight;
      sum += weight * seen;
      squares += weight * (seen * seen - noise);
      cut += weight * Math.min(historyLength, seen);
    }
    if (sum === 0) return 0;
    if (this.allMet / this.customers.size >= SEEN_WELL) return cut / slots;
    return meanCut(sum / slots, squares / slots, historyLength);
  }
}
