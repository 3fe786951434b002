/**
 * npm run docs:licences: docs/licences.md from package-lock.json. Everything that is installed without --omit=dev of this repository counts,
 * optional packages of other platforms too.
 */
const { readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");

/** What may be used without terms that reach the user of this package. */
const ALLOWED = ["MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "0BSD", "Unlicense", "BlueOak-1.0.0", "Public Domain"];
/** Packages that do not say it themselves, and why it is known. */
const KNOWN = { "apache-beam": ["Apache-2.0", "LICENSE of apache/beam, whose sdks/typescript it is"] };

/** Whether an SPDX expression can be met by allowed licences alone. */
function isAllowed(expression) {
  const bare = expression.replace(/[()]/g, " ").trim();
  return bare.split(/ OR /).some((choice) => choice.split(/ AND /).every((each) => ALLOWED.includes(each.trim())));
}

/** Production packages of a lock: name, version, licence. */
function packagesOf(lock) {
  const found = Object.entries(lock.packages)
    .filter(([path, { dev, link }]) => path !== "" && !dev && !link)
    .map(([path, { name, version, license }]) => {
      const own = name ?? path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
      return {
        name: own,
        version,
        licence: license ?? KNOWN[own]?.[0] ?? "unknown",
        why: license === undefined ? KNOWN[own]?.[1] : undefined,
      };
    });
  const once = new Map(found.map((each) => [`${each.name} ${each.version}`, each]));
  return [...once.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1));
}

function licencesOf(lock) {
  const packages = packagesOf(lock);
  const rows = packages.map(({ name, version, licence, why }) => `| ${name} | ${version} | ${licence}${why ? ` (${why})` : ""} |`);
  return `# Licences of what backstory runs with\n\nMade by \`npm run docs:licences\` from package-lock.json; a test compares. Where a package offers a choice, it is used under the one of
${ALLOWED.join(", ")}.\n\n| package | version | licence |\n|---|---|---|\n${rows.join("\n")}\n`;
}

module.exports = { isAllowed, licencesOf, packagesOf };

if (require.main === module) {
  const lock = JSON.parse(readFileSync(join(__dirname, "../package-lock.json"), "utf8"));
  writeFileSync(join(__dirname, "licences.md"), licencesOf(lock));
}
