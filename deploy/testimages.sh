#!/bin/bash
# Tests the two images as they will run, on the sample of examples/otto: testimages.sh REPOSITORY VERSION, from the root of the checkout.
set -euo pipefail

worker=$1/worker:$2
launcher=$1/launcher:$2
# below the checkout, since an engine may see nothing else of this machine
mkdir -p .cache
data=$(mktemp -d "$PWD/.cache/testimages.XXXXXX")
trap 'rm -rf "$data"' EXIT

check() { # WHAT GOT WANTED
  if [[ $2 != *"$3"* ]]; then
    printf 'testimages.sh: %s: got "%s", not "%s".\n' "$1" "$2" "$3" >&2
    exit 1
  fi
  printf '%s: good\n' "$1"
}

isolated() { docker run --rm --read-only --tmpfs=/tmp --network=none "$@" 2>&1 || true; }

check "the worker's version" "$(isolated --entrypoint=node "$worker" /opt/backstory/bin/backstory-worker.js --version)" "$2"
check "the worker starts by Beam's boot program" "$(isolated "$worker")" "No id provided."
check "boot finds our worker" "$(isolated --entrypoint=npx "$worker" apache-beam-worker)" "a worker wants --id"
check "nothing else can be started in its place" "$(isolated --entrypoint=npx "$worker" other)" "got other."
for image in "$worker" "$launcher"; do
  check "it does not run as root" "$(docker image inspect --format='{{.Config.User}}' "$image")" "1000:1000"
done

for table in impressions clicks add_to_carts previous_orders; do
  mkdir "$data/$table"
  cp "examples/otto/$table.ndjson" "$data/$table/"
done
chmod -R a+rwX "$data"
DATA=$data IMAGE=$launcher deploy/start.sh
check "a day of the sample" "$(cat "$data"/output/dt=2022-08-28/_SUCCESS >/dev/null && echo there)" "there"
