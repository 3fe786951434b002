/**
 * Errors on their way from a worker to the one who submitted the job. A runner carries nothing but their text, so what an error has besides
 * (its name, its exit code) goes along at the end of its stack, in letters that no runner quotes or cuts.
 */
export interface Failure {
  name: string;
  message: string;
  exitCode?: number;
  /** of the system, such as ENOSPC */
  code?: string;
}

const MARK = "backstory-failure:";

/** An error whose stack tells all of it; that of an error without an exit code or code says enough. */
export function packed(error: unknown): unknown {
  if (!(error instanceof Error) || error.stack?.includes(MARK)) return error;
  const { name, message, exitCode, code } = error as Error & Failure;
  if (exitCode === undefined && code === undefined) return error;
  const failure: Failure = { name, message, exitCode, code };
  error.stack = `${error.stack}\n${MARK}${Buffer.from(JSON.stringify(failure)).toString("base64url")}`;
  return error;
}

/** What `packed` put into a text, whatever a runner has written around it. */
export function unpacked(text: string): Failure | undefined {
  const coded = /backstory-failure:([\w-]+)/.exec(text)?.[1];
  if (coded === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(coded, "base64url").toString());
  } catch {
    return undefined; // cut off
  }
}

/** A text without what `packed` put into it, for people. */
export const withoutPacked = (text: string): string => text.replaceAll(/\s*backstory-failure:[\w-]+/g, "");
