/** One job, as Dataflow sees it: its states and its messages. */
const { createHash, randomInt } = require("node:crypto");
const { join } = require("node:path");
require("apache-beam");
const runnerApi = require("apache-beam/proto/beam_runner_api");
const { Run, imagesOf } = require("./prism");

const TERMINAL = ["JOB_STATE_DONE", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED"];
const READ_LIMIT_MS = 30_000;
const ATTEMPTS = 4;

/** Such as 2026-11-21_08_35_22-4711000000000000001: in the order of creation, and no two are the same. */
const newId = () =>
  `${new Date().toISOString().slice(0, 19).replace("T", "_").replaceAll(":", "_")}-${randomInt(1e9, 9e9)}${randomInt(1e9, 9e9)}`;
/** Dataflow puts such a number before what it says. */
const trace = () => Date.now().toString(16).padStart(16, "0");

class Job {
  /**
   * @param wanted the Job that was sent
   * @param place `{ storage, images, folder, limitMs }`: STORAGE_EMULATOR_HOST; by its name what an image starts; for logs; how long it may run
   */
  constructor(wanted, place) {
    const now = this.now();
    this.place = place;
    this.messages = [];
    this.reading = new AbortController();
    this.record = { ...wanted, id: newId(), createTime: now, startTime: now, currentStateTime: "1970-01-01T00:00:00Z" };
    delete this.record.requestedState;
  }

  get ended() {
    return TERMINAL.includes(this.record.currentState);
  }

  /** To the nanosecond, like Dataflow's; no two times of a job are the same. */
  now() {
    const nanos = BigInt(Date.now()) * 1_000_000n;
    this.last = this.last === undefined || nanos > this.last ? nanos : this.last + 1000n;
    return `${new Date(Number(this.last / 1_000_000n)).toISOString().slice(0, 19)}.${String(this.last % 1_000_000_000n).padStart(9, "0")}Z`;
  }

  say(importance, messageText) {
    this.messages.push({
      id: `${this.record.id}-${this.messages.length}`,
      time: this.now(),
      messageText,
      messageImportance: `JOB_MESSAGE_${importance}`,
    });
  }

  become(state) {
    Object.assign(this.record, { currentState: `JOB_STATE_${state}`, currentStateTime: this.now() });
  }

  /** Runs it; never throws. */
  async run() {
    this.become("PENDING");
    this.say("BASIC", `Worker configuration: ${this.pool.machineType ?? "n1-standard-1"} in ${this.record.location}-b.`);
    this.say("DETAILED", "Expanding GroupByKey operations into streaming Read/Write steps where applicable.");
    let why;
    try {
      why = await this.work();
    } catch (error) {
      why = { fault: error.message };
    }
    await this.running?.close();
    if (this.cancelling) this.endAs("CANCELLED", "Cancel request is committed for workflow job", "WARNING");
    else if (why === undefined) this.endAs("DONE", "Worker pool stopped.", "BASIC");
    else this.fail(why);
  }

  get pool() {
    return this.record.environment.workerPools[0];
  }

  /** @returns undefined, or why it fails: of the `worker`, or the service's own `fault` */
  async work() {
    const { options } = this.record.environment.sdkPipelineOptions;
    const pipeline = runnerApi.Pipeline.fromBinary(await this.staged(options));
    const [image, ...others] = new Set(imagesOf(pipeline));
    if (others.length > 0) throw new Error("the pipeline has several images.");
    const declared = this.pool.sdkHarnessContainerImages.map(({ containerImage }) => containerImage);
    if (!declared.includes(image)) throw new Error(`the image of the pipeline, ${image}, is none of the worker pool's.`);
    const worker = this.place.images(image);
    if (worker === undefined) return { fault: noImage(image) };
    if (this.cancelling) return undefined;
    const env = { ...worker.env, STORAGE_EMULATOR_HOST: this.place.storage };
    const run = new Run(join(this.place.folder, this.record.id), { ...worker, env });
    this.running = run;
    this.say("BASIC", `Starting ${this.pool.numWorkers ?? 1} workers in ${this.record.location}...`);
    await run.start(pipeline, this.record.environment.sdkPipelineOptions, this.record.name);
    if (this.cancelling) return undefined;
    this.become("RUNNING");
    this.say(
      "BASIC",
      `Executing operation ${pipeline.rootTransformIds.map((id) => pipeline.components.transforms[id].uniqueName).join("+")}`,
    );
    this.say("DETAILED", "Workers have started successfully.");
    const error = await run.ended(this.place.limitMs);
    return error === undefined ? undefined : { worker: error };
  }

  async staged({ pipelineUrl, pipelineProtoHash }) {
    const [, bucket, name] = /^gs:\/\/([^/]+)\/(.+)$/s.exec(pipelineUrl) ?? [];
    if (bucket === undefined) throw new Error(`pipelineUrl must be an object in a bucket; got ${JSON.stringify(pipelineUrl)}.`);
    const url = `${this.place.storage}/storage/v1/b/${bucket}/o/${encodeURIComponent(name)}?alt=media`;
    const response = await fetch(url, { signal: AbortSignal.any([this.reading.signal, AbortSignal.timeout(READ_LIMIT_MS)]) });
    if (!response.ok) throw new Error(`Unable to read the staged pipeline ${pipelineUrl}: HTTP ${response.status}.`);
    const bytes = Buffer.from(await response.arrayBuffer());
    const hash = createHash("sha256").update(bytes).digest("hex");
    if (pipelineProtoHash !== undefined && pipelineProtoHash !== hash)
      throw new Error(`The staged pipeline ${pipelineUrl} has SHA-256 ${hash}, not ${pipelineProtoHash}.`);
    return bytes;
  }

  /** A batch job tries a bundle four times, and tells each failure. */
  fail({ worker, fault }) {
    for (let i = 0; worker !== undefined && i < ATTEMPTS; i++) this.say("ERROR", `Error message from worker: generic::unknown: ${worker}`);
    const why = worker === undefined ? fault : FAILED_ATTEMPTS;
    this.endAs("FAILED", `Workflow failed. Causes: ${why}`, "ERROR");
  }

  endAs(state, text, importance) {
    this.say("DETAILED", "Cleaning up.");
    this.say(importance, text);
    this.become(state);
  }

  /** @returns whether it could still be cancelled */
  cancel() {
    if (this.ended) return false;
    if (!this.cancelling) {
      this.cancelling = true;
      this.become("CANCELLING");
      this.say("BASIC", "Cancel request received.");
      this.reading.abort();
      // when the runner has it, `run` comes to its end
      this.running?.cancel().catch(() => {});
    }
    return true;
  }
}

const FAILED_ATTEMPTS = `S01:backstory failed., The job failed because a work item has failed ${ATTEMPTS} times. Look in previous log entries for the cause of each one of the ${ATTEMPTS} failures. If the logs only contain generic timeout errors related to accessing external resources, such as MongoDB, verify that the worker service account has permission to access the resource's subnetwork. For more information, see https://cloud.google.com/dataflow/docs/guides/common-errors. The work item was attempted on these workers: `;
const noImage = (image) =>
  `Unable to pull container image due to error: image pull request failed with error: Error response from daemon: manifest for ${image} not found: manifest unknown. This is likely due to an invalid SDK container image URL. Please verify any provided SDK container image is valid and that Dataflow workers have permissions to pull image.`;

module.exports = { Job, trace };
