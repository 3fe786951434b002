const { join } = require("node:path");

const BIN = join(__dirname, "..", "bin", "backstory.js");
const TABLES = ["impressions", "clicks", "add_to_carts", "previous_orders"];

/** Peers: the formats they read, and the workloads they are measured with where not all. */
const PEERS = {
  duckdb: { label: "DuckDB", script: "duckdb_peer.py", formats: ["ndjson", "parquet"] },
  polars: { label: "Polars", script: "polars_peer.py", formats: ["ndjson", "parquet"], env: { POLARS_MAX_THREADS: "2" } },
  pyspark: { label: "PySpark local[2]", script: "spark_peer.py", formats: ["ndjson", "parquet"] },
  beam: { label: "Beam Python, in process", script: "beam_peer.py", formats: ["ndjson"], sizes: ["XS", "S"] },
};

const backstory = (format) => ({
  tool: "backstory",
  label: "backstory",
  format,
  command: (input, output) => [
    process.execPath,
    [BIN, "build", ...TABLES.map((table) => `--${table}=${input}/${table}.${format}`), `--output=${output}`, "--json"],
  ],
});

const peer = (tool, format, pythons) => ({
  tool,
  format,
  label: PEERS[tool].label,
  env: PEERS[tool].env,
  command: (input, output) => [
    tool === "beam" ? pythons.beam : pythons.python,
    [join(__dirname, PEERS[tool].script), input, output, ...(PEERS[tool].formats.length > 1 ? [format] : [])],
  ],
});

/** Who runs a workload, peers first: the first of them is what the others' rows are compared with. */
function contestantsOf(workload, { formats, peers, pythons }) {
  const wanted = workload.formats.filter((format) => formats.includes(format));
  const able = peers.filter((tool) => PEERS[tool].sizes?.includes(workload.size) ?? true);
  return [
    ...able.flatMap((tool) => wanted.filter((format) => PEERS[tool].formats.includes(format)).map((format) => peer(tool, format, pythons))),
    ...wanted.map(backstory),
  ];
}

module.exports = { PEERS, contestantsOf };
