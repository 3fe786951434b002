#!/usr/bin/env node
/** A worker that never comes to the end of anything. */
require("apache-beam");
const { Worker } = require("apache-beam/worker/worker");
Worker.prototype.process = () => new Promise(() => {});
require("../../dist/pipeline/runners/boot").boot(process.argv.slice(2));
