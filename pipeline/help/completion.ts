/** `backstory completion`: scripts that know all of the command line by themselves, so that Tab starts no program. */
import { z } from "zod";
import { ConfigError } from "../errors";
import { bash } from "./bash";
import type { Described } from "./describe";
import { fish } from "./fish";
import { zsh } from "./zsh";

export const CompletionOptions = z.strictObject({});

const SCRIPTS: Record<string, (commands: readonly Described[]) => string> = { bash, zsh, fish };
export const SHELLS = Object.keys(SCRIPTS);

/** @throws ConfigError for a shell that is none of these */
export function completionOf(shell: string | undefined, commands: readonly Described[]): string {
  const remedy = `Write backstory completion ${SHELLS.join(", or ")}.`;
  if (shell === undefined) throw new ConfigError(`completion wants the name of a shell. ${remedy}`);
  if (!SHELLS.includes(shell)) throw new ConfigError(`there is no completion for the shell "${shell}". ${remedy}`);
  return SCRIPTS[shell](commands);
}
