/** Google's published descriptions of its APIs, of one version, from the Python package that carries them all; into .cache/sdk/. */
const { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } = require("node:fs");
const { dirname, join } = require("node:path");

const HOME = join(__dirname, "../../.cache/sdk");
const VERSION = "2.202.0";
const WHEEL = {
  url: `https://files.pythonhosted.org/packages/8e/a3/023b1fe763bd91cfd43aa2c2960a0f1620f0a4c184bbbfc3e3f6fdc31b06/google_api_python_client-${VERSION}-py3-none-any.whl`,
  algorithm: "sha256",
  sum: "aaa90064c9bb642ff1d065b22ca8958a2cb6e345909cefe70d0e5452fc50e08b",
};

/** @param api such as dataflow.v1b3 */
const documentOf = (api) => join(HOME, `discovery-${VERSION}`, `${api}.json`);

async function installDiscovery(...apis) {
  const missing = apis.filter((api) => !existsSync(documentOf(api)));
  if (missing.length === 0) return;
  const { aside, download } = require("../../dist/pipeline/runners/download");
  const { unzip } = require("../../dist/pipeline/runners/unzip");
  const wheel = aside(join(HOME, "discovery.whl"));
  try {
    await download({ ...WHEEL, path: wheel });
    const zip = readFileSync(wheel);
    for (const api of missing) {
      const part = aside(documentOf(api));
      mkdirSync(dirname(part), { recursive: true });
      writeFileSync(part, unzip(zip, `googleapiclient/discovery_cache/documents/${api}.json`));
      renameSync(part, documentOf(api));
    }
  } finally {
    rmSync(wheel, { force: true });
  }
}

module.exports = { documentOf, installDiscovery };
