// A process that publishes, so that it can be killed. Each message is a run and how to go about it; the answer is what came of it.
// Uses what was built: it starts in a tenth of a second.
const { clean, ownAttempts } = require("../../dist/pipeline/clean.js");
const { placeOf } = require("../../dist/pipeline/partitions.js");
const { publish } = require("../../dist/pipeline/publishrun.js");
const { Disk } = require("../../dist/pipeline/storage.js");

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Before each operation: a random wait of up to `delayMs`, or the end of the process. */
function before({ delayMs, dieAt }) {
  let count = 0;
  const step = (operation, path) => {
    if (delayMs > 0) Atomics.wait(sleeper, 0, 0, Math.random() * delayMs);
    step.told.push(`${operation} ${path}`);
    if (++count === dieAt) process.kill(process.pid, "SIGKILL");
  };
  step.told = [];
  return step;
}

async function go({ output, reports, options, how, cleanFirst, own }) {
  const step = before(how);
  const place = { ...placeOf(output), storage: new Disk(step), patienceMs: how.patienceMs ?? 10_000 };
  try {
    if (cleanFirst) await clean(place);
    if (own) await ownAttempts(placeOf(output), options.runId, true);
    const outcome = await publish(reports, options, place);
    return { outcome, steps: step.told };
  } catch (error) {
    return { error: error.message, exitCode: error.exitCode, steps: step.told };
  }
}

process.on("message", async (task) => process.send(await go(task)));
process.on("disconnect", () => process.exit());
