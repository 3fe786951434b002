/** Flags that pages speak of, between backquotes: backstory has each of them. Those in commands are parsed, by pages.test.ts. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pagesOf, proseOf, read } from "../../docs/markdown.js";
import { commandOf } from "../../pipeline/cli";
import { kebab } from "../../pipeline/spelling";

const ROOT = join(__dirname, "../..");
const COMMANDS = "build plan generate inspect analyse verify compare report convert clean load rebuild worker-pool completion".split(" ");
/** Of npm, pip, start.sh, patch-package, gcloud and the worker. */
const OTHERS = ["--global", "--index-url", "--local", "--rebase", "--service-account", "--version"];

const userPages = pagesOf(ROOT).filter((page) => /^(README\.md|docs\/|examples\/)/.test(page));

async function known(): Promise<Set<string>> {
  const flags = new Set(["--help", "--debug", "--config", ...OTHERS, ...examplesFlags()]);
  for (const name of COMMANDS)
    for (const key of Object.keys((await commandOf(name))?.schema.shape ?? {})) flags.add(`--${kebab(key)}`).add(`--no-${kebab(key)}`);
  return flags;
}

/** Of the programs in examples/, which say them to argparse. */
const examplesFlags = (): string[] =>
  readdirSync(join(ROOT, "examples"), { recursive: true, encoding: "utf8" })
    .filter((path) => /(?:^|\/)[\w-]+\.py$/.test(path))
    .flatMap((path) => [...readFileSync(join(ROOT, "examples", path), "utf8").matchAll(/add_argument\(\s*"(--[\w-]+)"/g)])
    .map(([, flag]) => flag);

const flagsIn = (page: string): string[] =>
  [...proseOf(page, { inline: true }).matchAll(/`([^`\n]+)`/g)].flatMap(([, code]) =>
    [...code.matchAll(/(?<![\w-])--[a-z][a-z0-9_-]*(?![\w-])/g)].map(([flag]) => flag.replaceAll("_", "-")),
  );

test.each(userPages)("%s speaks of flags that there are", async (page) => {
  const flags = await known();
  expect(flagsIn(read(ROOT, page)).filter((flag) => !flags.has(flag))).toEqual([]);
});

test("flags are found in inline code alone, without their values", () => {
  expect(flagsIn("`--dates=1..2` and `--add_to_carts none`, --not-this\n```sh\n`--nor-this`\n```\n")).toEqual([
    "--dates",
    "--add-to-carts",
  ]);
});
