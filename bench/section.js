const { existsSync, readFileSync } = require("node:fs");

const BEGIN = "<!-- runners -->";
const END = "<!-- /runners -->";

/** A text with the section of a file (what bench/runners.js has measured) in it, which is another's than the rest. */
function withSection(text, section) {
  const marked = `${BEGIN}\n\n${section.trim()}\n\n${END}`;
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  return from < 0 ? `${text.trimEnd()}\n\n${marked}\n` : `${text.slice(0, from)}${marked}${text.slice(to + END.length)}`;
}

/** undefined where a file has none */
function sectionOf(file) {
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  return from < 0 || to < from ? undefined : text.slice(from + BEGIN.length, to);
}

module.exports = { sectionOf, withSection };
