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
function inKernel(kernels, name, call, isMeant = () => true) {
  const run = kernels[name];
  kernels[name] = (input, emit) =>
    run(input, (output) => {
      if (isMeant(input)) dieAt(call);
      return emit(output);
    });
}

const ofImpressions = ({ split }) => split.table === "impressions";

/** Where each moment is: a module, and what becomes of it when it is loaded. */
const MOMENTS = {
  "scan of impressions": ["pipeline/scansplit", (kernels) => inKernel(kernels, "scanSplit", 1, ofImpressions)],
  "scan of actions": ["pipeline/scansplit", (kernels) => inKernel(kernels, "scanSplit", 3, (input) => !ofImpressions(input))],
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
  join: ["transforms/joinbucket", (kernels) => inKernel(kernels, "joinBucket", 1)],
  write: ["pipeline/writeday", (kernels) => inKernel(kernels, "writeDay", 3)],
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
