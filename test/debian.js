/** Debian's packages, downloaded and unpacked and not installed: so nobody needs to be root, and the machine stays as it is. */
const { execFileSync } = require("node:child_process");
const { mkdirSync, mkdtempSync, readdirSync, rmSync } = require("node:fs");
const { dirname, join } = require("node:path");

/** The longest is to download 150 MB from Debian's archive, or 440 MB from PyPI. */
const LIMIT_MS = 600_000;

const run = (command, args) =>
  execFileSync(command, args, { encoding: "utf8", timeout: LIMIT_MS, maxBuffer: 2 ** 26, stdio: ["ignore", "pipe", "pipe"] });

/** apt-get as anyone may call it: with its files in a folder of ours. */
const apt = (folder, ...args) =>
  run("apt-get", [
    "--quiet",
    "--yes",
    ...["Debug::NoLocking=1", "APT::Sandbox::User=root", `Dir::Cache=${folder}`, "Acquire::Retries=3", "Acquire::http::Timeout=30"].map(
      (o) => `-o${o}`,
    ),
    ...args,
  ]);

/** Downloads packages and what they need that the machine lacks; hashes are apt's to check. The machine's package lists may be missing, or too old. */
function download(folder, names) {
  mkdirSync(join(folder, "archives/partial"), { recursive: true });
  mkdirSync(join(folder, "lists/partial"), { recursive: true });
  const install = ["--no-install-recommends", "--download-only", "install", ...names];
  try {
    apt(folder, ...install);
  } catch {
    const lists = `-oDir::State::lists=${join(folder, "lists")}`;
    apt(folder, lists, "update");
    apt(folder, lists, ...install);
  }
  return readdirSync(join(folder, "archives"))
    .filter((name) => name.endsWith(".deb"))
    .map((name) => join(folder, "archives", name));
}

/** Unpacks packages and what they need below `root`. */
function unpack(root, names) {
  mkdirSync(dirname(root), { recursive: true });
  const part = mkdtempSync(`${root}-apt-`);
  try {
    for (const path of download(part, names)) run("dpkg-deb", ["--extract", path, root]);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}

module.exports = { run, unpack };
