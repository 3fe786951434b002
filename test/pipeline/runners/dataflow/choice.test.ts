import { ConfigError } from "../../../../pipeline/errors";
import { parseFlags } from "../../../../pipeline/flags";
import { helpOf } from "../../../../pipeline/help/text";
import { BuildOptions } from "../../../../pipeline/options";
import { chooseRunner } from "../../../../pipeline/runners/choice";
import { chooseDataflow, type DataflowChoice } from "../../../../pipeline/runners/dataflow/choice";

const REQUIRED = {
  impressions: "gs://inputs/impressions/*.parquet",
  clicks: "gs://inputs/clicks",
  "add-to-carts": "none",
  "previous-orders": "bq://project.dataset.orders",
  output: "gs://out/training",
  runner: "dataflow",
  project: "my-project-1",
  region: "europe-west1",
  "temp-location": "gs://temp/flow/",
  "worker-image": "europe-west1-docker.pkg.dev/my-project-1/images/backstory:0.1.0",
};

/** The flags of a job that can be, with some changed; undefined takes one away. */
function choose(changed: Record<string, string | undefined> = {}, ...more: string[]): DataflowChoice {
  const all = Object.entries({ ...REQUIRED, ...changed }).filter(([, value]) => value !== undefined);
  const { options } = parseFlags(BuildOptions, [...all.map(([name, value]) => `--${name}=${value}`), ...more], 0);
  expect(chooseRunner(options)).toBeNull();
  return chooseDataflow(options);
}

test("what is required is enough, and the rest has Dataflow's own defaults", () => {
  expect(choose()).toEqual({
    project: "my-project-1",
    region: "europe-west1",
    tempLocation: "gs://temp/flow",
    stagingLocation: "gs://temp/flow/staging",
    image: REQUIRED["worker-image"],
    jobName: expect.stringMatching(/^backstory-training-[0-9a-f]{8}$/),
    usePublicIps: true,
    labels: {},
    experiments: ["beam_fn_api", "use_runner_v2", "use_unified_worker", "use_portable_job_submission"],
    serviceOptions: [],
    threads: 0,
    endpoint: new URL("https://dataflow.googleapis.com"),
    wait: true,
    dryRun: false,
  });
});

test.each<[string[], Partial<DataflowChoice>]>([
  [["--staging-location=gs://other"], { stagingLocation: "gs://other" }],
  [["--job-name=daily-2025-08-16"], { jobName: "daily-2025-08-16" }],
  [["--worker-machine-type=n2-standard-4"], { machineType: "n2-standard-4" }],
  [
    ["--num-workers=2", "--max-num-workers=9", "--autoscaling-algorithm=NONE"],
    { numWorkers: 2, maxNumWorkers: 9, autoscalingAlgorithm: "NONE" },
  ],
  [["--disk-size-gb=50", "--worker-disk-type=pd-ssd"], { diskSizeGb: 50, diskType: "pd-ssd" }],
  [["--service-account-email=w@my-project-1.iam.gserviceaccount.com"], { serviceAccountEmail: "w@my-project-1.iam.gserviceaccount.com" }],
  [["--network=n", "--subnetwork=regions/europe-west1/subnetworks/s"], { network: "n", subnetwork: "regions/europe-west1/subnetworks/s" }],
  [["--no-use-public-ips"], { usePublicIps: false }],
  [["--no_use_public_ips"], { usePublicIps: false }],
  [["--dataflow-kms-key=projects/p/locations/l/keyRings/r/cryptoKeys/k"], { kmsKey: "projects/p/locations/l/keyRings/r/cryptoKeys/k" }],
  [["--labels=team=ads, env=prod,empty="], { labels: { team: "ads", env: "prod", empty: "" } }],
  [["--flexrs-goal=COST_OPTIMIZED"], { flexrsGoal: "FLEXRS_COST_OPTIMIZED" }],
  [["--flexrs-goal=FLEXRS_SPEED_OPTIMIZED"], { flexrsGoal: "FLEXRS_SPEED_OPTIMIZED" }],
  [
    ["--experiments=use_runner_v2,x"],
    { experiments: ["use_runner_v2", "x", "beam_fn_api", "use_unified_worker", "use_portable_job_submission"] },
  ],
  [["--dataflow-service-options=enable_prime,y"], { serviceOptions: ["enable_prime", "y"] }],
  [["--number-of-worker-harness-threads=12", "--threads=3"], { harnessThreads: 12, threads: 3 }],
  [["--dataflow-endpoint=http://localhost:9001"], { endpoint: new URL("http://localhost:9001") }],
  [["--no-wait", "--job-id-file=job.json"], { wait: false, jobIdFile: "job.json" }],
  [["--dry-run"], { dryRun: true }],
])("%j", (flags, wanted) => {
  expect(choose({}, ...flags)).toMatchObject(wanted);
});

test("--sdk-container-image is Beam's name for --worker-image", () => {
  expect(choose({ "worker-image": undefined, "sdk-container-image": "image" }).image).toBe("image");
  expect(choose({ "sdk-container-image": REQUIRED["worker-image"] }).image).toBe(REQUIRED["worker-image"]);
});

test("--help has them, as they are given", () => {
  const help = helpOf({ name: "build", about: "", usage: "", schema: BuildOptions, paths: 0 });
  for (const flag of ["--project=PROJECT", "--no-use-public-ips ", "--no-wait ", "--dry-run ", "--labels=KEY=VALUE,..."])
    expect(help).toContain(flag);
  expect(help).not.toContain("--sdk-container-image");
});

