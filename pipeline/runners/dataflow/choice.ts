import { ConfigError } from "../../errors";
import { parseUri } from "../../gcs/uri";
import type { BuildOptions } from "../../options";
import { join } from "../../paths";
import { checkFolder } from "../../targets";
import { JOB_NAME, jobNameOf } from "./name";

/** A run on Dataflow, as the options have it. Fields of the job are named as in its description (dataflow v1b3). */
export interface DataflowChoice {
  project: string;
  region: string;
  /** gs:// folders, without a slash at the end */
  tempLocation: string;
  stagingLocation: string;
  image: string;
  jobName: string;
  machineType: string | undefined;
  numWorkers: number | undefined;
  maxNumWorkers: number | undefined;
  autoscalingAlgorithm: "NONE" | "THROUGHPUT_BASED" | undefined;
  diskSizeGb: number | undefined;
  diskType: string | undefined;
  serviceAccountEmail: string | undefined;
  network: string | undefined;
  subnetwork: string | undefined;
  usePublicIps: boolean;
  kmsKey: string | undefined;
  labels: Record<string, string>;
  flexrsGoal: "FLEXRS_COST_OPTIMIZED" | "FLEXRS_SPEED_OPTIMIZED" | undefined;
  experiments: string[];
  serviceOptions: string[];
  harnessThreads: number | undefined;
  /** of each worker, for kernels; 0: as many as its machine has cores */
  threads: number;
  endpoint: URL;
  wait: boolean;
  jobIdFile: string | undefined;
  dryRun: boolean;
}

/** Without these a job is not one of Runner v2, which alone takes a pipeline as a proto; as Beam's SDK for Go adds them. */
const RUNNER_V2 = ["beam_fn_api", "use_runner_v2", "use_unified_worker", "use_portable_job_submission"];
const NOT_RUNNER_V2 = /^(disable_runner_v2|disable_prime_runner_v2|disable_portable_runner|enable_streaming_java_runner)/;

export const DATAFLOW_ENDPOINT = "https://dataflow.googleapis.com";

/**
 * Where a run goes, and how.
 * @throws ConfigError for what cannot work, before anything is read or sent
 */
export function chooseDataflow(options: BuildOptions): DataflowChoice {
  const temp = folderOf("--temp-location", needed(options, "tempLocation", "gs://BUCKET/PATH"));
  refuseLocal(options);
  refuseWithin(options, temp, "--temp-location");
  const choice: DataflowChoice = {
    project: matching("--project", needed(options, "project", "PROJECT"), PROJECT, "the id of a project, such as my-project-123"),
    region: regionOf(needed(options, "region", "REGION")),
    tempLocation: temp,
    stagingLocation:
      options.stagingLocation === undefined ? join(temp, "staging") : folderOf("--staging-location", options.stagingLocation),
    image: imageOf(options),
    jobName: nameOf(options),
    machineType: options.workerMachineType,
    numWorkers: options.numWorkers,
    maxNumWorkers: options.maxNumWorkers,
    autoscalingAlgorithm: options.autoscalingAlgorithm,
    diskSizeGb: options.diskSizeGb,
    diskType: options.workerDiskType,
    serviceAccountEmail: emailOf(options.serviceAccountEmail),
    network: options.network,
    subnetwork: options.subnetwork,
    usePublicIps: options.usePublicIps ?? true,
    kmsKey: kmsKeyOf(options.dataflowKmsKey),
    labels: labelsOf(options.labels),
    flexrsGoal: options.flexrsGoal === undefined ? undefined : `FLEXRS_${options.flexrsGoal.replace("FLEXRS_", "") as "COST_OPTIMIZED"}`,
    experiments: experimentsOf(options.experiments),
    serviceOptions: listOf("--dataflow-service-options", options.dataflowServiceOptions),
    harnessThreads: options.numberOfWorkerHarnessThreads,
    threads: options.threads ?? 0,
    endpoint: endpointOf(options.dataflowEndpoint ?? DATAFLOW_ENDPOINT),
    wait: options.wait ?? true,
    jobIdFile: options.jobIdFile,
    dryRun: options.dryRun ?? false,
  };
  refuseWithin(options, choice.stagingLocation, "--staging-location");
  refuseMisfits(choice, options);
  return choice;
}

