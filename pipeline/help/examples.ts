/** What a command looks like when it is given; a test has each of them read by the parser of flags. */
export interface Example {
  /** no sentence, but a heading: it begins small and has no full stop */
  about: string;
  /** lines, of which all but the last end in a backslash */
  command: string;
}

const TABLES = `--impressions=data/impressions --clicks=data/clicks \\
  --add-to-carts=data/add_to_carts --previous-orders=data/orders`;

const EXAMPLES: Record<string, Example[]> = {
  build: [
    {
      about: "two weeks, from folders of files",
      command: `backstory build ${TABLES} \\\n  --dates=2025-08-03..2025-08-16 --output=training`,
    },
    {
      about: "most options in a file; without add-to-carts; figures beside it",
      command: "backstory build --config=training.yaml --add-to-carts=none \\\n  --output=training --metrics-json=metrics.json",
    },
    {
      about: "one day from BigQuery to a bucket, tried again under one name",
      command:
        "backstory build --config=daily.yaml --dates=2025-08-16 \\\n  --run-id=daily-2025-08-16 --temp-location=gs://bucket/tmp \\\n  --output=gs://bucket/training",
    },
  ],
  plan: [
    { about: "what a build would take on this machine and on Dataflow", command: `backstory plan ${TABLES} \\\n  --output=training` },
    { about: "on one larger machine, as JSON", command: "backstory plan --config=training.yaml --machine-type=n2-standard-32 --json" },
  ],
  generate: [
    { about: "a small workload", command: "backstory generate --output=workload --rankings=1000 --actions=100000" },
    { about: "as Parquet, in a folder for each day", command: "backstory generate --output=workload --format=parquet --hive" },
  ],
  inspect: [
    { about: "the first rows of a day", command: "backstory inspect training/dt=2025-08-16 --rows=3" },
    { about: "more of each history", command: "backstory inspect training --actions=50" },
  ],
  analyse: [{ about: "figures of an output", command: "backstory analyse training" }],
  verify: [
    { about: "with the inputs that the manifests name", command: "backstory verify training" },
    { about: "all customers of one day", command: "backstory verify training --sample=all --dates=2025-08-16" },
  ],
  compare: [
    { about: "two outputs", command: "backstory compare training training-before" },
    {
      about: "with the table of another program, which has other names",
      command: "backstory compare training spark_output \\\n  --columns=ranking_id=session,actions=items",
    },
  ],
  report: [
    { about: "a page about an output", command: "backstory report training --to=report.html" },
    { about: "what has changed since another one", command: "backstory report training --against=training-before" },
  ],
  convert: [
    { about: "one row for each ranking", command: "backstory convert training --to=rankings --layout=rankings" },
    {
      about: "histories of their own, without padding",
      command: "backstory convert training --to=histories --layout=histories --padding=none",
    },
  ],
  clean: [
    { about: "finish and remove what interrupted runs have left", command: "backstory clean training" },
    { about: "also of a run of another machine that is known to be dead", command: "backstory clean training --run=daily-2025-08-16" },
  ],
  load: [
    {
      about: "two days of an output into a table",
      command: "backstory load gs://bucket/training --dates=2025-08-15..2025-08-16 \\\n  --output-table=bq://project.models.training",
    },
  ],
  rebuild: [
    {
      about: "see that a run gives the same bytes again",
      command: "backstory rebuild training/_manifests/daily-2025-08-16.json --output=again",
    },
  ],
  "worker-pool": [
    { about: "workers for runners on other machines", command: "backstory worker-pool --port=50000 --host=0.0.0.0 --threads=4" },
  ],
  completion: [{ about: "this shell only", command: "source <(backstory completion bash)" }],
};

/** None for a command that has none yet. */
export const examplesOf = (name: string): readonly Example[] => (Object.hasOwn(EXAMPLES, name) ? EXAMPLES[name] : []);
