import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPatches } from "../../beam/patched";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "backstory-patched-"));
  for (const name of ["patches", "sdk"]) mkdirSync(join(folder, name));
  for (const name of ["apache-beam+1+001+a", "apache-beam+1+002+b", "other+1"]) writeFileSync(join(folder, "patches", `${name}.patch`), "");
});
afterEach(() => rmSync(folder, { recursive: true }));

const check = () => checkPatches(join(folder, "patches"), join(folder, "sdk"));
function applied(patches: Record<string, boolean>) {
  const state = { patches: Object.entries(patches).map(([patchFilename, didApply]) => ({ patchFilename, didApply })) };
  writeFileSync(join(folder, "sdk", ".patch-package.json"), JSON.stringify(state));
}

test("an SDK that nobody has patched is refused, with what patches it", () => {
  expect(check).toThrow(/sdk is not patched \(apache-beam\+1\+001\+a\.patch\).*Run node .*patches\/apply\.js/);
});

test("so is one with a part of the patches, or of an older set", () => {
  applied({ "apache-beam+1+001+a.patch": true });
  expect(check).toThrow(/\(apache-beam\+1\+002\+b\.patch\)/);
  applied({ "apache-beam+1+001+a.patch": true, "apache-beam+1+002+b.patch": false });
  expect(check).toThrow(/\(apache-beam\+1\+002\+b\.patch\)/);
});

test("one with all of them is good; those of other packages are not its business", () => {
  applied({ "apache-beam+1+001+a.patch": true, "apache-beam+1+002+b.patch": true });
  expect(check).not.toThrow();
});
