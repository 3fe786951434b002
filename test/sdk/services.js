/** The runners of the conformance suite. Each ends with the process that started it, however that ends. */
const { mkdirSync, mkdtempSync } = require("node:fs");
const { join } = require("node:path");
const { HOME } = require("./install");
const { startFlink } = require("../../dist/pipeline/runners/flink");
const { startPrism } = require("../../dist/pipeline/runners/prism");

const GiB = 2 ** 30;

/** for the log of one service; what is in it besides goes when the service ends */
function newFolder() {
  const logs = join(HOME, "logs");
  mkdirSync(logs, { recursive: true });
  return mkdtempSync(join(logs, "service-"));
}

module.exports = {
  startPrism: () => startPrism({ folder: newFolder() }),
  startFlink: () => startFlink({ folder: newFolder(), parallelism: 2, memory: 3 * GiB }),
};
