#!/usr/bin/env node
require("./node24")(() => {
  require("../dist/pipeline/cli.js")
    .main(process.argv.slice(2))
    .then((code) => {
      process.exitCode = code;
    });
});
