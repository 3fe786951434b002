#!/usr/bin/env node
/**
 * PyTorch for CPUs in .cache/training/, unless it is there: PyPI's is the build for CUDA, 3 GB of it. Debian's `python3-torch` is downloaded and
 * unpacked, not installed, so that nobody needs to be root and the machine stays as it is; the rest comes from PyPI into an environment.
 * `PYTHON_TORCH=/path/to/python` names one that has torch, numpy, pyarrow and pytest already.
 */
const { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } = require("node:fs");
const { join, resolve } = require("node:path");
const { run, unpack } = require("../debian");

const HOME = resolve(__dirname, "../../.cache/training");
/** The newest that go with Debian 12's PyTorch 1.13. */
const PACKAGES = ["numpy==1.26.4", "pyarrow==21.0.0", "pytest==8.4.2", "typing_extensions==4.15.0"];
/** Where Debian's packages have libraries. A script of theirs that is not run here would choose the BLAS; the plain one is slow. */
const LIBRARIES = ["usr/lib/ARCH", "usr/lib/ARCH/openblas-pthread", "usr/lib", "lib/ARCH"];

const imports = (python) => run(python, ["-c", "import numpy, pyarrow, pytest, torch; print(f'PyTorch {torch.__version__}')"]).trim();

/** A program that is Python with the libraries in reach. */
function wrapper(place, arch) {
  const paths = LIBRARIES.map((path) => join(place, "root", path.replace("ARCH", arch))).join(":");
  return `#!/bin/sh\nexport LD_LIBRARY_PATH='${paths}'"\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"\nexec '${place}/venv/bin/python' "$@"\n`;
}

/** Everything in `HOME`, whole or not at all: the program comes last. */
function install() {
  rmSync(HOME, { recursive: true, force: true });
  mkdirSync(HOME, { recursive: true });
  unpack(join(HOME, "root"), ["python3-torch", "libopenblas0-pthread"]);
  // The Python that Debian's PyTorch is compiled for.
  run("/usr/bin/python3", ["-m", "venv", join(HOME, "venv")]);
  run(join(HOME, "venv/bin/pip"), ["install", "--quiet", "--disable-pip-version-check", ...PACKAGES]);
  const site = run(join(HOME, "venv/bin/python"), ["-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"]).trim();
  symlinkSync(join(HOME, "root/usr/lib/python3/dist-packages/torch"), join(site, "torch"));
  const arch = run("/usr/bin/python3", ["-c", "import sysconfig; print(sysconfig.get_config_var('MULTIARCH'))"]).trim();
  writeFileSync(join(HOME, "python.part"), wrapper(HOME, arch), { mode: 0o755 });
  renameSync(join(HOME, "python.part"), join(HOME, "python"));
}

/** @returns path of a Python that imports torch */
function python() {
  return process.env.PYTHON_TORCH ?? join(HOME, "python");
}

module.exports = { python };
if (require.main === module) {
  try {
    if (!existsSync(python())) install();
    console.log(`${imports(python())}: ${python()}`);
  } catch (error) {
    const why = String(error.stderr || error.message)
      .trim()
      .split("\n")
      .at(-1);
    console.error(
      `No PyTorch: ${why}\nThis suite wants Debian's apt-get with its archive and PyPI, or PYTHON_TORCH=/path/to/python with torch, numpy, pyarrow and pytest.`,
    );
    process.exitCode = 1;
  }
}
