#!/usr/bin/env node
/**
 * npm run docs:reference: docs/reference/, from the schemas of the options, those of what a run tells, constants of the code, and TSDoc. After
 * `npm run build`. Nothing there is written by hand.
 */
const { readdirSync, rmSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { commandPages } = require("./pages/commands");
const { configuration, environment, exitCodes } = require("./pages/usage");
const { manifest, metrics, outcome, rejects, warnings } = require("./pages/told");
const { index } = require("./pages/markdown");

const FOLDER = join(__dirname, "reference");
/** Of TSDoc, by docs/pages/library.js, which takes some seconds. */
const LIBRARY = "library.md";

/** By name: all but the library's. */
async function pages() {
  const { COMMANDS, describedCommands } = require("backstory/pipeline/cli");
  const { configSchema } = require("backstory/pipeline/help/configschema");
  const commands = await describedCommands();
  const made = {
    ...commandPages(commands),
    "configuration.md": configuration(),
    "config.schema.json": `${JSON.stringify(configSchema(), null, 2)}\n`,
    "exit-codes.md": exitCodes(),
    "environment.md": environment(),
    "outcome.md": outcome(),
    "metrics.md": metrics(),
    "manifest.md": manifest(),
    "rejects.md": rejects(),
    "warnings.md": warnings(),
  };
  return { "README.md": index(commands, COMMANDS), ...made };
}

module.exports = { FOLDER, LIBRARY, pages };

async function write() {
  const { library } = require("./pages/library");
  const all = { ...(await pages()), [LIBRARY]: library() };
  for (const name of readdirSync(FOLDER)) if (!(name in all)) rmSync(join(FOLDER, name));
  for (const [name, text] of Object.entries(all)) writeFileSync(join(FOLDER, name), text);
}

if (require.main === module) write();
