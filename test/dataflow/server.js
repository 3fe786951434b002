/**
 * A Dataflow for tests: the REST service v1b3, checked against its published description. A job's pipeline is read from Cloud Storage and run by Prism
 * with workers that the image's own program starts; see job.js and prism.js.
 */
const { readFileSync } = require("node:fs");
const { Refusal, RestServer } = require("../discovery/rest");
const { discovery } = require("./install");
const { Job, trace } = require("./job");

const JOBS = "dataflow.projects.locations.jobs";
const RANKS = ["DEBUG", "DETAILED", "BASIC", "WARNING", "ERROR"].map((name) => `JOB_MESSAGE_${name}`);
const NAME = /^[a-z]([-a-z0-9]{0,1022}[a-z0-9])?$/;
/** Without them the service would look for steps in the job itself. */
const EXPERIMENTS = ["use_runner_v2", "use_portable_job_submission"];
const JOB_LIMIT_MS = 300_000;

class DataflowServer {
  /**
   * @param storage STORAGE_EMULATOR_HOST of what has the staged pipeline, for workers too
   * @param images of an image's name: `{ command, args, env, cwd }` that a container of it starts, or undefined if there is no such image
   * @param folder for the logs of runners and workers
   * @param before is shown each request before it is answered, and may throw Refusal
   */
  constructor({ storage, images, folder, before, limitMs = JOB_LIMIT_MS }) {
    this.place = { storage, images, folder, limitMs };
    this.jobs = [];
    this.runs = new Set();
    const document = JSON.parse(readFileSync(discovery, "utf8"));
    this.regions = document.endpoints.map(({ location }) => location);
    this.rest = new RestServer(document, this.handlers(), before);
  }

  /** @returns where it is, such as http://127.0.0.1:1234 */
  listen(port, options) {
    return this.rest.listen(port, options);
  }

  /** What was asked, in order: `{ id, method, url, headers, body, code }`. */
  get seen() {
    return this.rest.seen;
  }

  /** Ends all jobs and what runs them. */
  async close() {
    for (const job of this.jobs) job.cancel();
    await this.rest.close();
    await Promise.all(this.runs);
  }

  handlers() {
    return {
      [`${JOBS}.create`]: ({ path, query, body }) => viewOf(this.create(path, body), query.view),
      [`${JOBS}.get`]: ({ path, query }) => viewOf(this.job(path), query.view),
      [`${JOBS}.list`]: ({ path, query }) => this.list(path, query),
      [`${JOBS}.update`]: ({ path, query, body }) => this.update(path, query, body),
      [`${JOBS}.messages.list`]: ({ path, query }) => this.messages(path, query),
      [`${JOBS}.getMetrics`]: ({ path }) => ({ metricTime: this.job(path).now(), metrics: [] }),
    };
  }

  job({ projectId, location, jobId }) {
    const found = this.in({ projectId, location }).find(({ record }) => record.id === jobId);
    if (found === undefined)
      throw new Refusal("NOT_FOUND", `(${trace()}): Information about job ${jobId} could not be found in our system.`);
    return found;
  }

  in({ projectId, location }) {
    return this.jobs.filter(({ record }) => record.projectId === projectId && record.location === location);
  }

  create({ projectId, location }, wanted) {
    checkWanted(wanted, projectId, location, this.regions);
    const same = this.in({ projectId, location }).find(({ record, ended }) => record.name === wanted.name && !ended);
    // Whoever sends an id of its own sees by the answer's whether it is its job.
    if (same !== undefined && wanted.clientRequestId) return same;
    if (same !== undefined)
      throw new Refusal("ALREADY_EXISTS", because(`There is already an active job named ${wanted.name}. ${OTHER_NAME}`));
    const job = new Job({ ...wanted, projectId, location }, this.place);
    this.jobs.push(job);
    // the answer is that of a job about which nothing has been decided
    const run = new Promise((resolve) => setImmediate(resolve)).then(() => job.run()).finally(() => this.runs.delete(run));
    this.runs.add(run);
    return job;
  }

