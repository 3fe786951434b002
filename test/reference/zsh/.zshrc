# An interactive zsh that tells what completion would insert: after Tab a line `HIT word` for each match, after ^X `DONE`.
PS1= PS2= RPS1=
unset zle_bracketed_paste
autoload -Uz compinit
compinit -u -d $HOME/zcompdump
source $COMPLETION_SCRIPT
compadd() {
  local -a hits words files suffix
  # what asks for matches and adds none is zsh's own affair
  if [[ ${@[(I)(-O|-A|-D)]} -gt 0 ]]; then builtin compadd "$@"; return; fi
  builtin compadd -O hits "$@"
  zparseopts -E -D -a words S:=suffix q f=files
  local each
  for each in $hits; do print -r -- "HIT $IPREFIX$each${suffix[2]}"; done
  builtin compadd "$@" "${(@)hits}"
}
finish() { print -r -- DONE }
zle -N finish
bindkey '^X' finish
bindkey '^I' complete-word
print READY
