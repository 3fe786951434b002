/** A worker is killed in the middle of a run: what becomes of the run, and what a reader sees. */
const { cpSync, existsSync, rmSync } = require("node:fs");
const { join } = require("node:path");
const { build, hashes } = require("./kit");

/** The day folders of an output, each with the hashes of its files. */
function partitions(files) {
  const days = new Map();
  for (const [path, sum] of Object.entries(files)) {
    const [day] = path.split("/");
    if (day.startsWith("dt=")) days.set(day, [...(days.get(day) ?? []), [path, sum]]);
  }
  return days;
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const isReady = (files) => files?.some(([path]) => path.endsWith("/_SUCCESS")) ?? false;

/**
 * What is wrong for readers who wait for _SUCCESS: that of the top promises one run, the old or the new one; that of a partition promises it for
 * this partition.
 */
function wrongForReaders(files, { before, reference }) {
  const all = Object.keys(files).filter((path) => !path.startsWith("dt=") && path !== "_SUCCESS");
  if (all.length > 0) return `left behind: ${all.slice(0, 3)}`;
  if ("_SUCCESS" in files)
    return same(files, before) || same(files, reference) ? undefined : "the _SUCCESS of all, and neither run's files";
  const [old, fresh] = [partitions(before), partitions(reference)];
  for (const [day, now] of partitions(files))
    if (isReady(now) && !same(now, old.get(day)) && !same(now, fresh.get(day))) return `${day} has _SUCCESS and the files of neither run`;
  return undefined;
}

/** A failure is clean if it says in one line that a worker has ended, and has the code of an error of the machine. */
function wrongWithFailure({ code, err }) {
  if (code !== 1) return `exit code ${code}`;
  return /^backstory: worker \S+ ended by itself \(signal SIGKILL\)/m.test(err) ? undefined : `no clear message: ${err.slice(-500)}`;
}

/**
 * Kills a worker at a moment of a build into `output`, which has the files of an earlier run, or none.
 * @returns { wrong, told, seconds }: what is wrong, if anything; what came of the run
 */
async function killAt(moment, { args, folder, old, reference, limitSeconds = 200 }) {
  const output = join(folder, "out");
  const mark = join(folder, "mark");
  for (const each of [output, mark]) rmSync(each, { recursive: true, force: true });
  if (old !== undefined) cpSync(old, output, { recursive: true });
  const before = hashes(output);
  const env = { NODE_OPTIONS: `--require=${join(__dirname, "murder.js")}`, BACKSTORY_MURDER: moment, BACKSTORY_MURDER_MARK: mark };
  const run = await build([...args, `--output=${output}`], { env, limitSeconds });
  const files = hashes(output);
  const wrong = wrongWith(run, { files, before, reference, mark });
  // what another run finds is the output, and nothing else of this one: so the quickest runner will do
  const next = args.filter((flag) => !/^--(runner|workers|threads)=/.test(flag));
  const again = wrong === undefined ? await build([...next, `--output=${output}`], { limitSeconds }) : undefined;
  const after =
    again === undefined || (again.code === 0 && same(hashes(output), reference)) ? undefined : `the next run: ${again.err.slice(-500)}`;
  return { wrong: wrong ?? after, told: run.code === 0 ? "same bytes" : "fails cleanly", seconds: run.seconds, err: run.err };
}

function wrongWith(run, { files, before, reference, mark }) {
  if (!existsSync(mark)) return `nobody was killed: ${run.err.slice(-500)}`;
  if (typeof run.code !== "number") return `hangs: ${run.err.slice(-500)}`;
  if (run.left.processes.length > 0) return `processes go on: ${run.left.processes}`;
  if (run.left.files.length > 0) return `temporary files stay: ${run.left.files}`;
  if (run.code === 0) return same(files, reference) ? undefined : "other bytes";
  return wrongWithFailure(run) ?? wrongForReaders(files, { before, reference });
}

module.exports = { killAt };
