import { setFlagsFromString } from "node:v8";

/**
 * When V8 compiles, from now on: machine code at a function's first call instead of an interpreter before it, and no optimizing of a function
 * twice, for a loop that it is in and for its next call. Each thread compiles all kernels anew, a fifth of the processor time of a run of seconds.
 *
 * Not before threads have started: V8 refuses what Node brings as compiled code if it was compiled under other flags, and a thread that
 * has to compile Node starts in twice the time.
 */
export function compileAtOnce(): void {
  for (const flag of ["--always-sparkplug", "--no-osr-from-maglev"]) setFlagsFromString(flag);
}
