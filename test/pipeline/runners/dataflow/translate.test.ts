import { rmSync } from "node:fs";
import { runnerApi } from "../../../../beam/sdk";
import type { Plan } from "../../../../pipeline/backstory";
import { chooseDataflow } from "../../../../pipeline/runners/dataflow/choice";
import { bytesOf, MULTI_CORE, protoOf } from "../../../../pipeline/runners/dataflow/proto";
import { sha256 } from "../../../../pipeline/runners/dataflow/stage";
import { structOf } from "../../../../pipeline/runners/dataflow/struct";
import { prepare } from "../../../../pipeline/runners/dataflow/submit";
import { translate } from "../../../../pipeline/runners/dataflow/translate";
import { settingsIn } from "../../../../pipeline/runners/settings";
import { VERSION } from "../../../../pipeline/version";
import { smallPlan } from "../../../graphs";
import { optionsOf } from "./options";

let folder: string;
let plan: Plan;
beforeAll(async () => {
  ({ folder, plan } = await smallPlan());
});
afterAll(() => rmSync(folder, { recursive: true }));

const IDENTITY = {
  clientRequestId: "request",
  userAgent: { name: "sdk", version: "2.49.0" },
  workerOptions: { backstoryWorker: "{}" },
  display: { run: "r" },
  labels: { backstory_run: "r" },
};
const STAGED = { url: "gs://temp/flow/staging/j.r/pipeline.pb", sha256: "abc" };
const EXPERIMENTS = ["beam_fn_api", "use_runner_v2", "use_unified_worker", "use_portable_job_submission"];
const jobOf = (...flags: string[]) => {
  const choice = chooseDataflow(optionsOf(...flags));
  return translate(protoOf(plan, choice.image), choice, STAGED, IDENTITY);
};
const text = (namespace: string, key: string, value: string) => ({ key, namespace, type: "STRING", value });

test("a job with nothing but what is required, to the last field", () => {
  expect(jobOf("--job-name=j")).toEqual({
    projectId: "p-12345",
    name: "j",
    type: "JOB_TYPE_BATCH",
    clientRequestId: "request",
    environment: {
      userAgent: { name: "sdk", version: "2.49.0" },
      version: { job_type: "FNAPI_BATCH", major: "6" },
      sdkPipelineOptions: {
        display_data: [
          text("options", "name", "j"),
          text("options", "experiments", EXPERIMENTS.join()),
          text("options", "project", "p-12345"),
          text("options", "region", "europe-west1"),
          text("options", "container_images", "registry/backstory:1"),
          text("options", "temp_location", "gs://temp/flow"),
          text("backstory", "run", "r"),
        ],
        options: {
          experiments: EXPERIMENTS,
          pipelineUrl: STAGED.url,
          pipelineProtoHash: "abc",
          region: "europe-west1",
          tempLocation: "gs://temp/flow",
          backstoryWorker: "{}",
        },
      },
      workerPools: [
        {
          autoscalingSettings: {},
          ipConfiguration: "WORKER_IP_UNSPECIFIED",
          kind: "harness",
          workerHarnessContainerImage: "registry/backstory:1",
          sdkHarnessContainerImages: [
            {
              containerImage: "registry/backstory:1",
              capabilities: expect.arrayContaining([MULTI_CORE]),
              environmentId: expect.any(String),
            },
          ],
          numWorkers: 1,
        },
      ],
      tempStoragePrefix: "gs://temp/flow",
      experiments: EXPERIMENTS,
    },
    labels: { backstory_run: "r" },
  });
});

