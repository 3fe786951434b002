// A process that publishes to a bucket, so that it can be killed; each has a client of its own. Each message is a run, the answer is what came of it.
const { clean } = require("../../dist/pipeline/clean.js");
const { useLimits } = require("../../dist/pipeline/gcs/limits.js");
const { placeOf } = require("../../dist/pipeline/partitions.js");
const { publish } = require("../../dist/pipeline/publishrun.js");

useLimits({ maxRetries: 3, maxRetryDelay: 1, totalTimeout: 60, idleTimeout: 30 });

async function go({ output, reports, options, cleanFirst }) {
  const place = placeOf(output);
  try {
    if (cleanFirst) await clean(place);
    return { outcome: await publish(reports, options, place) };
  } catch (error) {
    return { error: error.message, exitCode: error.exitCode };
  }
}

process.on("message", async (task) => process.send(await go(task)));
process.on("disconnect", () => process.exit());
