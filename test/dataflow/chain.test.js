/**
 * From the command line to published files: `backstory build --runner=dataflow` reads buckets (fake-gcs-server), sends a job to the Dataflow of tests, which
 * runs what was staged on Prism with workers that the image's boot program starts.
 */
const { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { setTimeout: sleep } = require("node:timers/promises");
const {
  backstory,
  inputsIn,
  onDataflow,
  partsHere,
  partsThere,
  processesLeft,
  programOf,
  startWorld,
  TABLES,
  workerImage,
} = require("./kit");

const FORMATS = ["ndjson", "parquet"];
const SHARDS = "--shards=2";
/** Few at a time, since buckets are slow here; two days. */
const SIZE = ["--rankings=200", "--actions=20000", "--days=2", "--customers=300"];
const JOB_LIMIT_MS = 240_000;

let world;
let here;
beforeAll(async () => {
  const images = {
    test: await workerImage(),
    old: programOf("otherversion.js"),
    broken: programOf("nothing.js"),
    stuck: programOf("stuck.js"),
  };
  world = await startWorld(images);
  here = mkdtempSync(join(world.folder, "here-"));
  for (const format of FORMATS) {
    const made = await backstory(["generate", `--output=${join(here, format)}`, `--format=${format}`, ...SIZE]);
    expect(made).toMatchObject({ code: 0 });
    for (const table of TABLES)
      await world.put("inputs", `${format}/${table}.${format}`, readFileSync(join(here, format, `${table}.${format}`)));
  }
  // customers that are no numbers: more than --max-rejects allows
  await world.put("inputs", "bad/clicks.ndjson", readFileSync(join(here, "ndjson/clicks.ndjson")) + '{"customer_id":"x"}\n'.repeat(5000));
});
afterAll(() => world?.stop());

const env = () => ({ STORAGE_EMULATOR_HOST: world.storageHost, TMPDIR: madeFolder("tmp") });
const madeFolder = (name) => {
  mkdirSync(join(world.folder, name), { recursive: true });
  return join(world.folder, name);
};
const build = (args, options) => backstory(["build", ...args], { env: env(), ...options });
const thereIn = (format) => inputsIn(`gs://inputs/${format}`, format);

/** of the run here, by format */
const reference = {};
async function referenceOf(format) {
  if (reference[format] === undefined) {
    const output = join(here, `out-${format}`);
    expect(await build([...inputsIn(join(here, format), format), `--output=${output}`, SHARDS])).toMatchObject({ code: 0 });
    reference[format] = partsHere(output);
    expect(Object.keys(reference[format])).toHaveLength(2 * 2);
  }
  return reference[format];
}

/** What a run must not leave: processes, anything under the temp location, or of what it has tried. */
async function expectNothingLeft(output) {
  expect(await processesLeft(world.storageHost)).toEqual([]);
  expect(await world.names("temporary")).toEqual([]);
  expect(readdirSync(madeFolder("tmp")).filter((name) => name !== "node-compile-cache")).toEqual([]);
  if (output !== undefined) expect(await world.names("outputs", `${output}/`)).toEqual([]);
}

const jobOf = (told) => world.dataflow.jobs.find(({ record }) => told.includes(record.id));

describe.each(FORMATS)("%s", (format) => {
  test("the bytes of the run here", async () => {
    const output = `same-${format}`;
    const run = await build([...thereIn(format), `--output=gs://outputs/${output}`, SHARDS, "--json", ...onDataflow(world)]);
    expect(run).toMatchObject({ code: 0 });
    // as Airflow's operators find the job
    const [, id] = /^Submitted job: (.*)$/m.exec(run.err);
    expect(run.err).toContain(`https://console.cloud.google.com/dataflow/jobs/europe-west1/${id}?project=my-project-123`);
    expect(jobOf(id).record.currentState).toBe("JOB_STATE_DONE");
    expect(await partsThere(world, output)).toEqual(await referenceOf(format));
    const outcome = JSON.parse(run.out);
    const [sums, told] = [Object.values(await referenceOf(format)), outcome.files.map(({ sha256 }) => sha256)];
    expect(told.sort()).toEqual(sums.sort());
    expect(world.dataflow.seen.filter(({ code }) => code !== 200)).toEqual([]);
    await expectNothingLeft();
  });
});

test("--no-wait ends when Dataflow has the job; whoever follows it finds all published", async () => {
  const file = join(here, "job.json");
  const output = "no-wait";
  const args = [...thereIn("ndjson"), `--output=gs://outputs/${output}`, SHARDS, ...onDataflow(world)];
  const run = await build([...args, "--no-wait", `--job-id-file=${file}`]);
  expect(run).toMatchObject({ code: 0 });
  const told = JSON.parse(readFileSync(file, "utf8"));
  expect(run.err).toContain(`Submitted job: ${told.job_id}`);
  const state = await followed(told);
  expect(state).toBe("JOB_STATE_DONE");
  expect(await partsThere(world, output)).toEqual(await referenceOf("ndjson"));
  // nobody was there to remove what was staged
  expect(await world.names("temporary")).not.toEqual([]);
  expect(await backstory(["clean", `gs://outputs/${output}`], { env: env() })).toMatchObject({ code: 0 });
  expect(await partsThere(world, output)).toEqual(await referenceOf("ndjson"));
  await expectNothingLeft();
});

/** As Airflow's sensor does. */
async function followed({ job_id, project, region }) {
  for (const limit = Date.now() + JOB_LIMIT_MS; Date.now() < limit; await sleep(200)) {
    const answer = await fetch(`${world.endpoint}/v1b3/projects/${project}/locations/${region}/jobs/${job_id}`);
    const { currentState } = await answer.json();
    if (["JOB_STATE_DONE", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED"].includes(currentState)) return currentState;
  }
  throw new Error(`job ${job_id} has not ended.`);
}

test("bad rows: the sentence and the exit code of the run here, and nothing is left", async () => {
  const inputs = (place, bad) => [...inputsIn(place, "ndjson").filter((flag) => !flag.startsWith("--clicks=")), `--clicks=${bad}`];
  writeFileSync(join(here, "bad.ndjson"), await world.get("inputs", "bad/clicks.ndjson"));
  const direct = await build([...inputs(join(here, "ndjson"), join(here, "bad.ndjson")), `--output=${join(here, "out-bad")}`, "--quiet"]);
  expect(direct).toMatchObject({ code: 3 });
  const args = [...inputs("gs://inputs/ndjson", "gs://inputs/bad/clicks.ndjson"), "--output=gs://outputs/bad", ...onDataflow(world)];
  const run = await build(args);
  expect(run).toMatchObject({ code: 3 });
  expect(run.err.trimEnd().split("\n").at(-1)).toBe(direct.err.trimEnd().split("\n").at(-1));
  expect(jobOf(run.err).record.currentState).toBe("JOB_STATE_FAILED");
  await expectNothingLeft("bad");
});

test("workers of another version: both versions, and what to do", async () => {
  const run = await build([...thereIn("ndjson"), "--output=gs://outputs/old", ...onDataflow(world, "old")]);
  expect(run.code).toBe(2);
  const { version } = require("../../package.json");
  expect(run.err).toMatch(/^backstory: the workers are of backstory 0\.0\.0-other, and the job is of .*image.*\.$/m);
  expect(run.err).toContain(`the job is of ${version}`);
  await expectNothingLeft("old");
});

test.each([
  ["an image that is not there", "absent", /Unable to pull container image.*Check --worker-image/],
  ["an image without the code", "broken", /SDK harness.*--worker-image/s],
])("%s: says so", async (_, image, message) => {
  const run = await build([...thereIn("ndjson"), `--output=gs://outputs/${image}`, ...onDataflow(world, image)]);
  expect(run.code).toBe(1);
  expect(run.err.trimEnd().split("\n").at(-1)).toMatch(message);
  await expectNothingLeft(image);
});

/** Two signals that follow at once are one Ctrl-C, which a terminal sends to more than one process. */
const APART_MS = 1000;

/** Sends a signal each time that one more of the texts has been told. */
function signalAt(texts) {
  let sent = 0;
  return (told, child) => {
    for (; sent < texts.length && told.includes(texts[sent]); sent++) setTimeout(() => child.kill("SIGINT"), APART_MS);
  };
}

test("one Ctrl-C leaves the job going, and says how to cancel it; a second cancels it", async () => {
  const onError = signalAt(["job running", "To cancel it, press Ctrl-C again"]);
  const run = await build([...thereIn("ndjson"), "--output=gs://outputs/cancelled", ...onDataflow(world, "stuck")], { onError });
  expect(run).toMatchObject({ code: 130 });
  expect(jobOf(run.err).record.currentState).toBe("JOB_STATE_CANCELLED");
  await expectNothingLeft("cancelled");
});

test("no second job of a name while the first is at work", async () => {
  const args = [...thereIn("ndjson"), ...onDataflow(world, "stuck"), "--job-name=the-job"];
  const first = await build([...args, "--output=gs://outputs/first", "--no-wait"]);
  expect(first).toMatchObject({ code: 0 });
  const job = jobOf(first.err);
  const second = await build([...args, "--output=gs://outputs/second"]);
  expect(second.code).toBe(2);
  expect(second.err).toContain(`a job named the-job is active already: ${job.record.id}`);
  expect(await world.names("outputs", "second/")).toEqual([]);
  job.cancel();
});
