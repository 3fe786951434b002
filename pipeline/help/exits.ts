/** Exit codes of every command, with what they mean; `EXIT` in pipeline/cli.ts and the classes of pipeline/errors.ts use them. */
export interface Exit {
  code: number;
  about: string;
  /** what is true of the output then, and what to do */
  more: string;
}

export const EXITS: readonly Exit[] = [
  {
    code: 0,
    about: "done",
    more: "What was asked for is there. A build is published; so it is if an earlier attempt of its `--run-id` did it.",
  },
  {
    code: 1,
    about: "an error of backstory or of the machine",
    more: "A full disk, a service that does not answer, an input in a bucket that was replaced meanwhile, or a bug. Nothing of a build is seen by readers, unless the message says otherwise; it may be tried again.",
  },
  {
    code: 2,
    about: "bad configuration",
    more: "An unknown or missing flag, a path without files, a column that is not there, options that do not fit together. Nothing was published. To try again does not help.",
  },
  {
    code: 3,
    about: "too many rejects, a broken or changing file, or a condition of --fail-on",
    more: "The inputs are not fit to be built from. Nothing was published; `--rejects` and `--metrics-json` are written nevertheless.",
  },
  {
    code: 4,
    about: "differences found",
    more: "`verify`, `compare` and `rebuild` found what is not as it should be, and told it.",
  },
  {
    code: 130,
    about: "ended by SIGINT",
    more: "128 and the number of the signal. A run ends in order: nothing half done is seen by readers.",
  },
  { code: 143, about: "ended by SIGTERM", more: "Likewise." },
];