function needed(options: BuildOptions, key: "project" | "region" | "tempLocation", value: string): string {
  const flag = `--${key === "tempLocation" ? "temp-location" : key}`;
  const given = options[key];
  if (given === undefined) throw new ConfigError(`${flag} is missing, which --runner=dataflow needs. Write ${flag}=${value}.`);
  return given;
}

/** Workers are other machines: all that they read and write must be where they can reach it. */
function refuseLocal(options: BuildOptions): void {
  const paths: [string, string | undefined][] = [
    ["--impressions", options.impressions],
    ["--clicks", options.clicks],
    ["--add-to-carts", options.addToCarts],
    ["--previous-orders", options.previousOrders],
    ...(options.tables ?? []).map(({ name, path }): [string, string | undefined] => [`the path of ${name}`, path]),
    ["--output", options.output],
    ["--rejects", options.rejects],
  ];
  for (const [flag, path] of paths) {
    if (path === undefined || path === "none" || /^(gs|bq):\/\//.test(path)) continue;
    throw new ConfigError(
      `${flag} must be in a bucket with --runner=dataflow, whose workers do not see this machine; got "${path}". Copy it to gs://BUCKET/PATH and name that.`,
    );
  }
}

/** A file of ours must never be taken for an input or for rows. */
function refuseWithin(options: BuildOptions, folder: string, flag: string): void {
  const { impressions, clicks, addToCarts, previousOrders, output } = options;
  const others = { impressions, clicks, "add-to-carts": addToCarts, "previous-orders": previousOrders, output };
  for (const [other, path] of Object.entries(others)) {
    const there = path?.replace(/\/+$/, "");
    if (there === undefined || !`${folder}/`.startsWith(`${there}/`)) continue;
    throw new ConfigError(`${flag} must be apart from --${other}; got "${folder}". Choose another folder.`);
  }
}

const PROJECT = /^([a-z][a-z0-9.-]*:)?[a-z][-a-z0-9]{4,28}[a-z0-9]$/;
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
const KMS_KEY = /^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+$/;
const SUBNETWORK = /(?:^|\/)regions\/([^/]+)\/subnetworks\/[^/]+$/;

function matching(flag: string, value: string, pattern: RegExp, what: string): string {
  if (!pattern.test(value)) throw new ConfigError(`${flag} must be ${what}; got ${JSON.stringify(value)}. Check it.`);
  return value;
}

const emailOf = (value: string | undefined) =>
  value === undefined ? undefined : matching("--service-account-email", value, EMAIL, "the e-mail address of a service account");
const kmsKeyOf = (value: string | undefined) =>
  value === undefined ? undefined : matching("--dataflow-kms-key", value, KMS_KEY, "projects/P/locations/L/keyRings/R/cryptoKeys/K");

function regionOf(value: string): string {
  if (/^[a-z]+-[a-z]+\d+-[a-z]$/.test(value))
    throw new ConfigError(`--region must be a region, and "${value}" is a zone. Write --region=${value.slice(0, -2)}.`);
  return matching("--region", value, /^[a-z]+(-[a-z]+)+\d+$/, "a region of Google Cloud, such as europe-west1");
}

function folderOf(flag: string, value: string): string {
  const { bucket, name } = parseUri(value, flag);
  const folder = name.replaceAll(/^\/+|\/+$/g, "");
  return folder === "" ? `gs://${bucket}` : `gs://${bucket}/${folder}`;
}

function imageOf({ workerImage, sdkContainerImage }: BuildOptions): string {
  if (workerImage !== undefined && sdkContainerImage !== undefined && workerImage !== sdkContainerImage)
    throw new ConfigError("--worker-image and --sdk-container-image are two names of one option. Give one of them.");
  const image = workerImage ?? sdkContainerImage;
  if (image === undefined)
    throw new ConfigError(
      "--worker-image is missing, which --runner=dataflow needs. Write --worker-image=REGION-docker.pkg.dev/PROJECT/REPOSITORY/NAME:TAG.",
    );
  return matching(
    "--worker-image",
    image,
    /^[\w.-]+(:\d+)?(\/[\w.-]+)*(:[\w.-]+)?(@sha256:[0-9a-f]{64})?$/,
    "an image: REGISTRY/PATH:TAG or REGISTRY/PATH@sha256:DIGEST",
  );
}

function nameOf({ jobName, output, dates, trainDays }: BuildOptions): string {
  if (jobName === undefined) return jobNameOf(output, dates, trainDays);
  return matching("--job-name", jobName, JOB_NAME, "up to 63 lower-case letters, digits and hyphens, a letter first and no hyphen last");
}

function listOf(flag: string, value: string | undefined): string[] {
  if (value === undefined) return [];
  const all = value.split(",").map((part) => part.trim());
  if (all.includes("")) throw new ConfigError(`${flag} must be names with commas between them; got "${value}". Take out the empty one.`);
  return all;
}

function experimentsOf(value: string | undefined): string[] {
  const given = listOf("--experiments", value);
  const wrong = given.find((experiment) => NOT_RUNNER_V2.test(experiment));
  if (wrong !== undefined)
    throw new ConfigError(`--experiments must leave Runner v2 on, which alone runs this pipeline; got "${wrong}". Take it out.`);
  return [...given, ...RUNNER_V2.filter((name) => !given.includes(name))];
}

/** https://cloud.google.com/dataflow/docs/reference/rest/v1b3/projects.locations.jobs: labels */
const LABEL_KEY = /^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u;
const LABEL_VALUE = /^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u;

function labelsOf(value: string | undefined): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const pair of listOf("--labels", value)) {
    const [, key, text] = /^([^=]*)=(.*)$/.exec(pair) ?? [];
    if (key === undefined || !LABEL_KEY.test(key) || !LABEL_VALUE.test(text))
      throw new ConfigError(
        `--labels must be KEY=VALUE,... of lower-case letters, digits, _ and -, up to 63 of them; got ${JSON.stringify(pair)}. Change it.`,
      );
    labels[key] = text;
  }
  return labels;
}

