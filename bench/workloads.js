const { execFileSync } = require("node:child_process");
const { existsSync, mkdirSync, readdirSync, renameSync, rmSync } = require("node:fs");
const { join } = require("node:path");

const FORMATS = ["ndjson", "parquet", "csv"];
const TABLES = ["impressions", "clicks", "add_to_carts", "previous_orders"];

/** L, 11 GB as NDJSON, is measured from that alone and without peers unless asked otherwise. */
const SIZES = {
  XS: { rankings: 1_000, actions: 100_000, customers: 500 },
  S: { rankings: 10_000, actions: 1_000_000, customers: 5_000 },
  M: { rankings: 100_000, actions: 10_000_000, customers: 50_000 },
  L: { rankings: 1_000_000, actions: 100_000_000, customers: 500_000, formats: ["ndjson"], peers: [], flags: ["--max-memory=2GB"] },
};

/** What data.py makes of a workload, and the formats that it has then. */
const VARIANTS = { varied: ["ndjson"], hot: ["ndjson", "parquet"], crowd: ["ndjson", "parquet"] };
const MAKE_LIMIT_MS = 3_600_000;

/**
 * A workload by its name, such as M or M-hot; undefined if there is none of this name. `able` are the formats that it can have;
 * `formats` and `peers` those that it is measured with where nobody asks for others; `flags` are for backstory build.
 */
function workloadOf(name) {
  const [size, variant, ...more] = name.split("-");
  if (!(size in SIZES) || (variant !== undefined && !(variant in VARIANTS)) || more.length > 0) return undefined;
  const { actions, formats = FORMATS, peers, flags = [] } = SIZES[size];
  const able = VARIANTS[variant] ?? FORMATS;
  return { name, size, variant, actions, able, formats: able.filter((format) => formats.includes(format)), peers, flags };
}

/** Makes a workload's inputs in FOLDER/NAME where these formats are not there yet; returns the folder. */
function inputsOf({ name, size, variant }, formats, folder, python) {
  const made = join(folder, name);
  const lacking = formats.filter((format) => TABLES.some((table) => !existsSync(join(made, `${table}.${format}`))));
  if (lacking.length === 0) return made;
  const base = variant === undefined ? undefined : inputsOf(workloadOf(size), ["parquet"], folder, python);
  const half = `${made}.half`;
  rmSync(half, { recursive: true, force: true });
  for (const each of [half, made]) mkdirSync(each, { recursive: true });
  console.error(`making ${name} as ${lacking.join(", ")}`);
  const make = (script, ...args) =>
    execFileSync(python, [join(__dirname, script), ...args], { stdio: ["ignore", "ignore", "inherit"], timeout: MAKE_LIMIT_MS });
  if (base === undefined) {
    const { rankings, actions, customers } = SIZES[size];
    make("gen.py", half, ...[rankings, actions, customers].map(String), ...(lacking.includes("ndjson") ? [] : ["--no-ndjson"]));
    if (lacking.includes("csv")) make("data.py", "csv", half);
  } else make("data.py", variant, base, half);
  // only what is complete gets its name
  for (const file of readdirSync(half)) if (lacking.includes(file.split(".").pop())) renameSync(join(half, file), join(made, file));
  rmSync(half, { recursive: true });
  return made;
}

module.exports = { FORMATS, SIZES, TABLES, VARIANTS, workloadOf, inputsOf };
