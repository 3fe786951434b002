/** What the linters and the published schemas say of deploy/, and whether what its files name is there. */
const { spawnSync } = require("node:child_process");
const { existsSync, globSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { dirname, join } = require("node:path");
const { parse } = require("yaml");
const { newFolder, ROOT } = require("../runners/kit");
const { imageRoot } = require("./root");

const { version } = require("../../package.json");
const text = (path) => readFileSync(join(ROOT, path), "utf8");
const dockerfile = text("deploy/Dockerfile");
const SCRIPTS = [...globSync("deploy/*.sh", { cwd: ROOT }), "deploy/npx"].sort();

let folder;
beforeAll(() => (folder = newFolder()));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The programs come with the packages of test/requirements.txt. */
function lint(program, ...args) {
  const at = process.env.PYTHON?.includes("/") ? join(dirname(process.env.PYTHON), program) : program;
  const { status, stdout, stderr, error } = spawnSync(at, args, { cwd: ROOT, encoding: "utf8", timeout: 120_000 });
  if (error) throw new Error(`${program}: ${error.message}. Install test/requirements.txt, and name that Python by PYTHON.`);
  return { status, said: `${stdout}${stderr}` };
}
const GOOD = { status: 0, said: "" };
function wrong(name, content) {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

test("hadolint finds nothing in the Dockerfile, and something in a bad one", () => {
  expect(lint("hadolint", "deploy/Dockerfile")).toEqual(GOOD);
  expect(lint("hadolint", wrong("Dockerfile", "FROM debian\nRUN cd /x\n"))).toMatchObject({
    status: 1,
    said: expect.stringContaining("DL3006"),
  });
});

test("ShellCheck finds nothing in the scripts, and something in a bad one", () => {
  expect(SCRIPTS.length).toBeGreaterThan(3);
  expect(lint("shellcheck", ...SCRIPTS)).toEqual(GOOD);
  expect(lint("shellcheck", wrong("bad.sh", "#!/bin/sh\nrm $1\n"))).toMatchObject({ status: 1, said: expect.stringContaining("SC2086") });
});

test.each([
  ["vendor.cloudbuild", "deploy/cloudbuild.yaml", "steps: [{ nmae: x }]\n"],
  ["vendor.compose-spec", "deploy/compose.yaml", "services: { a: { imagine: x } }\n"],
])("the schema %s holds for %s, and not for a bad one", (schema, path, bad) => {
  const check = (file) => lint("check-jsonschema", "--builtin-schema", schema, file);
  expect(check(path)).toMatchObject({ status: 0 });
  expect(check(wrong("bad.yaml", bad))).toMatchObject({ status: 1 });
});

test("the shell lines of cloudbuild.yaml pass ShellCheck as the build runs them", () => {
  const { steps, substitutions } = parse(text("deploy/cloudbuild.yaml"));
  const scripts = steps.filter(({ args }) => args[0] === "-ceu").map(({ args }) => args[1]);
  expect(scripts).toHaveLength(2);
  for (const script of scripts) {
    const substituted = script.replaceAll(/(?<!\$)\$\{?(\w+)\}?/g, (_, name) => substitutions[name] ?? "project").replaceAll("$$", "$");
    expect(lint("shellcheck", "--shell=bash", "--exclude=SC1091,SC2154", wrong("step.sh", substituted))).toEqual(GOOD);
  }
  for (const { args } of steps) for (const arg of args) if (arg.endsWith(".sh")) expect(existsSync(join(ROOT, arg))).toBe(true);
});

test("what the Dockerfile copies is there, and is what .dockerignore lets through", () => {
  const sources = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names]) => names.split(" "));
  for (const name of sources) expect(existsSync(join(ROOT, name))).toBe(true);
  const allowed = text(".dockerignore")
    .split("\n")
    .filter((line) => line.startsWith("!"));
  // what is compiled and what is packed
  const { include } = JSON.parse(text("tsconfig.build.json"));
  expect(sources).toEqual(expect.arrayContaining([...include, ...require("../../package.json").files.filter((name) => name !== "dist")]));
  expect(allowed.map((line) => line.slice(1)).sort()).toEqual([...new Set(sources)].sort());
});

test("what it takes from other stages, starts and tests is there", async () => {
  const { folder: root } = await imageRoot();
  const entries = [...dockerfile.matchAll(/^ENTRYPOINT (.*)$/gm)]
    .flatMap(([, list]) => JSON.parse(list))
    .filter((part) => part.startsWith("/"));
  expect(entries).toEqual(["/opt/apache/beam/boot", "/opt/backstory/bin/backstory.js"]);
  const named = [...dockerfile.matchAll(/\/opt\/(?:backstory|apache)[\w./-]*/g)].map(([path]) => path);
  for (const path of [...entries, ...named]) expect(existsSync(join(root, path))).toBe(true);
});

test("all that names a version names that of the package", () => {
  const told = [
    /^ARG VERSION=(.*)$/m.exec(dockerfile),
    /IMAGE:-backstory-launcher:([\d.]+)/.exec(text("deploy/start.sh")),
    /IMAGE:-backstory-launcher:([\d.]+)/.exec(text("deploy/compose.yaml")),
    /VERSION = "(.*)"/.exec(text("pipeline/version.ts")),
  ].map((match) => match?.[1]);
  expect([...told, parse(text("deploy/cloudbuild.yaml")).substitutions._VERSION]).toEqual(Array(5).fill(version));
});

test("all images of one build have the same base images", () => {
  const { _NODE_IMAGE, _GO_IMAGE } = parse(text("deploy/cloudbuild.yaml")).substitutions;
  for (const [name, given] of Object.entries({ NODE_IMAGE: _NODE_IMAGE, GO_IMAGE: _GO_IMAGE }))
    expect(dockerfile).toMatch(new RegExp(`^ARG ${name}=${given}$`, "m"));
});
