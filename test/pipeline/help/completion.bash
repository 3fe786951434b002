# Lines of words, with tabs between; what bash would put in the place of the last, a line each with tabs between: bash completion.bash SCRIPT
source "$1"
while IFS= read -r line; do
  COMP_WORDS=()
  while [[ $line == *$'\t'* ]]; do COMP_WORDS+=("${line%%$'\t'*}"); line=${line#*$'\t'}; done
  COMP_WORDS+=("$line")
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  _backstory
  printf '%s\t' "${COMPREPLY[@]}"
  echo
done
