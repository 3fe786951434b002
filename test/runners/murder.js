/**
 * Loaded into worker processes of a test by NODE_OPTIONS: one of them kills itself, as if the machine had done it, at the moment that
 * BACKSTORY_MURDER names. The file MARK says that it has happened; it happens once.
 */
const fs = require("node:fs");
const Module = require("node:module");

const { BACKSTORY_MURDER: moment, BACKSTORY_MURDER_MARK: mark } = process.env;

let calls = 0;
/** Ends this process at the so manieth call in it, unless somebody has died already. */
function dieAt(call) {
  if (++calls < call) return;
  try {
    fs.closeSync(fs.openSync(mark, "wx"));
  } catch {
    return;
  }
  process.kill(process.pid, "SIGKILL");
}

/** Each time a kernel hands something on; what it has done by then is lost. */
function inKernel(kernel, call) {
  const { run } = kernel;
  kernel.run = (input, emit) =>
    run(input, (output) => {
      dieAt(call);
      return emit(output);
    });
}

/** Where each moment is: a module, and what becomes of it when it is loaded. */
const MOMENTS = {
  "scan of impressions": ["pipeline/scansplit", ({ SCAN_RANKINGS }) => inKernel(SCAN_RANKINGS, 1)],
  "scan of actions": ["pipeline/scansplit", ({ SCAN_ACTIONS }) => inKernel(SCAN_ACTIONS, 3)],
  combine: [
    "transforms/recent",
    ({ RecentActions: { prototype } }) => {
      const { addInput } = prototype;
      prototype.addInput = function (...args) {
        dieAt(2);
        return addInput.apply(this, args);
      };
    },
  ],
  join: ["transforms/joinbucket", ({ JOIN_BUCKET }) => inKernel(JOIN_BUCKET, 1)],
  write: ["pipeline/writeday", ({ WRITE_DAY }) => inKernel(WRITE_DAY, 3)],
  publish: ["pipeline/publish", dieAtRename],
};

/** With some partitions moved and others not. */
function dieAtRename() {
  const { renameSync } = fs;
  fs.renameSync = (from, to) => {
    if (/dt=[^/]*\/part-[^/]*$/.test(to)) dieAt(5);
    renameSync(from, to);
  };
}

if (/backstory-worker\.js$/.test(process.argv[1] ?? "") && moment !== undefined) {
  const [name, change] = MOMENTS[moment];
  const load = Module.prototype.load;
  Module.prototype.load = function (file) {
    load.call(this, file);
    if (file.endsWith(`/dist/${name}.js`)) change(this.exports);
  };
}

module.exports = { MOMENTS: Object.keys(MOMENTS) };
