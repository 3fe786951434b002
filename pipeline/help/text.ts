/** `--help`, for terminals of 80 columns and more. */
import { aboutOf, type Described, groupsOf, type Option, type PresetFlags, presetsOf, signOf } from "./describe";
import { examplesOf } from "./examples";
import { EXITS } from "./exits";

const COLUMNS = 80;
/** Where what is said of a flag begins. */
const INDENT = 28;

/** The whole text of `backstory COMMAND --help`. */
export function helpOf(command: Described): string {
  const examples = examplesOf(command.name).flatMap(({ about, command: line }) => [`  # ${about}`, ...line.split("\n").map(indented)]);
  const presets = presetsOf(command.schema);
  const parts = [
    wrap(command.about, 0),
    `usage: ${wrap(command.usage, "usage: ".length + 2).trimStart()}`,
    ...groupsOf(command.schema).map(({ title, options }) => [`${title}:`, ...options.map(lines)].join("\n")),
    ...(presets.length === 0 ? [] : [["What each --preset stands for:", ...presets.map(presetLines)].join("\n")]),
    "Flags are --name=VALUE or --name VALUE; a switch is off by --no-name.",
    ...(examples.length === 0 ? [] : [["Examples:", ...examples].join("\n")]),
  ];
  return parts.join("\n\n");
}

/** The text of `backstory --help`. */
export function usageOf(commands: readonly Described[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 4;
  return [
    "backstory: leakage-safe training inputs for sequence recommenders",
    "usage: backstory COMMAND [flags]",
    commands.map(({ name, about }) => `  ${name.padEnd(width - 2)}${wrap(about, width).trimStart()}`).join("\n"),
    "backstory COMMAND --help tells more; so does backstory help COMMAND.\nbackstory --version tells the version.",
    wrap(`exit codes: ${EXITS.map(({ code, about }) => `${code} ${about}`).join("; ")}`, 2).trimStart(),
  ].join("\n\n");
}

function lines(option: Option): string {
  const sign = option.configOnly ? `${option.flag}: (in a --config file only)` : signOf(option);
  const text = wrap(aboutOf(option), INDENT);
  const fits = sign.length <= INDENT - 4;
  return fits ? `  ${sign.padEnd(INDENT - 4)}  ${text.trimStart()}` : `  ${sign}\n${text}`;
}

const presetLines = ({ name, about, flags }: PresetFlags): string => `  ${name}\n${wrap(about, 6)}\n${wrap(flags.join(" "), 8)}`;

const indented = (line: string): string => `    ${line}`;

/** Lines that end before COLUMNS, each with `indent` blanks before it. A word that is longer than a line has one of its own. */
function wrap(text: string, indent: number): string {
  const all: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > COLUMNS) {
      all.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...all, line].map((each) => " ".repeat(indent) + each).join("\n");
}
