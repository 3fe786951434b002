import { inspect } from "node:util";
import { closest, distance } from "fastest-levenshtein";
// before zod
import "./languages";
import { z } from "zod";
import { ConfigError, Interrupted, isDiskFull } from "./errors";
import { parseFlags, remoteConfigs } from "./flags";
import type { Described } from "./help/describe";
import { BuildOptions } from "./options";
import { withPreset } from "./presets";
import { plural, thousands } from "./thousands";
import { VERSION } from "./version";

/** Exit codes, as SPEC.md has them. */
export const EXIT = { published: 0, error: 1, configuration: 2, input: 3, differences: 4 } as const;

const AnalyseOptions = z.strictObject({ maxPositions: BuildOptions.shape.maxPositions });

interface Command {
  about: string;
  usage: string;
  schema: z.ZodObject;
  /** how many arguments without a flag it takes */
  paths: number;
  /** what these may be, if they are no paths */
  words?: readonly string[];
  // biome-ignore lint/suspicious/noExplicitAny: each command's options are its own schema's
  run: (options: any, paths: string[], debug: boolean) => Promise<void>;
}

/** Commands by name; what one needs is loaded when it runs, so that --help is quick. */
export async function commandOf(name: string): Promise<Command | undefined> {
  switch (name) {
    case "build":
      return {
        about: "Builds training inputs: for every impression slot one row with the customer's newest actions from before that day.",
        usage: "backstory build --impressions=PATH --clicks=PATH --add-to-carts=PATH --previous-orders=PATH --output=FOLDER",
        schema: withPreset(BuildOptions),
        paths: 0,
        run: async (options, _, debug) => (await import("./report.js")).buildAndTell(options, debug),
      };
    case "plan": {
      const { PlanOptions } = await import("./estimate/options.js");
      return {
        about:
          "Estimates a build before it runs, with its options and from samples of its inputs: bytes, time, memory, and money on Dataflow. Writes nothing.",
        usage: "backstory plan (the flags of build) [--region=REGION] [--machine-type=TYPE] [--json]",
        schema: withPreset(PlanOptions),
        paths: 0,
        run: async (options) => (await import("./estimate/command.js")).planAndTell(options),
      };
    }
    case "generate": {
      const { GenerateOptions, generate } = await import("./generate.js");
      return {
        about: "Writes a synthetic workload: the same flags give the same files.",
        usage: "backstory generate --output=FOLDER [--rankings=N] [--actions=N]",
        schema: GenerateOptions,
        paths: 0,
        run: async (options) => {
          (await import("./targets.js")).checkFolder("--output", options.output);
          console.log(JSON.stringify(await generate(options)));
        },
      };
    }
    case "inspect": {
      const { InspectOptions, inspect: inspectOutput } = await import("./inspect.js");
      return {
        about: "Prints a few rows of an output for people: history as item(type), newest first.",
        usage: "backstory inspect PATH [--rows=N] [--actions=N]",
        schema: InspectOptions,
        paths: 1,
        run: async (options, [path]) => {
          for await (const line of inspectOutput(needed(path, "inspect"), options)) console.log(line);
        },
      };
    }
    case "analyse": {
      const { analyse } = await import("./analyse.js");
      return {
        about: "Data quality of an existing output, as JSON.",
        usage: "backstory analyse PATH [--max-positions=N]",
        schema: AnalyseOptions,
        paths: 1,
        run: async (options, [path]) =>
          void console.log(JSON.stringify((await analyse(needed(path, "analyse"), options.maxPositions)).report(), null, 2)),
      };
    }
    case "worker-pool": {
      const { serveWorkers, WorkerPoolOptions } = await import("./runners/serve.js");
      return {
        about: "Serves workers to runners of Beam, for builds that name this pool by --environment-config. Runs until it is ended.",
        usage: "backstory worker-pool --port=N [--host=ADDRESS] [--threads=N]",
        schema: WorkerPoolOptions,
        paths: 0,
        run: async (options, _, debug) => serveWorkers(options, debug),
      };
    }
    case "verify": {
      const { VerifyOptions } = await import("../verify/options.js");
      return {
        about: "Checks an output: against its manifest, in itself, and by recomputing customers from the inputs.",
        usage: "backstory verify OUTPUT [--sample=CUSTOMERS|all] [--impressions=PATH --clicks=PATH ...]",
        schema: withPreset(VerifyOptions),
        paths: 1,
        run: async (options, [path]) => (await import("../verify/report.js")).verifyAndTell(needed(path, "verify"), options),
      };
    }
    case "report": {
      const { ReportOptions, report } = await import("../report/report.js");
      return {
        about: "Writes a page about an output: its data quality in charts and numbers, alone or against another output.",
        usage: "backstory report OUTPUT [--to=report.html] [--against=OUTPUT]",
        schema: ReportOptions,
        paths: 1,
        run: async (options, [path]) => {
          await report(needed(path, "report"), options);
          console.log(options.to);
        },
      };
    }
    case "compare": {
      const { CompareOptions } = await import("../compare/options.js");
      return {
        about: "Which rows two outputs share, and why others differ; B may be of another program.",
        usage: "backstory compare A B [--columns=NAME=THEIRS,...] [--ignore-padding]",
        schema: CompareOptions,
        paths: 2,
        run: async (options, [here, there]) => {
          if (there === undefined) throw new ConfigError("compare wants two paths. Write backstory compare A B.");
          await (await import("../compare/report.js")).compareAndTell(here, there, options);
        },
      };
    }
    case "convert": {
      const { ConvertOptions } = await import("../layouts/options.js");
      return {
        about: "Writes an output in another layout: one row for each ranking, or histories and slots as two tables; and back, exactly.",
        usage: "backstory convert OUTPUT --to=FOLDER --layout=rows|rankings|histories [--padding=none]",
        schema: ConvertOptions,
        paths: 1,
        run: async (options, [path]) => (await import("../layouts/convert.js")).convertAndTell(needed(path, "convert"), options),
      };
    }
    case "clean": {
      const { CleanOptions, cleanAndTell } = await import("./clean.js");
      return {
        about: "Finishes what an interrupted run had begun to publish to an output, and removes what dead runs have tried.",
        usage: "backstory clean OUTPUT [--run=RUN]",
        schema: CleanOptions,
        paths: 1,
        run: async ({ run }, [path]) => {
          for (const line of await cleanAndTell(needed(path, "clean"), run)) console.log(line);
        },
      };
    }
    case "load": {
      const { LoadOptions, loadAndTell } = await import("./bigquery/command.js");
      return {
        about: "Loads an output in a bucket into a table of BigQuery: what is published, as it is now.",
        usage: "backstory load gs://BUCKET/PATH --output-table=bq://PROJECT.DATASET.TABLE [--dates=FROM..TO]",
        schema: LoadOptions,
        paths: 1,
        run: async (options, [path]) => loadAndTell(needed(path, "load"), options),
      };
    }
    case "rebuild": {
      const { RebuildOptions, rebuild } = await import("./rebuild.js");
      return {
        about: "Runs again what a manifest says: the same bytes, or which input changed.",
        usage: "backstory rebuild OUTPUT/_manifests/RUN.json --output=FOLDER",
        schema: RebuildOptions,
        paths: 1,
        run: async (options, [path]) => {
          const { run, rows, partitions } = await rebuild(needed(path, "rebuild"), options);
          if (!options.quiet) console.log(`${run}: ${thousands(rows)} rows in ${plural(partitions.length, "partition")}, the same bytes`);
        },
      };
    }
    case "completion": {
      const { CompletionOptions, completionOf, SHELLS } = await import("./help/completion.js");
      return {
        about: "Prints a script by which a shell completes commands, flags, values and paths; it says how it is installed.",
        usage: `backstory completion ${SHELLS.join("|")}`,
        schema: CompletionOptions,
        paths: 1,
        words: SHELLS,
        run: async (_, [shell]) => void process.stdout.write(completionOf(shell, await describedCommands())),
      };
    }
    default:
      return undefined;
  }
}

