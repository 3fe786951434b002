/** Pieces of the pages of docs/reference/. */

/** Says where a page is from, so that nobody mends it by hand. */
const NOTE = "<!-- Made by npm run docs:reference. Change what it is made of, not this page. -->";

/** @param parts headings, paragraphs, tables */
const page = (title, ...parts) => `${NOTE}\n\n# ${title}\n\n${parts.flat().join("\n\n")}\n`;

/** A cell must not end early, nor be taken for HTML; within backticks nothing is taken for HTML. */
const cell = (text) =>
  String(text)
    .split(/(`[^`]*`)/)
    .map((part, i) => (i % 2 === 1 ? part : part.replaceAll("<", "&lt;").replaceAll(/(?<![\w*])\*(?=\S)/g, "\\*")))
    .join("")
    .replaceAll("|", "\\|")
    .replaceAll("\n", " ");

const table = (head, rows) =>
  [head, head.map(() => "---"), ...rows]
    .map((row) => `| ${row.map((each, i) => (row === head ? each : cell(each)) || (i === 0 ? "" : "")).join(" | ")} |`)
    .join("\n");

const code = (text) => `\`${text}\``;
const block = (kind, text) => `\`\`\`${kind}\n${text}\n\`\`\``;
const capital = (text) => text.replace(/^[a-z]/, (letter) => letter.toUpperCase());

/** docs/reference/README.md */
function index(commands) {
  const { first } = require("backstory/pipeline/help/words");
  const rows = commands.map(({ name, about }) => [`[${name}](${name}.md)`, first(about)]);
  return page(
    "Reference",
    "Every command, option, file and function, from the code that they are. The same is in `backstory COMMAND --help` and in man pages: `man backstory-COMMAND` after `npm install --global`, else `man node_modules/backstory/dist/man/backstory-COMMAND.1`.",
    "## Commands",
    table(["command", ""], rows),
    "## Files and figures",
    table(
      ["", ""],
      [
        ["[Configuration file](configuration.md)", "options in YAML or JSON; [config.schema.json](config.schema.json) for editors"],
        ["[Manifest](manifest.md)", "what a run says of itself, and why no row can know its own day"],
        ["[Outcome](outcome.md)", "what `build --json` prints"],
        ["[Metrics](metrics.md)", "data quality and the ledger: `--metrics-json`"],
        ["[Rejects](rejects.md)", "the file of `--rejects`, and all reasons"],
        ["[Warnings](warnings.md)", "what is worth knowing, and no error"],
        ["[Exit codes](exit-codes.md)", "of every command"],
        ["[Environment](environment.md)", "variables that are read"],
      ],
    ),
    "## Library",
    "[Exports of the package](library.md): the build as a function, and the transforms to be applied to one's own PCollections.",
  );
}

module.exports = { block, capital, cell, code, index, page, table };
