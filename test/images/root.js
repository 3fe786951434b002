#!/usr/bin/env node
/**
 * What the images have in them, as a folder: the package packed and installed by deploy/install.sh, and Beam's boot program, both as
 * deploy/Dockerfile has them. In .cache/images/, one folder for each state of the package, so that nothing is installed twice.
 */
const { execFileSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} = require("node:fs");
const { dirname, join } = require("node:path");

const ROOT = join(__dirname, "../..");
const HOME = join(ROOT, ".cache/images");
const LOCK = join(ROOT, "package-lock.json");
const INSTALLERS = ["install.sh", "leaveout.js", "npx"].map((name) => join(ROOT, "deploy", name));
const LIMIT_MS = 600_000;
const PACKAGE = "opt/backstory";
const BOOT = "opt/apache/beam/boot";

const dockerfile = readFileSync(join(ROOT, "deploy/Dockerfile"), "utf8");

/** The one line of the Dockerfile that begins so, without that beginning. */
function lineOf(beginning) {
  const lines = dockerfile.split("\n").filter((line) => line.startsWith(beginning));
  if (lines.length !== 1) throw new Error(`deploy/Dockerfile has ${lines.length} lines that begin with ${beginning}`);
  return lines[0].slice(beginning.length);
}

const VERSION = lineOf("ARG BEAM_VERSION=");

/** Go calls the program by its folder. */
async function buildBoot() {
  const path = join(ROOT, ".cache/sdk", `boot-${VERSION}`, "container");
  const module = "github.com/apache/beam/sdks/v2";
  const program = { name: "Beam's boot program", module, version: VERSION, sum: lineOf("ARG BEAM_SUM="), program: "/typescript/container" };
  if (!existsSync(path)) await require("../../dist/pipeline/runners/gobuild").buildWithGo(program, path);
  return path;
}

const PATH = `${dirname(process.execPath)}:${process.env.PATH}`;
const run = (command, args) =>
  execFileSync(command, args, { cwd: ROOT, encoding: "utf8", timeout: LIMIT_MS, env: { ...process.env, PATH }, maxBuffer: 2 ** 26 });

/** Packs the package as it is compiled now. @returns path of the tarball, in a folder */
function pack(folder) {
  const name = run("npm", ["pack", "--ignore-scripts", "--silent", `--pack-destination=${folder}`])
    .trim()
    .split("\n")
    .at(-1);
  return join(folder, name);
}

/** Installs into the folder of an image. */
const install = (tarball, folder) => run(INSTALLERS[0], [tarball, LOCK, join(folder, PACKAGE)]);

/**
 * Stands for the runtime of a container, which gives boot the image's environment and folder. A runner that starts a process gives it its own
 * ones, and Prism puts quotes around the id, as for a shell.
 */
const runtimeOf = (folder) => `#!/bin/sh
for arg in "$@"; do
  shift
  case $arg in --id=\\'*\\') arg=\${arg#--id=\\'} arg=--id=\${arg%\\'} ;; esac
  set -- "$@" "$arg"
done
export ${lineOf("ENV NODE_ENV").replace(/^/, "NODE_ENV")} HOME=/nonexistent
export PATH='${lineOf("ENV PATH=").replace(`/${PACKAGE}`, join(folder, PACKAGE)).replace("/usr/local/bin", dirname(process.execPath))}'
cd '${join(folder, PACKAGE, "path")}' || exit 1
exec '${join(folder, BOOT)}' "$@"
`;

/** Makes an image's folder and its runtime, whole or not at all. */
function make(tarball, boot, place) {
  const part = mkdtempSync(join(HOME, "part-"));
  try {
    mkdirSync(join(part, "root", dirname(BOOT)), { recursive: true });
    install(tarball, join(part, "root"));
    copyFileSync(boot, join(part, "root", BOOT));
    writeFileSync(join(part, "boot"), runtimeOf(join(place, "root")), { mode: 0o755 });
    rmSync(place, { recursive: true, force: true });
    renameSync(part, place);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}

/**
 * @returns folder: what is / in the image; boot: a program that starts boot there as a container would, for the PROCESS environment of a runner;
 *   env: what it wants of the environment, nothing
 */
async function imageRoot() {
  mkdirSync(HOME, { recursive: true });
  const packed = mkdtempSync(join(HOME, "packed-"));
  try {
    const tarball = pack(packed);
    const boot = await buildBoot();
    const hash = createHash("sha256");
    for (const path of [tarball, LOCK, boot, __filename, join(ROOT, "deploy/Dockerfile"), ...INSTALLERS]) hash.update(readFileSync(path));
    const place = join(HOME, `root-${hash.digest("hex").slice(0, 16)}`);
    if (!existsSync(join(place, "boot"))) {
      for (const name of readdirSync(HOME)) if (name.startsWith("root-")) rmSync(join(HOME, name), { recursive: true, force: true });
      make(tarball, boot, place);
    }
    return { folder: join(place, "root"), boot: join(place, "boot"), env: {} };
  } finally {
    rmSync(packed, { recursive: true, force: true });
  }
}

/** All that the suite wants. */
async function installAll() {
  require("../sdk/install");
  console.log(await require("../../dist/pipeline/runners/prism").findPrism());
  console.log((await imageRoot()).folder);
}

module.exports = { BOOT, PACKAGE, imageRoot, pack };
if (require.main === module)
  installAll().then(
    () => {},
    (error) => {
      console.error(`${error.message} This suite wants Go 1.26 or newer (https://go.dev/dl) and npm's registry.`);
      process.exitCode = 1;
    },
  );
