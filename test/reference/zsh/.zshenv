# Where zsh's own modules are, if not where it was built for; its functions are on FPATH.
[[ -n $ZSH_MODULES ]] && module_path=($ZSH_MODULES)
