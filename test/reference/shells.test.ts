/** Completion in real shells: an interactive zsh in a terminal of its own, and fish's own question what it would complete. Bash is in the fast suite. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COMMANDS, commandOf, describedCommands } from "../../pipeline/cli";
import { completionOf } from "../../pipeline/help/completion";
import { flagsOf } from "../../pipeline/help/describe";

const { environment, find } = require("./install") as { environment(): NodeJS.ProcessEnv; find(name: string): string };

const folder = mkdtempSync(join(tmpdir(), "shells-"));
const LIMIT_MS = 60_000;

beforeAll(async () => {
  const commands = await describedCommands();
  for (const shell of ["zsh", "fish"]) writeFileSync(join(folder, `backstory.${shell}`), completionOf(shell, commands));
  mkdirSync(join(folder, "work/data"), { recursive: true });
  for (const name of ["data/b.csv", "options.yaml"]) writeFileSync(join(folder, "work", name), "");
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(program: string, args: string[], env: NodeJS.ProcessEnv = {}): string[] {
  const all = { ...environment(), HOME: folder, TERM: "xterm", ...env };
  const { stdout, stderr, status } = spawnSync(find(program), args, {
    cwd: join(folder, "work"),
    env: all,
    encoding: "utf8",
    timeout: LIMIT_MS,
  });
  expect([status, stderr]).toEqual([0, ""]);
  return [...new Set(stdout.split("\n").filter((line) => line !== ""))].sort();
}

const zsh = (line: string): string[] =>
  run("zsh", ["-f", join(__dirname, "drive.zsh"), line], {
    ZSH: find("zsh"),
    ZDOTDIR: join(__dirname, "zsh"),
    COMPLETION_SCRIPT: join(folder, "backstory.zsh"),
  });

/** Without descriptions. */
const fish = (line: string): string[] =>
  run("fish", ["--no-config", "-c", `source ${join(folder, "backstory.fish")}; complete -C '${line}'`]).map((each) => each.split("\t")[0]);

test.each<[string, string[], string[]?]>([
  ["backstory co", ["compare", "completion", "convert"]],
  ["backstory build --write", ["--write-mode="], ["--write-mode"]],
  ["backstory build --write-mode=", ["--write-mode=append", "--write-mode=error", "--write-mode=overwrite"]],
  ["backstory build --write-mode ", ["append", "error", "overwrite"]],
  ["backstory build --no-w", ["--no-wait"]],
  ["backstory build --lookback-days=", ["--lookback-days=none"]],
  ["backstory build --clicks=da", ["--clicks=data"], ["--clicks=data/"]],
  ["backstory build --clicks ", ["data", "options.yaml"], ["data/", "options.yaml"]],
  ["backstory build --temp-dir ", ["data"], ["data/"]],
  ["backstory build --job-endpoint ", []],
  ["backstory inspect ", ["data", "options.yaml"], ["data/", "options.yaml"]],
  ["backstory inspect --ro", ["--rows="], ["--rows"]],
  ["backstory completion ", ["bash", "fish", "zsh"]],
  ["backstory help ve", ["verify"]],
  ["backstory verify --sample ", ["all"]],
])("%j: %j", (line, replies, ofFish = replies) => {
  expect(zsh(line)).toEqual(replies);
  expect(fish(line)).toEqual(ofFish);
});

test("zsh does not offer a flag that is given", () => {
  expect(zsh("backstory build --quiet --qui")).toEqual([]);
});

test.each(COMMANDS)("%s: all its flags, in both", async (name) => {
  const flags = flagsOf((await commandOf(name))!.schema);
  expect(zsh(`backstory ${name} --`)).toEqual(flags.map(({ flag, value }) => (value === undefined ? flag : `${flag}=`)).sort());
  expect(fish(`backstory ${name} --`)).toEqual(flags.map(({ flag }) => flag).sort());
});
