/** The pipeline of a run, once more: node proto.js FILE RUN FLAG... In a process of its own, since functions are serialized by what their globals are. */
const { writeFileSync } = require("node:fs");
require("apache-beam");
const { parseFlags } = require("../../dist/pipeline/flags");
const { BuildOptions } = require("../../dist/pipeline/options");
const { planRun } = require("../../dist/pipeline/plan");
const { bytesOf, protoOf } = require("../../dist/pipeline/runners/dataflow/proto");

const [path, runId, ...flags] = process.argv.slice(2);
const { options } = parseFlags(BuildOptions, flags, 0);
planRun(options, runId).then((plan) => writeFileSync(path, bytesOf(protoOf(plan, options.workerImage))));
