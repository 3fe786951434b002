/**
 * The page about the library, from TSDoc in the declarations that the build emits: api-extractor brings a TypeScript of its own to read them, which the
 * compiler here (7) has no API for.
 */
const { mkdtempSync, readFileSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const { block, code, page, table } = require("./markdown");

const ROOT = join(__dirname, "../..");
const ENTRY = join(ROOT, "dist/pipeline/index.d.ts");
const SILENT = { default: { logLevel: "none" } };

function library() {
  const exported = exports_(modelOf());
  return page(
    "The library",
    'What `require("backstory")` and `import` of it give. How they go together: [the graph](../../ARCHITECTURE.md#the-graph), and [examples/library](../../examples/library/train.ts).',
    SECTIONS.flatMap(([title, kinds]) => [`## ${title}`, ...exported.filter(({ kind }) => kinds.includes(kind)).flatMap(entry)]),
  );
}

const SECTIONS = [
  ["Functions", ["Function"]],
  ["Classes", ["Class"]],
  ["Values", ["Variable"]],
  ["Types", ["Interface", "TypeAlias"]],
];

/** The exports of the entry point, as api-extractor's model has them. */
function modelOf() {
  const { Extractor, ExtractorConfig } = require("@microsoft/api-extractor");
  const folder = mkdtempSync(join(tmpdir(), "backstory-docs-"));
  try {
    const file = join(folder, "api.json");
    const config = ExtractorConfig.prepare({
      configObject: configOf(file),
      configObjectFullPath: undefined,
      packageJsonFullPath: join(ROOT, "package.json"),
    });
    const { succeeded } = Extractor.invoke(config, { localBuild: true, messageCallback });
    if (!succeeded) throw new Error("api-extractor could not read the declarations in dist/. Run npm run build, and look at what it says.");
    return JSON.parse(readFileSync(file, "utf8"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const compilerOptions = {
  target: "es2023",
  lib: ["es2023"],
  module: "nodenext",
  moduleResolution: "nodenext",
  types: ["node"],
  skipLibCheck: true,
  strict: true,
};
const configOf = (apiJsonFilePath) => ({
  projectFolder: ROOT,
  mainEntryPointFilePath: ENTRY,
  compiler: { overrideTsconfig: { compilerOptions, files: [ENTRY] } },
  apiReport: { enabled: false },
  dtsRollup: { enabled: false },
  tsdocMetadata: { enabled: false },
  docModel: { enabled: true, apiJsonFilePath },
  messages: { compilerMessageReporting: SILENT, extractorMessageReporting: SILENT, tsdocMessageReporting: SILENT },
});

/** Only errors are worth a word. */
function messageCallback(message) {
  if (message.logLevel === "error") console.error(message.text);
  message.handled = true;
}

/** Types that are exported beside a value of their name stand with that. */
const exports_ = ({ members: [{ members }] }) =>
  members.filter(({ kind, name }) => kind !== "TypeAlias" || !members.some((other) => other.name === name && other.kind !== kind));

function entry(member) {
  const { name, kind, excerptTokens, members = [] } = member;
  const { about, params, returns, throws } = docOf(member);
  const rows = toldOf(member).map((each) => [code(signature(each)), meaningOf(each, members)]);
  const made = members
    .filter(({ kind }) => kind === "Constructor")
    .map((each) => ({
      line: `new ${name}${textOf(each.excerptTokens)
        .replace(/^constructor/, "")
        .replace(/;$/, "")}`,
      ...docOf(each),
    }));
  return [
    `### ${name}`,
    ...about,
    block("ts no-run", `${kind === "Variable" ? "const " : ""}${shortened(textOf(excerptTokens))}`),
    ...made.flatMap(({ line, params: all }) => [code(line), ...list(all)]),
    ...list(params),
    ...(returns === "" ? [] : [`Returns ${returns}`]),
    ...(throws === "" ? [] : [`Throws ${throws}`]),
    ...(rows.length === 0 ? [] : [table(["member", "meaning"], rows)]),
  ];
}

/** Members besides the constructor; the name of an error is that of its class. */
const toldOf = ({ name: owner, members = [] }) =>
  members.filter(({ kind, name }) => kind !== "Constructor" && !(name === "name" && /Error$|^BrokenFile$/.test(owner)));

/** What a constructor takes and keeps is described there. */
function meaningOf(member, members) {
  const { about, params } = docOf(member);
  const own = [...about, ...params.map((each) => `${code(each.name)}: ${each.about}.`)].join(" ");
  const taken = members.filter(({ kind }) => kind === "Constructor").flatMap((each) => docOf(each).params);
  return own !== "" ? own : (taken.find(({ name }) => name === member.name)?.about ?? "");
}

const list = (params) => (params.length === 0 ? [] : [params.map(({ name, about }) => `- ${code(name)}: ${about}`).join("\n")]);
const textOf = (tokens) =>
  tokens
    .map(({ text }) => text)
    .join("")
    .replace(/^export (declare )?/, "")
    .trim();
const signature = ({ excerptTokens }) =>
  textOf(excerptTokens)
    .replace(/;$/, "")
    .replace(/\s+/g, " ")
    .replace(/^(readonly|static) /, "$1 ");

/** The schema of the options is on the page of build; here it would be all of its fields. */
const shortened = (text) => (text.length > 1500 ? `${text.slice(0, text.indexOf("{") + 1)} ... }>` : text);

/** The parts of a TSDoc comment, as Markdown: paragraphs, of which lines with a blank before them are items. */
function docOf({ docComment = "" }) {
  const text = docComment
    .replace(/^\/\*\*/, "")
    .replace(/\*\/\s*$/, "")
    .replaceAll(/^ \* ?/gm, "");
  const [head, ...tags] = text.split(/^(?=@\w+)/m);
  const of = (tag) =>
    tags
      .filter((each) => each.startsWith(`@${tag}`))
      .map((each) =>
        each
          .slice(tag.length + 1)
          .trim()
          .replaceAll(/\s+/g, " "),
      );
  return {
    about:
      head.trim() === "" || /^\s*Constructs a new instance/.test(head)
        ? []
        : head
            .trim()
            .split(/\n\s*\n/)
            .map(paragraph),
    params: of("param").map((each) => ({ name: each.split(" - ")[0], about: each.split(" - ").slice(1).join(" - ") })),
    returns: of("returns").join(" "),
    throws: of("throws").join("; "),
  };
}

/** A list has an empty line before it, and none within. */
function paragraph(text) {
  const lines = text.split("\n").map((line) => (/^ +\S/.test(line) ? `- ${line.trim()}` : line));
  const begins = lines.findIndex((line) => line.startsWith("- "));
  if (begins > 0) lines.splice(begins, 0, "");
  return lines.join("\n");
}

/** Exports, and members of those that are data, that nobody has said a word about. */
function undocumented() {
  return exports_(modelOf()).flatMap((each) => [
    ...(docOf(each).about.length === 0 ? [each.name] : []),
    ...toldOf(each).flatMap((member) => (meaningOf(member, each.members) === "" ? [`${each.name}.${member.name}`] : [])),
  ]);
}

module.exports = { library, undocumented };
