/** Man pages, as roff with the macros of man(7): one of backstory, one of each command. */
import { VERSION } from "../version";
import { aboutOf, type Described, groupsOf, type Option, presetsOf } from "./describe";
import { VARIABLES, type Variable } from "./environment";
import { examplesOf } from "./examples";
import { EXITS } from "./exits";
import { first } from "./words";

const ABOUT =
  "backstory turns event streams (impressions, clicks, add-to-carts, orders) into training inputs: one row for every impression slot, with the customer's newest actions from before that day.";

/** By the name of the file. */
export function manPages(commands: readonly Described[]): Map<string, string> {
  const pages = commands.map((command): [string, string] => [`${pageOf(command)}.1`, commandPage(command)]);
  return new Map([["backstory.1", mainPage(commands)], ...pages]);
}

const pageOf = ({ name }: { name: string }): string => `backstory-${name}`;

function mainPage(commands: readonly Described[]): string {
  return page("backstory", "leakage-safe training inputs for sequence recommenders", [
    section("SYNOPSIS", `${bold("backstory")} ${italic("COMMAND")} [${italic("flags")}]`),
    section("DESCRIPTION", text(ABOUT)),
    section("COMMANDS", commands.map((command) => item(`${bold(pageOf(command))}(1)`, command.about)).join("\n")),
    exits(),
    section("ENVIRONMENT", VARIABLES.map(variable).join("\n")),
    section(
      "FILES",
      item(
        italic("OUTPUT/_manifests/RUN.json"),
        "What a run says of itself: inputs, options, files with their hashes, certificates against leaks.",
      ),
    ),
  ]);
}

const variable = ({ names, about, by }: Variable): string =>
  item(names.map(bold).join(", "), by === undefined ? about : `${about} Read by ${by}.`);

function commandPage(command: Described): string {
  return page(pageOf(command), first(command.about), [
    section("SYNOPSIS", text(command.usage)),
    section("DESCRIPTION", text(command.about)),
    section(
      "OPTIONS",
      [
        text("A value stands behind = or is the next word; a switch is off by --no-NAME."),
        ...groupsOf(command.schema).flatMap(({ title, options }) => [`.SS ${quoted(title)}`, ...options.map(option)]),
      ].join("\n"),
    ),
    ...presets(command),
    exits(),
    ...examples(command.name),
    section("SEE ALSO", `${bold("backstory")}(1)`),
  ]);
}

function page(name: string, about: string, sections: string[]): string {
  const title = `.TH ${quoted(name.toUpperCase())} 1 "" ${quoted(`backstory ${VERSION}`)} "User Commands"`;
  return `${title}\n.nh\n.ad l\n${section("NAME", `${text(name)} \\- ${text(about)}`)}\n${sections.join("\n")}\n`;
}

const section = (title: string, body: string): string => `.SH ${title}\n${body}`;
const exits = (): string => section("EXIT STATUS", EXITS.map(({ code, about }) => item(bold(String(code)), about)).join("\n"));

function option(each: Option): string {
  const value = each.value === undefined ? "" : `=${italic(each.value)}`;
  return item(`${bold(each.flag)}${value}${each.configOnly ? text(" (in a file for --config only)") : ""}`, aboutOf(each));
}

function presets({ schema }: Described): string[] {
  const all = presetsOf(schema).map(({ name, about, flags }) => item(bold(name), `${about} ${flags.join(" ")}`));
  return all.length === 0 ? [] : [section("PRESETS", all.join("\n"))];
}

/** @param term as roff */
const item = (term: string, about: string): string => `.TP\n${term}\n${text(about)}`;

function examples(name: string): string[] {
  const all = examplesOf(name).map(
    ({ about, command }) => `.PP\n${text(`${about}:`)}\n.PP\n.RS 4\n.nf\n${command.split("\n").map(text).join("\n")}\n.fi\n.RE`,
  );
  return all.length === 0 ? [] : [section("EXAMPLES", all.join("\n").replace(/^\.PP\n/, ""))];
}

const bold = (word: string): string => `\\fB${escaped(word)}\\fR`;
const italic = (word: string): string => `\\fI${escaped(word)}\\fR`;
const quoted = (words: string): string => `"${escaped(words).replaceAll('"', "\\(dq")}"`;

/** A line of text: no sign of it may be taken for roff, and none at its beginning for a macro. */
const text = (words: string): string => escaped(words).replace(/^[.']/, "\\&$&");
const escaped = (words: string): string =>
  words
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("'", "\\(aq")
    .replaceAll("`", "\\(ga")
    .replaceAll("^", "\\(ha")
    .replaceAll("~", "\\(ti")
    // where a line may end within a long path
    .replaceAll("/", "/\\:");
