/** Batches of actions on their way through a run, as plain objects. */

import fc from "fast-check";
import { applyWindow, Window, type WindowedActions } from "../../transforms/bounds";
import { mergeRecent } from "../../transforms/joinbucket";
import type { Accumulator, RecentActions } from "../../transforms/recent";
import type { Rules } from "../../transforms/rules";
import type { Timelines } from "../../transforms/timelines";
import { type Action, actionBatch, days, rules } from "./plain";

const known = fc.option(fc.uniqueArray(days, { minLength: 1, maxLength: 4 }).map((some) => some.sort((a, b) => a - b)));
/** Rules of runs that know their days, and of runs that do not. */
export const runRules = fc.tuple(rules, known).map(([some, runDays]): Rules => ({ ...some, days: runDays }));

export interface SeenAction {
  item: bigint;
  time: number;
  type: number;
  /** the first day that sees it */
  first: number;
}

/** Actions alike in all that orders them may stand in any order: here by first day. */
export function settleTwins(actions: readonly SeenAction[]): SeenAction[] {
  const key = ({ time, type, item }: SeenAction): string => [time, type, item].join();
  const runs = new Map<string, SeenAction[]>();
  for (const action of actions) runs.set(key(action), [...(runs.get(key(action)) ?? []), action]);
  return actions.map((action) => {
    const run = runs.get(key(action))!;
    return run.splice(
      run.findIndex(({ first }) => first === Math.min(...run.map((twin) => twin.first))),
      1,
    )[0];
  });
}

export function plainTimelines({ customers, starts, items, times, types, firsts }: Timelines) {
  return Array.from(customers, (customer, c) => {
    const rows = Array.from({ length: starts[c + 1] - starts[c] }, (_, i) => starts[c] + i);
    return {
      customer,
      actions: settleTwins(rows.map((row) => ({ item: items[row], time: times[row], type: types[row], first: firsts[row] }))),
    };
  });
}

/** Tallies that do not depend on how they were gathered. */
export function talliesOf({ tallies: { customers, types, firsts, lasts, counts } }: WindowedActions): string[] {
  const sum = new Map<string, number>();
  for (let i = 0; i < counts.length; i++) {
    const key = [customers[i], types[i], firsts[i], lasts[i]].join();
    sum.set(key, (sum.get(key) ?? 0) + counts[i]);
  }
  return [...sum].map(([key, count]) => `${key}: ${count}`).sort();
}

export const batchesOf = (parts: readonly (readonly Action[])[], window: Window) =>
  parts.map((part) => applyWindow(actionBatch(part), window));

/** The timelines of an accumulator, as the join makes them. */
export const settled = (fn: RecentActions, accumulator: Accumulator, some: Rules): Timelines =>
  mergeRecent(fn.extractOutput(accumulator), new Window(some));
