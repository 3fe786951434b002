#!/usr/bin/env node
/** Puts what the suite of BigQuery stands on into .cache/sdk/: the published description of its API, and a server of buckets. */
const { documentOf, installDiscovery } = require("../discovery/install");
const { install: installBuckets } = require("../gcs/install");

const API = "bigquery.v2";

async function install() {
  await installDiscovery(API);
  console.log(documentOf(API));
  await installBuckets();
}

module.exports = { discovery: documentOf(API) };
if (require.main === module)
  install().catch((error) => {
    console.error(`${error.message} This suite wants PyPI, and Go 1.26 or newer (https://go.dev/dl).`);
    process.exitCode = 1;
  });
