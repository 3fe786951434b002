#!/usr/bin/env node
/** Installs the server that stands for Cloud Storage into .cache/sdk/, by Go; version and checksum are pinned. */
const { join } = require("node:path");
const { HOME, fail, installGo } = require("../sdk/install");

const SERVER = {
  module: "github.com/fsouza/fake-gcs-server",
  version: "v1.56.1",
  sum: "h1:K03sAvbLvDz4hAynpCCUqnNRp+ik9JFSvHbkD/wTPOU=",
  command: "",
};

const server = join(HOME, `fake-gcs-server-${SERVER.version}`, "fake-gcs-server");

module.exports = { server };
if (require.main === module) {
  try {
    installGo(SERVER, server);
    console.log(server);
  } catch (error) {
    fail(error.stack);
  }
}
