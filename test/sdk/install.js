#!/usr/bin/env node
/** Fetches the runners of the suites into .cache/sdk/, unless they are there, as a user's run would into the user's cache. */
const { join } = require("node:path");

const HOME = join(__dirname, "../../.cache/sdk");
process.env.BACKSTORY_CACHE ??= HOME;

async function install() {
  const [{ findFlink }, { findPrism }] = ["flink", "prism"].map((name) => require(`../../dist/pipeline/runners/${name}`));
  console.log(await findPrism());
  const { java, jars } = await findFlink();
  console.log(`${java}\n${jars}`);
}

module.exports = { HOME };
if (require.main === module)
  install().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
