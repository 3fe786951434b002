#!/usr/bin/env node
require("./node24")(() => {
  const flags = process.argv.slice(2);
  // other runners have workers of their own
  const here = flags[0] === "build" && !flags.some((flag) => flag.startsWith("--runner"));
  if (here) require("../dist/beam/threads.js").startSpare(require("../dist/pipeline/kernels.js").KERNELS);
  require("../dist/pipeline/cli.js")
    .main(flags)
    .then((code) => {
      process.exitCode = code;
    });
});
