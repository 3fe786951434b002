/**
 * Loaded into worker processes by NODE_OPTIONS when runners are measured: at its end each writes what it has done to a file of its own in the
 * folder PROBE. It counts; it changes nothing.
 */
const { writeFileSync } = require("node:fs");
const Module = require("node:module");
const { join } = require("node:path");
const { isMainThread } = require("node:worker_threads");

const folder = process.env.BACKSTORY_PROBE;

if (folder !== undefined && isMainThread && /backstory-worker\.js$/.test(process.argv[1] ?? "")) {
  let bundles = 0;
  let stages;
  const load = Module.prototype.load;
  Module.prototype.load = function (file) {
    load.call(this, file);
    if (file.endsWith("/apache_beam/worker/worker.js")) {
      const { process: run } = this.exports.Worker.prototype;
      this.exports.Worker.prototype.process = function (request) {
        bundles++;
        return run.call(this, request);
      };
    }
    if (file.endsWith("/dist/beam/stages.js")) stages = this.exports.stages;
  };
  process.once("exit", () =>
    writeFileSync(join(folder, `${process.pid}.json`), JSON.stringify({ bundles, stages: stages?.report() ?? {} })),
  );
}
