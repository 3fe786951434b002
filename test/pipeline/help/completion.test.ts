/** Scripts for shells: bash's in the bash that is here; zsh's and fish's in test/reference/. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describedCommands, main } from "../../../pipeline/cli";
import { completionOf, SHELLS } from "../../../pipeline/help/completion";
import { type Described, flagsOf } from "../../../pipeline/help/describe";

const folder = mkdtempSync(join(tmpdir(), "completion-"));
const script = join(folder, "backstory.bash");
let commands: Described[];

beforeAll(async () => {
  commands = await describedCommands();
  writeFileSync(script, completionOf("bash", commands));
  mkdirSync(join(folder, "work/data"), { recursive: true });
  for (const name of ["data/a file.csv", "data/b.csv", "options.yaml"]) writeFileSync(join(folder, "work", name), "");
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What bash offers for each line of words, the last of which is being typed. */
function offered(lines: string[][]): string[][] {
  const { stdout, stderr, status } = spawnSync("bash", [join(__dirname, "completion.bash"), script], {
    input: `${lines.map((words) => ["backstory", ...words].join("\t")).join("\n")}\n`,
    cwd: join(folder, "work"),
    encoding: "utf8",
    timeout: 60_000,
  });
  expect([status, stderr]).toEqual([0, ""]);
  return stdout
    .split("\n")
    .slice(0, lines.length)
    .map((line) => line.split("\t").filter((word) => word !== ""));
}

// bash takes a line apart at = and :, unless told otherwise
test.each<[string[], string[]]>([
  [["b"], ["build"]],
  [["co"], ["compare", "convert", "completion"]],
  [["--v"], ["--version"]],
  [["help", "ve"], ["verify"]],
  [["build", "--write"], ["--write-mode="]],
  [
    ["build", "--write-mode", "="],
    ["overwrite", "append", "error"],
  ],
  [["build", "--write-mode", "=", "o"], ["overwrite"]],
  [["build", "--write-mode", "o"], ["overwrite"]],
  [
    ["build", "--write_mode", ""],
    ["overwrite", "append", "error"],
  ],
  [["build", "--write-mode=a"], ["--write-mode=append"]],
  [["build", "--write-mode", "append", "--write"], []],
  [["build", "--write-mode=append", "--write"], []],
  [["build", "--write_mode", "=", "append", "--write"], []],
  [["build", "--lookback-days", ""], ["none"]],
  [["build", "--qui"], ["--quiet "]],
  [["build", "--quiet", "--qui"], []],
  [
    ["build", "--no-"],
    ["--no-use-public-ips ", "--no-wait "],
  ],
  [["build", "--clicks", "=", "da"], ["data"]],
  [["build", "--clicks=data/b"], ["--clicks=data/b.csv"]],
  [["build", "--clicks", "data/a"], ["data/a file.csv"]],
  [
    ["build", "--clicks", "none", "--add-to-carts", ""],
    ["data", "options.yaml"],
  ],
  [["build", "--temp-dir", ""], ["data"]],
  [["build", "--config", "o"], ["options.yaml"]],
  [["build", "--job-endpoint", ""], []],
  [["build", "--output", "=", "gs", ":", "//b"], []],
  [["inspect", "o"], ["options.yaml"]],
  [
    ["inspect", "data", ""],
    ["--rows=", "--actions=", "--config=", "--debug ", "--help "],
  ],
  [["compare", "data", "o"], ["options.yaml"]],
  [["completion", ""], [...SHELLS]],
  [["nothing", ""], []],
])("bash, %j: %j", (words, replies) => {
  expect(offered([words])[0].sort()).toEqual([...replies].sort());
});

test("bash: flags are those of the command that begin so and are not given yet", () => {
  const line = fc.nat(commands.length - 1).chain((c) => {
    const flags = flagsOf(commands[c].schema).filter(({ key }) => key !== "config");
    const given = fc.uniqueArray(fc.constantFrom(...flags), { maxLength: 4, selector: ({ flag }) => flag });
    return fc.tuple(fc.constant(c), given, fc.nat(12), fc.constantFrom(...flags));
  });
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 20 }), (lines) => {
      const typed = lines.map(([c, given, length, { flag }]) => {
        const words = given.flatMap(({ flag: each, value }) => (value === undefined ? [each] : [each, "=", "v"]));
        return [commands[c].name, ...words, flag.slice(0, Math.max(2, length))];
      });
      const expected = lines.map(([c, given], i) =>
        flagsOf(commands[c].schema)
          .filter(({ flag }) => flag.startsWith(typed[i].at(-1)!) && !given.some((each) => each.flag === flag))
          .map(({ flag, value }) => (value === undefined ? `${flag} ` : `${flag}=`)),
      );
      expect(offered(typed)).toEqual(expected);
    }),
    { numRuns: 10 },
  );
});

test("every script names every command and every flag, and how it is installed", () => {
  for (const shell of SHELLS) {
    const text = completionOf(shell, commands);
    expect(text).toContain(`backstory completion ${shell}`);
    for (const { name, schema } of commands)
      for (const { flag } of flagsOf(schema))
        expect([shell, name, flag, text.includes(shell === "fish" ? `-l ${flag.slice(2)}` : flag)]).toEqual([shell, name, flag, true]);
  }
});

test.each([
  [["completion"], /wants the name of a shell\. Write backstory completion bash/],
  [["completion", "tcsh"], /no completion for the shell "tcsh"\. Write/],
])("%j", async (args, says) => {
  const error = jest.spyOn(console, "error").mockImplementation(() => {});
  expect(await main(args as string[])).toBe(2);
  expect(error.mock.lastCall?.[0]).toMatch(says as RegExp);
  error.mockRestore();
});
