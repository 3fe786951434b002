# zsh -f drive.zsh LINE: what an interactive zsh with zsh/.zshrc makes of the line and Tab, a match a line.
[[ -n $ZSH_MODULES ]] && module_path=($ZSH_MODULES)
zmodload zsh/zpty || exit 1
zpty shell $ZSH -i
zpty -r shell heard '*READY*' || exit 1
zpty -n -w shell $1$'\t'$'\x18'
zpty -r shell heard '*DONE*' || exit 1
print -r -- $heard | tr -d '\r' | sed -n 's/^.*HIT //p'
zpty -d shell
