/**
 * Our job is the one that Beam's SDK for Go would send for the same pipeline and options, field by field: what `--dry-run` prints against what the Go SDK's own
 * dataflowlib.Translate makes (go/main.go). Each difference is listed with its reason; one that is not, or one that no longer is, fails.
 */
const { execFileSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const { readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
require("apache-beam");
const { Api } = require("../discovery/api");
const { dataflowjob, discovery } = require("./install");
const { backstory, IMAGE, inputsIn, onDataflow, ROOT, startWorld, TABLES } = require("./kit");

const OTTO = join(ROOT, "examples/otto");
const EXPERIMENTS = ["beam_fn_api", "use_runner_v2", "use_unified_worker", "use_portable_job_submission"];

/** Our flags, and what the Go SDK's getJobOptions makes of its own of the same meaning. */
const CASES = {
  "what is required": { flags: ["--job-name=the-job"], options: { Experiments: EXPERIMENTS } },
  "every option": {
    flags: [
      "--job-name=the-job",
      "--worker-machine-type=n2-standard-4",
      "--num-workers=3",
      "--max-num-workers=20",
      "--autoscaling-algorithm=THROUGHPUT_BASED",
      "--disk-size-gb=50",
      "--worker-disk-type=compute.googleapis.com/projects//zones//diskTypes/pd-ssd",
      "--service-account-email=worker@my-project-123.iam.gserviceaccount.com",
      "--network=the-network",
      "--subnetwork=regions/europe-west1/subnetworks/the-subnetwork",
      "--no-use-public-ips",
      "--dataflow-kms-key=projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k",
      "--labels=team=ranking",
      "--flexrs-goal=COST_OPTIMIZED",
      "--experiments=shuffle_mode=service",
      "--dataflow-service-options=enable_prime",
      "--number-of-worker-harness-threads=4",
    ],
    options: {
      MachineType: "n2-standard-4",
      NumWorkers: 3,
      MaxNumWorkers: 20,
      Algorithm: "THROUGHPUT_BASED",
      DiskSizeGb: 50,
      DiskType: "compute.googleapis.com/projects//zones//diskTypes/pd-ssd",
      ServiceAccountEmail: "worker@my-project-123.iam.gserviceaccount.com",
      Network: "the-network",
      Subnetwork: "regions/europe-west1/subnetworks/the-subnetwork",
      NoUsePublicIPs: true,
      KmsKey: "projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k",
      Labels: { team: "ranking" },
      FlexRSGoal: "FLEXRS_COST_OPTIMIZED",
      Experiments: ["shuffle_mode=service", ...EXPERIMENTS],
      DataflowServiceOptions: ["enable_prime"],
      WorkerHarnessThreads: 4,
    },
  },
};

const { version } = require("../../package.json");
const sdk = require("apache-beam/version").version;
const OPTIONS = "environment.sdkPipelineOptions.options";
const SHOWN = "environment.sdkPipelineOptions.display_data";

const POOL = "environment.workerPools[0]";
const shown = (value) => JSON.stringify({ type: "STRING", value });

/** Where the jobs differ, in every case: our value, theirs, and why. A pattern stands for what each run has anew; no value for a field that is not there. */
const DIFFERENCES = [
  { path: "environment.userAgent.name", ours: "Apache Beam SDK for TypeScript", theirs: "Apache Beam SDK for Go", why: "who it is" },
  { path: "environment.userAgent.version", ours: sdk, theirs: "2.77.0", why: "who it is" },
  {
    path: "clientRequestId",
    ours: /^[0-9a-f-]{36}$/,
    why: "a request whose answer was lost is sent again, and is known by it; the Go SDK sends once",
  },
  { path: "environment.debugOptions", theirs: "{}", why: "nothing but defaults" },
  { path: `${OPTIONS}.diskProvisionedIops`, theirs: 0, why: "the default; for workers of the Java SDK" },
  { path: `${OPTIONS}.diskProvisionedThroughputMibps`, theirs: 0, why: "the default; for workers of the Java SDK" },
  {
    path: "environment.sdkPipelineOptions.beam:option:go_options:v1.options.experiments",
    theirs: /use_portable_job_submission$/,
    why: "options that only workers of the Go SDK read",
  },
  { path: `${SHOWN}[go_options/experiments]`, theirs: /use_portable_job_submission/, why: "shows those options" },
  {
    path: `${OPTIONS}.backstoryWorker`,
    ours: JSON.stringify({ threads: 0, folder: null, version }),
    why: "what our workers read, in the place where those of the Python SDK have their options",
  },
  { path: `${SHOWN}[backstory/output]`, ours: shown("gs://outputs/otto"), why: "shown in the console" },
  { path: `${SHOWN}[backstory/run]`, ours: /"value":"\d{8}T\d{6}Z-[0-9a-f]{8}"/, why: "shown in the console" },
  { path: `${SHOWN}[backstory/version]`, ours: shown(version), why: "shown in the console" },
  { path: "labels.backstory_run", ours: /^\d{8}t\d{6}z-[0-9a-f]{8}$/, why: "jobs are found, and bills split, by labels" },
  { path: "labels.backstory_version", ours: version.replaceAll(".", "_"), why: "jobs are found, and bills split, by labels" },
  {
    path: `${POOL}.packages[0].name`,
    theirs: "worker",
    why: "the Go SDK stages its program; ours is in the image, and nothing is staged but the pipeline",
  },
  { path: `${POOL}.packages[0].location`, theirs: "gs://temporary/worker", why: "likewise" },
];

let world;
beforeAll(async () => {
  world = await startWorld({});
  for (const table of TABLES) await world.put("inputs", `otto/${table}.ndjson`, readFileSync(join(OTTO, `${table}.ndjson`)));
});
afterAll(() => world?.stop());

/** @returns what --dry-run prints, and the pipeline that it is about */
async function oursOf(given) {
  const flags = [
    ...inputsIn("gs://inputs/otto", "ndjson"),
    "--output=gs://outputs/otto",
    "--dates=2022-08-27..2022-08-28",
    ...onDataflow(world),
    ...given,
    "--dry-run",
  ];
  const env = { STORAGE_EMULATOR_HOST: world.storageHost };
  const run = await backstory(["build", ...flags], { env });
  expect(run).toMatchObject({ code: 0 });
  const job = JSON.parse(run.out);
  const { value: runId } = job.environment.sdkPipelineOptions.display_data.find(({ key }) => key === "run");
  const file = join(world.folder, "pipeline.pb");
  execFileSync(process.execPath, [join(__dirname, "proto.js"), file, runId, ...flags], {
    env: { ...process.env, ...env },
    timeout: 60_000,
  });
  return { job, pipeline: readFileSync(file) };
}

function theirsOf({ job, pipeline }, options) {
  const given = {
    Name: "the-job",
    Options: {},
    Project: "my-project-123",
    Region: "europe-west1",
    TempLocation: "gs://temporary/dataflow",
    ContainerImage: IMAGE,
  };
  const { pipelineUrl } = job.environment.sdkPipelineOptions.options;
  const request = { modelURL: pipelineUrl, workerURL: "gs://temporary/worker", options: { ...given, ...options } };
  const [proto, json] = ["pipeline.pb", "options.json"].map((name) => join(world.folder, name));
  writeFileSync(proto, pipeline);
  writeFileSync(json, JSON.stringify(request));
  return JSON.parse(execFileSync(dataflowjob, [proto, json], { encoding: "utf8", timeout: 60_000 }));
}

/** Each value by its path. Display data has no order; its place is its name. */
function* valuesOf(value, path = "") {
  if (typeof value !== "object") yield [path, value];
  else if (path === SHOWN) for (const { namespace, key, ...rest } of value) yield [`${path}[${namespace}/${key}]`, JSON.stringify(rest)];
  else if (Object.keys(value).length === 0) yield [path, JSON.stringify(value)];
  else
    for (const [key, each] of Object.entries(value))
      yield* valuesOf(each, Array.isArray(value) ? `${path}[${key}]` : path + (path && ".") + key);
}

const matches = (listed, value) => (listed instanceof RegExp ? listed.test(value) : listed === value);

function differences(ours, theirs) {
  const [left, right] = [ours, theirs].map((job) => Object.fromEntries(valuesOf(job)));
  const paths = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort();
  return paths.filter((path) => left[path] !== right[path]).map((path) => ({ path, ours: left[path], theirs: right[path] }));
}

describe.each(Object.entries(CASES))("%s", (_, { flags, options }) => {
  let ours;
  let theirs;
  beforeAll(async () => {
    ours = await oursOf(flags);
    theirs = theirsOf(ours, options);
  });

  test("the job names the very pipeline", () => {
    const { pipelineProtoHash } = ours.job.environment.sdkPipelineOptions.options;
    expect(pipelineProtoHash).toBe(createHash("sha256").update(ours.pipeline).digest("hex"));
  });

  test("both are jobs as the API describes them", () => {
    const api = new Api(JSON.parse(readFileSync(discovery, "utf8")));
    for (const job of [ours.job, theirs]) {
      const problems = [];
      api.read("Job", job, "", problems);
      expect(problems).toEqual([]);
    }
  });

  test("they differ where it is listed, and nowhere else", () => {
    const found = differences(ours.job, theirs);
    const listed = (each) =>
      DIFFERENCES.find(({ path, ours, theirs }) => path === each.path && matches(ours, each.ours) && matches(theirs, each.theirs));
    expect(found.filter((each) => listed(each) === undefined)).toEqual([]);
    expect(DIFFERENCES.filter(({ path }) => !found.some((each) => each.path === path))).toEqual([]);
  });
});