const POOL = "environment.workerPools.0";
test.each<[string, string, unknown]>([
  ["--num-workers=7", `${POOL}.numWorkers`, 7],
  ["--max-num-workers=9", `${POOL}.autoscalingSettings.maxNumWorkers`, 9],
  ["--autoscaling-algorithm=NONE", `${POOL}.autoscalingSettings.algorithm`, "AUTOSCALING_ALGORITHM_NONE"],
  ["--autoscaling-algorithm=THROUGHPUT_BASED", `${POOL}.autoscalingSettings.algorithm`, "AUTOSCALING_ALGORITHM_BASIC"],
  ["--worker-machine-type=n2-standard-4", `${POOL}.machineType`, "n2-standard-4"],
  ["--disk-size-gb=30", `${POOL}.diskSizeGb`, 30],
  ["--worker-disk-type=pd-ssd", `${POOL}.diskType`, "pd-ssd"],
  ["--network=n", `${POOL}.network`, "n"],
  ["--subnetwork=regions/europe-west1/subnetworks/s", `${POOL}.subnetwork`, "regions/europe-west1/subnetworks/s"],
  ["--no-use-public-ips", `${POOL}.ipConfiguration`, "WORKER_IP_PRIVATE"],
  ["--number-of-worker-harness-threads=12", `${POOL}.numThreadsPerWorker`, 12],
  ["--service-account-email=w@p.iam", "environment.serviceAccountEmail", "w@p.iam"],
  [
    "--dataflow-kms-key=projects/p/locations/l/keyRings/r/cryptoKeys/k",
    "environment.serviceKmsKeyName",
    "projects/p/locations/l/keyRings/r/cryptoKeys/k",
  ],
  ["--flexrs-goal=COST_OPTIMIZED", "environment.flexResourceSchedulingGoal", "FLEXRS_COST_OPTIMIZED"],
  ["--dataflow-service-options=a,b", "environment.serviceOptions", ["a", "b"]],
  ["--experiments=mine", "environment.experiments", ["mine", ...EXPERIMENTS]],
  ["--experiments=mine", "environment.sdkPipelineOptions.options.experiments", ["mine", ...EXPERIMENTS]],
  ["--labels=team=ads", "labels", { team: "ads", backstory_run: "r" }],
])("%s is %s", (flag, path, value) => {
  expect(jobOf(flag)).toHaveProperty(path, value);
});

test("the proto is that of any runner, with workers from the image that use all cores of their machine", () => {
  const proto = protoOf(plan, "registry/backstory:1");
  const environments = Object.values(proto.components!.environments);
  expect(environments).toHaveLength(1);
  const [{ urn, payload, capabilities }] = environments;
  expect(urn).toBe("beam:env:docker:v1");
  expect(runnerApi.DockerPayload.fromBinary(payload).containerImage).toBe("registry/backstory:1");
  expect(capabilities).toContain(MULTI_CORE);
});

test("an environment that cannot use several cores is told as one", () => {
  const choice = chooseDataflow(optionsOf());
  const proto = protoOf(plan, choice.image);
  for (const environment of Object.values(proto.components!.environments)) environment.capabilities = [];
  expect(translate(proto, choice, STAGED, IDENTITY)).toHaveProperty(`${POOL}.sdkHarnessContainerImages.0.useSingleCorePerContainer`, true);
});

test("a job names its proto and its hash, the run, and tells workers their version", () => {
  const choice = chooseDataflow(optionsOf("--job-name=j", "--threads=3"));
  const { job, proto, staged } = prepare(plan, choice);
  expect(staged).toEqual({ url: "gs://temp/flow/staging/j.run/pipeline.pb", sha256: sha256(proto) });
  expect(Buffer.from(proto)).toEqual(Buffer.from(bytesOf(protoOf(plan, choice.image))));
  expect(job).toHaveProperty("environment.sdkPipelineOptions.options.pipelineUrl", staged.url);
  expect(job).toHaveProperty("environment.sdkPipelineOptions.options.pipelineProtoHash", staged.sha256);
  expect(job.labels).toEqual({ backstory_run: "run", backstory_version: VERSION.replaceAll(".", "_") });
  const { sdkPipelineOptions } = job.environment as { sdkPipelineOptions: Record<string, unknown> };
  expect(settingsIn(sdkPipelineOptions)).toEqual({ threads: 3, folder: null, version: VERSION });
  expect(prepare(plan, choice).job.clientRequestId).not.toBe(job.clientRequestId);
});

test("a job is small, however large its pipeline: Dataflow takes requests of up to 10 MB", () => {
  expect(JSON.stringify(prepare(plan, chooseDataflow(optionsOf())).job).length).toBeLessThan(10_000);
});

test("free JSON in protobuf's form", () => {
  expect(structOf({ a: "x", b: 1, c: true, d: ["y", { e: "" }] })).toEqual({
    fields: {
      a: { stringValue: "x" },
      b: { numberValue: 1 },
      c: { boolValue: true },
      d: { listValue: { values: [{ stringValue: "y" }, { structValue: { fields: { e: { stringValue: "" } } } }] } },
    },
  });
});
