#!/usr/bin/env node
/**
 * npm run docs:links: asks every external address that a page links to whether it is there. Not a test, since what others' servers say
 * changes by the hour: run it before a release. Exit code 1 where one is gone.
 */
const { resolve } = require("node:path");
const { linksOf, pagesOf, read } = require("./markdown");

const ROOT = resolve(__dirname, "..");
const LIMIT_MS = 20_000;
const AT_A_TIME = 4;
const TRIES = 3;
/** Pages made by a program, with hundreds of addresses of one registry. */
const LEFT_OUT = ["docs/licences.md"];

/** Addresses, each with the places that link to it. */
function externalLinks() {
  const places = new Map();
  for (const page of pagesOf(ROOT).filter((page) => !LEFT_OUT.includes(page)))
    for (const { to, line } of linksOf(read(ROOT, page)))
      if (/^https?:/.test(to)) {
        const address = to.replace(/#.*/s, "");
        places.set(address, [...(places.get(address) ?? []), `${page}:${line}`]);
      }
  return places;
}

/** Undefined if the address is there, else why not. What a server refuses to programs (401, 403, 429) is there. */
async function trouble(address, delayMs = 1000) {
  let last;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    try {
      const answer = await fetch(address, { signal: AbortSignal.timeout(LIMIT_MS), headers: { "user-agent": "backstory-docs-links" } });
      await answer.body?.cancel();
      if (answer.ok || [401, 403, 429].includes(answer.status)) return undefined;
      last = `status ${answer.status}`;
      if (answer.status === 404 || answer.status === 410) return last;
    } catch (error) {
      last = String(error.cause?.code ?? error.name ?? error);
    }
    await new Promise((resume) => setTimeout(resume, delayMs * (attempt + 1)));
  }
  return last;
}

async function main() {
  const places = externalLinks();
  const waiting = [...places.keys()];
  let bad = 0;
  const worker = async () => {
    for (let address = waiting.shift(); address !== undefined; address = waiting.shift()) {
      const why = await trouble(address);
      if (why === undefined) continue;
      bad++;
      console.error(`${address}: ${why}; in ${places.get(address).join(", ")}`);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  console.log(`${places.size} addresses, ${bad} of them not there${bad === places.size ? ". Is there a network?" : ""}`);
  process.exitCode = bad === 0 ? 0 : 1;
}

module.exports = { externalLinks, trouble };
if (require.main === module) main();
