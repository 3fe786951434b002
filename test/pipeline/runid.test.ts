/** --run-id: a run that is tried again under its name is one run, wherever an attempt at it has ended. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "../../pipeline/run";
import { fewRows } from "./fewrows";

jest.setTimeout(300_000);

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "backstory-runid-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const optionsOf = (...more: string[]) => fewRows(folder, ["2025-08-16"], ...more);

const parts = () => readdirSync(join(folder, "out/dt=2025-08-16")).filter((name) => name.startsWith("part-"));

test.each(["append", "overwrite", "error"])("%s twice under one name is once, and the second says so", async (mode) => {
  const options = optionsOf("--run-id=2025-08-16.v1_a", `--write-mode=${mode}`);
  const { already, ...first } = await build(options);
  expect([already, first.runId]).toEqual([undefined, "2025-08-16.v1_a"]);
  const before = parts();
  expect(await build(options)).toEqual({ ...first, already: true });
  expect(parts()).toEqual(before);
  expect(readdirSync(join(folder, "out")).sort()).toEqual(["_SUCCESS", "_manifests", "dt=2025-08-16"]);
});

test("append under another name adds, and so does one without", async () => {
  for (const name of [["--run-id=a"], ["--run-id=b"], []]) await build(optionsOf("--write-mode=append", ...name));
  expect(parts()).toHaveLength(3);
});

test("overwrite tried again after another run has replaced it: what is newer stays", async () => {
  await build(optionsOf("--run-id=a"));
  await build(optionsOf("--run-id=b", "--history-length=3"));
  const bytes = readFileSync(join(folder, "out/dt=2025-08-16", parts()[0]));
  expect(await build(optionsOf("--run-id=a"))).toMatchObject({ runId: "a", already: true });
  expect(readFileSync(join(folder, "out/dt=2025-08-16", parts()[0]))).toEqual(bytes);
});

test("a name that another run has, by its options, is refused", async () => {
  await build(optionsOf("--run-id=a"));
  const other = build(optionsOf("--run-id=a", "--history-length=3"));
  await expect(other).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(/--run-id=a is the name of a run.*historyLength/),
  });
});

test.each(["", "a b", "-a", ".a", "ü", "a/b", "..", "a".repeat(65)])("--run-id=%j is refused", (name) => {
  expect(() => optionsOf(`--run-id=${name}`)).toThrow("--run-id");
});
test("64 characters are a name", () => expect(optionsOf(`--run-id=${"a".repeat(64)}`).runId).toHaveLength(64));
