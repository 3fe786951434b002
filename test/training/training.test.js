/** examples/pytorch by pytest, each of its tests as one here. */
const { execFileSync, spawnSync } = require("node:child_process");
const { python } = require("./install");

const LIMIT_MS = 1_200_000;
const options = ["-m", "pytest", "-p", "no:cacheprovider", "--rootdir", __dirname, __dirname];
const env = { ...process.env, NODE: process.execPath, PYTHONDONTWRITEBYTECODE: "1", OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" };

const names = execFileSync(python(), [...options, "--collect-only", "-q"], { encoding: "utf8", timeout: LIMIT_MS, env })
  .split("\n")
  .filter((line) => line.includes("::"));

let output = "";
beforeAll(() => {
  const ran = spawnSync(python(), [...options, "-v", "--tb=short", "--color=no"], { encoding: "utf8", timeout: LIMIT_MS, env });
  output = `${ran.stdout}\n${ran.stderr}`;
}, LIMIT_MS);

test("there are tests", () => expect(names.length).toBeGreaterThan(0));

test.each(names)("%s", (name) => {
  if (!output.includes(`${name} PASSED`)) throw new Error(output);
});
