/**
 * Runs one case: node submit.js CASE RUNNER FOLDER [ENDPOINT]. Its last line of output is what came of it, as JSON. A process of its own,
 * so that whatever an SDK does (hang, print, crash) stays in it.
 */
require("apache-beam");
const { existsSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const { setTimeout: sleep } = require("node:timers/promises");
const { JobState_Enum } = require("apache-beam/proto/beam_job_api");
const runnerApi = require("apache-beam/proto/beam_runner_api");
const { directRunner } = require("apache-beam/runners/direct_runner");
const { PortableRunner } = require("apache-beam/runners/portable_runner/runner");
const cases = require("./cases");
const { startPool } = require("./pool");

const [name, runner, folder, endpoint] = process.argv.slice(2);
const WORKERS_END_LIMIT_MS = 10_000;

/** Two workers where the runner can have them. */
const OPTIONS = { prism: {}, flink: { parallelism: 2, sdkWorkerParallelism: 2, flinkMaster: "[local]" } };

/** Workers are asked for at this address, whatever the environment was. */
class ExternalRunner extends PortableRunner {
  constructor(address, options) {
    super(options);
    this.address = address;
  }
  runPipelineWithProto(pipeline, options) {
    const payload = runnerApi.ExternalPayload.toBinary({ endpoint: { url: this.address }, params: {} });
    for (const environment of Object.values(pipeline.components.environments))
      Object.assign(environment, { urn: "beam:env:external:v1", payload });
    return super.runPipelineWithProto(pipeline, options);
  }
}

async function runPortable(pipeline) {
  const pool = await startPool();
  try {
    const options = { jobEndpoint: endpoint, jobName: name, ...OPTIONS[runner] };
    const result = await new ExternalRunner(pool.address, options).runAsync(pipeline);
    const state = JobState_Enum[await result.waitUntilFinish()];
    if (state !== "DONE") return { state, error: result.errorMessage, started: pool.started() };
    return { state, ...(await metricsOf(result)), started: pool.started() };
  } catch (error) {
    return { state: "LOST", error: String(error.message), started: pool.started(), left: await workersLeft(pool) };
  } finally {
    pool.stop();
  }
}

/** Workers of a runner that is gone have to end by themselves. */
async function workersLeft(pool) {
  for (const limit = Date.now() + WORKERS_END_LIMIT_MS; pool.living() > 0 && Date.now() < limit; ) await sleep(50);
  return pool.living();
}

async function runDirect(pipeline) {
  try {
    return { state: "DONE", ...(await metricsOf(await directRunner().run(pipeline))) };
  } catch (error) {
    return { state: "FAILED", error: error.stack };
  }
}

async function metricsOf(result) {
  try {
    return { metrics: { ...(await result.counters()), ...(await result.distributions()) } };
  } catch (error) {
    return { metrics: String(error) };
  }
}

const linesOf = (path) => (existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : []);

async function main() {
  const files = { out: join(folder, "out"), bundles: join(folder, "bundles") };
  const began = Date.now();
  const pipeline = (root) => cases[name].build(root, files);
  const outcome = await (runner === "direct" ? runDirect(pipeline) : runPortable(pipeline));
  const output = linesOf(files.out).map((line) => JSON.parse(line));
  console.log(JSON.stringify({ ...outcome, output, bundles: linesOf(files.bundles).length, seconds: (Date.now() - began) / 1000 }));
  process.exit();
}

main();
