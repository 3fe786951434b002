/** What Dataflow does with a job: starts workers of its image and has them run the pipeline that was staged. Here the runner is Prism. */
const { chmodSync, existsSync, mkdirSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { setTimeout: sleep } = require("node:timers/promises");
require("apache-beam");
const { ChannelCredentials } = require("@grpc/grpc-js");
const { GrpcTransport } = require("@protobuf-ts/grpc-transport");
const { ArtifactStagingServiceClient } = require("apache-beam/proto/beam_artifact_api.client");
const { JobMessage_MessageImportance, JobState_Enum } = require("apache-beam/proto/beam_job_api");
const { JobServiceClient } = require("apache-beam/proto/beam_job_api.client");
const runnerApi = require("apache-beam/proto/beam_runner_api");
const { Struct } = require("apache-beam/proto/google/protobuf/struct");
const { offerArtifacts } = require("apache-beam/runners/artifacts");
const { startPrism } = require("../../dist/pipeline/runners/prism");

const CALL = { timeout: 60_000 };
const POLL_MS = 50;
const DOCKER = "beam:env:docker:v1";
const PROCESS = "beam:env:process:v1";
const TERMINAL = [JobState_Enum.DONE, JobState_Enum.FAILED, JobState_Enum.CANCELLED];

/** The images of a pipeline's environments. @throws Error if there is another environment, or one that wants more than its image */
function imagesOf(pipeline) {
  return Object.entries(pipeline.components.environments).map(([id, { urn, payload, dependencies }]) => {
    if (urn !== DOCKER) throw new Error(`environment ${id} is ${urn}, and Dataflow has containers only.`);
    if (dependencies.length > 0)
      throw new Error(`environment ${id} wants ${dependencies.length} files besides its image, which are not staged.`);
    return runnerApi.DockerPayload.fromBinary(payload).containerImage;
  });
}

/**
 * A program that starts a worker as its container would: with the variables of the image and none of this machine's, and Dataflow's flags. Prism puts
 * the id in quotes, as for a shell.
 */
function writeStarter(path, { command, args = [], env, cwd = "/" }, folder) {
  const variables = Object.entries(env).map(([name, value]) => quoted(`${name}=${value}`));
  const program = [command, ...args].map(quoted).join(" ");
  const text = `#!/bin/sh
for arg; do
  shift
  case $arg in "--id='"*) arg=\${arg#*\\'}; arg=--id=\${arg%\\'};; esac
  set -- "$@" "$arg"
done
cd ${quoted(cwd)} && env -i ${variables.join(" ")} ${program} "$@" ${quoted(`--semi_persist_dir=${folder}`)}
echo $? >${quoted(join(folder, ENDED))}
`;
  writeFileSync(path, text);
  chmodSync(path, 0o755);
}

/** Says that a worker has ended: Prism would wait for ever. */
const ENDED = "worker.ended";
/** A worker may end with its job. */
const GRACE_MS = 5000;

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

const LOST =
  "SDK harness sdk-0-0 disconnected. This usually means that the process running the pipeline code has crashed. Inspect the Worker Logs and the Diagnostics tab to determine the cause of the crash.";

/** A pipeline on a Prism of its own, which ends with it. */
class Run {
  /**
   * @param folder for logs, and for what workers keep
   * @param worker `{ command, args, env, cwd }`: what the image starts
   */
  constructor(folder, worker) {
    this.folder = folder;
    this.worker = worker;
  }

  /** @param options the pipeline options, as workers get them. Resolves when the runner has taken it */
  async start(pipeline, options, jobName) {
    mkdirSync(this.folder, { recursive: true });
    const command = join(this.folder, "worker.sh");
    writeStarter(command, this.worker, this.folder);
    const payload = runnerApi.ProcessPayload.toBinary({ os: "linux", arch: "amd64", command, env: {} });
    for (const environment of Object.values(pipeline.components.environments)) Object.assign(environment, { urn: PROCESS, payload });
    this.prism = await startPrism({ folder: this.folder });
    this.client = this.clientAt(JobServiceClient, this.prism.endpoint);
    const prepared = await this.client.prepare({ pipeline, jobName, pipelineOptions: Struct.fromJson(options) }, CALL).response;
    const artifacts = prepared.artifactStagingEndpoint;
    if (artifacts !== undefined)
      await offerArtifacts(this.clientAt(ArtifactStagingServiceClient, artifacts.url), prepared.stagingSessionToken, "/");
    const { jobId } = await this.client.run({ preparationId: prepared.preparationId, retrievalToken: "" }, CALL).response;
    this.jobId = jobId;
    this.readMessages();
  }

  clientAt(Client, host) {
    const unlimited = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };
    const transport = new GrpcTransport({ host, channelCredentials: ChannelCredentials.createInsecure(), clientOptions: unlimited });
    (this.transports ??= []).push(transport);
    return new Client(transport);
  }

  readMessages() {
    const call = this.client.getMessageStream({ jobId: this.jobId });
    call.responses.onMessage(({ response }) => {
      const message = response.oneofKind === "messageResponse" ? response.messageResponse : undefined;
      if (message?.importance === JobMessage_MessageImportance.JOB_MESSAGE_ERROR) this.error ??= message.messageText;
    });
    this.told = call.status.then(
      () => {},
      () => {},
    );
  }

  /** Waits for the end. @returns why it failed, or undefined */
  async ended(limitMs) {
    let lost;
    for (const limit = Date.now() + limitMs; ; await sleep(POLL_MS)) {
      if (Date.now() > limit) return `the test server gave it ${limitMs / 1000} s.`;
      if (existsSync(join(this.folder, ENDED))) lost ??= Date.now();
      if (Date.now() - lost > GRACE_MS) return LOST;
      const { state } = await this.client.getState({ jobId: this.jobId }, CALL).response;
      if (!TERMINAL.includes(state)) continue;
      // the state may come before the message that says why
      await Promise.race([this.told, sleep(2000)]);
      return state === JobState_Enum.DONE ? undefined : (this.error ?? `the runner ended it as ${JobState_Enum[state]}.`);
    }
  }

  async cancel() {
    if (this.jobId !== undefined) await this.client.cancel({ jobId: this.jobId }, CALL).response;
  }

  /** Ends the runner and its workers; never throws. */
  async close() {
    for (const transport of this.transports ?? []) transport.close();
    await this.prism?.stop();
  }
}

module.exports = { Run, imagesOf };
