#!/usr/bin/env node
/**
 * Installs the runners of the conformance suite into .cache/sdk/: Prism by Go, Flink with Beam's job server from Maven Central.
 * Versions and checksums are pinned. What is there already is kept; a download that broke off is begun anew.
 */
const { execFileSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } = require("node:fs");
const { basename, join } = require("node:path");

const HOME = join(__dirname, "../../.cache/sdk");
const PRISM = {
  module: "github.com/apache/beam/sdks/v2",
  version: "v2.77.0",
  sum: "h1:RsC61pHEvtySEHAURQyP/+CVOJm/hy5hewuG9JF0+Ow=",
  command: "/go/cmd/prism",
};
const MAVEN = process.env.MAVEN_CENTRAL || "https://repo1.maven.org/maven2";
const MINUTE = 60_000;

const prism = join(HOME, `prism-${PRISM.version}`, "prism");
const jars = join(HOME, "flink-1.19-beam-2.62.0");

function fail(message) {
  console.error(message);
  process.exit(1);
}

function tool(name, args, options) {
  try {
    return execFileSync(name, args, { encoding: "utf8", ...options });
  } catch (error) {
    if (error.code === "ENOENT")
      fail(`${name} is missing. This suite wants Go 1.23 or newer (https://go.dev/dl), and that of the SDK Java 17 or newer.`);
    if (error.code === "ETIMEDOUT") fail(`${name} ${args.join(" ")} took longer than ${options.timeout / MINUTE} minutes. Run it again.`);
    throw error;
  }
}

/** Go's own checksum database vouches for all that the module depends on. */
function installGo({ module, version, sum, command }, binary) {
  if (existsSync(binary)) return;
  const go = join(binary, "..", "go");
  // a cache that can be removed like any other folder
  const caches = { GOMODCACHE: join(go, "mod"), GOCACHE: join(go, "build"), GOFLAGS: "-modcacherw" };
  const env = { ...process.env, ...caches, GOBIN: join(binary, "..") };
  const found = JSON.parse(tool("go", ["mod", "download", "-json", `${module}@${version}`], { env, timeout: 5 * MINUTE, cwd: "/" }));
  if (found.Sum !== sum) fail(`${module}@${version} has checksum ${found.Sum}, not ${sum}`);
  tool("go", ["install", `${module}${command}@${version}`], { env, stdio: "inherit", timeout: 15 * MINUTE });
  rmSync(go, { recursive: true });
}

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

async function installJar([sum, path]) {
  const jar = join(jars, basename(path));
  if (existsSync(jar) && sha256(readFileSync(jar)) === sum) return;
  const response = await fetch(`${MAVEN}/${path}`, { signal: AbortSignal.timeout(5 * MINUTE) });
  if (!response.ok) fail(`${MAVEN}/${path}: ${response.status} ${response.statusText}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  if (sha256(bytes) !== sum) fail(`${MAVEN}/${path} has checksum ${sha256(bytes)}, not ${sum}`);
  writeFileSync(`${jar}.part`, bytes);
  renameSync(`${jar}.part`, jar);
}

async function installFlink() {
  tool("java", ["-version"], { stdio: "ignore", timeout: MINUTE });
  mkdirSync(jars, { recursive: true });
  const wanted = readFileSync(join(__dirname, "flink.sha256"), "utf8").trim().split("\n");
  const todo = wanted.map((line) => line.split(/\s+/));
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (todo.length > 0) await installJar(todo.pop());
    }),
  );
}

async function install() {
  mkdirSync(HOME, { recursive: true });
  installGo(PRISM, prism);
  await installFlink();
  console.log(`${prism}\n${jars}`);
}

module.exports = { HOME, fail, installGo, prism, jars };
if (require.main === module) install().catch((error) => fail(error.stack));
