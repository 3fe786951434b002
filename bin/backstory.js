#!/usr/bin/env node
require("./node24")(() => {
  const flags = process.argv.slice(2);
  if (flags[0] === "build") require("../dist/beam/threads.js").startSpare(require("../dist/pipeline/kernels.js").KERNELS);
  require("../dist/pipeline/cli.js")
    .main(flags)
    .then((code) => {
      process.exitCode = code;
    });
});
