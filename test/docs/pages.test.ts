/** Every code block of the pages for users. What each kind of block has to be: CONTRIBUTING.md. Pages that want PyTorch: test/training/pages.test.ts. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import type { Block } from "../../docs/markdown.js";
import { commandOf } from "../../pipeline/cli";
import { parseFlags } from "../../pipeline/flags";
import { BuildOptions } from "../../pipeline/options";
import { kebab } from "../../pipeline/spelling";
import { callsIn, isRun, LIMIT_MS, missingLine, runPage, userPages, wantsTorch } from "./page";

jest.setTimeout(LIMIT_MS + 60_000);

const PYTHON = process.env.PYTHON ?? "python3";
const pages = userPages();
const blocksOf = (wanted: (block: Block) => boolean): [string, Block][] =>
  pages.flatMap(({ path, blocks }) => blocks.filter(wanted).map((block): [string, Block] => [`${path}:${block.line}`, block]));
const is =
  (...languages: string[]) =>
  (block: Block) =>
    languages.includes(block.language);
const notRun = (language: string) => (block: Block) => block.language === language && block.words.includes("no-run");

test("every block says what it is, by words that are known", () => {
  const known = {
    sh: ["no-run"],
    python: ["no-run"],
    ts: ["no-run"],
    yaml: ["no-run"],
    json: ["config"],
    text: ["output"],
    console: ["output"],
  };
  const odd = blocksOf(
    ({ language, words }) => !words.every((word) => (known as Record<string, string[]>)[language]?.includes(word)) || language === "",
  );
  expect(odd.map(([place, { language, words }]) => `${place}: ${[language, ...words].join(" ")}`)).toEqual([]);
  expect(blocksOf(isRun).length).toBeGreaterThan(20);
});

/** A test for each block, by its place; there may be none. */
const each = (blocks: [string, Block][], law: (block: Block) => void | Promise<void>): void => {
  for (const [place, block] of blocks) test(place, async () => await law(block));
};

describe("pages run as they stand", () => {
  const runnable = pages.filter((page) => page.blocks.some((block) => isRun(block) || block.language === "ts") && !wantsTorch(page));
  test.each(runnable.map((page) => [page.path, page] as const))("%s", (_, page) => runPage(page, PYTHON));
});

