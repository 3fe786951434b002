#!/usr/bin/env node
/**
 * PyTorch for CPUs in .cache/python-torch/, unless it is there: PyPI's is the build for CUDA, 3 GB of it. Debian's `python3-torch` is downloaded and
 * unpacked, not installed, so that nobody needs to be root and the machine stays as it is; the rest, requirements.txt, comes from PyPI into an
 * environment, and again when that file changes. `PYTHON_TORCH=/path/to/python` names one that has torch and all of it already.
 */
const { createHash } = require("node:crypto");
const { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } = require("node:fs");
const { join, resolve } = require("node:path");
const { run, unpack } = require("../debian");

/** Not .cache/training, which is the output of the README's build: it would be removed here. */
const HOME = resolve(__dirname, "../../.cache/python-torch");
const REQUIREMENTS = ["requirements.txt", "constraints.txt"].map((name) => join(__dirname, name));
/** What must be there to begin with. Not imported: TensorFlow takes seconds. */
const MODULES = ["datasets", "duckdb", "polars", "tensorflow"];
const DIST = join(HOME, "root/usr/lib/python3/dist-packages");
const STAMP = join(HOME, "requirements.sha256");
/** Where Debian's packages have libraries. A script of theirs that is not run here would choose the BLAS; the plain one is slow. */
const LIBRARIES = ["usr/lib/ARCH", "usr/lib/ARCH/openblas-pthread", "usr/lib", "lib/ARCH"];

const imports = (python) =>
  run(python, [
    "-c",
    `import numpy, pyarrow, pytest, torch, sys, importlib.util as i
missing = [name for name in sys.argv[1:] if not i.find_spec(name)]
sys.exit(f"no {missing[0]}") if missing else print(f"PyTorch {torch.__version__}")`,
    ...MODULES,
  ]).trim();

/** A program that is Python with the libraries in reach. */
function wrapper(place, arch) {
  const paths = LIBRARIES.map((path) => join(place, "root", path.replace("ARCH", arch))).join(":");
  return `#!/bin/sh\nexport LD_LIBRARY_PATH='${paths}'"\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"\nexec '${place}/venv/bin/python' "$@"\n`;
}

/** PyTorch as Debian has it, and an environment of the Python that it is compiled for. */
function debian() {
  rmSync(HOME, { recursive: true, force: true });
  mkdirSync(HOME, { recursive: true });
  unpack(join(HOME, "root"), ["python3-torch", "libopenblas0-pthread"]);
  // The Python that Debian's PyTorch is compiled for.
  run("/usr/bin/python3", ["-m", "venv", join(HOME, "venv")]);
}

/** PyTorch as a package of the environment, with the folder that tells its version: `datasets` looks for that. */
function link() {
  const site = run(join(HOME, "venv/bin/python"), ["-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"]).trim();
  const names = readdirSync(DIST).filter((name) => /^torch(-.*)?$/.test(name));
  for (const name of names) if (!existsSync(join(site, name))) symlinkSync(join(DIST, name), join(site, name));
}

const wanted = () =>
  createHash("sha256")
    .update(REQUIREMENTS.map((path) => readFileSync(path, "utf8")).join("\n"))
    .digest("hex");

/** Whether all is there, and as requirements.txt has it now. */
const isInstalled = () => existsSync(python()) && existsSync(STAMP) && readFileSync(STAMP, "utf8") === wanted();

/** Whole or not at all: each half leaves its mark when it is done. */
function install() {
  const arch = run("/usr/bin/python3", ["-c", "import sysconfig; print(sysconfig.get_config_var('MULTIARCH'))"]).trim();
  rmSync(STAMP, { force: true });
  if (!existsSync(join(HOME, "python"))) debian();
  link();
  writeFileSync(join(HOME, "python.part"), wrapper(HOME, arch), { mode: 0o755 });
  renameSync(join(HOME, "python.part"), join(HOME, "python"));
  run(join(HOME, "venv/bin/pip"), ["install", "--quiet", "--disable-pip-version-check", "--requirement", REQUIREMENTS[0]]);
  writeFileSync(STAMP, wanted());
}

/** @returns path of a Python that imports torch */
function python() {
  return process.env.PYTHON_TORCH ?? join(HOME, "python");
}

module.exports = { python };
if (require.main === module) {
  try {
    if (process.env.PYTHON_TORCH === undefined && !isInstalled()) install();
    console.log(`${imports(python())}: ${python()}`);
  } catch (error) {
    const why = String(error.stderr || error.message)
      .trim()
      .split("\n")
      .at(-1);
    console.error(
      `No PyTorch: ${why}\nThis suite wants Debian's apt-get with its archive and PyPI, or PYTHON_TORCH=/path/to/python with torch and what test/training/requirements.txt names.`,
    );
    process.exitCode = 1;
  }
}
