#!/usr/bin/env node
/**
 * Applies the patches after an installation, wherever the package manager has put what they are for: patch-package itself looks only
 * below its own folder, and a package that others install finds its dependencies beside it. So it gets a folder with links to them.
 */
const { spawnSync } = require("node:child_process");
const {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} = require("node:fs");
const { tmpdir } = require("node:os");
const { dirname, join } = require("node:path");

/** Which package asks for it, and so decides where it lies. */
const ASKED_BY = { "apache-beam": __dirname, "serialize-closures": "apache-beam" };
const LIMIT_MS = 120_000;

/** The folder of a package; its exports may hide its package.json. */
function folderOf(name) {
  const asker = ASKED_BY[name];
  const from = asker === __dirname ? __dirname : folderOf(asker);
  let folder = dirname(require.resolve(name, { paths: [from] }));
  while (!existsSync(join(folder, "package.json")) || JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).name !== name)
    folder = dirname(folder);
  return folder;
}

function apply() {
  const stage = mkdtempSync(join(tmpdir(), "backstory-patches-"));
  try {
    writeFileSync(join(stage, "package.json"), "{}");
    for (const each of ["patches", "node_modules"]) mkdirSync(join(stage, each));
    for (const name of readdirSync(__dirname).filter((file) => file.endsWith(".patch"))) {
      copyFileSync(join(__dirname, name), join(stage, "patches", name));
    }
    for (const name of Object.keys(ASKED_BY)) symlinkSync(folderOf(name), join(stage, "node_modules", name), "junction");
    const run = spawnSync(process.execPath, [require.resolve("patch-package/index.js"), "--error-on-fail", "--error-on-warn"], {
      cwd: stage,
      stdio: "inherit",
      timeout: LIMIT_MS,
    });
    return run.status ?? 1;
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

process.exitCode = apply();
