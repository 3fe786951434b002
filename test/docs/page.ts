/** Runs the code blocks of a page as its reader would: in order, in one shell, from the root of a fresh clone. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { type Block, blocksOf, pagesOf, read } from "../../docs/markdown.js";

export const ROOT = join(__dirname, "../..");
/** A page takes seconds; on a machine that others use too, much longer. */
export const LIMIT_MS = 600_000;
/** Has tests of its own, test/docs/deploy.test.ts, since its commands are Google Cloud's. */
const OWN_TESTS = ["docs/deploy.md"];

export interface Page {
  path: string;
  blocks: Block[];
}

/** The pages for users. */
export const userPages = (): Page[] =>
  pagesOf(ROOT)
    .filter((path) => /^(README\.md|docs\/|examples\/)/.test(path) && !OWN_TESTS.includes(path))
    .map((path) => ({ path, blocks: blocksOf(read(ROOT, path)).filter((block) => !isSignature(path, block)) }));

/** The reference is made of the code's own declarations, whose types it does not import. */
const isSignature = (path: string, { language, words }: Block): boolean =>
  path.startsWith("docs/reference/") && language === "ts" && words.includes("no-run");

const LANGUAGES = ["sh", "python", "ts"];
export const isRun = ({ language, words }: Block): boolean => LANGUAGES.includes(language) && !words.includes("no-run");
/** Pages that want PyTorch are run by the training suite, which has it. */
export const wantsTorch = ({ blocks }: Page): boolean => blocks.some((block) => isRun(block) && /\btorch\b/.test(block.text));

