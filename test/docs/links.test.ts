/** Links of all pages: what they lead to is there. Addresses on the net are only looked at; `npm run docs:links` asks for them. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join, posix, relative } from "node:path";
import { anchorsOf, blocksOf, linksOf, pagesOf, read, slugOf } from "../../docs/markdown.js";

const ROOT = join(__dirname, "../..");

const pages = pagesOf(ROOT);
const anchors = new Map<string, string[]>();
const anchorsIn = (page: string): string[] => {
  if (!anchors.has(page)) anchors.set(page, anchorsOf(read(ROOT, page)));
  return anchors.get(page)!;
};

/** What is wrong with a link, or undefined. */
function trouble(page: string, to: string, has = (path: string) => existsSync(join(ROOT, path))): string | undefined {
  if (to === "") return "leads nowhere";
  if (/^[a-z][a-z+.-]*:/i.test(to)) return externalTrouble(to);
  if (to.startsWith("/")) return "begins with /, which is another place on each host";
  const [path, anchor] = to.split("#", 2).map(decodeURIComponent);
  const target = path === "" ? page : posix.join(dirname(page), path);
  if (target.startsWith("..")) return "leads out of the repository";
  if (!has(target)) return "no such file";
  return anchor === undefined ? undefined : anchorTrouble(target, anchor);
}

function anchorTrouble(target: string, anchor: string): string | undefined {
  if (statSync(join(ROOT, target)).isDirectory()) return "an anchor of a folder";
  if (target.endsWith(".md")) return anchorsIn(target).includes(anchor) ? undefined : "no such heading";
  const line = /^L([0-9]+)(?:-L([0-9]+))?$/.exec(anchor);
  if (line === null) return "files that are not pages have lines, such as #L10";
  const lines = readFileSync(join(ROOT, target), "utf8").split("\n").length;
  return Number(line[2] ?? line[1]) <= lines ? undefined : "no such line";
}

function externalTrouble(to: string): string | undefined {
  if (!URL.canParse(to)) return "no address";
  const { protocol, hostname } = new URL(to);
  if (protocol === "mailto:") return undefined;
  if (protocol === "http:") return ["localhost", "127.0.0.1"].includes(hostname) ? undefined : "not https";
  if (protocol !== "https:") return `${protocol} is nothing that a browser follows`;
  return hostname.includes(".") ? undefined : "no host";
}

test("there are pages, with links", () => {
  expect(pages).toEqual(expect.arrayContaining(["README.md", "ARCHITECTURE.md", "docs/README.md", "docs/tutorial.md"]));
  expect(linksOf(read(ROOT, "README.md")).length).toBeGreaterThan(10);
});

test.each(pages)("%s: every link leads somewhere", (page) => {
  const broken = linksOf(read(ROOT, page)).flatMap(({ to, line }) => {
    const why = trouble(page, to);
    return why === undefined ? [] : [`${page}:${line}: ${to}: ${why}`];
  });
  expect(broken).toEqual([]);
});

test("every page of docs/ can be reached from README.md by links", () => {
  const reached = new Set<string>();
  const visit = (page: string): void => {
    if (reached.has(page) || !pages.includes(page)) return;
    reached.add(page);
    for (const { to } of linksOf(read(ROOT, page)))
      if (!/^[a-z]+:/i.test(to)) visit(posix.join(dirname(page), to.replace(/#.*/s, "") || relative(dirname(page), page)));
  };
  visit("README.md");
  expect(pages.filter((page) => page.startsWith("docs/") && !reached.has(page))).toEqual([]);
});

describe("npm run docs:links", () => {
  const { externalLinks, trouble: asked } = require("../../docs/links") as {
    externalLinks(): Map<string, string[]>;
    trouble(address: string, delayMs: number): Promise<string | undefined>;
  };

  test("asks for each address once, and knows who links to it", () => {
    expect(externalLinks().get("https://beam.apache.org")).toEqual(expect.arrayContaining([expect.stringMatching(/^README\.md:\d+$/)]));
  });

  test("an address is there, or not, or there at the third time", async () => {
    let calls = 0;
    const server = createServer((request, response) => {
      calls++;
      response.statusCode = { "/there": 200, "/private": 403, "/gone": 404, "/busy": calls < 3 ? 503 : 200 }[request.url!] ?? 500;
      response.end("text");
    });
    await new Promise<void>((resume) => server.listen(0, "127.0.0.1", resume));
    const { port } = server.address() as AddressInfo;
    const at = (path: string) => {
      calls = 0;
      return asked(`http://127.0.0.1:${port}${path}`, 0);
    };
    try {
      expect([await at("/there"), await at("/private"), await at("/busy")]).toEqual([undefined, undefined, undefined]);
      expect([await at("/gone"), calls, await at("/broken"), calls]).toEqual(["status 404", 1, "status 500", 3]);
    } finally {
      server.closeAllConnections();
      await new Promise((resume) => server.close(resume));
    }
    expect(await at("/closed")).toBe("ECONNREFUSED");
  });
});

describe("what is found", () => {
  const there = (path: string) => existsSync(join(ROOT, path));

  test.each([
    ["docs/nothing.md", "no such file"],
    ["docs/README.md#nothing", "no such heading"],
    ["#nothing", "no such heading"],
    ["../outside.md", "leads out of the repository"],
    ["package.json#L1", undefined],
    ["package.json#L99999", "no such line"],
    ["docs#anchor", "an anchor of a folder"],
    ["", "leads nowhere"],
    ["https://beam.apache.org/", undefined],
    ["http://beam.apache.org/", "not https"],
    ["https://beam apache", "no address"],
    ["https://nowhere", "no host"],
    ["ftp://example.org/", "ftp: is nothing that a browser follows"],
  ])("%s: %s", (to, why) => expect(trouble("README.md", to, there)).toBe(why));

  test("links of every form, but not those in code", () => {
    const page =
      "[a](one.md) ![b](two.svg 'title') [![c](three.svg)](four.md#x) <https://five.example>\n`[no](no.md)`\n```md\n[no](no.md)\n```\n\n[d]: six.md\n<img src=\"seven.png\"> [e](<eight nine.md>) [f](wiki_(ten))";
    expect(
      linksOf(page)
        .map(({ to }) => to)
        .sort(),
    ).toEqual(
      ["one.md", "two.svg", "three.svg", "four.md#x", "https://five.example", "six.md", "seven.png", "eight nine.md", "wiki_(ten)"].sort(),
    );
  });

  test.each([
    ["Before it runs", "before-it-runs"],
    ["`--max-memory` and `--temp-dir`", "--max-memory-and---temp-dir"],
    ["1. A project: what, why?", "1-a-project-what-why"],
    ["A [link](x.md) in it", "a-link-in-it"],
    ["snake_case stays", "snake_case-stays"],
    ["Größe", "größe"],
  ])("%s has the anchor %s", (title, slug) => expect(slugOf(title)).toBe(slug));

  test("headings that are alike are numbered, those in code are none", () => {
    expect(anchorsOf('# A\n## A\n```sh\n# no\n```\n<a id="own"></a>\n')).toEqual(["a", "a-1", "own"]);
  });

  test("blocks with their languages, words and lines; indented ones without their indent", () => {
    expect(blocksOf("x\n```sh no-run\na\n  b\n```\n- y\n  ```text\n  c\n  ```\n")).toEqual([
      { language: "sh", words: ["no-run"], text: "a\n  b\n", line: 2 },
      { language: "text", words: [], text: "c\n", line: 7 },
    ]);
    expect(() => blocksOf("```sh\n")).toThrow("line 1: a code block that never ends");
  });
});
