#!/usr/bin/env node
/**
 * Jupyter, matplotlib and ruff in .cache/notebook/, unless they are there: an environment that sees that of the training suite (PyTorch, numpy, pandas,
 * Polars, pyarrow), which is installed first. Made anew when what it wants, or that environment, changes.
 */
const { execFileSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { join, resolve } = require("node:path");
const training = require("../training/install");

const HOME = resolve(__dirname, "../../.cache/notebook");
const VENV = join(HOME, "venv");
const STAMP = join(HOME, "requirements.sha256");
const REQUIREMENTS = join(__dirname, "requirements.txt");
const LIMIT_MS = 600_000;
/** matplotlib's makes its list of fonts: a notebook that has to wait for it tells so. */
const MODULES = "ipykernel, matplotlib.font_manager, nbclient, nbformat, numpy, pandas, polars, pyarrow, torch";

const run = (command, args) =>
  execFileSync(command, args, { encoding: "utf8", timeout: LIMIT_MS, stdio: ["ignore", "pipe", "pipe"] }).trim();

/** Where Jupyter, IPython and matplotlib have settings and caches: those of whoever runs this would change the outputs. */
const OWN = ["JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "MPLCONFIGDIR"].map(
  (name) => `${name}='${join(HOME, "home", name.toLowerCase())}'`,
);

/** A program that is Python with what the training suite's one has in its environment: there the libraries of PyTorch are found. */
const python = join(HOME, "python");
const wrapper = () => `#!/bin/sh
export ${OWN.join(" ")}
exec '${training.python()}' -c 'import os, sys; os.execv(sys.argv[1], sys.argv[1:])' '${VENV}/bin/python' "$@"
`;

const siteOf = (program) => run(program, ["-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"]);
const versionsOf = (program) => run(program, ["-m", "pip", "freeze", "--disable-pip-version-check"]);

/** Whole or not at all: the stamp comes last. */
function install(wanted) {
  rmSync(HOME, { recursive: true, force: true });
  mkdirSync(HOME, { recursive: true });
  run(training.python(), ["-m", "venv", VENV]);
  // pip sees what is there too, and installs no second one.
  writeFileSync(join(siteOf(join(VENV, "bin/python")), "training.pth"), `${siteOf(training.python())}\n`);
  run(join(VENV, "bin/pip"), ["install", "--quiet", "--disable-pip-version-check", "--requirement", REQUIREMENTS]);
  writeFileSync(python, wrapper(), { mode: 0o755 });
  writeFileSync(STAMP, wanted);
}

function main() {
  const parts = [wrapper(), versionsOf(training.python()), readFileSync(REQUIREMENTS, "utf8")];
  const wanted = createHash("sha256").update(parts.join("\n")).digest("hex");
  if (!existsSync(STAMP) || readFileSync(STAMP, "utf8") !== wanted) install(wanted);
  console.log(`${run(python, ["-c", `import ${MODULES}; print(f"nbclient {nbclient.__version__}")`])}: ${python}`);
}

module.exports = { python };
if (require.main === module) {
  try {
    main();
  } catch (error) {
    const why = String(error.stderr || error.message)
      .trim()
      .split("\n")
      .at(-1);
    console.error(`No Jupyter: ${why}\nThis suite wants PyPI, and what test/training/install.js makes: run that first.`);
    process.exitCode = 1;
  }
}
