/** What the last step is told by all the others, put together: the same whatever the order, and however often it is told. */

import { Metrics, type MetricsState } from "../transforms/metrics";
import { addLedger, type Ledger, PLACES, type TableCounts, unbalanced } from "../transforms/tablecounts";
import { PublishError } from "./errors";
import { withExamples } from "./rejects";
import type { SplitExtent } from "./scansplit";
import type { WrittenFile } from "./writeday";

/** What the last step gathers, one field at a time. */
export type Report = { start: true } | { file: WrittenFile } | { ledger: Ledger } | { extents: SplitExtent } | { metrics: MetricsState };

export interface Gathered {
  /** in order of dt, kind and shard, one of each: that of their paths */
  files: WrittenFile[];
  ledger: Ledger;
  extents: SplitExtent[];
  metrics: Metrics;
}

/** @param tables in the order in which they were declared */
export function gather(reports: Iterable<Report>, maxPositions: number, tables: string[]): Gathered {
  const files: WrittenFile[] = [];
  const ledger: Ledger = {};
  const extents: SplitExtent[] = [];
  const metrics = new Metrics(maxPositions);
  for (const report of reports) {
    if ("file" in report) files.push(report.file);
    else if ("ledger" in report) addLedger(ledger, report.ledger);
    else if ("extents" in report) extents.push(report.extents);
    else if ("metrics" in report) metrics.mergeState(report.metrics);
  }
  return { files: distinct(files), ledger: withExamples(inOrder(ledger, tables), extents), extents, metrics };
}

/** A writer that ran twice has written the same bytes under two names. */
function distinct(files: WrittenFile[]): WrittenFile[] {
  const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  files.sort((a, b) => order(a.dt, b.dt) || order(a.kind, b.kind) || a.shard - b.shard || order(a.attempt, b.attempt));
  return files.filter((file, i) => {
    const before = files[i - 1];
    if (before === undefined || before.dt !== file.dt || before.kind !== file.kind || before.shard !== file.shard) return true;
    if (before.sha256 === file.sha256) return false;
    throw new PublishError(
      `shard ${file.shard} of dt=${file.dt} was written twice with different content. This is a bug; nothing was published.`,
      1,
    );
  });
}

/** Tables in the order in which they were declared, places in that of the rule, the rest by name: no figure depends on who counted first. */
function inOrder(ledger: Ledger, tables: string[]): Ledger {
  const named = <Value>(counts: Partial<Record<string, Value>>, names: readonly string[]) =>
    Object.fromEntries(names.flatMap((name) => (counts[name] === undefined ? [] : [[name, counts[name]]])));
  const sorted = (counts: Record<string, number>) => named(counts, Object.keys(counts).sort());
  const all = Object.entries(ledger).map(([table, counts]): [string, TableCounts] => [
    table,
    { ...counts, places: named(counts.places, PLACES), reasons: sorted(counts.reasons), lacking: sorted(counts.lacking) },
  ]);
  return named(Object.fromEntries(all), tables) as Ledger;
}

/** What was lost or doubled on the way, if anything: rows by the ledger, or rows written that are not those measured. */
export function imbalance({ ledger, files, metrics }: Gathered): string | undefined {
  const { days } = metrics.state;
  const written: Record<string, number> = {};
  for (const { dt, slots } of files) written[dt] = (written[dt] ?? 0) + slots;
  const wrong = [...new Set([...Object.keys(days), ...Object.keys(written)])].filter((dt) => (days[dt]?.rows ?? 0) !== (written[dt] ?? 0));
  const told = wrong.map((dt) => `dt=${dt}: ${written[dt] ?? 0} rows written, ${days[dt]?.rows ?? 0} measured`);
  const lost = [...unbalanced(ledger), ...told.sort()];
  if (lost.length === 0) return undefined;
  return `the ledger does not balance, so rows were lost or doubled (${lost.join("; ")}). This is a bug; nothing was published.`;
}
