#!/bin/sh
# Builds the training inputs of one day in a container: deploy/start.sh [DATE] [OPTION...]
#   DATE      YYYY-MM-DD; without it the newest dt of the impressions
#   OPTION    of `backstory build`, such as --history-length=200 or --clicks=none; paths as the container sees them, below /data
#   DATA      folder with impressions/, clicks/, add_to_carts/ and previous_orders/, ./data unless set; the output goes to its output/
#   IMAGE     the launcher image
#   ENGINE    docker or podman; the first of them that is there unless set
#   --local   first of all arguments: without a container, by RUN, a program that takes the same arguments (backstory of this checkout unless set)
# Exit codes are those of backstory; 2 also for what is wrong with the above, 125 to 127 are the engine's.
set -eu

fail() { # MESSAGE
  printf 'start.sh: %s\n' "$1" >&2
  exit 2
}

# Whether an option is among the arguments, in one of its spellings.
given() { # NAME ARGUMENTS...
  option=$1
  shift
  for each; do
    case $each in "--$option="* | "--$(printf %s "$option" | tr - _)="*) return 0 ;; esac
  done
  return 1
}

# The newest day among the folders dt=YYYY-MM-DD; nothing if there are none.
newest() { # FOLDER
  last=
  # in the order of their names, which is that of the days
  for each in "$1"/dt=[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]; do
    if [ -d "$each" ]; then last=${each##*/dt=}; fi
  done
  printf %s "$last"
}

local=
if [ "${1-}" = --local ]; then
  local=yes
  shift
fi
day=
case ${1---none} in
  --*) ;;
  [0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]) day=$1 && shift ;;
  *) fail "a day is YYYY-MM-DD; got \"$1\". Try deploy/start.sh 2025-08-16." ;;
esac
if given dates "$@" || given train-days "$@"; then
  fail "the day is given without a flag, and there is one alone. Try deploy/start.sh 2025-08-16, or several days by backstory build."
fi

data=${DATA:-./data}
[ -d "$data" ] || fail "there is no data folder \"$data\". Put impressions/, clicks/, add_to_carts/ and previous_orders/ there, or name another by DATA."
data=$(CDPATH='' cd -- "$data" && pwd)
if [ -n "$local" ]; then inside=$data; else inside=/data; fi

impressions=$data/impressions
newest=$(newest "$impressions")
if [ -n "$day" ] && [ -n "$newest" ] && [ ! -d "$impressions/dt=$day" ]; then
  fail "there are no impressions of $day in \"$impressions\": no folder dt=$day. The newest day is $newest."
fi
# Where days are no folders, backstory finds the newest among the rows.
case ${day:-$newest} in
  '') set -- --train-days=1 "$@" ;;
  *) set -- "--dates=${day:-$newest}" "$@" ;;
esac
given output "$@" || set -- "--output=$inside/output" "$@"
for table in previous_orders add_to_carts clicks impressions; do
  flag=$(printf %s "$table" | tr _ -)
  given "$flag" "$@" && continue
  if [ ! -d "$data/$table" ]; then
    fail "there is no folder \"$data/$table\". Make it, or run without this table: --$flag=none."
  fi
  set -- "--$flag=$inside/$table" "$@"
done
set -- build "$@"

if [ -n "$local" ]; then
  exec "${RUN:-$(dirname -- "$0")/../bin/backstory.js}" "$@"
fi

case $data in *[,\"]*) fail "the path of the data folder must be without commas and quotes; got \"$data\". Name another by DATA." ;; esac
engine=${ENGINE:-}
for each in docker podman; do
  if [ -z "$engine" ] && command -v "$each" >/dev/null 2>&1; then engine=$each; fi
done
[ -n "$engine" ] || fail "there is neither docker nor podman on the PATH. Install one, or run without a container: deploy/start.sh --local."
command -v "$engine" >/dev/null 2>&1 || fail "there is no $engine on the PATH. Choose docker or podman by ENGINE."

# What the container writes belongs to whoever called. An engine that runs as the caller calls them root inside.
user=$(id -u):$(id -g)
case ${engine##*/} in
  podman*) set -- --userns=keep-id "${IMAGE:-backstory-launcher:0.1.0}" "$@" ;;
  *)
    about=$("$engine" info --format '{{.SecurityOptions}}' 2>&1) || fail "$engine does not answer: $(printf %s "$about" | tail -n 1) Start it, or choose podman by ENGINE=podman."
    case $about in *name=rootless*) user=0:0 ;; esac
    set -- "${IMAGE:-backstory-launcher:0.1.0}" "$@"
    ;;
esac
exec "$engine" run --rm --read-only --tmpfs=/tmp --network=none --cap-drop=ALL --security-opt=no-new-privileges \
  "--user=$user" "--mount=type=bind,source=$data,target=/data" "$@"
