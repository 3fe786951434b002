#!/usr/bin/env node
// A worker for a runner of Beam: started with Beam's boot flags by the runner itself, or by a worker pool of backstory.
require("./node24")(() => {
  const flags = process.argv.slice(2);
  if (flags[0] === "--version") return console.log(require("../package.json").version);
  const ofPool = process.send !== undefined && flags.length === 0;
  const run = ofPool ? require("../dist/pipeline/runners/child.js").workForPool : require("../dist/pipeline/runners/boot.js").boot;
  run(flags).then(
    // What the SDK has left open would keep the process.
    () => process.exit(),
    (error) => {
      console.error(`backstory-worker: ${error.message}`);
      process.exit(error.exitCode ?? 1);
    },
  );
});
