const { execFileSync } = require("node:child_process");
const { existsSync, mkdirSync, renameSync, rmSync } = require("node:fs");
const { join } = require("node:path");

/** Rankings, actions, customers. */
const SIZES = {
  XS: [1_000, 100_000, 500],
  S: [10_000, 1_000_000, 5_000],
  M: [100_000, 10_000_000, 50_000],
  L: [1_000_000, 100_000_000, 500_000],
};

/** What data.py makes of a workload, and the formats that it has then. */
const VARIANTS = { varied: ["ndjson"], hot: ["ndjson", "parquet"], crowd: ["ndjson", "parquet"] };
const MAKE_LIMIT_MS = 3_600_000;

/** A workload by its name, such as M or M-hot; undefined if there is none of this name. */
function workloadOf(name) {
  const [size, variant] = name.split("-");
  if (!(size in SIZES) || (variant !== undefined && !(variant in VARIANTS))) return undefined;
  return { name, size, variant, actions: SIZES[size][1], formats: VARIANTS[variant] ?? ["ndjson", "parquet", "csv"] };
}

/** Makes a workload's inputs in FOLDER/NAME, once; resolves to the folder. A folder has its name only when it is complete. */
function inputsOf(workload, folder, python) {
  const { name, size, variant } = workload;
  const made = join(folder, name);
  if (existsSync(made)) return made;
  const base = variant === undefined ? undefined : inputsOf(workloadOf(size), folder, python);
  const half = `${made}.half`;
  rmSync(half, { recursive: true, force: true });
  mkdirSync(half, { recursive: true });
  console.error(`making ${name}`);
  const make = (script, ...args) =>
    execFileSync(python, [join(__dirname, script), ...args], { stdio: ["ignore", "ignore", "inherit"], timeout: MAKE_LIMIT_MS });
  if (base === undefined) {
    make("gen.py", half, ...SIZES[size].map(String));
    make("data.py", "csv", half);
  } else make("data.py", variant, base, half);
  renameSync(half, made);
  return made;
}

module.exports = { SIZES, VARIANTS, workloadOf, inputsOf };
