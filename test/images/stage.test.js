/** The stage of the Dockerfile that packs and installs, carried out as it stands there, from a clean folder: it gives what the other tests run. */
const { execFileSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } = require("node:fs");
const { dirname, join } = require("node:path");
const { newFolder, ROOT } = require("../runners/kit");
const { imageRoot, PACKAGE } = require("./root");

const LIMIT_MS = 600_000;

let folder;
beforeAll(() => (folder = newFolder()));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The instructions of a stage, each in one line. */
function instructions(stage) {
  const dockerfile = readFileSync(join(ROOT, "deploy/Dockerfile"), "utf8").replaceAll(/\\\n\s*/g, "");
  const [, body] = new RegExp(`^FROM .* AS ${stage}\n([^]*?)\n\n`, "m").exec(dockerfile);
  return body.split("\n").map((line) => /^(\w+) (.*)$/.exec(line).slice(1));
}

/** Only what git knows, or would: nothing that was made here. */
function copy(name, to) {
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard", name], {
    cwd: ROOT,
    encoding: "utf8",
  });
  for (const path of listed.split("\0").filter(Boolean)) {
    mkdirSync(dirname(join(to, path)), { recursive: true });
    cpSync(join(ROOT, path), join(to, path));
  }
}

function carryOut(stage, { at, opt }) {
  const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` };
  for (const [instruction, words] of instructions(stage)) {
    if (instruction === "COPY") for (const name of words.split(" ").slice(0, -1)) copy(name, at);
    else if (instruction === "RUN")
      execFileSync("sh", ["-c", words.replaceAll("/opt/", `${opt}/opt/`)], { cwd: at, env, timeout: LIMIT_MS, stdio: "pipe" });
    else expect([instruction, words]).toEqual(["WORKDIR", "/src"]);
  }
}

/** SHA-256 of each file, by its path. */
function contents(root) {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  const sum = (path) => createHash("sha256").update(readFileSync(path)).digest("hex");
  return new Map(files.map((each) => join(each.parentPath, each.name)).map((path) => [path.slice(root.length + 1), sum(path)]));
}

test(
  "it installs what test/images/root.js does, file by file",
  async () => {
    const at = join(folder, "src");
    mkdirSync(at);
    carryOut("packed", { at, opt: folder });
    const [wanted, got] = [contents(join((await imageRoot()).folder, PACKAGE)), contents(join(folder, PACKAGE))];
    expect(got.size).toBeGreaterThan(1000);
    expect([...got].filter(([path, sum]) => wanted.get(path) !== sum)).toEqual([]);
    // the checkout may still have modules of earlier days
    expect([...wanted.keys()].filter((path) => !got.has(path) && !path.startsWith("dist/"))).toEqual([]);
  },
  2 * LIMIT_MS,
);