  update(path, { updateMask }, { requestedState, ...others }) {
    const job = this.job(path);
    if (updateMask !== undefined && updateMask !== "requestedState" && updateMask !== "requested_state")
      throw new Refusal("INVALID_ARGUMENT", `Unsupported update mask: ${updateMask}`);
    if (requestedState !== "JOB_STATE_CANCELLED" || (others.projectId ?? path.projectId) !== path.projectId)
      throw new Refusal("INVALID_ARGUMENT", `(${trace()}): A batch job can be cancelled and nothing else; got ${requestedState}.`);
    if (!job.cancel())
      throw new Refusal(
        "FAILED_PRECONDITION",
        `(${trace()}): Workflow modification failed. Causes: (${trace()}): Operation cancel not allowed for job ${job.record.id}. Job is not yet ready for canceling or has already ended.`,
      );
    return viewOf(job);
  }

  list(path, { filter = "ALL", name, ...page }) {
    const wanted = { ACTIVE: ({ ended }) => !ended, TERMINATED: ({ ended }) => ended }[filter] ?? (() => true);
    const found = this.in(path).filter((job) => wanted(job) && (name === undefined || job.record.name === name));
    const { items, nextPageToken } = paged(found.reverse(), page);
    return { jobs: items.map((job) => viewOf(job)), nextPageToken };
  }

  messages(path, { minimumImportance, startTime, endTime, ...page }) {
    const least = Math.max(0, RANKS.indexOf(minimumImportance ?? "JOB_MESSAGE_DETAILED"));
    const asNumber = (time) => (time === undefined ? undefined : nanosOf(time));
    const [from, to] = [asNumber(startTime) ?? 0n, asNumber(endTime) ?? 2n ** 63n];
    const within = ({ time }) => nanosOf(time) >= from && nanosOf(time) < to;
    const found = this.job(path).messages.filter((each) => RANKS.indexOf(each.messageImportance) >= least && within(each));
    const { items, nextPageToken } = paged(found, page);
    return { jobMessages: items, nextPageToken };
  }
}

const because = (why) => `(${trace()}): The workflow could not be created. Causes: (${trace()}): ${why}`;
const OTHER_NAME = "If you want to submit a second job, try again by setting a different name.";

/** @throws Refusal of a job that Dataflow would not take either */
function checkWanted({ name, type, environment, steps = [], projectId, location }, project, region, regions) {
  const wrong = [];
  if (!regions.includes(region)) wrong.push(`Invalid region: ${region}.`);
  if ((projectId ?? project) !== project) wrong.push(`The job's project ${projectId} is not ${project}.`);
  if ((location ?? region) !== region) wrong.push(`The job's location ${location} is not ${region}.`);
  if (!NAME.test(name ?? ""))
    wrong.push(`Invalid job name (${name}); the name must consist of only the characters [-a-z0-9], starting with a letter.`);
  if (type !== "JOB_TYPE_BATCH") wrong.push(`Job type ${type} is none of the supported.`);
  if (steps.length > 0) wrong.push("A portable job has no steps.");
  for (const each of EXPERIMENTS) if (!environment?.experiments?.includes(each)) wrong.push(`The experiment ${each} is not set.`);
  if (!environment?.sdkPipelineOptions?.options?.pipelineUrl) wrong.push("sdkPipelineOptions.options.pipelineUrl is not set.");
  const pools = environment?.workerPools ?? [];
  if (pools.length !== 1 || !pools[0].sdkHarnessContainerImages?.length)
    wrong.push("One worker pool with the images of SDK harnesses is wanted.");
  if (wrong.length > 0) throw new Refusal("INVALID_ARGUMENT", because(wrong.join(" ")));
}

/** Without what only some want to see. */
function viewOf({ record }, view = "JOB_VIEW_SUMMARY") {
  if (view === "JOB_VIEW_ALL") return record;
  const { environment, steps, labels, ...summary } = record;
  return view === "JOB_VIEW_DESCRIPTION" ? { ...summary, labels, environment } : summary;
}

/** At most so many at once; a token says how many were before. */
function paged(all, { pageSize = 100, pageToken = "0" }) {
  const from = Number(pageToken);
  if (!Number.isInteger(from) || from < 0 || from > all.length) throw new Refusal("INVALID_ARGUMENT", `Invalid page token: ${pageToken}`);
  const to = from + Math.max(1, pageSize);
  return { items: all.slice(from, to), ...(to < all.length && { nextPageToken: String(to) }) };
}

/** Times are to the nanosecond, which Date is not. */
function nanosOf(time) {
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? "";
  return BigInt(Math.floor(Date.parse(time) / 1000)) * 1_000_000_000n + BigInt(fraction.padEnd(9, "0"));
}

module.exports = { DataflowServer };
