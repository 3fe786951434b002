/** Pages about what every command shares: configuration file, exit codes, environment. */
const { optionsOf } = require("backstory/pipeline/help/describe");
const { VARIABLES } = require("backstory/pipeline/help/environment");
const { EXITS } = require("backstory/pipeline/help/exits");
const { BuildOptions, Table } = require("backstory/pipeline/options");
const { fields } = require("./fields");
const { block, code, page, table } = require("./markdown");

const EXAMPLE = `# yaml-language-server: $schema=node_modules/backstory/dist/config.schema.json
impressions: data/impressions
clicks: data/clicks
add_to_carts: none
previous_orders: data/orders
history_length: 200
lookback_days: 180
timezone: Europe/Berlin
fail_on: zero_history_pct>0.5,late>1%
tables:
  - { name: clicks, type: 1, customer: user, item: sku, time: at }
  - { name: wishes, type: 4, item: item_id, time: wished_at, path: data/wishes }`;

function configuration() {
  const keys = optionsOf(BuildOptions).map(({ key }) => code(snake(key)));
  return page(
    "The configuration file",
    "`--config=FILE` reads options of any command from a file, under the names of the flags: YAML, or JSON where the name ends in `.json`. Names may be written with underscores, with dashes or in camel case. Flags go before the file, the file before defaults. A name that the command does not know is an error. The file may be in a bucket (`gs://`).",
    block("yaml", EXAMPLE),
    "## Completion and checks in editors",
    "[config.schema.json](config.schema.json) is the JSON Schema of the options of `build`. It is in the package too, as `node_modules/backstory/dist/config.schema.json`.",
    [
      "- YAML, in every editor with [yaml-language-server](https://github.com/redhat-developer/yaml-language-server) (VS Code: the extension YAML): the first line of the file names the schema, as above, by a URL or by a path from the file.",
      '- VS Code for all files of a name: in `settings.json` `"yaml.schemas": { "node_modules/backstory/dist/config.schema.json": "training*.yaml" }`; for JSON `"json.schemas": [{ "fileMatch": ["training*.json"], "url": "./node_modules/backstory/dist/config.schema.json" }]`.',
      "- JetBrains: Settings, Languages & Frameworks, Schemas and DTDs, JSON Schema Mappings.",
    ].join("\n"),
    "A key `$schema` in the file itself is no option, and refused. Values that depend on each other, and formats such as days and sizes, are checked by the command alone.",
    "## Keys",
    `Meanings and defaults are those of the flags of [build](build.md): ${keys.join(", ")}.`,
    "## An entry of `tables`",
    "Tables of actions. `clicks`, `add_to_carts` and `previous_orders` have other columns then than their own; others are added, each with a `path`.",
    fields(Table),
  );
}

const exitCodes = () =>
  page(
    "Exit codes",
    table(
      ["code", "", ""],
      EXITS.map(({ code: number, about, more }) => [number, about, more]),
    ),
    "Errors are told on standard error in two sentences: what is wrong and what was given, and what to do. `--debug` prints stacks.",
  );

const environment = () =>
  page(
    "Environment",
    "Variables that are read. Options never come from the environment.",
    table(
      ["variable", "", "read by"],
      VARIABLES.map(({ names, about, by }) => [names.map(code).join(", "), about, by ?? "backstory"]),
    ),
  );

const snake = (key) => key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

module.exports = { EXAMPLE, configuration, environment, exitCodes };
