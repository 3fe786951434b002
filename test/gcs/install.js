#!/usr/bin/env node
/** Installs the server that stands for Cloud Storage into .cache/sdk/, by Go; version and checksum are pinned. */
const { execFileSync } = require("node:child_process");
const { existsSync, rmSync } = require("node:fs");
const { join } = require("node:path");

const HOME = join(__dirname, "../../.cache/sdk");
const MODULE = "github.com/fsouza/fake-gcs-server";
const VERSION = "v1.56.1";
const SUM = "h1:K03sAvbLvDz4hAynpCCUqnNRp+ik9JFSvHbkD/wTPOU=";
const MINUTE = 60_000;

const server = join(HOME, `fake-gcs-server-${VERSION}`, "fake-gcs-server");

function fail(message) {
  console.error(message);
  process.exit(1);
}

function go(args, options) {
  try {
    return execFileSync("go", args, { encoding: "utf8", cwd: "/", ...options });
  } catch (error) {
    if (error.code === "ENOENT") fail("go is missing. This suite wants Go 1.26 or newer (https://go.dev/dl).");
    if (error.code === "ETIMEDOUT") fail(`go ${args.join(" ")} took longer than ${options.timeout / MINUTE} minutes. Run it again.`);
    throw error;
  }
}

/** Go's own checksum database vouches for all that the module depends on. */
function install() {
  if (existsSync(server)) return;
  const home = join(server, "..", "go");
  // caches that can be removed like any other folder
  const caches = { GOMODCACHE: join(home, "mod"), GOCACHE: join(home, "build"), GOFLAGS: "-modcacherw" };
  const env = { ...process.env, ...caches, GOBIN: join(server, "..") };
  const found = JSON.parse(go(["mod", "download", "-json", `${MODULE}@${VERSION}`], { env, timeout: 5 * MINUTE }));
  if (found.Sum !== SUM) fail(`${MODULE}@${VERSION} has checksum ${found.Sum}, not ${SUM}`);
  go(["install", `${MODULE}@${VERSION}`], { env, stdio: "inherit", timeout: 15 * MINUTE });
  rmSync(home, { recursive: true });
}

module.exports = { HOME, server };
if (require.main === module) {
  install();
  console.log(server);
}
