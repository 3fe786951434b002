const { execFileSync } = require("node:child_process");
const { readFileSync } = require("node:fs");
const { availableParallelism, cpus, release, totalmem, type } = require("node:os");
const { join } = require("node:path");

const PACKAGES = "duckdb polars pyspark pyarrow apache-beam";

/** What the numbers belong to. */
function machine({ pythons }) {
  const root = join(__dirname, "..");
  const version = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;
  const changed = said("git", ["-C", root, "status", "--porcelain"]) === "" ? "" : " with changes";
  return {
    date: new Date().toISOString().slice(0, 16).replace("T", " "),
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    versions: {
      backstory: `${version} (commit ${said("git", ["-C", root, "rev-parse", "--short", "HEAD"]) || "unknown"}${changed})`,
      Node: process.version.slice(1),
      ...packages(pythons.python),
      ...(pythons.beam === undefined ? {} : packages(pythons.beam, " for Beam")),
      Java: said("java", ["-version"]).match(/"(.+?)"/)?.[1] ?? "none",
    },
  };
}

/** Versions of a Python and of what is installed there. */
function packages(python, suffix = "") {
  const script = `import importlib.metadata as m, json, sys
names = {d.metadata["Name"].lower() for d in m.distributions()} & set("${PACKAGES}".split())
print(json.dumps({"Python": sys.version.split()[0], **{name: m.version(name) for name in sorted(names)}}))`;
  const found = JSON.parse(said(python, ["-c", script]) || "{}");
  return Object.fromEntries(Object.entries(found).map(([name, version]) => [name + suffix, version]));
}

/** What a command prints, on stderr if not on stdout; nothing if it fails. */
function said(command, args) {
  try {
    return execFileSync("sh", ["-c", '"$@" 2>&1', "sh", command, ...args], { encoding: "utf8", timeout: 60_000 }).trim();
  } catch {
    return "";
  }
}

module.exports = { machine };
