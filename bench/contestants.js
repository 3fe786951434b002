const { availableParallelism } = require("node:os");
const { join } = require("node:path");
const { TABLES } = require("./workloads");

const BIN = join(__dirname, "..", "bin", "backstory.js");
/** Everybody gets all cores, except Beam's Python runner, which has one thread. */
const THREADS = String(availableParallelism());

/** Peers: the formats they read, and the workloads they are measured with where not all. */
const PEERS = {
  duckdb: { label: "DuckDB", script: "duckdb_peer.py", formats: ["ndjson", "parquet"], flags: [`--threads=${THREADS}`] },
  polars: { label: "Polars", script: "polars_peer.py", formats: ["ndjson", "parquet"], env: { POLARS_MAX_THREADS: THREADS } },
  pyspark: { label: `PySpark local[${THREADS}]`, script: "spark_peer.py", formats: ["ndjson", "parquet"], flags: [`--threads=${THREADS}`] },
  beam: { label: "Beam Python, in process", script: "beam_peer.py", formats: ["ndjson"], sizes: ["XS", "S"] },
};

const backstory = (format, flags) => ({
  tool: "backstory",
  label: "backstory",
  format,
  flags,
  command: (input, output) => [
    process.execPath,
    [BIN, "build", ...TABLES.map((table) => `--${table}=${input}/${table}.${format}`), `--output=${output}`, "--json", ...flags],
  ],
});

function peer(tool, format, pythons) {
  const { label, script, formats, flags = [], env } = PEERS[tool];
  const command = (input, output) => [
    tool === "beam" ? pythons.beam : pythons.python,
    [join(__dirname, script), input, output, ...(formats.length > 1 ? [format] : []), ...flags],
  ];
  return { tool, label, format, env, command };
}

/** Who runs a workload, peers first: the first of them is what the others' rows are compared with. */
function contestantsOf(workload, { formats, peers, pythons, buildFlags }) {
  const wanted = workload.able.filter((format) => (formats ?? workload.formats).includes(format));
  const asked = peers ?? workload.peers ?? Object.keys(PEERS).filter((tool) => tool !== "beam" || pythons.beam !== undefined);
  const able = asked.filter((tool) => PEERS[tool].sizes?.includes(workload.size) ?? true);
  return [
    ...able.flatMap((tool) => wanted.filter((format) => PEERS[tool].formats.includes(format)).map((format) => peer(tool, format, pythons))),
    ...wanted.map((format) => backstory(format, [...workload.flags, ...buildFlags])),
  ];
}

module.exports = { PEERS, contestantsOf };