describe("what is not run has commands and flags that there are", () => {
  each(blocksOf(notRun("sh")), async (block) => {
    const calls = callsIn(block)
      .map((call) => call.slice(call[0] === "npx" ? 1 : 0))
      .filter(([program]) => program === "backstory");
    const written = block.text.match(/^(?!\s*#).*?\bnpx backstory [a-z]/gm) ?? [];
    expect(calls.length).toBeGreaterThanOrEqual(written.length);
    for (const [, name, ...args] of calls) await parsed(name, args);
  });
});

/** Flags that every build wants, where a page leaves them out by `...`. */
const USUAL = ["--impressions=in", "--clicks=in", "--add-to-carts=in", "--previous-orders=in", "--output=out"];

async function parsed(name: string, args: string[]): Promise<void> {
  const command = await commandOf(name);
  expect(command && name).toBe(name);
  // the files of --config are not there
  const own = args.filter((arg) => arg !== "--help" && arg !== "--debug" && !arg.startsWith("--config="));
  const usual =
    own.length < args.length || own.includes("...") ? USUAL.filter((flag) => flag.slice(2, flag.indexOf("=")) in flagsOf(command!)) : [];
  const given = own.map((arg) => arg.replace(/=.*/s, ""));
  parseFlags(
    command!.schema,
    [...usual.filter((flag) => !given.includes(flag.replace(/=.*/s, ""))), ...own.filter((arg) => arg !== "...")],
    command!.paths,
  );
}

const flagsOf = ({ schema }: { schema: { shape: object } }): Record<string, true> =>
  Object.fromEntries(Object.keys(schema.shape).map((key) => [kebab(key), true]));

describe("Python that is not run is Python", () => {
  each(blocksOf(notRun("python")), (block) => {
    const { status, stderr } = spawnSync(PYTHON, ["-c", "import ast, sys; ast.parse(sys.stdin.read())"], {
      input: block.text,
      encoding: "utf8",
      timeout: 60_000,
    });
    expect([status, stderr]).toEqual([0, ""]);
  });
});

describe("configuration is what --config takes", () => {
  const configuration = (block: Block) => is("yaml")(block) || (is("json")(block) && block.words.includes("config"));
  each(
    blocksOf((block) => configuration(block) && !block.words.includes("no-run")),
    (block) => {
      const folder = mkdtempSync(join(tmpdir(), "config-"));
      try {
        const file = join(folder, `config.${block.language}`);
        writeFileSync(file, block.text);
        const given = Object.keys(parse(block.text) as object).map((name) => name.replaceAll("_", "-"));
        const usual = USUAL.filter((flag) => !given.includes(flag.slice(2, flag.indexOf("="))));
        expect(() => parseFlags(BuildOptions, [`--config=${file}`, ...usual], 0)).not.toThrow();
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});

describe("data is JSON or YAML", () => {
  const data = (block: Block) => (is("json")(block) && !block.words.includes("config")) || notRun("yaml")(block);
  each(blocksOf(data), ({ language, text }) => void (language === "json" ? JSON.parse(text) : parse(text)));
});

describe("the runner itself", () => {
  const page = (...blocks: [string, string][]) => ({
    path: "page.md",
    blocks: blocks.map(([info, text], i) => ({ language: info.split(" ")[0], words: info.split(" ").slice(1), text, line: i + 1 })),
  });

  test.each<[string, [string, string][], string]>([
    [
      "a command that fails",
      [
        ["sh", "true\n"],
        ["sh", "false\necho no\n"],
      ],
      "page.md:2: exit code 1",
    ],
    ["a flag that is misspelt", [["sh", "npx backstory inspect --rosw=3 x\n"]], "exit code 2"],
    ["a pipe whose beginning fails", [["sh", "false | cat\n"]], "exit code 1"],
    ["a program that would be downloaded", [["sh", "npx cowsay\n"]], "only backstory"],
    ["a script that there is not", [["sh", "npm run nothing\n"]], "no script nothing"],
    ["Python that fails", [["python", "raise SystemExit(3)\n"]], "exit code 3"],
    [
      "another output than shown",
      [
        ["sh", "echo 41 rows\n"],
        ["text output", "42 rows\n"],
      ],
      'nothing like "42 rows"',
    ],
    ["TypeScript with a wrong type", [["ts", "export const n: number = 'x';\n"]], "TS2322"],
    ["TypeScript that does not run either", [["ts no-run", 'import { nothing } from "backstory";\nnothing();\n']], "TS2305"],
  ])("%s is told", (_, blocks, why) => expect(() => runPage(page(...blocks), PYTHON)).toThrow(why));

  test("a shell for all blocks of a page, in a clone of its own", () => {
    runPage(
      page(["sh", "cd .cache\nx=1\n"], ["sh", "echo $x $PWD\n"], ["text output", "1 …/.cache\n"], ["sh", "test -e ../package.json\n"]),
      PYTHON,
    );
  });

  test("lines of an output, in their order", () => {
    expect(missingLine("a\n…\nc … e\n", "a\nb\nc d e\n")).toBeUndefined();
    expect(missingLine("c\na\n", "a\nb\nc\n")).toBe("a");
  });

  test("calls in a block that is not run, with nothing run", () => {
    expect(
      callsIn({ language: "sh", words: [], line: 1, text: 'DAY=1 npx backstory build "a b" \\\n  --x  # no\ndeploy/start.sh 2\n' }),
    ).toEqual([
      ["npx", "backstory", "build", "a b", "--x"],
      ["deploy/start.sh", "2"],
    ]);
    expect(() => callsIn({ language: "sh", words: [], line: 1, text: "for x in\n" })).toThrow("syntax error");
  });

  test("flags that there are not are refused in what is not run", async () => {
    await expect(parsed("build", ["...", "--runner=prism"])).resolves.toBeUndefined();
    await expect(parsed("build", ["...", "--runer=prism"])).rejects.toThrow("--runer");
  });
});
