import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const ROOT = join(__dirname, "../..");

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Some of what is generated is late, as some of what happens is; these tests are about other things. */
const LATE = /^warning: .* rows are late, or not from when they say: .*\n/gm;

/** The command, as people run it. */
export function backstory(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd: ROOT, env: { ...process.env, ...env }, timeout: 110_000, maxBuffer: 1 << 26 };
    execFile(process.execPath, [join(ROOT, "bin/backstory.js"), ...args], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr: stderr.replace(LATE, "") }),
    );
  });
}

export const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

/** SHA-256 of each Parquet file of an output by its path. */
export const sha256s = (folder: string): Record<string, string> =>
  Object.fromEntries(
    filesBelow(folder)
      .filter((path) => path.endsWith(".parquet"))
      .map((path) => [relative(folder, path), createHash("sha256").update(readFileSync(path)).digest("hex")]),
  );
