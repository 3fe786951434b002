import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { thisProcess } from "../../../pipeline/owner";
import { removeLeftovers, workerFolder } from "../../../pipeline/runners/leftovers";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "backstory-leftovers-"))));
afterEach(() => rmSync(folder, { recursive: true }));

test("what workers have left goes once they are dead for certain; the living, those of other machines and unknown ones stay", () => {
  const living = workerFolder(folder);
  const others = { dead: { ...thisProcess(), began: "1" }, afar: { ...thisProcess(), machine: "another", began: "1" } };
  for (const [name, owner] of Object.entries(others)) {
    mkdirSync(join(folder, `backstory-worker-${name}/below`), { recursive: true });
    writeFileSync(join(folder, `backstory-worker-${name}/owner.json`), JSON.stringify(owner));
  }
  for (const name of ["backstory-worker-unknown", "somebody-else"]) mkdirSync(join(folder, name));
  writeFileSync(join(folder, "backstory-worker-file"), "");
  removeLeftovers(folder);
  expect(existsSync(living)).toBe(true);
  expect(readdirSync(folder).filter((name) => !living.endsWith(name))).toEqual([
    "backstory-worker-afar",
    "backstory-worker-file",
    "backstory-worker-unknown",
    "somebody-else",
  ]);
});