const IMAGE = `image@sha256:${"0".repeat(64)}`;
test.each(["image", "a/b", "localhost:5000/a/b:1.0", "europe-west1-docker.pkg.dev/p/r/backstory:v1_2", IMAGE])("the image %s", (image) => {
  expect(choose({ "worker-image": image }).image).toBe(image);
});

test.each<[Record<string, string | undefined>, string[], RegExp]>([
  [{ project: undefined }, [], /--project is missing, which --runner=dataflow needs\. Write --project=PROJECT/],
  [{ region: undefined }, [], /--region is missing/],
  [{ "temp-location": undefined }, [], /--temp-location is missing.*gs:\/\/BUCKET\/PATH/],
  [{ "worker-image": undefined }, [], /--worker-image is missing/],
  [{ project: "My Project" }, [], /--project must be the ID of a project.*got "My Project"/],
  [{ region: "europe-west1-b" }, [], /"europe-west1-b" is a zone\. Write --region=europe-west1\./],
  [{ region: "Europe" }, [], /--region must be a region/],
  [{ "temp-location": "/tmp/x" }, [], /--temp-location must be gs:\/\/BUCKET\/PATH/],
  [{ "temp-location": "gs://Temp" }, [], /"Temp" is no name of a bucket/],
  [{ "temp-location": "gs://out/training/tmp" }, [], /--temp-location must be apart from --output/],
  [{ "temp-location": "gs://inputs/clicks" }, [], /--temp-location must be apart from --clicks/],
  [{ "staging-location": "gs://inputs/clicks/staging" }, [], /--staging-location must be apart from --clicks/],
  [{ "worker-image": "an image" }, [], /--worker-image must be an image/],
  [{ "worker-image": "image:" }, [], /--worker-image must be an image/],
  [{ "sdk-container-image": "other" }, [], /two names of one option/],
  [{ impressions: "data/impressions" }, [], /--impressions must be in a bucket with --runner=dataflow.*got "data\/impressions"\. Copy it/],
  [{ clicks: "/data/clicks" }, [], /--clicks must be in a bucket/],
  [{ output: "out" }, [], /--output must be in a bucket/],
  [{ rejects: "rejects.ndjson" }, [], /--rejects must be in a bucket/],
  [{ "job-name": "Daily" }, [], /--job-name must be up to 63 lower-case letters/],
  [{ "job-name": "a-" }, [], /--job-name must be/],
  [{ "job-name": "a".repeat(64) }, [], /--job-name must be/],
  [{}, ["--num-workers=3", "--max-num-workers=2"], /--num-workers must be at most --max-num-workers \(2\); got 3/],
  [{}, ["--num-workers=0"], /--num-workers must be at least 1/],
  [{}, ["--autoscaling-algorithm=BASIC"], /must be one of NONE, THROUGHPUT_BASED/],
  [{}, ["--service-account-email=worker"], /--service-account-email must be the e-mail address/],
  [{}, ["--subnetwork=s"], /--subnetwork must be regions\/REGION\/subnetworks\/NAME/],
  [{}, ["--subnetwork=regions/us-east1/subnetworks/s"], /--subnetwork must be of the job's region, europe-west1/],
  [{}, ["--dataflow-kms-key=k"], /--dataflow-kms-key must be projects/],
  [{}, ["--labels=Team=ads"], /--labels must be KEY=VALUE.*got "Team=ads"/],
  [{}, ["--labels=team"], /--labels must be KEY=VALUE/],
  [{}, ["--labels=a=b,,c=d"], /--labels must be names with commas between them/],
  [{}, ["--flexrs-goal=CHEAP"], /--flexrs-goal must be one of/],
  [{}, ["--experiments=disable_runner_v2"], /--experiments must leave Runner v2 on.*got "disable_runner_v2"/],
  [{}, ["--experiments=a,"], /--experiments must be names with commas/],
  [{}, ["--dataflow-endpoint=dataflow.googleapis.com"], /--dataflow-endpoint must be https:\/\/HOST/],
  [{}, ["--dataflow-endpoint=http://example.com"], /--dataflow-endpoint must be https/],
  [{}, ["--dataflow-endpoint=https://example.com/v1b3"], /--dataflow-endpoint must be https/],
  [{}, ["--no-wait", "--metrics-json=m.json"], /--metrics-json is of no use with --no-wait/],
  [{}, ["--no-wait", "--dry-run"], /--no-wait is of no use with --dry-run/],
  [{}, ["--job-id-file=x", "--dry-run"], /--job-id-file is of no use with --dry-run/],
  [{}, ["--job-id-file=/dev/null/x"], /--job-id-file must be a folder/],
  [{}, ["--max-memory=2GB"], /--max-memory is of no use with --runner=dataflow/],
  [{}, ["--temp-dir=x"], /--temp-dir is of no use with --runner=dataflow/],
  [{}, ["--workers=2"], /--workers is of no use with --runner=dataflow/],
  [
    { runner: "direct" },
    [],
    /--(project|region|temp-location|worker-image) is of no use with --runner=direct.*Leave it out, or choose --runner=dataflow/,
  ],
  [{ runner: "prism" }, [], /is of no use with --runner=prism/],
])("%j %j is refused", (changed, flags, message) => {
  const refused = () => choose(changed, ...flags);
  expect(refused).toThrow(ConfigError);
  expect(refused).toThrow(message);
});
