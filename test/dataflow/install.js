#!/usr/bin/env node
/** Puts what the suite of Dataflow stands on into .cache/sdk/: Prism, what translates jobs as the Go SDK does, and the API's description. */
const { createHash } = require("node:crypto");
const { existsSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const { documentOf, installDiscovery } = require("../discovery/install");

const API = "dataflow.v1b3";
const SOURCE = join(__dirname, "go");
const sources = ["main.go", "go.mod", "go.sum"].map((name) => readFileSync(join(SOURCE, name)));
/** named by what it is made of, so that no older one is taken for it */
const version = createHash("sha256").update(Buffer.concat(sources)).digest("hex").slice(0, 12);
const dataflowjob = join(__dirname, "../../.cache/sdk", `dataflowjob-${version}`, "dataflowjob");

async function install() {
  require("../sdk/install"); // says where runners are
  console.log(await require("../../dist/pipeline/runners/prism").findPrism());
  await installDiscovery(API);
  console.log(documentOf(API));
  const { buildWithGo } = require("../../dist/pipeline/runners/gobuild");
  if (!existsSync(dataflowjob)) await buildWithGo({ name: "dataflowjob", folder: SOURCE }, dataflowjob);
  console.log(dataflowjob);
}

module.exports = { dataflowjob, discovery: documentOf(API) };
if (require.main === module)
  install().catch((error) => {
    console.error(`${error.message} This suite wants Go 1.26 or newer (https://go.dev/dl).`);
    process.exitCode = 1;
  });
