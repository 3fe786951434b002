/** What comes with the packages that are used: programs that run when they are installed, and licences. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isAllowed, licencesOf, packagesOf } from "../../docs/licences.js";

const ROOT = join(__dirname, "../..");
const json = (name: string) => JSON.parse(readFileSync(join(ROOT, name), "utf8"));
const lock: { packages: Record<string, { name?: string; hasInstallScript?: boolean }> } = json("package-lock.json");

/** Each is argued in SECURITY.md. */
const SCRIPTS: Record<string, boolean> = {
  node: true,
  "@parcel/watcher": false,
  "@swc/core": false,
  protobufjs: false,
  "unrs-resolver": false,
};

test("no other package has a program that would run when it is installed, and of those only the pinned Node's is to run", () => {
  const found = Object.entries(lock.packages).filter(([path, { hasInstallScript }]) => path !== "" && hasInstallScript);
  const names = found.map(([path]) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length));
  expect([...new Set(names)].sort()).toEqual(Object.keys(SCRIPTS).sort());
  const { allowScripts, scripts } = json("package.json");
  expect(allowScripts).toEqual(SCRIPTS);
  expect(Object.keys(scripts).filter((name) => /install|prepare|^(pre|post)pack$/.test(name))).toEqual(["postinstall", "prepare"]);
  expect([scripts.postinstall, scripts.prepare]).toEqual(["node patches/apply.js", "npm run build"]);
  const security = readFileSync(join(ROOT, "SECURITY.md"), "utf8");
  for (const name of Object.keys(SCRIPTS)) expect(security).toContain(`\`${name}\``);
});

test("docs/licences.md is what npm run docs:licences makes of the lock file, and all of it may be used", () => {
  expect(readFileSync(join(ROOT, "docs/licences.md"), "utf8")).toBe(licencesOf(lock));
  expect(packagesOf(lock).filter(({ licence }) => !isAllowed(licence))).toEqual([]);
});

test.each([
  ["MIT", true],
  ["(BSD-3-Clause OR GPL-2.0)", true],
  ["Apache-2.0 AND MIT", true],
  ["GPL-3.0", false],
  ["MIT AND GPL-3.0", false],
  ["unknown", false],
])("%s may be used: %s", (licence, may) => expect(isAllowed(licence)).toBe(may));

test("packages that are known to be old come in versions that were mended", () => {
  const versions = Object.entries(lock.packages as Record<string, { version: string }>).flatMap(([path, { version }]) =>
    /(^|\/)(protobufjs|@grpc\/grpc-js)$/.test(path) ? [`${path.replace(/^.*node_modules\//, "")}@${version}`] : [],
  );
  const tooOld = versions.filter((each) =>
    /^protobufjs@([0-5]\.|6\.(\d\.|10\.|11\.[0-3]$)|7\.[01]\.|7\.2\.[0-4]$)|grpc-js@(0|1\.\d)\./.test(each),
  );
  expect(versions.length).toBeGreaterThan(2);
  expect(tooOld).toEqual([]);
});
