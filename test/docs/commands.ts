/** The commands of a page, as a shell takes them apart: run for real, but for the programs that go to others, which only note their arguments. */
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const ROOT = join(__dirname, "../..");
/** What is not here, or must not be run here. */
const NOTED = ["gcloud", "terraform", "bq", "npm", "npx"];
/** What a page may use of the machine itself. */
const REAL = ["cat", "cp", "sed", "rm"];
const LIMIT_MS = 60_000;

export const blocksOf = (page: string): string[] => [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => block);

export interface Ran {
  /** a program and its arguments, in their order */
  commands: string[][];
  /** what it wrote, by path */
  files: Record<string, string>;
}

/**
 * Runs a page's blocks as one script, in a copy of the folders that it writes to.
 * @throws Error where the shell finds something that is no command, or one fails
 */
export function runBlocks(blocks: string[], folders: string[]): Ran {
  const folder = mkdtempSync(join(tmpdir(), "page-"));
  try {
    const [bin, notes, work] = ["bin", "notes", "work"].map((name) => join(folder, name));
    for (const each of [bin, notes, join(work, ".cache")]) mkdirSync(each, { recursive: true });
    for (const each of folders) cpSync(join(ROOT, each), join(work, each), { recursive: true });
    for (const each of NOTED) note(join(bin, each), each, notes);
    for (const each of REAL) symlinkSync(whereIs(each), join(bin, each));
    const ran = spawnSync("/bin/bash", ["-euo", "pipefail", "-c", blocks.join("\n")], {
      cwd: work,
      env: { PATH: bin, HOME: folder },
      encoding: "utf8",
      timeout: LIMIT_MS,
    });
    if (ran.status !== 0) throw new Error(ran.stderr || String(ran.error ?? ran.signal));
    const names = readdirSync(notes).sort((a, b) => Number(a) - Number(b));
    const commands = names.map((name) => readFileSync(join(notes, name), "utf8").split("\0").slice(0, -1));
    return { commands, files: textsOf(work, [".cache", ...folders]) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A program that notes each of its calls in a file of its own: name and arguments, each with a zero behind it. */
function note(path: string, name: string, notes: string): void {
  writeFileSync(
    path,
    `#!/bin/bash\nset -- ${name} "$@"\nfiles=(${notes}/*)\n[[ -e \${files[0]} ]] || files=()\nprintf '%s\\0' "$@" >"${notes}/\${#files[@]}"\n`,
  );
  chmodSync(path, 0o755);
}

function whereIs(program: string): string {
  const folder = (process.env.PATH ?? "")
    .split(delimiter)
    .find((each) => spawnSync("/bin/sh", ["-c", `[ -x "${each}/${program}" ]`]).status === 0);
  if (folder === undefined) throw new Error(`there is no ${program} on the PATH.`);
  return join(folder, program);
}

function textsOf(work: string, folders: string[]): Record<string, string> {
  const files: Record<string, string> = {};
  for (const folder of folders)
    for (const each of readdirSync(join(work, folder), { recursive: true, withFileTypes: true }))
      if (each.isFile()) {
        const path = join(each.parentPath, each.name);
        files[path.slice(work.length + 1)] = readFileSync(path, "utf8");
      }
  return files;
}
