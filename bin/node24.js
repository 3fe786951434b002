// The engine is Node 24 (DESIGN: the SDK, ES modules and zstd need it). Where an older one is on the PATH, the binary that came
// as a package takes over.

/** Runs `main` in this process if it is new enough, else this program once more, by the newer Node. */
module.exports = function withNode24(main) {
  if (Number(process.versions.node.split(".")[0]) >= 24) {
    // Half of a short run is compiling the SDK: keep what was compiled (Node's own folder for it, below the temporary one).
    require("node:module").enableCompileCache();
    endWithLauncher();
    main();
    return;
  }
  const { spawn } = require("node:child_process");
  const { existsSync } = require("node:fs");
  const { constants } = require("node:os");
  const { join } = require("node:path");
  const newer = join(__dirname, "..", "node_modules", "node", "bin", "node");
  if (!existsSync(newer)) {
    console.error(`backstory: Node 24 or newer is needed; this is ${process.version}. Install it, or run npm ci in the checkout.`);
    process.exit(1);
  }
  const child = spawn(newer, process.argv.slice(1), { stdio: "inherit", env: { ...process.env, [LAUNCHER]: process.pid } });
  // Who ends this process means that one, and waits until it has cleaned up.
  for (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => child.kill(name));
  child.once("error", (error) => {
    console.error(`backstory: ${newer} does not start: ${error.message}. Install Node 24, or run npm ci in the checkout.`);
    process.exit(1);
  });
  child.once("exit", (status, signal) => process.exit(signal === null ? status : 128 + constants.signals[signal]));
};

const LAUNCHER = "BACKSTORY_LAUNCHER";
const LOOK_MS = 500;

/** A launcher that is killed by SIGKILL can hand nothing on: what it has started must not go on alone, and publish. */
function endWithLauncher() {
  const launcher = Number(process.env[LAUNCHER]);
  delete process.env[LAUNCHER];
  if (Number.isNaN(launcher)) return;
  setInterval(() => process.ppid !== launcher && process.kill(process.pid, "SIGTERM"), LOOK_MS).unref();
}
