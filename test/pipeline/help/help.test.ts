/** --help, --version and man pages. */
import { z } from "zod";
import { COMMANDS, describedCommands, main } from "../../../pipeline/cli";
import { type Described, groupsOf, signOf } from "../../../pipeline/help/describe";
import { manPages } from "../../../pipeline/help/man";
import { helpOf } from "../../../pipeline/help/text";
import { inGroups } from "../../../pipeline/schema";
import { VERSION } from "../../../pipeline/version";

async function told(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const log = jest.spyOn(console, "log").mockImplementation((text) => void out.push(text));
  const error = jest.spyOn(console, "error").mockImplementation((text) => void err.push(text));
  const code = await main(args);
  log.mockRestore();
  error.mockRestore();
  return { code, out: out.join("\n"), err: err.join("\n") };
}

let commands: Described[];
beforeAll(async () => {
  commands = await describedCommands();
});

test.each(COMMANDS)("%s: help in three spellings, at 80 columns, each flag once, with its default", async (name) => {
  const help = await told(name, "--help");
  expect(help.code).toBe(0);
  expect(await told("help", name)).toEqual(help);
  expect(await told(name, "-h")).toEqual(help);
  // a word that is longer than a line has one of its own
  for (const line of help.out.split("\n")) expect([line, line.length <= 80 || !line.trim().includes(" ")]).toEqual([line, true]);
  const { schema } = commands.find((each) => each.name === name)!;
  const flat = help.out.replaceAll(/\s+/g, " ");
  for (const option of groupsOf(schema).flatMap(({ options }) => options)) {
    if (!option.configOnly) expect(help.out.split("\n").filter((line) => `${line} `.startsWith(`  ${signOf(option)} `))).toHaveLength(1);
    if (option.fallback !== undefined) expect(flat).toContain(`Default: ${option.fallback}.`);
  }
  expect(help.out.trimEnd().split("\n\n").at(-1)).toMatch(/^Examples:\n {2}# /);
});

test("the list of commands, the version, and what is no command", async () => {
  const list = await told("--help");
  expect(await told("help")).toEqual(list);
  for (const name of COMMANDS) expect(list.out).toMatch(new RegExp(`^  ${name} {2,}\\S`, "m"));
  for (const line of list.out.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  expect(await told("--version")).toEqual({ code: 0, out: VERSION, err: "" });
  expect(await told("help", "bild")).toMatchObject({
    code: 2,
    err: expect.stringMatching(/unknown command "bild"\. Did you mean build\? Choose from build,/),
  });
});

test("a group holds until the next, an option without one is first, and one of a schema that names none is among Options", () => {
  const text = () => z.string().optional();
  const inner = inGroups(
    z.strictObject({
      a: text(),
      b: text().meta({ group: "B" }),
      c: text(),
      d: text().meta({ group: "D" }),
      e: text().meta({ group: "B" }),
    }),
  );
  const titles = (schema: z.ZodObject) =>
    groupsOf(schema).map(({ title, options }) => `${title} ${options.map(({ key }) => key).join("")}`);
  expect(titles(inner)).toEqual(["Options a", "B bce", "D d", "Every command configdebughelp"]);
  // another schema with an option of this one
  expect(titles(z.strictObject({ f: text(), c: inner.shape.c.describe("Other.") }))).toEqual([
    "Options f",
    "B c",
    "Every command configdebughelp",
  ]);
  expect(titles(z.strictObject({ g: text() }))).toEqual(["Options g", "Every command configdebughelp"]);
});

test("what is hidden is not told, what is of files only says so", () => {
  const schema = z.strictObject({ a: z.string().optional().meta({ hidden: true }), b: z.string().optional().meta({ configOnly: true }) });
  const help = helpOf({ name: "x", about: "X.", usage: "x", schema, paths: 0 });
  expect(help).not.toContain("--a");
  expect(help).toContain("  b: (in a --config file only)\n");
});

describe("man pages", () => {
  test("one of backstory, one of each command, with all its flags", () => {
    const pages = manPages(commands);
    expect([...pages.keys()]).toEqual(["backstory.1", ...COMMANDS.map((name) => `backstory-${name}.1`)]);
    for (const { name, schema } of commands) {
      const page = pages.get(`backstory-${name}.1`)!;
      for (const { options } of groupsOf(schema))
        for (const { flag } of options) expect(page).toContain(`\\fB${flag.replaceAll("-", "\\-")}\\fR`);
    }
  });

  test("no text is taken for roff", () => {
    const about = ".TH 'is' no \\macro - `here`, ~/a^b.";
    const [page] = [...manPages([{ name: "x", about, usage: "'x", schema: z.strictObject({}), paths: 0 }]).values()].slice(1);
    expect(page).toContain("\n\\&.TH \\(aqis\\(aq no \\emacro \\- \\(gahere\\(ga, \\(ti/\\:a\\(hab.\n");
    expect(page).toContain("\n\\(aqx\n");
  });
});
