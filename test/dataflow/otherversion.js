/** The worker of an image of another version. */
require("../../dist/pipeline/version").VERSION = "0.0.0-other";
require("../../dist/pipeline/runners/boot")
  .boot(process.argv.slice(2))
  .then(() => process.exit());
