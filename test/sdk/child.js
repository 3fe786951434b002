/** One worker: node child.js ID CONTROL_ENDPOINT. Ends with its runner, or with who started it, which is when standard input is closed. */
require("apache-beam");
const { Worker } = require("apache-beam/worker/worker");
require("backstory/beam/cogroup");
require("./dofns");

process.stdin.resume().once("end", () => process.exit());
const [id, controlUrl] = process.argv.slice(2);
new Worker(id, { controlUrl }, {}).wait().then(() => process.exit());
