/** The walkthrough: it runs, what it keeps is what it prints, and it is fit to be looked at. */
const { spawnSync } = require("node:child_process");
const { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } = require("node:fs");
const { hostname, tmpdir } = require("node:os");
const { dirname, join } = require("node:path");
const { python } = require("./install");
const { differences, joined } = require("./outputs");

const ROOT = join(__dirname, "../..");
const NOTEBOOK = join(ROOT, "examples/notebooks/walkthrough.ipynb");
const RUN_LIMIT_MS = 700_000;

const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}`, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" };
const run = (args, timeout = 100_000) => spawnSync(python, args, { cwd: ROOT, encoding: "utf8", timeout, env });
const execute = (notebook, to, ...options) => run([join(ROOT, "docs/notebook.py"), notebook, `--to=${to}`, ...options], RUN_LIMIT_MS);

function succeeded({ status, stdout, stderr, error }) {
  if (status !== 0) throw new Error(`${error ?? `exit code ${status}`}\n${stdout}${stderr}`);
}

const folder = mkdtempSync(join(tmpdir(), "backstory-notebook-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name) => join(folder, name);
const read = (path) => JSON.parse(readFileSync(path, "utf8"));

const kept = read(NOTEBOOK);
const titleOf = (cell) => joined(cell.source).trim().split("\n")[0].slice(0, 60);
const codeCells = kept.cells.flatMap((cell, number) => (cell.cell_type === "code" ? [{ cell, number, title: titleOf(cell) }] : []));
const outputsOf = ({ cells }) => cells.flatMap(({ outputs = [] }) => outputs);
const hasPicture = ({ outputs = [] }) => outputs.some(({ data }) => data?.["image/png"] !== undefined);

describe("run from its own folder", () => {
  let ran;
  let got;
  beforeAll(() => {
    ran = execute(NOTEBOOK, at("ran.ipynb"));
    if (ran.status === 0) got = read(at("ran.ipynb"));
  }, RUN_LIMIT_MS);

  test("it runs to its end", () => succeeded(ran));

  test.each(codeCells)("cell $number gives what is kept: $title", ({ cell, number }) =>
    expect(differences(cell.outputs, got.cells[number].outputs).join("\n")).toBe(""),
  );

  test("but for outputs it is kept as npm run docs:notebook writes it", () => {
    got.cells.forEach((cell, number) => {
      if (cell.cell_type === "code") cell.outputs = kept.cells[number].outputs;
    });
    expect(readFileSync(NOTEBOOK, "utf8")).toBe(`${JSON.stringify(got, null, 1)}\n`);
  });
});

test("its first cells run from the root too", () => {
  const second = codeCells[1].number;
  writeFileSync(at("beginning.ipynb"), JSON.stringify({ ...kept, cells: kept.cells.slice(0, second + 1) }));
  // It empties the folder that the whole notebook works in, so not at the same time: tests of a file run one after the other.
  succeeded(execute(at("beginning.ipynb"), at("begun.ipynb"), `--folder=${ROOT}`));
});

test("its code is formatted and free of lint", () => {
  const options = ["--isolated", "--no-cache", "--line-length=100"];
  succeeded(run(["-m", "ruff", "format", "--diff", ...options, NOTEBOOK]));
  succeeded(run(["-m", "ruff", "check", "--select=E,F,I,W,UP", ...options, NOTEBOOK]));
});

test("outputs name no machine or folder, and no warning of a library", () => {
  const texts = outputsOf(kept).map(({ text, data }) => joined(text ?? [data["text/plain"], data["text/html"]].flat().join("")));
  const words = [/(^|[\s"'(=])\/(home|root|tmp|var|usr|work|Users|opt|private)\//, /[A-Z]\w*Warning/, /Traceback/];
  for (const text of texts) {
    for (const word of words) expect(text).not.toMatch(word);
    expect(text.split(/[^\w.-]+/)).not.toContain(hostname());
  }
  expect(outputsOf(kept).filter(({ name, output_type }) => name === "stderr" || output_type === "error")).toEqual([]);
});

test("it is below 1 MB", () => expect(statSync(NOTEBOOK).size).toBeLessThan(1e6));

test("pictures have a description, and a sentence below that tells what they show", () => {
  const pictures = kept.cells.flatMap((cell, number) => (hasPicture(cell) ? [number] : []));
  expect(pictures.length).toBeGreaterThan(3);
  for (const number of pictures) {
    expect(joined(kept.cells[number + 1].source)).toMatch(/^\*\S.*\.\*/);
    const [{ metadata }] = kept.cells[number].outputs.filter((output) => hasPicture({ outputs: [output] }));
    expect(metadata["image/png"].alt).toMatch(/\w/);
  }
});

test("its links lead somewhere", () => {
  const markdown = kept.cells.filter(({ cell_type }) => cell_type === "markdown").map(({ source }) => joined(source));
  const headings = markdown.flatMap((text) => text.match(/^#+ .*$/gm) ?? []).map((line) => line.replace(/^#+ /, "").replaceAll(" ", "-"));
  const links = markdown.flatMap((text) => [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link));
  expect(links.length).toBeGreaterThan(5);
  for (const link of links) {
    if (link.startsWith("#")) expect(headings).toContain(link.slice(1));
    else if (!link.startsWith("https://")) expect([link, existsSync(join(dirname(NOTEBOOK), link))]).toEqual([link, true]);
  }
});

test.each([
  ["raises", "1 / 0", [], /ZeroDivisionError/],
  ["is too slow", "import time\ntime.sleep(90)", ["--limit=1"], /timed out/],
])("of a notebook with a cell that %s nothing is kept", (_, source, options, why) => {
  const cells = [{ cell_type: "code", id: "a", metadata: {}, execution_count: null, outputs: [], source }];
  writeFileSync(at("bad.ipynb"), JSON.stringify({ ...kept, cells }));
  const ran = execute(at("bad.ipynb"), at("never.ipynb"), ...options);
  expect(ran).toMatchObject({ status: 1, stderr: expect.stringMatching(why) });
  expect(existsSync(at("never.ipynb"))).toBe(false);
});
