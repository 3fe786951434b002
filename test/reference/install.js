#!/usr/bin/env node
/**
 * zsh, fish and mandoc for the tests of completion and man pages, in .cache/reference/, each unless it is on the PATH: Debian's packages, unpacked.
 */
const { execFileSync } = require("node:child_process");
const { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } = require("node:fs");
const { delimiter, join, resolve } = require("node:path");
const { unpack } = require("../debian");

const ROOT = resolve(__dirname, "../../.cache/reference/root");
const PROGRAMS = { zsh: "bin/zsh", fish: "usr/bin/fish", mandoc: "usr/bin/mandoc" };

const onPath = (name) =>
  (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(existsSync);

/** Where a program is; undefined if it is not here. */
const find = (name) => onPath(name) ?? [join(ROOT, PROGRAMS[name])].find(existsSync);

/** What programs of Debian that are not in their place must be told. */
function environment() {
  const libraries = ["usr/lib", "lib"].flatMap((path) => foldersOf(join(ROOT, path))).filter((path) => /-linux-gnu[a-z0-9]*$/.test(path));
  const functions = join(ROOT, "usr/share/zsh/functions");
  const modules = libraries.map((path) => join(path, "zsh")).flatMap((path) => foldersOf(path));
  return {
    ...process.env,
    LD_LIBRARY_PATH: [...libraries, process.env.LD_LIBRARY_PATH].filter(Boolean).join(":"),
    ...(onPath("zsh") === undefined ? { FPATH: foldersOf(functions, true).join(":"), ZSH_MODULES: modules[0] } : {}),
  };
}

function foldersOf(path, recursive = false) {
  if (!existsSync(path)) return [];
  const folders = readdirSync(path, { withFileTypes: true, recursive }).filter((each) => each.isDirectory());
  return folders.map((each) => join(each.parentPath, each.name));
}

function install(names) {
  rmSync(ROOT, { recursive: true, force: true });
  mkdirSync(ROOT, { recursive: true });
  unpack(ROOT, names);
  // fish looks for its settings beside its share/
  symlinkSync("../etc", join(ROOT, "usr/etc"));
}

module.exports = { environment, find };

if (require.main === module) {
  try {
    const missing = Object.keys(PROGRAMS).filter((name) => find(name) === undefined);
    if (missing.length > 0) install(missing);
    for (const name of ["zsh", "fish"])
      console.log(execFileSync(find(name), ["--version"], { encoding: "utf8", env: environment() }).trim());
    console.log(find("mandoc"));
  } catch (error) {
    const why = String(error.stderr || error.message)
      .trim()
      .split("\n")
      .at(-1);
    console.error(`No shells: ${why}\nThis suite wants zsh, fish and mandoc on the PATH, or Debian's apt-get with its archive.`);
    process.exitCode = 1;
  }
}
