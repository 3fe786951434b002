import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { commandOf } from "../../pipeline/cli";
import { parseFlags } from "../../pipeline/flags";
import { BuildOptions } from "../../pipeline/options";
import { chooseDataflow } from "../../pipeline/runners/dataflow/choice";
import { blocksOf, type Ran, runBlocks } from "./commands";
import table from "./options.json";

const ROOT = join(__dirname, "../..");
const PAGE = join(ROOT, "docs/deploy.md");
const text = readFileSync(PAGE, "utf8");

interface Program {
  source: string;
  everywhere: string[];
  commands: Record<string, string[]>;
}

let ran: Ran;
let folder: string;
beforeAll(() => {
  ran = runBlocks(blocksOf(text), ["deploy/terraform", "deploy/composer"]);
  folder = mkdtempSync(join(tmpdir(), "deploy-"));
  writeFileSync(join(folder, "run.json"), ran.files[".cache/run.json"]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const of = (program: string) => ran.commands.filter(([name]) => name === program);
const flagsOf = (args: string[]) => args.filter((arg) => arg.startsWith("-")).map((arg) => arg.replace(/=.*/s, ""));

/** The command that begins the arguments, of those that the table has: the longest. */
function commandIn(args: string[], { commands }: Program): string {
  const words = args.filter((arg) => !arg.startsWith("-")).join(" ");
  const found = Object.keys(commands).filter((command) => `${words} `.startsWith(`${command} `));
  return found.sort((a, b) => b.length - a.length)[0] ?? `no known command: ${words}`;
}

test("the page is one script that a shell takes from end to end", () => {
  expect(blocksOf(text).length).toBeGreaterThan(10);
  expect(ran.commands.length).toBeGreaterThan(30);
});

test.each(Object.keys(table))("%s is given commands that it has, and options that they have", (program) => {
  const known = (table as Record<string, Program>)[program];
  expect(of(program)).not.toEqual([]);
  for (const [, ...args] of of(program)) {
    // what is behind -- is another program's
    const own = args.includes("--") ? args.slice(0, args.indexOf("--")) : args;
    const command = commandIn(own, known);
    expect(Object.keys(known.commands)).toContain(command);
    for (const flag of flagsOf(own))
      expect(`${command} ${flag}`).toBe(
        [...known.everywhere, ...known.commands[command]].includes(flag) ? `${command} ${flag}` : "an option that it has",
      );
  }
});

test("backstory is given commands that it has, and options that it takes", async () => {
  expect(of("npx").length).toBeGreaterThan(5);
  for (const [, program, name, ...args] of of("npx")) {
    expect(program).toBe("backstory");
    const command = await commandOf(name);
    expect(command && name).toBe(name);
    parseFlags(
      command!.schema,
      args.map((arg) => arg.replace("=.cache/", `=${folder}/`)),
      command!.paths,
    );
  }
});

test("the options of a run are those of a job that could be sent", () => {
  const { options } = parseFlags(BuildOptions, [`--config=${join(folder, "run.json")}`, "--dates=2025-08-16"], 0);
  expect(chooseDataflow(options)).toMatchObject({ project: "my-project-123", region: "europe-west1", usePublicIps: false });
});

test("the DAG's settings are the example's, with the launcher that was chosen last", () => {
  const example = JSON.parse(readFileSync(join(ROOT, "deploy/composer/backstory.example.json"), "utf8"));
  expect(JSON.parse(ran.files[".cache/backstory.json"])).toEqual({ ...example, launcher: "cloud_run" });
});

test("Terraform gets each of its variables once, and knows it", () => {
  const given = [...ran.files["deploy/terraform/terraform.tfvars"].matchAll(/^(\w+)\s*=/gm)].map(([, name]) => name);
  const known = [...readFileSync(join(ROOT, "deploy/terraform/variables.tf"), "utf8").matchAll(/^variable "(\w+)"/gm)].map(
    ([, name]) => name,
  );
  expect(new Set(given).size).toBe(given.length);
  expect(known).toEqual(expect.arrayContaining(given));
});

test("buckets, accounts and the repository are named as Terraform names them", () => {
  const made = ["accounts.tf", "buckets.tf", "images.tf", "bigquery.tf", "launcher.tf"]
    .map((name) => readFileSync(join(ROOT, "deploy/terraform", name), "utf8"))
    .join("\n");
  for (const kind of ["inputs", "outputs", "temp"]) expect(made).toContain(`\${var.project}-\${var.name}-${kind}`);
  for (const kind of ["worker", "composer"]) expect(made).toContain(`\${var.name}-${kind}`);
});

test("files that commands name are there", () => {
  const named = ran.commands.flat().flatMap((arg) => [...arg.matchAll(/(?:^|=)(deploy\/[\w./-]+)/g)].map(([, path]) => path));
  expect(named.length).toBeGreaterThan(3);
  expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test("links lead somewhere, headings too", () => {
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link).filter((link) => !/^https?:/.test(link));
  expect(links.length).toBeGreaterThan(5);
  for (const link of links) {
    const [path, anchor] = link.split("#");
    const file = path === "" ? PAGE : resolve(dirname(PAGE), path);
    expect(existsSync(file) ? link : `${link}: no such file`).toBe(link);
    if (anchor !== undefined) expect(headingsOf(readFileSync(file, "utf8"))).toContain(anchor);
  }
});

/** As GitHub makes anchors of headings. */
const headingsOf = (page: string) =>
  [...page.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
