/**
 * The pipeline and the options as a job of the Dataflow API (v1b3), field by field what Beam's SDK for Go makes of them
 * (sdks/go/pkg/beam/runners/dataflow/dataflowlib/job.go, v2.77.0), which is the one that submits nothing but the proto. The graph itself is not in it: the
 * job names where the proto lies.
 */
import { runnerApi } from "../../../beam/sdk";
import type { DataflowChoice } from "./choice";
import { MULTI_CORE } from "./proto";

/** Where the proto lies, and its SHA-256. */
export interface Staged {
  url: string;
  sha256: string;
}

/** What a job says of itself besides. */
export interface Identity {
  /** the same for all attempts to create one job, so that they create one */
  clientRequestId: string;
  userAgent: { name: string; version: string };
  /** pipeline options for the workers */
  workerOptions: Record<string, unknown>;
  /** for those who look at the job */
  display: Record<string, string>;
  labels: Record<string, string>;
}

/** Values of JSON; what is undefined, empty or zero is left out where the API has that as its default. */
export type Json = string | number | boolean | Json[] | { [name: string]: Json };
export type JobJson = { [name: string]: Json } & { name: string; clientRequestId: string; labels: Record<string, string> };

type Loose = string | number | boolean | undefined | Loose[] | { [name: string]: Loose };

export function translate(proto: runnerApi.Pipeline, choice: DataflowChoice, staged: Staged, identity: Identity): JobJson {
  const { project: projectId, jobName: name, region, tempLocation, experiments } = choice;
  const images = imagesOf(proto);
  const job = {
    projectId,
    name,
    type: "JOB_TYPE_BATCH",
    clientRequestId: identity.clientRequestId,
    environment: {
      flexResourceSchedulingGoal: choice.flexrsGoal,
      serviceAccountEmail: choice.serviceAccountEmail,
      userAgent: identity.userAgent,
      version: { job_type: "FNAPI_BATCH", major: "6" },
      sdkPipelineOptions: {
        display_data: displayData(choice, images, identity.display),
        options: {
          experiments,
          pipelineUrl: staged.url,
          pipelineProtoHash: staged.sha256,
          region,
          tempLocation,
          ...identity.workerOptions,
        },
      },
      serviceOptions: choice.serviceOptions,
      serviceKmsKeyName: choice.kmsKey,
      workerPools: [workerPool(choice, images)],
      tempStoragePrefix: tempLocation,
      experiments,
    },
    labels: { ...choice.labels, ...identity.labels },
  };
  return withoutEmpty(job) as JobJson;
}

function workerPool(choice: DataflowChoice, images: Loose[]): Loose {
  return {
    autoscalingSettings: {
      maxNumWorkers: choice.maxNumWorkers,
      algorithm: choice.autoscalingAlgorithm && ALGORITHMS[choice.autoscalingAlgorithm],
    },
    diskSizeGb: choice.diskSizeGb,
    diskType: choice.diskType,
    ipConfiguration: choice.usePublicIps ? "WORKER_IP_UNSPECIFIED" : "WORKER_IP_PRIVATE",
    kind: "harness",
    workerHarnessContainerImage: choice.image,
    sdkHarnessContainerImages: images,
    numWorkers: choice.numWorkers ?? 1,
    numThreadsPerWorker: choice.harnessThreads,
    machineType: choice.machineType,
    network: choice.network,
    subnetwork: choice.subnetwork,
  };
}

const ALGORITHMS = { NONE: "AUTOSCALING_ALGORITHM_NONE", THROUGHPUT_BASED: "AUTOSCALING_ALGORITHM_BASIC" };

/** One for each environment of the proto. */
function imagesOf(proto: runnerApi.Pipeline): { containerImage: string; [name: string]: Loose }[] {
  return Object.entries(proto.components!.environments).map(([environmentId, { payload, capabilities }]) => ({
    containerImage: runnerApi.DockerPayload.fromBinary(payload).containerImage,
    useSingleCorePerContainer: capabilities.includes(MULTI_CORE) ? undefined : true,
    capabilities,
    environmentId,
  }));
}

/** What the console shows as the job's options. */
function displayData(choice: DataflowChoice, images: { containerImage: string }[], display: Record<string, string>): Loose[] {
  const options: Record<string, string | undefined> = {
    name: choice.jobName,
    experiments: choice.experiments.join(","),
    project: choice.project,
    region: choice.region,
    network: choice.network,
    subnetwork: choice.subnetwork,
    machine_type: choice.machineType,
    container_images: images.map(({ containerImage }) => containerImage).join(","),
    temp_location: choice.tempLocation,
  };
  const shown = (namespace: string, values: Record<string, string | undefined>) =>
    Object.entries(values).flatMap(([key, value]) => (value ? [{ key, namespace, type: "STRING", value }] : []));
  return [...shown("options", options), ...shown("backstory", display)];
}

/** As Go's omitempty: a field that is not there has its default. Objects stay, be they empty. */
function withoutEmpty(value: Loose): Json {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== "object") return value!;
  const kept = Object.entries(value).filter(([, each]) => each !== undefined && each !== "" && !(Array.isArray(each) && each.length === 0));
  return Object.fromEntries(kept.map(([name, each]) => [name, withoutEmpty(each)]));
}
