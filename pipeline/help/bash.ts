/** Completion for bash, 3.2 and newer: no associative arrays, no mapfile. */
import { type Described, flagsOf, type Option } from "./describe";

export function bash(commands: readonly Described[]): string {
  return `${HEAD}
_backstory_flags() {
  case $1 in
${commands.map((command) => `    ${command.name}) flags=(${flagsOf(command.schema).map(listed).join(" ")}) ;;`).join("\n")}
  esac
}

# What stands behind a flag of a command: words, or @file, @folder, @text; nothing behind a switch.
_backstory_wants() {
  case $1:$2 in
${commands.flatMap(wants).join("\n")}
    *:--config) wants=@file ;;
  esac
}

# The arguments without a flag: how many, and what.
_backstory_places() {
  case $1 in
    help) places=1 wants='${names(commands)}' ;;
${commands
  .filter(({ paths }) => paths > 0)
  .map(place)
  .join("\n")}
  esac
}

_backstory_commands='${names(commands)} help --help --version'
${REST}`;
}

const names = (commands: readonly Described[]): string => commands.map(({ name }) => name).join(" ");
const listed = ({ flag, value }: Option): string => (value === undefined ? flag : `${flag}=`);

function wants({ name, schema }: Described): string[] {
  const kinds = new Map<string, string[]>();
  for (const { flag, wants } of flagsOf(schema)) {
    if (wants === "nothing" || flag === "--config") continue;
    const kind = typeof wants === "string" ? `@${wants}` : `'${wants.join(" ")}'`;
    kinds.set(kind, [...(kinds.get(kind) ?? []), `${name}:${flag}`]);
  }
  return [...kinds].map(([kind, patterns]) => `    ${patterns.join(" | ")}) wants=${kind} ;;`);
}

const place = ({ name, paths, words }: Described): string =>
  `    ${name}) places=${paths} wants=${words === undefined ? "@file" : `'${words.join(" ")}'`} ;;`;

const HEAD = `# Completion of backstory's command lines for bash 3.2 and newer, made by \`backstory completion bash\`.
# In this shell:   eval "$(backstory completion bash)"
# In every shell:  mkdir -p ~/.local/share/bash-completion/completions
#                  backstory completion bash >~/.local/share/bash-completion/completions/backstory
#                  or, without the package bash-completion, source such a file in ~/.bashrc.
# Make it anew with a new version of backstory.

# The flags of a command; those that want a value end in =.`;

/** `local` variables of a caller are those of the functions it calls, so that nothing has to be printed and read. */
const REST = `
# Adds what matches to the replies, each as the whole word.
_backstory_match() { # BEFORE BEGUN WANTS
  local reply
  case $3 in
    @file | @folder)
      type compopt &>/dev/null && compopt -o filenames 2>/dev/null
      while IFS= read -r reply; do replies+=("$1$reply"); done < <(if [[ $3 == @file ]]; then compgen -f -- "$2"; else compgen -d -- "$2"; fi)
      ;;
    @text) ;;
    *) for reply in $3; do [[ $reply == "$2"* ]] && replies+=("$1$reply"); done ;;
  esac
}

_backstory() {
  local words=() flags=() replies=() wants='' places=0 glued='' given=' ' flag='' free=0 last i word cur raw
  # bash takes words apart at = and :
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    last=$((\${#words[@]} - 1))
    if ((last >= 0)) && [[ -n $word && (-n $glued || $word == [=:]) ]]; then words[last]+=$word; else words+=("$word"); fi
    if [[ $word == [=:] ]]; then glued=1; else glued=''; fi
  done
  last=$((\${#words[@]} - 1))
  cur=\${words[last]}
  raw=\${COMP_WORDS[COMP_CWORD]}
  [[ $raw == [=:] && $cur != "$raw" ]] && raw=''

  if ((last == 0)); then
    _backstory_match '' "$cur" "$_backstory_commands"
  else
    _backstory_flags "\${words[0]}"
    for ((i = 1; i < last; i++)); do
      word=\${words[i]}
      if [[ -n $flag ]]; then flag=''
      elif [[ $word == --* ]]; then
        word=\${word//_/-}
        given+="\${word%%=*} "
        wants=''
        _backstory_wants "\${words[0]}" "\${word%%=*}"
        [[ -n $wants && $word != *=* ]] && flag=$word
      else free=$((free + 1)); fi
    done
    wants=''
    if [[ $cur == --*=* ]]; then
      word=\${cur%%=*}
      _backstory_wants "\${words[0]}" "\${word//_/-}"
      [[ -n $wants ]] && _backstory_match "$word=" "\${cur#*=}" "$wants"
    elif [[ -n $flag && $cur != --* ]]; then
      _backstory_wants "\${words[0]}" "$flag"
      _backstory_match '' "$cur" "$wants"
    else
      _backstory_places "\${words[0]}"
      if [[ $cur == -* ]] || ((free >= places)); then
        type compopt &>/dev/null && compopt -o nospace 2>/dev/null
        for word in "\${flags[@]}"; do
          [[ $word == "$cur"* && $given != *" \${word%=} "* ]] || continue
          if [[ $word == *= ]]; then replies+=("$word"); else replies+=("$word "); fi
        done
      else
        _backstory_match '' "$cur" "$wants"
      fi
    fi
  fi

  COMPREPLY=()
  word=\${cur%"$raw"}
  for ((i = 0; i < \${#replies[@]}; i++)); do COMPREPLY+=("\${replies[i]#"$word"}"); done
}

complete -F _backstory backstory
`;
