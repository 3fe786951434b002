import { stages } from "../beam/stages";
import type { BuildOptions } from "./options";
import { type Progress, progress } from "./progress";
import type { Outcome } from "./publish";
import { build } from "./run";

/** Builds, telling people how far it is and what came of it. */
export async function buildAndTell(options: BuildOptions): Promise<void> {
  const began = performance.now();
  const line = new ProgressLine(options.quiet);
  progress.onChange = (now) => line.draw(now, performance.now() - began);
  let outcome: Outcome;
  try {
    outcome = await build(options);
  } finally {
    line.clear();
  }
  for (const warning of options.quiet ? [] : outcome.warnings) console.error(`warning: ${warning}`);
  if (options.json) console.log(JSON.stringify(summary(outcome, options, performance.now() - began)));
  else if (!options.quiet) console.log(told(outcome, options, performance.now() - began));
}

/** One line that is drawn over on a terminal; elsewhere a plain line now and then. */
class ProgressLine {
  private last = -Infinity;
  private drawn = false;
  private readonly terminal = process.stderr.isTTY === true;

  constructor(private readonly quiet: boolean) {}

  draw({ stage, rows, bytes, written }: Progress, elapsedMs: number): void {
    if (this.quiet || elapsedMs - this.last < (this.terminal ? 100 : 10_000)) return;
    if (this.last === -Infinity && !this.terminal) {
      this.last = elapsedMs;
      return;
    }
    this.last = elapsedMs;
    const seconds = elapsedMs / 1000;
    const text = `${stage}: ${rows.toLocaleString("en")} rows in, ${(bytes / 1e6 / seconds).toFixed(0)} MB/s, ${written.toLocaleString("en")} rows out, ${seconds.toFixed(1)} s`;
    process.stderr.write(this.terminal ? `\r\x1b[K${text}` : `${text}\n`);
    this.drawn = this.terminal;
  }

  clear(): void {
    if (this.drawn) process.stderr.write("\r\x1b[K");
  }
}

function summary(outcome: Outcome, { output }: BuildOptions, ms: number) {
  const { runId, rows, files, emptied, unread, ledger, quality, warnings, manifest } = outcome;
  return { runId, output, rows, seconds: ms / 1000, stages: stages.report(), files, emptied, unread, ledger, quality, warnings, manifest };
}

function told({ rows, files, emptied, unread, ledger, quality }: Outcome, { output, rejects }: BuildOptions, ms: number): string {
  const lines = [
    `${rows.toLocaleString("en")} rows in ${files.length} files, ${(files.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6).toFixed(1)} MB, in ${(ms / 1000).toFixed(1)} s: ${output}`,
    `history: ${quality.avg_history_length.toFixed(1)} actions on average, none for ${(quality.zero_history_pct * 100).toFixed(1)}% of rows`,
    "where every input row ended:",
    ...Object.entries(ledger).map(
      ([table, counts]) => `  ${table.padEnd(16)} ${counts.rows.toLocaleString("en").padStart(13)}  ${places(counts.places)}`,
    ),
  ];
  if (unread > 0) lines.push(`not read: ${unread.toLocaleString("en")} files of impressions in folders of other days`);
  if (emptied.length > 0) lines.push(`emptied, since they have no rows now: ${emptied.join(", ")}`);
  const rejected = Object.values(ledger).reduce((sum, { places }) => sum + (places.rejected ?? 0), 0);
  if (rejected > 0)
    lines.push(
      rejects === undefined ? `${rejected} rows are rejects; --rejects=FILE tells which and why` : `${rejected} rejects: ${rejects}`,
    );
  return lines.join("\n");
}

function places(counts: Record<string, number>): string {
  return Object.entries(counts)
    .map(([name, n]) => `${name} ${n.toLocaleString("en")}`)
    .join(", ");
}
