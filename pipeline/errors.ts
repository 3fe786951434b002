/**
 * What the user gave cannot work: a missing file, an unknown option. The command ends with `exitCode`.
 *
 * The message is one sentence of what is wrong and what was given, and one of the remedy:
 * `no clicks at "data/clik". Check the path, or quote a glob so that the shell leaves it alone.`
 */
export class ConfigError extends Error {
  override name = "ConfigError";
  /** what the command ends with */
  readonly exitCode = 2;
}

/**
 * A run that came to its end and must not be published: too many rejects, a condition of --fail-on, inputs that changed (`exitCode` 3), or a fault of
 * the machine (1).
 */
export class PublishError extends Error {
  override name = "PublishError";
  /**
   * @param exitCode what the command ends with
   * @param cause the error that it is about, if there is one
   */
  constructor(
    message: string,
    readonly exitCode: number,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

/** Somebody ended the run; exit codes are those of a shell: 128 and the number of the signal. */
export class Interrupted extends Error {
  override name = "Interrupted";
  readonly exitCode: number;
  /** @param what has come of it, as far as that is known */
  constructor(
    readonly signal: "SIGINT" | "SIGTERM",
    what?: string,
  ) {
    super(`ended by ${signal}${what === undefined ? "" : `; ${what}`}.`);
    this.exitCode = signal === "SIGINT" ? 130 : 143;
  }
}

/** The machine has no room left, or grants this user none. */
export function isDiskFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOSPC" || code === "EDQUOT";
}

const unheard = () => {};

/**
 * Waits for something that works side by side and gives up at its first failure, as hyparquet does with columns: nobody listens to what
 * fails after that, which would end the process. So nobody has to, from the first failure on.
 */
export async function listening<T>(work: () => Promise<T>): Promise<T> {
  process.on("unhandledRejection", unheard);
  const result = await work();
  process.off("unhandledRejection", unheard);
  return result;
}