/** @throws Error with place, exit code and the end of what was printed, where a block fails or does not print what the page says */
export function runPage({ path, blocks }: Page, python: string): void {
  const folder = freshClone();
  try {
    const bin = join(folder, ".page/bin");
    stand(bin, python);
    compile(blocks, folder);
    const script = blocks.flatMap((block, i) => (isRun(block) ? [`printf '\\036%s\\n' ${i}`, commandOf(block, i, folder)] : []));
    const ran = spawnSync("/bin/bash", ["-c", `set -euo pipefail\nexec 2>&1\n${script.join("\n")}`], {
      cwd: folder,
      env: {
        ...process.env,
        PATH: [bin, dirname(process.execPath), process.env.PATH].join(delimiter),
        HOME: join(folder, ".page"),
        NO_COLOR: "1",
        OMP_NUM_THREADS: "1",
        OPENBLAS_NUM_THREADS: "1",
        PYTHONDONTWRITEBYTECODE: "1",
      },
      encoding: "utf8",
      timeout: LIMIT_MS,
      maxBuffer: 2 ** 26,
    });
    const printed = outputsOf(ran.stdout);
    if (ran.status !== 0) {
      const [last, output] = [...printed].at(-1) ?? [0, ""];
      throw new Error(`${path}:${blocks[last]?.line}: exit code ${ran.status ?? ran.error ?? ran.signal}\n${output.slice(-3000)}`);
    }
    checkOutputs(path, blocks, printed);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A folder in which everything is as in a clone, but that nothing needs to be installed: files are links, what pages may write to is copied. */
function freshClone(): string {
  const folder = mkdtempSync(join(tmpdir(), "page-"));
  for (const name of readdirSync(ROOT)) {
    if (name === ".git" || name === ".cache") continue;
    if (name === "examples") cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    else symlinkSync(join(ROOT, name), join(folder, name));
  }
  for (const each of [".cache", ".page/bin"]) mkdirSync(join(folder, each), { recursive: true });
  return folder;
}

/** Programs in place of those that would install, or take long: each does what the page relies on. */
function stand(bin: string, name: string): void {
  // by its path: what stands in for it has the same name, and would start itself without end
  const python = execFileSync("bash", ["-c", 'command -v "$0"', name], { encoding: "utf8", timeout: LIMIT_MS }).trim();
  const programs: Record<string, string> = {
    npx: `[ "$1" = backstory ] || { echo "npx $1: only backstory is run here; say no-run"; exit 1; }
shift
exec '${process.execPath}' bin/backstory.js "$@"`,
    // scripts other than the demo are suites and benchmarks, which CI runs by themselves
    npm: `case "$1" in ci|install|test|pack) exit 0;; run) ;; *) echo "npm $1: not known here; say no-run"; exit 1;; esac
script=$('${process.execPath}' -p 'require("./package.json").scripts[process.argv[1]] ?? ""' "$2")
[ -n "$script" ] || { echo "package.json has no script $2"; exit 1; }
[ "$2" != demo ] || exec sh -c "$script"`,
    // an environment with all packages is there already; a new one is a way to it
    python3: `if [ "$1" = -m ] && [ "$2" = venv ]; then
  mkdir -p "$3/bin"
  for name in python python3; do printf '#!/bin/sh\\nexec "%s" "$@"\\n' '${python}' >"$3/bin/$name"; done
  printf '#!/bin/sh\\nfor file; do case "$file" in *requirements*) test -s "\${file#*=}" || exit 1;; esac; done\\n' >"$3/bin/pip"
  chmod +x "$3"/bin/*
  exit 0
fi
exec '${python}' "$@"`,
  };
  for (const [name, text] of Object.entries({ ...programs, python: programs.python3, pip: "exit 0" })) {
    writeFileSync(join(bin, name), `#!/bin/bash\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  }
}

function commandOf({ language, text }: Block, i: number, folder: string): string {
  if (language === "sh") return text;
  if (language === "ts") return `node .page/out/block${i}.js`;
  writeFileSync(join(folder, `.page/block${i}.py`), text);
  return `python3 .page/block${i}.py`;
}

/** TypeScript is checked, whether it is run or not, against the package as it is built. */
function compile(blocks: Block[], folder: string): void {
  const own = blocks.flatMap((block, i) => (block.language === "ts" ? [[`block${i}.ts`, block.text]] : []));
  if (own.length === 0) return;
  for (const [name, text] of own) writeFileSync(join(folder, ".page", name), text);
  const compilerOptions = { rootDir: ".", outDir: "out", types: ["node"], declaration: false, sourceMap: false };
  writeFileSync(join(folder, ".page/tsconfig.json"), JSON.stringify({ extends: "../tsconfig.json", compilerOptions, include: ["*.ts"] }));
  const { status, stdout } = spawnSync(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", join(folder, ".page")], {
    encoding: "utf8",
    timeout: LIMIT_MS,
  });
  if (status !== 0) throw new Error(`TypeScript of the page, by the number of its block from 0:\n${stdout}`);
}

/** What each block has printed, by its number. */
function outputsOf(text: string): Map<number, string> {
  const parts = text.split("\u001e").slice(1);
  return new Map(
    parts.map((part) => {
      const end = part.indexOf("\n");
      return [Number(part.slice(0, end)), part.slice(end + 1)];
    }),
  );
}

/** A block `text output` behind one that is run is what that one prints: its lines, in order; `…` stands for anything, also for lines. */
function checkOutputs(path: string, blocks: Block[], printed: Map<number, string>): void {
  for (const [i, { words, text, line }] of blocks.entries()) {
    if (!words.includes("output")) continue;
    const from = blocks.slice(0, i).findLastIndex(isRun);
    const missing = missingLine(text, printed.get(from) ?? "");
    if (missing !== undefined) throw new Error(`${path}:${line}: nothing like "${missing}" in what was printed:\n${printed.get(from)}`);
  }
}

/** The first line of a text that is not, in its turn, in what was printed. */
export function missingLine(text: string, printed: string): string | undefined {
  let lines = printed.split("\n").map((line) => line.trimEnd());
  for (const wanted of text.split("\n").map((line) => line.trimEnd())) {
    if (wanted === "" || wanted.trim() === "…") continue;
    const pattern = new RegExp(`^${wanted.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("…", ".*")}$`);
    const at = lines.findIndex((line) => pattern.test(line));
    if (at < 0) return wanted;
    lines = lines.slice(at + 1);
  }
  return undefined;
}

/** Calls of programs in a block that is not run, each with its arguments. A shell takes it apart, in which no program is to be found. */
export function callsIn({ text }: Block): string[][] {
  const folder = mkdtempSync(join(tmpdir(), "calls-"));
  try {
    const note = `note() { { printf '%s\\0' "$@"; printf '\\036\\0'; } >>'${folder}/calls'; }`;
    const scripts = [...new Set(text.match(/(?<![\w./])(?:\.\/)?[\w.-]+(?:\/[\w.-]+)+\.sh\b/g) ?? [])];
    const stands = scripts.map((path) => `function ${path} { note ${path} "$@"; }`);
    const script = [note, 'command_not_found_handle() { note "$@"; }', ...stands, text].join("\n");
    const syntax = spawnSync("/bin/bash", ["-n", "-c", script], { encoding: "utf8", timeout: 10_000 });
    if (syntax.status !== 0) throw new Error(syntax.stderr);
    spawnSync("/bin/bash", ["-c", script], { cwd: folder, env: { PATH: "/nowhere" }, input: "", timeout: 20_000 });
    return readFileSync(join(folder, "calls"), { encoding: "utf8", flag: "a+" })
      .split("\u001e\0")
      .slice(0, -1)
      .map((call) => call.split("\0").slice(0, -1));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
