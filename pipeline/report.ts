import { stages } from "../beam/stages";
import { Interrupted, PublishError } from "./errors";
import type { BuildOptions } from "./options";
import { type Progress, progress } from "./progress";
import type { Outcome } from "./publish";
import { build, describe, submit } from "./run";
import type { Tell } from "./runners/tell";
import { plural, thousands } from "./thousands";

/** Builds, telling people how far it is and what came of it. @param debug whether all that a runner says is told, with stacks */
export async function buildAndTell(options: BuildOptions, debug = false): Promise<void> {
  if (options.dryRun) return console.log(JSON.stringify(await describe(options), null, 2));
  const began = performance.now();
  const line = new ProgressLine(options.quiet);
  progress.onChange = (now) => line.draw(now, performance.now() - began);
  const signals = new Signals(options.runner === "dataflow");
  const watch = { tell: teller(line, options.quiet, debug), signal: signals.signal, second: signals.second };
  let outcome: Outcome;
  try {
    if (options.wait === false) {
      const submission = await submit(options, watch);
      return options.json ? console.log(JSON.stringify(submission)) : undefined;
    }
    outcome = await build(options, watch);
  } finally {
    line.clear();
    signals.close();
    if (options.runner !== "direct") endSoon();
  }
  if (options.report !== undefined && outcome.rows > 0) await reportOn(options.output, options.report, options.tempDir);
  for (const warning of options.quiet ? [] : outcome.warnings) console.error(`warning: ${warning}`);
  if (options.json) console.log(JSON.stringify(summary(outcome, options, performance.now() - began)));
  else if (!options.quiet) console.log(told(outcome, options, performance.now() - began));
}

async function reportOn(output: string, to: string, tempDir: string | undefined): Promise<void> {
  try {
    await (await import("../report/report.js")).report(output, { to, tempDir });
  } catch (error) {
    const why = (error as Error).message.replace(/\.$/, "");
    throw new PublishError(`the output is published, but --report cannot be written (${why}). Get it with backstory report.`, 1, error);
  }
}

/** The SDK cannot close a connection to a job service that does not answer; it must not keep this process. */
function endSoon(): void {
  setTimeout(() => process.exit(), END_LIMIT_MS).unref();
}

const END_LIMIT_MS = 1000;

/** Tells on standard error what a runner says: a line each, or all of it for those who want to see everything. */
function teller(line: ProgressLine, quiet: boolean, debug: boolean): Tell {
  return (importance, text) => {
    if (quiet || (importance === "debug" && !debug)) return;
    line.clear();
    const told = debug ? text : text.trim().split("\n")[0].slice(0, LINE_CHARS);
    console.error(importance === "warning" ? `warning: ${told}` : told);
  };
}

const LINE_CHARS = 300;

/**
 * The first SIGINT or SIGTERM ends the run in order, the second at once. A terminal sends Ctrl-C to this process and to the one that has started
 * it, which hands it on (npm, bin/node24.js): that is one. A run that outlives the first is ended in order by the second, and at once by the third.
 */
class Signals {
  private readonly abort = new AbortController();
  private readonly abortIndeed = new AbortController();
  readonly signal = this.abort.signal;
  readonly second: AbortSignal | undefined;
  private last = -Infinity;

  /** @param outlives whether the run goes on after the first */
  constructor(outlives: boolean) {
    this.second = outlives ? this.abortIndeed.signal : undefined;
    for (const name of SIGNALS) process.on(name, this.take);
  }

  private readonly take = (name: (typeof SIGNALS)[number]): void => {
    const error = new Interrupted(name);
    const since = performance.now() - this.last;
    if (since < SAME_MS) return;
    this.last = performance.now();
    if (!this.signal.aborted) this.abort.abort(error);
    else if (this.second?.aborted === false) this.abortIndeed.abort(error);
    else process.exit(error.exitCode);
  };

  close(): void {
    for (const name of SIGNALS) process.off(name, this.take);
  }
}

const SAME_MS = 250;

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

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
    const text = `${stage}: ${thousands(rows)} rows in, ${(bytes / 1e6 / seconds).toFixed(0)} MB/s, ${thousands(written)} rows out, ${seconds.toFixed(1)} s`;
    process.stderr.write(this.terminal ? `\r\x1b[K${text}` : `${text}\n`);
    this.drawn = this.terminal;
  }

  clear(): void {
    if (this.drawn) process.stderr.write("\r\x1b[K");
    this.drawn = false;
  }
}

function summary(outcome: Outcome, { output }: BuildOptions, ms: number) {
  const { runId, already = false, rows, files, emptied, unread, ledger, quality, warnings, manifest } = outcome;
  return {
    runId,
    already,
    output,
    rows,
    seconds: ms / 1000,
    stages: stages.report(),
    files,
    emptied,
    unread,
    ledger,
    quality,
    warnings,
    manifest,
  };
}

function told(
  { runId, already, rows, files, emptied, unread, ledger, quality }: Outcome,
  { output, rejects }: BuildOptions,
  ms: number,
): string {
  const lines = [
    ...(already ? [`run ${runId} is published already, by an earlier attempt; nothing was built:`] : []),
    `${thousands(rows)} rows in ${plural(files.length, "file")}, ${(files.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6).toFixed(1)} MB, in ${(ms / 1000).toFixed(1)} s: ${output}`,
    `history: ${quality.avg_history_length.toFixed(1)} actions on average, none for ${(quality.zero_history_pct * 100).toFixed(1)}% of rows`,
    "where every input row ended:",
    ...Object.entries(ledger).map(
      ([table, counts]) => `  ${table.padEnd(16)} ${thousands(counts.rows).padStart(13)}  ${places(counts.places)}`,
    ),
  ];
  if (unread > 0) lines.push(`not read: ${thousands(unread)} files of impressions in folders of other days`);
  if (emptied.length > 0) lines.push(`emptied, since they have no rows now: ${emptied.join(", ")}`);
  const rejected = Object.values(ledger).reduce((sum, { places }) => sum + (places.rejected ?? 0), 0);
  if (rejected > 0)
    lines.push(
      rejects === undefined
        ? `${rejected} ${rejected === 1 ? "row is a reject" : "rows are rejects"}; --rejects=FILE tells which and why`
        : `${rejected} ${rejected === 1 ? "reject" : "rejects"}: ${rejects}`,
    );
  return lines.join("\n");
}

function places(counts: Record<string, number>): string {
  return Object.entries(counts)
    .map(([name, n]) => `${name} ${thousands(n)}`)
    .join(", ");
}
