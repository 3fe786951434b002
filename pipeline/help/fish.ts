/** Completion for fish, 3.0 and newer. */
import { type Described, flagsOf, type Option, type Wants } from "./describe";
import { first } from "./words";

export function fish(commands: readonly Described[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  return `${HEAD}
# Whether the command is the one named, or is to be named yet.
function __backstory_is
    set -l words (commandline -opc)
    set -q words[2]; and contains -- "$words[2]" $argv
end

function __backstory_begins
    set -l words (commandline -opc)
    test (count $words) -eq 1
end

complete -c backstory -f
complete -c backstory -n __backstory_begins -l help -d 'How it is used'
complete -c backstory -n __backstory_begins -l version -d 'The version'
complete -c backstory -n __backstory_begins -a help -d 'How backstory, or a command, is used'
complete -c backstory -n '__backstory_is help' -a '${names}'
${commands.flatMap(one).join("\n")}
`;
}

function one({ name, about, schema, paths, words }: Described): string[] {
  const within = `complete -c backstory -n '__backstory_is ${name}'`;
  return [
    "",
    `complete -c backstory -n __backstory_begins -a ${name} -d ${quoted(first(about))}`,
    ...(paths === 0 ? [] : [`${within} ${values(words ?? "file", false)}`]),
    ...flagsOf(schema).map((option) => `${within} ${flag(option)}`),
  ];
}

const flag = ({ flag, about, wants }: Option): string =>
  [`-l ${flag.slice(2)}`, values(wants, true), `-d ${quoted(first(about))}`].filter(Boolean).join(" ");

/** @param behind whether it is what stands behind a flag */
function values(wants: Wants, behind: boolean): string {
  if (wants === "nothing") return "";
  if (wants === "file") return behind ? "-r -F" : "-F";
  if (wants === "text") return "-x";
  const words = wants === "folder" ? "(__fish_complete_directories)" : wants.join(" ");
  return `${behind ? "-x " : ""}-a ${quoted(words)}`;
}

const quoted = (text: string): string => `'${text.replaceAll(/[\\']/g, (sign) => `\\${sign}`)}'`;

const HEAD = `# Completion of backstory's command lines for fish, made by \`backstory completion fish\`.
# In this shell:   backstory completion fish | source
# In every shell:  backstory completion fish >~/.config/fish/completions/backstory.fish
# Make it anew with a new version of backstory.
`;
