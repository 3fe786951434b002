/** A page for each command. */
const { LAST, aboutOf, groupsOf, presetsOf, signOf } = require("backstory/pipeline/help/describe");
const { examplesOf } = require("backstory/pipeline/help/examples");
const { SHELLS, completionOf } = require("backstory/pipeline/help/completion");
const { valuesOf } = require("backstory/pipeline/help/configschema");
const { block, code, page, table } = require("./markdown");

const commandPages = (commands) => ({
  ...Object.fromEntries(commands.map((command) => [`${command.name}.md`, pageOf(command)])),
  "completion.md": pageOf(
    commands.find(({ name }) => name === "completion"),
    ["## Installation", "As the head of each script says:", ...SHELLS.map((shell) => block("text", headOf(completionOf(shell, commands))))],
  ),
});

/** The comments that a script begins with. */
const headOf = (script) => script.match(/^(?:#.*\n)+/)[0].trimEnd();

/** @param more parts before the last line */
function pageOf(command, more = []) {
  const { name, about, usage, schema } = command;
  const presets = presetsOf(schema).map((preset) => [code(preset.name), preset.about, code(preset.flags.join(" "))]);
  const examples = examplesOf(name).map(({ about: what, command: line }) => `# ${what}\n${line}`);
  return page(
    `backstory ${name}`,
    about,
    block("text", usage),
    groupsOf(schema).flatMap((group) => [`## ${group.title}`, options(group, schema)]),
    presets.length === 0 ? [] : ["### What each stands for", table(["preset", "the job", "flags"], presets)],
    "A value stands behind `=` or is the next word. Names also work with underscores. A switch is off by `--no-NAME`. [Options in a file](configuration.md) have the key in the third column.",
    examples.length === 0 ? [] : ["## Examples", block("sh no-run", examples.join("\n\n"))],
    ...more,
    "[Exit codes](exit-codes.md), [environment](environment.md), [all commands](README.md).",
  );
}

function options({ title, options }, schema) {
  const rows = options.map((option) => [
    option.configOnly ? "in a file only" : code(signOf(option)),
    title === LAST ? (option.value === undefined ? "switch" : "a path") : values(option, valuesOf(schema.shape[option.key])),
    title === LAST ? "" : code(option.key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)),
    option.required
      ? "required"
      : option.fallback === undefined
        ? option.value === undefined && !option.configOnly
          ? "off"
          : ""
        : code(option.fallback),
    aboutOf({ ...option, fallback: undefined, required: false }),
  ]);
  return table(["option", "values", "key in a file", "default", "meaning"], rows);
}

/** What may stand behind the flag, in words. */
function values({ flag, wants, value, configOnly }, schema) {
  if (configOnly) return "a list";
  if (value === undefined) return flag.startsWith("--no-") ? "switch; in a file `false`" : "switch";
  const kinds = [schema, ...(schema.anyOf ?? []), ...(schema.anyOf ?? []).flatMap(({ anyOf = [] }) => anyOf)];
  const number = kinds.find(({ type, maximum }) => type === "integer" && maximum !== undefined);
  const words = Array.isArray(wants) ? wants.map(code) : [];
  if (number !== undefined) return [...words, range(number)].join(", ");
  if (Array.isArray(wants) && value === wants.join("|")) return words.join(", ");
  return { file: "a path", folder: "a folder" }[wants] ?? code(value);
}

/** No bound that is none of ours: the largest number that is exact. */
function range({ minimum, maximum }) {
  const [least, most] = [minimum, maximum].map((n) => n.toLocaleString("en"));
  return maximum >= Number.MAX_SAFE_INTEGER ? `${least} and more` : `${least} to ${most}`;
}

module.exports = { commandPages };