function needed(path: string | undefined, command: string): string {
  if (path === undefined) throw new ConfigError(`${command} wants a path. Write backstory ${command} PATH.`);
  return path;
}

export const COMMANDS = [
  "build",
  "plan",
  "generate",
  "inspect",
  "analyse",
  "verify",
  "compare",
  "report",
  "convert",
  "clean",
  "load",
  "rebuild",
  "worker-pool",
  "completion",
];

/** Each with its name, for help in all its forms. */
export const describedCommands = (): Promise<Described[]> => Promise.all(COMMANDS.map(described));

async function described(name: string): Promise<Described> {
  const command = await commandOf(name);
  if (command === undefined) throw unknownCommand(name);
  return { name, ...command };
}

function unknownCommand(name: string): ConfigError {
  const nearest = closest(name, COMMANDS);
  const hint = distance(name, nearest) <= nearest.length / 2 ? ` Did you mean ${nearest}?` : "";
  return new ConfigError(`unknown command "${name}".${hint} Choose from ${COMMANDS.join(", ")}.`);
}

/** All of it, or of the command that is named. */
async function help(name: string | undefined): Promise<string> {
  const { helpOf, usageOf } = await import("./help/text.js");
  return name === undefined ? usageOf(await describedCommands()) : helpOf(await described(name));
}

