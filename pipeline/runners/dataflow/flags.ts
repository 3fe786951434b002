/**
 * Options of --runner=dataflow, under the names that Beam's own SDKs give them (GoogleCloudOptions, WorkerOptions, DebugOptions of the one for Python); --project and --temp-location
 * are BigQuery's too.
 * Nothing but the schema: every command line loads it. What fits together is asked in `choice.ts`.
 */
import { z } from "zod";
import { path, wholeNumber } from "../../optiontypes";

const text = (what: string) => z.string().min(1, "must not be empty").optional().describe(what);
const list = (what: string) => text(what).meta({ value: "NAME,..." });

export const DATAFLOW_FLAGS = {
  region: text("Region of the Dataflow job and its workers, such as europe-west1. Required for dataflow.").meta({
    value: "REGION",
    group: "Google Cloud Dataflow",
  }),
  stagingLocation: text("gs:// folder for the pipeline itself. Default: staging/ in --temp-location.").meta({ value: "gs://BUCKET/PATH" }),
  workerImage: text("Image of the workers, of this very version of backstory. Required for dataflow.").meta({ value: "IMAGE" }),
  sdkContainerImage: text("Beam's name for --worker-image.").meta({ value: "IMAGE", hidden: true }),
  jobName: text("Name of the Dataflow job; no two of a name are active at a time. Default: made from the output and the dates.").meta({
    value: "NAME",
  }),
  workerMachineType: text("Machine of a Dataflow worker, such as n2-standard-4.").meta({ value: "TYPE" }),
  numWorkers: wholeNumber(1, 100_000, "of workers").optional().describe("Dataflow workers to begin with.").meta({ value: "WORKERS" }),
  maxNumWorkers: wholeNumber(1, 100_000, "of workers").optional().describe("Dataflow workers at most.").meta({ value: "WORKERS" }),
  autoscalingAlgorithm: z
    .enum(["NONE", "THROUGHPUT_BASED"])
    .optional()
    .describe("Whether Dataflow changes the number of workers. Default: it does."),
  diskSizeGb: wholeNumber(1, 65_536, "of GB").optional().describe("Disk of a Dataflow worker.").meta({ value: "GB" }),
  workerDiskType: text("Kind of that disk, such as compute.googleapis.com/projects//zones//diskTypes/pd-ssd.").meta({ value: "TYPE" }),
  serviceAccountEmail: text("Account that the Dataflow workers are. Default: that of Compute Engine.").meta({ value: "EMAIL" }),
  network: text("Network of the Dataflow workers.").meta({ value: "NETWORK" }),
  subnetwork: text("Subnetwork of the Dataflow workers: regions/REGION/subnetworks/NAME, or its URL.").meta({ value: "SUBNETWORK" }),
  usePublicIps: z
    .boolean()
    .optional()
    .describe("Dataflow workers have no addresses of the internet; the subnetwork wants Private Google Access.")
    .meta({ off: true }),
  dataflowKmsKey: text("Key of Cloud KMS for what Dataflow stores: projects/P/locations/L/keyRings/R/cryptoKeys/K.").meta({ value: "KEY" }),
  labels: text("Labels of the Dataflow job.").meta({ value: "KEY=VALUE,..." }),
  flexrsGoal: z
    .enum(["COST_OPTIMIZED", "SPEED_OPTIMIZED", "FLEXRS_COST_OPTIMIZED", "FLEXRS_SPEED_OPTIMIZED"])
    .optional()
    .describe("Flexible resource scheduling of Dataflow: cheaper workers, a start within six hours."),
  experiments: list("Experiments of Dataflow, besides those that Runner v2 needs."),
  dataflowServiceOptions: list("Service options of Dataflow."),
  numberOfWorkerHarnessThreads: wholeNumber(1, 10_000, "of threads")
    .optional()
    .describe("Bundles that Dataflow gives a worker at a time. Default: Dataflow's.")
    .meta({ value: "THREADS" }),
  dataflowEndpoint: text("Address of the Dataflow API. Default: https://dataflow.googleapis.com.").meta({ value: "URL" }),
  wait: z.boolean().optional().describe("End as soon as Dataflow has the job, and leave it going.").meta({ off: true }),
  jobIdFile: path("File that is told the Dataflow job, as JSON: job_id, project, region, run_id and more.")
    .optional()
    .meta({ value: "FILE" }),
  dryRun: z.boolean().optional().describe("Print the Dataflow job as JSON, and submit and write nothing."),
};

export const DATAFLOW_KEYS = Object.keys(DATAFLOW_FLAGS) as (keyof typeof DATAFLOW_FLAGS)[];
