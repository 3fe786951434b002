/** Workers that Beam's boot program starts in the folder of the image, on Prism: the same bytes as without a runner, and nothing else happens there. */
const { execFileSync, spawnSync } = require("node:child_process");
const { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } = require("node:fs");
const { isBuiltin } = require("node:module");
const { dirname, join } = require("node:path");
const { build, hashes, newFolder, ROOT } = require("../runners/kit");
const { BOOT, imageRoot, PACKAGE } = require("./root");

const TABLES = ["impressions", "clicks", "add_to_carts", "previous_orders"];
const otto = TABLES.map((table) => `--${table.replaceAll("_", "-")}=${join(ROOT, "examples/otto", `${table}.ndjson`)}`);
const { version } = require("../../package.json");
/** Nothing but this machine can be reached, and npm may not even try. */
const OFFLINE = {
  HTTPS_PROXY: "http://127.0.0.1:1",
  HTTP_PROXY: "http://127.0.0.1:1",
  NO_PROXY: "localhost,127.0.0.1",
  npm_config_offline: "true",
};

let folder;
let image;
beforeAll(async () => {
  folder = newFolder();
  image = await imageRoot();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const inImage = (...path) => join(image.folder, PACKAGE, ...path);
const onPrism = (boot) => ["--runner=prism", "--environment=process", `--environment-config=${boot}`];

/** Every file with its size, mode and time of change. */
function listing(root) {
  const files = readdirSync(root, { recursive: true }).map((name) => [name, statSync(join(root, name))]);
  return Object.fromEntries(files.map(([name, { size, mode, mtimeMs }]) => [name, `${size} ${mode} ${mtimeMs}`]));
}

test("a worker that boot starts gives the same bytes, without a network, and writes nothing into the image", async () => {
  const [direct, booted] = ["direct", "booted"].map((name) => join(folder, name));
  expect(await build([...otto, `--output=${direct}`])).toMatchObject({ code: 0 });
  const before = listing(image.folder);
  const run = await build([...otto, `--output=${booted}`, ...onPrism(image.boot)], { env: OFFLINE });
  expect(run).toMatchObject({ code: 0, left: { processes: [] } });
  expect(Object.keys(hashes(direct)).length).toBeGreaterThan(29);
  expect(hashes(booted)).toEqual(hashes(direct));
  expect(listing(image.folder)).toEqual(before);
});

test("a worker whose SDK nobody has patched does not work", () => {
  const broken = join(folder, "broken");
  cpSync(join(image.folder, PACKAGE), broken, { recursive: true });
  rmSync(join(broken, "node_modules/apache-beam/.patch-package.json"));
  const flags = ["apache-beam-worker", "--id=1", "--control_endpoint=localhost:1", "--options={}"];
  const worker = spawnSync(join(broken, "path/npx"), flags, { encoding: "utf8", timeout: 60_000 });
  expect(worker).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^backstory-worker: the Beam SDK in .* is not patched .*\.\n$/),
  });
});

test("an image of another version than the job's ends the run, and says so", async () => {
  const other = join(folder, "other");
  cpSync(image.folder, join(other, "root"), { recursive: true });
  const told = join(other, "root", PACKAGE, "dist/pipeline/version.js");
  writeFileSync(told, readFileSync(told, "utf8").replace(`"${version}"`, '"0.0.9"'));
  writeFileSync(join(other, "boot"), readFileSync(image.boot, "utf8").replaceAll(image.folder, join(other, "root")), { mode: 0o755 });
  const { code, err } = await build([...otto, `--output=${join(folder, "mixed")}`, ...onPrism(join(other, "boot"))]);
  expect({ code, err }).toEqual({
    code: 2,
    err: expect.stringContaining(`the workers are of backstory 0.0.9, and the job is of ${version}.`),
  });
  expect(existsSync(join(folder, "mixed"))).toBe(false);
});

test("the worker says its version, which is that of the package", () => {
  const said = execFileSync(process.execPath, [inImage("bin/backstory-worker.js"), "--version"], { encoding: "utf8" });
  expect(said).toBe(`${version}\n`);
  expect(JSON.parse(readFileSync(inImage("path/package.json"), "utf8"))).toMatchObject({ name: "backstory", version });
});

describe("what stands for npx", () => {
  const npx = (...args) => spawnSync(inImage("path/npx"), args, { encoding: "utf8", timeout: 60_000 });

  test.each([[[]], [["other"]], [["--yes", "apache-beam-worker"]]])("refuses %j", (args) => {
    expect(npx(...args)).toMatchObject({
      status: 127,
      stderr: expect.stringMatching(/^npx: this image has apache-beam-worker alone; got /),
    });
  });

  test("becomes the worker, so that signals reach it", () => {
    const stand = join(folder, "node");
    writeFileSync(stand, "#!/bin/sh\necho $$ $*\n", { mode: 0o755 });
    const env = { ...process.env, PATH: `${dirname(stand)}:/usr/bin:/bin` };
    const { pid, stdout } = spawnSync(inImage("path/npx"), ["apache-beam-worker", "--id=a b"], { encoding: "utf8", env });
    expect(stdout).toBe(`${pid} ${inImage("path")}/../bin/backstory-worker.js --id=a b\n`);
  });

  test("hands flags on as they are", () => {
    expect(npx("apache-beam-worker", "--id=1", "--control_endpoint=localhost:1", "--options={ not JSON")).toMatchObject({ status: 2 });
  });
});

/** Whether there is such a package, or in the SDK such a module. */
function findable(name) {
  const parts = name.split("/").slice(0, name.startsWith("@") ? 2 : 1);
  const [at, rest] = [inImage("node_modules", ...parts), name.split("/").slice(parts.length).join("/")];
  if (parts[0] !== "apache-beam") return existsSync(join(at, "package.json"));
  return [`${rest}.js`, join(rest, "index.js")].some((file) => existsSync(join(at, "dist/src/apache_beam", file)));
}

/** Modules that do something when they are loaded: those of threads. */
const ENTRIES = ["beam/worker.js"];

test("all that our modules load is there, though much of what the SDK names was left out", () => {
  const modules = readdirSync(inImage("dist"), { recursive: true }).filter((name) => name.endsWith(".js") && !ENTRIES.includes(name));
  expect(modules.length).toBeGreaterThan(100);
  const program = `for (const name of ${JSON.stringify(modules)}) require(${JSON.stringify(`${inImage("dist")}/`)} + name); process.exit(0)`;
  expect(spawnSync(process.execPath, ["-e", program], { encoding: "utf8", timeout: 60_000 })).toMatchObject({ status: 0, stderr: "" });
  const named = modules.flatMap((name) => [
    ...readFileSync(inImage("dist", name), "utf8").matchAll(/(?:require|import)\("([^."][^"]*)"\)/g),
  ]);
  const packages = [...new Set(named.map(([, name]) => name))].filter((name) => !isBuiltin(name) && !name.startsWith("backstory"));
  expect(packages.length).toBeGreaterThan(10);
  expect(packages.filter((name) => !findable(name))).toEqual([]);
  for (const name of ["@google-cloud/pubsub", "typescript", "jest", "npm"]) expect(existsSync(inImage("node_modules", name))).toBe(false);
});

test("boot lies where Beam has it, and runs by itself", () => {
  expect(spawnSync(join(image.folder, BOOT), [], { encoding: "utf8" })).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/No id provided/),
  });
});
