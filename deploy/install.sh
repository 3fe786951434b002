#!/bin/sh
# Installs the packed package as the images have it: with the versions of the lock file, without what it does not need, patched.
# Usage: install.sh PACKAGE.tgz LOCK FOLDER; the folder must not be there. Wants npm, tar and the registry; what comes out of it wants Node alone.
set -eu

if [ $# != 3 ]; then
  echo "usage: install.sh PACKAGE.tgz LOCK FOLDER" >&2
  exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$(dirname "$3")"
mkdir "$3"
tar -xzf "$1" -C "$3" --strip-components=1
cp "$2" "$3/package-lock.json"

cd "$3"
node "$here/leaveout.js" package-lock.json
# The scripts of others are not run; the only one that is needed is our own.
npm ci --omit=dev --ignore-scripts --no-audit --no-fund
node patches/apply.js
find . -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' \) -delete

# Beam's boot program starts its worker by npx, in its working folder, after a look at the package.json there.
mkdir path
cp "$here/npx" path/npx
chmod 755 path/npx
node -p 'const { name, version } = require("./package.json"); JSON.stringify({ name, version, private: true })' >path/package.json