/** Credentials never go over an open line. */
function endpointOf(value: string): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const open = url?.protocol === "http:" && isThisMachine(url.hostname);
  if (url === undefined || (url.protocol !== "https:" && !open) || url.pathname !== "/" || url.search !== "")
    throw new ConfigError(
      `--dataflow-endpoint must be https://HOST, or http://localhost:PORT for a server of this machine; got "${value}". Leave it out for Dataflow itself.`,
    );
  return url;
}

export const isThisMachine = (host: string): boolean => /^(localhost|127\.[\d.]+|\[::1\])$/.test(host);

function refuseMisfits(
  { numWorkers, maxNumWorkers, region, subnetwork, wait, dryRun, jobIdFile }: DataflowChoice,
  options: BuildOptions,
): void {
  if (numWorkers !== undefined && maxNumWorkers !== undefined && numWorkers > maxNumWorkers)
    throw new ConfigError(
      `--num-workers must be at most --max-num-workers (${maxNumWorkers}); got ${numWorkers}. Raise the one, or lower the other.`,
    );
  if (subnetwork !== undefined) {
    const [, theirs] =
      SUBNETWORK.exec(matching("--subnetwork", subnetwork, SUBNETWORK, "regions/REGION/subnetworks/NAME, or its URL")) ?? [];
    if (theirs !== region)
      throw new ConfigError(
        `--subnetwork must be of the job's region, ${region}; got "${subnetwork}". Choose one of that region, or another --region.`,
      );
  }
  if (!wait && options.metricsJson !== undefined)
    throw new ConfigError(
      "--metrics-json is of no use with --no-wait, which ends before there are any figures. Get them with backstory analyse.",
    );
  if (dryRun && (jobIdFile !== undefined || !wait))
    throw new ConfigError(`${wait ? "--job-id-file" : "--no-wait"} is of no use with --dry-run, which submits no job. Leave one out.`);
  if (jobIdFile !== undefined) checkFolder("--job-id-file", jobIdFile.replace(/[^/]+$/, "") || ".");
}
