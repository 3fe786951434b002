import type { Format } from "../io/rows";
import measured from "./rates.json";

/** For each unit of work. A unit is one of `Work`. */
export type PerUnit = Readonly<Partial<Record<keyof Work, number>>>;

/** Units of work, which rates are given for. */
export interface Work {
  /** one for each run */
  runs: number;
  /** slots */
  rows: number;
  /** actions read */
  actions: number;
  /** actions that some ranking of their customer can see */
  keptActions: number;
  /** actions of all histories */
  historyActions: number;
  /** customers shown, times the groups of splits that are sent them */
  customerGroups: number;
}

export interface Rates {
  /** of processor time in one thread */
  seconds: {
    scanRankings: Readonly<Record<string, number>>;
    scanActions: Readonly<Record<string, number>>;
    combine: PerUnit;
    join: PerUnit;
    measure: PerUnit;
    write: PerUnit;
    /** the thread of the runner: start, plan, graph, messages, publishing */
    runner: PerUnit;
  };
  bytes: {
    shown: Sizes;
    actions: Sizes;
    recent: Sizes;
    histories: Sizes;
    /** of Parquet with the standard columns and snappy */
    output: PerUnit;
  };
  /** of the items that all of this was measured with, each; see items.ts */
  itemBytes: number;
  /** processor time of a worker of a portable runner, to that of the same work on the direct runner */
  workerFactor: number;
}

interface Sizes {
  /** as a runner shuffles it */
  encoded: PerUnit;
  /** as it lies in the memory of a process */
  inMemory: PerUnit;
}

/** As `npm run bench:rates` has measured them; rates.json says on what machine, and has the runs that they follow from. */
export const RATES: Rates = measured.rates;
export const MEASURED: { date: string; machine: string; version: string; command: string } = measured.about;

/** What is not measured, because it takes a cloud: told with every estimate. */
export const ASSUMED = {
  /** from the start of a job on Dataflow until its workers work */
  startSeconds: 300,
  /** share of a worker's time in which it works */
  busyShare: 0.7,
} as const;

/** JSON arrays are scanned as NDJSON is, by the careful reader. */
export const secondsOf = (rates: Readonly<Record<string, number>>, format: Format): number => rates[format] ?? rates.ndjson;

/** Sum of rates times units. */
export const of = (rate: PerUnit, work: Work): number =>
  (Object.entries(rate) as [keyof Work, number][]).reduce((sum, [unit, each]) => sum + each * work[unit], 0);
