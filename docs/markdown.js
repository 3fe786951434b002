/** Pages as their readers see them: code blocks, links and headings, by the rules of GitHub. For test/docs/ and docs/links.js. */
const { readdirSync, readFileSync } = require("node:fs");
const { join } = require("node:path");

/** Folders that are nobody's to read, or not ours. */
const PASSED_OVER = new Set(["node_modules", "dist", "coverage"]);

/** All Markdown below a folder, as paths from there, in order. */
function pagesOf(root, under = "") {
  return readdirSync(join(root, under), { withFileTypes: true })
    .filter(({ name }) => !name.startsWith(".") && !PASSED_OVER.has(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = under === "" ? entry.name : `${under}/${entry.name}`;
      if (entry.isDirectory()) return pagesOf(root, path);
      return entry.isFile() && entry.name.endsWith(".md") ? [path] : [];
    });
}

const read = (root, page) => readFileSync(join(root, page), "utf8");

/** Fenced blocks in their order: { language, words, text, line }; words stand behind the language, line is that of the fence, from 1. */
function blocksOf(page) {
  const blocks = [];
  let open;
  for (const [i, line] of page.split("\n").entries()) {
    const fence = /^( *)(`{3,}|~{3,}) *([^`]*)$/.exec(line);
    if (open === undefined) {
      if (fence === null) continue;
      const [language = "", ...words] = fence[3].trim().split(/\s+/);
      open = { indent: fence[1].length, mark: fence[2], block: { language, words, text: "", line: i + 1 } };
    } else if (fence?.[2].startsWith(open.mark) && fence[3].trim() === "") {
      blocks.push(open.block);
      open = undefined;
    } else open.block.text += `${line.slice(Math.min(open.indent, line.search(/\S|$/)))}\n`;
  }
  if (open !== undefined) throw new Error(`line ${open.block.line}: a code block that never ends`);
  return blocks;
}

/** The page with its code blocks, its comments and, unless told otherwise, its inline code as blanks. Lines stay where they are. */
function proseOf(page, { inline = false } = {}) {
  const blank = (text) => text.replace(/[^\n]/g, " ");
  const prose = page.replace(/^( *)(`{3,}|~{3,})[^`\n]*\n[\s\S]*?^ *\2`* *$/gm, blank).replace(/<!--[\s\S]*?-->/g, blank);
  return inline ? prose : prose.replace(/(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, blank);
}

const LINK = /\[(?:[^[\]]|\[[^\]]*\](?:\([^)]*\))?)*\]\(\s*(?:<([^>\n]*)>|((?:[^\s()]|\([^\s()]*\))*))(?:\s+(?:"[^"]*"|'[^']*'))?\s*\)/g;
const OTHERS = [/^ {0,3}\[[^\]]+\]:\s*(\S+)/gm, /<(https?:[^>\s]*)>/g, /<[a-z][^>]*?\s(?:href|src)="([^"]*)"/gi];

/** Where the links and pictures of a page lead: { to, line }. */
function linksOf(page) {
  const prose = proseOf(page);
  const lineAt = (at) => prose.slice(0, at).split("\n").length;
  const links = [];
  for (const match of prose.matchAll(LINK)) {
    links.push({ to: match[1] ?? match[2], line: lineAt(match.index) });
    // a picture that is a link
    for (const inner of match[0].slice(1).matchAll(/!\[[^\]]*\]\(([^)\s]*)/g)) links.push({ to: inner[1], line: lineAt(match.index) });
  }
  for (const pattern of OTHERS) for (const match of prose.matchAll(pattern)) links.push({ to: match[1], line: lineAt(match.index) });
  return links;
}

/** Anchors that a page has: of its headings, numbered where two are alike, and those written as HTML. */
function anchorsOf(page) {
  const seen = new Map();
  const prose = proseOf(page, { inline: true });
  const headings = [...prose.matchAll(/^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$/gm)].map(([, title]) => {
    const slug = slugOf(title);
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    return before === 0 ? slug : `${slug}-${before}`;
  });
  return [...headings, ...[...prose.matchAll(/<[a-z][^>]*?\s(?:id|name)="([^"]*)"/gi)].map(([, name]) => name)];
}

/** What is left of a title: letters, digits, marks, dashes and underscores, in small letters; blanks as dashes. */
const slugOf = (title) =>
  title
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}\p{Pc} -]/gu, "")
    .replaceAll(" ", "-");

module.exports = { anchorsOf, blocksOf, linksOf, pagesOf, proseOf, read, slugOf };
