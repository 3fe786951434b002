/** What takes programs or time: man pages by their formatters, and the page about the library. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const { environment, find } = require("./install") as { environment(): NodeJS.ProcessEnv; find(name: string): string };
const { FOLDER, LIBRARY } = require("../../docs/reference") as { FOLDER: string; LIBRARY: string };
const { library, undocumented } = require("../../docs/pages/library") as { library(): string; undocumented(): string[] };

const MAN = join(__dirname, "../../dist/man");

test("docs/reference/library.md is what npm run docs:reference makes of TSDoc, and every export has some", () => {
  expect(readFileSync(join(FOLDER, LIBRARY), "utf8")).toBe(library());
  expect(undocumented()).toEqual([]);
});

describe.each(readdirSync(MAN))("%s", (name) => {
  const format = (...args: string[]) =>
    spawnSync(find("mandoc"), [...args, join(MAN, name)], { env: environment(), encoding: "utf8", timeout: 60_000 });

  // no day, so that the same sources give the same page; and a line of text is a line of the file
  test("mandoc finds nothing wrong", () => {
    const { stdout, stderr } = format("-T", "lint");
    const found = `${stdout}${stderr}`
      .split("\n")
      .filter((line) => line !== "" && !/missing date|input text line longer than 80 bytes/.test(line));
    expect(found).toEqual([]);
  });

  test("it reads as it should", () => {
    const { stdout } = format("-T", "ascii", "-O", "width=78");
    const text = stdout.replaceAll(new RegExp(`.${"\b"}`, "g"), "");
    expect(text).toMatch(/^NAME\n/m);
    expect(text).toMatch(/^EXIT STATUS\n/m);
    expect(text).not.toMatch(/\\f|\\\(|undefined/);
  });
});
