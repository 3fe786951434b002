/** The last step of a run, without Beam: from what all the others have told to an output that readers see. */
import { dirname } from "node:path";
import { conditionsMet, parseConditions } from "./conditions";
import { decide, refuseLeaks, type Target } from "./decide";
import { PublishError } from "./errors";
import { type Gathered, gather, imbalance, type Report } from "./gathered";
import { judge, type Limits, type Verdict } from "./judge";
import { refuseChanged } from "./origin";
import { type Outcome, publishedOutcome } from "./outcome";
import { outcomeFile, type Place, placeOf } from "./partitions";
import { tellRejects } from "./rejects";
import { isBegun, publishOnce } from "./turn";

export interface PublishOptions extends Target {
  /** where rejected rows are told, null for nowhere */
  rejects: string | null;
  limits: Limits;
  maxPositions: number;
}

/** @throws PublishError, ConfigError; what was not published then is nothing of the run, unless the message says otherwise */
export async function publish(reports: Iterable<Report>, options: PublishOptions, place = placeOf(options.output)): Promise<Outcome> {
  try {
    return (await publishedOutcome(place, options.runId)) ?? (await attempt(reports, options, place));
  } catch (error) {
    // Another attempt may have published meanwhile, and cleaned up what this one was looking for.
    const outcome = await publishedOutcome(place, options.runId).catch(() => undefined);
    if (outcome !== undefined) return outcome;
    throw (await isBegun(place, options.runId)) ? unfinished(error, options.output) : error;
  }
}

async function attempt(reports: Iterable<Report>, options: PublishOptions, place: Place): Promise<Outcome> {
  const gathered = gather(reports, options.maxPositions, Object.keys(options.limits.required));
  if (options.rejects !== null) await tellRejects(options.rejects, gathered.extents);
  const { error, exitCode, warnings } = check(gathered, options);
  if (error !== undefined) {
    await leave(place, { ...outcomeOf(gathered, options), warnings, exitCode, error });
    throw new PublishError(error, exitCode);
  }
  refuseLeaks(gathered, options.window);
  refuseChanged(options.origin.inputs);
  await publishOnce(place, options.runId, () => decide(place, options, gathered, warnings));
  const outcome = await publishedOutcome(place, options.runId);
  if (outcome === undefined) throw new PublishError(`the manifest of the run is gone from ${options.output}. Run again.`, 1);
  await leave(place, outcome);
  return outcome;
}

function check(gathered: Gathered, { limits, rejects }: PublishOptions): Verdict {
  const bug = imbalance(gathered);
  if (bug !== undefined) return { error: bug, exitCode: 1, warnings: [] };
  const verdict = judge(gathered.ledger, limits, rejects ?? undefined);
  if (verdict.error !== undefined || limits.failOn === undefined) return verdict;
  const leaks = gathered.files.reduce((sum, file) => sum + (file.leaks ?? 0), 0);
  const error = conditionsMet(parseConditions(limits.failOn)!, gathered.ledger, gathered.metrics.report(), leaks);
  return error === undefined ? verdict : { ...verdict, error, exitCode: 3 };
}

/** Of a run that is not published. */
function outcomeOf({ files, ledger, metrics }: Gathered, { runId, unread }: PublishOptions): Outcome {
  const rows = files.reduce((sum, { slots }) => sum + slots, 0);
  return { runId, exitCode: 0, warnings: [], rows, files: [], emptied: [], unread, ledger, quality: metrics.report() };
}

/** For whoever started the run; whole, also where two leave one. */
async function leave({ storage, output }: Place, outcome: Outcome): Promise<void> {
  const path = outcomeFile(output, outcome.runId);
  await storage.makeFolder(dirname(path));
  await storage.replace(path, JSON.stringify(outcome));
}

function unfinished(error: unknown, output: string): PublishError {
  const why = (error as Error).message.replace(/\.$/, "");
  return new PublishError(
    `publishing was begun and could not be finished (${why}). Partitions without _SUCCESS are not whole. Mend that; the next build to ${output}, or backstory clean ${output}, then finishes it.`,
    1,
    error,
  );
}
