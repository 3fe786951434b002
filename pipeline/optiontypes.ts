/** Kinds of options that several schemas have. */
import { z } from "zod";
import { thousands } from "./thousands";

/** A number, or its digits; nothing that Number() would take for one besides, such as "" or true. */
export const wholeNumber = (least: number, most: number, unit: string) =>
  z
    .union(
      [
        z.number(),
        z
          .string()
          .regex(/^-?[0-9]+$/)
          .transform(Number),
      ],
      `must be a whole number ${unit}`,
    )
    .pipe(
      z
        .number()
        .int(`must be a whole number ${unit}`)
        .min(least, `must be at least ${least}`)
        .max(most, `must be at most ${thousands(most)}`),
    );

/** A path. `~/` would be a folder of that name: a shell leaves it as it is behind `=`, and in a file nobody replaces it. */
export const path = (what: string) =>
  z
    .string()
    .min(1, "must be a path")
    .refine((text) => !/^~(\/|$)/.test(text), "must be a path, with $HOME in the place of ~, which stays as it is behind =")
    .describe(what);
