/** Folders of workers, and what is left of those that were killed. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDead, Owner, thisProcess } from "../owner";
import { WORKER_FOLDER } from "./settings";

/** A folder of this process, which says whose it is. */
export function workerFolder(within: string): string {
  const folder = mkdtempSync(join(within, WORKER_FOLDER));
  writeFileSync(join(folder, "owner.json"), JSON.stringify(thisProcess()));
  return folder;
}

/** Removes what workers of this machine have left that are dead for certain; whatever is in doubt stays. */
export function removeLeftovers(within = tmpdir()): void {
  for (const name of readdirSync(within).filter((name) => name.startsWith(WORKER_FOLDER))) {
    const folder = join(within, name);
    try {
      if (isDead(Owner.parse(JSON.parse(readFileSync(join(folder, "owner.json"), "utf8")))))
        rmSync(folder, { recursive: true, force: true });
    } catch {
      // somebody else's, or it goes away just now
    }
  }
}