const isHelp = (arg: string | undefined): boolean => arg === "--help" || arg === "-h";

/** The command line. Resolves to the exit code; writes to stdout and stderr and never throws. */
export async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (process.stdout.listenerCount("error") === 0) process.stdout.on("error", endWithReader);
  try {
    if (name === undefined || name === "help" || isHelp(name)) {
      console.log(await help(rest.find((arg) => !isHelp(arg))));
      return name === undefined ? EXIT.configuration : EXIT.published;
    }
    if (name === "--version") {
      console.log(VERSION);
      return EXIT.published;
    }
    const command = await commandOf(name);
    if (command === undefined) throw unknownCommand(name);
    if (rest.some(isHelp)) {
      console.log(await help(name));
      return EXIT.published;
    }
    const flags = rest.filter((flag) => flag !== "--debug");
    const { options, paths } = parseFlags(command.schema, flags, command.paths, await remoteConfigs(flags));
    await command.run(options, paths, flags.length < rest.length);
    return EXIT.published;
  } catch (error) {
    console.error(messageOf(error, rest.includes("--debug")));
    // What the run has left undone must not go on; all that it started has been ended.
    if (error instanceof Interrupted) process.exit(error.exitCode);
    return exitCodeOf(error);
  }
}

/** Whoever reads the output may have seen enough (`| head`), which is no error. */
function endWithReader(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  process.exit();
}

/** By its field, not its class: an error that comes from a thread has lost its class on the way. */
export function exitCodeOf(error: unknown): number {
  return (error as { exitCode?: number }).exitCode ?? EXIT.error;
}

/** One sentence of what is wrong and one of the remedy; stacks only for those who ask. */
function messageOf(error: unknown, debug: boolean): string {
  if (!(error instanceof Error)) return `backstory: ${error}`;
  if (debug) return `backstory: ${inspect(error)}`;
  if (isDiskFull(error)) return "backstory: the disk is full. Free some space, or write to another disk.";
  if (error.name === "BrokenFile")
    return `backstory: ${printable(error.message).replace(/\.$/, "")}. Mend the file, or take it out of the input.`;
  // what comes from runners has lines of their logs
  const message = [EXIT.configuration, EXIT.input].some((code) => code === exitCodeOf(error)) ? printable(error.message) : error.message;
  return `backstory: ${message}${"exitCode" in error ? "" : " (--debug prints where)"}`;
}

/** Names may hold line feeds and orders to terminals; a message about them stays one line. */
const printable = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is they that are looked for
  text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (each) =>
    each === "\n" ? "\\n" : `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
