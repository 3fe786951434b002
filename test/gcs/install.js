#!/usr/bin/env node
/** Installs the server that stands for Cloud Storage into .cache/sdk/, by Go; version and checksum are pinned. */
const { existsSync } = require("node:fs");
const { join } = require("node:path");

const HOME = join(__dirname, "../../.cache/sdk");
const SERVER = {
  name: "fake-gcs-server",
  module: "github.com/fsouza/fake-gcs-server",
  version: "v1.56.1",
  sum: "h1:K03sAvbLvDz4hAynpCCUqnNRp+ik9JFSvHbkD/wTPOU=",
  program: "",
};

const server = join(HOME, `fake-gcs-server-${SERVER.version}`, "fake-gcs-server");

async function install() {
  if (!existsSync(server)) await require("../../dist/pipeline/runners/gobuild").buildWithGo(SERVER, server);
  console.log(server);
}

module.exports = { server, install };
if (require.main === module)
  install().catch((error) => {
    console.error(`${error.message} This suite wants Go 1.26 or newer (https://go.dev/dl).`);
    process.exitCode = 1;
  });
