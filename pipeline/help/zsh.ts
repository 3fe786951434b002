/** Completion for zsh, by its own _arguments: it knows that a flag is given once, and both --flag=VALUE and --flag VALUE. */
import { type Described, flagsOf, type Option, type Wants } from "./describe";
import { first } from "./words";

export function zsh(commands: readonly Described[]): string {
  return `${HEAD}
_backstory() {
  local curcontext=$curcontext context state state_descr line
  typeset -A opt_args
  _arguments -C \\
    '(- *)--help[How it is used]' \\
    '(- *)--version[The version]' \\
    '1:command:->command' \\
    '*::argument:->arguments'
  case $state in
    command)
      local -a commands=(
${[...commands, HELP].map(({ name, about }) => `        ${quoted(`${name}:${first(about)}`)}`).join("\n")}
      )
      _describe -t commands command commands
      ;;
    arguments)
      case $words[1] in
        help) _arguments '1:command:(${commands.map(({ name }) => name).join(" ")})' ;;
${commands.map(one).join("\n")}
      esac
      ;;
  esac
}

if [[ $funcstack[1] == _backstory ]]; then
  _backstory "$@"
else
  compdef _backstory backstory
fi
`;
}

const HELP = { name: "help", about: "How backstory, or a command, is used." };

function one({ name, schema, paths, words }: Described): string {
  const free = Array.from({ length: paths }, (_, i) =>
    quoted(`${i + 1}:${words === undefined ? "path" : "word"}:${action(words ?? "file")}`),
  );
  return `        ${name})
          _arguments \\
${[...free, ...flagsOf(schema).map(flag)].map((spec) => `            ${spec}`).join(" \\\n")}
          ;;`;
}

function flag({ flag, value, about, wants }: Option): string {
  const said = escaped(first(about), "[]");
  return quoted(value === undefined ? `${flag}[${said}]` : `${flag}=[${said}]:${escaped(value, ":")}:${action(wants)}`);
}

function action(wants: Wants): string {
  if (wants === "file") return "_files";
  if (wants === "folder") return "_files -/";
  return typeof wants === "string" ? " " : `(${wants.join(" ")})`;
}

const escaped = (text: string, signs: string): string =>
  text.replaceAll(/[:[\]\\]/g, (sign) => (signs.includes(sign) || sign === "\\" ? `\\${sign}` : sign));
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const HEAD = `#compdef backstory
# Completion of backstory's command lines for zsh, made by \`backstory completion zsh\`.
# In this shell:   source <(backstory completion zsh)      (after compinit)
# In every shell:  backstory completion zsh >FOLDER/_backstory, with a folder of $fpath, such as ~/.zfunc after
#                  fpath=(~/.zfunc $fpath); autoload -Uz compinit; compinit in ~/.zshrc.
# Make it anew with a new version of backstory.
`;
