/** The package as any user installs it: npm install, in an empty folder. */
const { execFileSync, spawnSync } = require("node:child_process");
const { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } = require("node:fs");
const { dirname, join } = require("node:path");
const { hashes, newFolder, ROOT } = require("../runners/kit");
const { HOME } = require("../sdk/install");
const { pack } = require("./root");

const LIMIT_MS = 300_000;
const otto = ["impressions", "clicks", "add_to_carts", "previous_orders"].map(
  (table) => `--${table.replaceAll("_", "-")}=${join(ROOT, "examples/otto", `${table}.ndjson`)}`,
);
const PATCHED = ["apache-beam", "serialize-closures"];
const patches = readdirSync(join(ROOT, "patches")).filter((name) => name.endsWith(".patch"));

let folder;
let user;
beforeAll(() => {
  folder = newFolder();
  user = join(folder, "user");
  const tarball = pack(folder);
  mkdirSync(user);
  npm("install", "--prefix", user, "--omit=dev", tarball);
}, LIMIT_MS);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const at = (...path) => join(user, "node_modules", ...path);
const npm = (...args) =>
  execFileSync("npm", [...args, "--no-audit", "--no-fund", "--loglevel=error"], { timeout: LIMIT_MS, encoding: "utf8" });
// named in full: what a test sets in its environment is not what its children get
const env = { ...process.env, BACKSTORY_CACHE: HOME };
const node = (...args) => spawnSync(process.execPath, args, { encoding: "utf8", timeout: 240_000, env });
const backstory = (...args) => node(at("backstory/bin/backstory.js"), ...args);
const apply = () => node(at("backstory/patches/apply.js"));

/** What is there where no scripts were run. */
function asPublished(name) {
  const { version } = JSON.parse(readFileSync(at(name, "package.json"), "utf8"));
  const published = npm("pack", `${name}@${version}`, "--silent", "--pack-destination", folder).trim();
  rmSync(at(name), { recursive: true });
  mkdirSync(at(name));
  execFileSync("tar", ["-xzf", join(folder, published), "-C", at(name), "--strip-components=1"]);
}

/** What the checkout has of a patched file is what an installation must have. */
function isPatched(name, installed) {
  const texts = patches.filter((patch) => patch.startsWith(`${name}+`)).map((patch) => readFileSync(join(ROOT, "patches", patch), "utf8"));
  const files = texts
    .flatMap((text) => [...text.matchAll(new RegExp(`^\\+\\+\\+ b/node_modules/${name}/(.*)$`, "gm"))])
    .map(([, path]) => path);
  expect(files).not.toEqual([]);
  return files.every(
    (path) => readFileSync(join(installed, path), "utf8") === readFileSync(join(ROOT, "node_modules", name, path), "utf8"),
  );
}

test("the patches are applied, and the command runs in one process and on a runner", () => {
  for (const name of PATCHED) expect(isPatched(name, at(name))).toBe(true);
  const [direct, prism] = ["direct", "prism"].map((name) => join(folder, name));
  expect(backstory("build", ...otto, `--output=${direct}`)).toMatchObject({ status: 0 });
  expect(backstory("build", ...otto, `--output=${prism}`, "--runner=prism")).toMatchObject({ status: 0 });
  expect(Object.keys(hashes(direct)).length).toBeGreaterThan(29);
  expect(hashes(prism)).toEqual(hashes(direct));
});

test("nothing of development is installed", () => {
  for (const name of ["@biomejs/biome", "@swc/core", "fast-check", "jest", "node"]) expect(existsSync(at(name))).toBe(false);
});

test("where no scripts are run nothing runs, and it is said what to do", () => {
  for (const name of PATCHED) asPublished(name);
  for (const name of PATCHED) expect(isPatched(name, at(name))).toBe(false);
  expect(backstory("build", ...otto, `--output=${join(folder, "none")}`)).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^backstory: the Beam SDK in \S+ is not patched .* Run node \S+patches\/apply\.js, which .*\.\n$/),
  });
  expect(existsSync(join(folder, "none"))).toBe(false);
});

test("patches are applied below the package too, where npm puts the SDK if a project has another version of it; twice is once", () => {
  const nested = at("backstory/node_modules/apache-beam");
  mkdirSync(dirname(nested));
  renameSync(at("apache-beam"), nested);
  for (let i = 0; i < 2; i++) expect(apply()).toMatchObject({ status: 0 });
  expect(isPatched("apache-beam", nested)).toBe(true);
  expect(isPatched("serialize-closures", at("serialize-closures"))).toBe(true);
  expect(backstory("build", ...otto, `--output=${join(folder, "nested")}`)).toMatchObject({ status: 0 });
});

test("an SDK that the patches do not fit fails the installation", () => {
  const nested = at("backstory/node_modules/apache-beam");
  rmSync(join(nested, ".patch-package.json"));
  expect(apply()).toMatchObject({ status: 1 });
});
