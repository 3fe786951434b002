/** Cloud Storage: fake-gcs-server in a process of its own, with nothing in it. */
const { createServer } = require("node:net");
const { join } = require("node:path");
const { server } = require("./install");

/** A service of which the port is chosen before it is there. */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/**
 * @param startService of pipeline/runners/services
 * @param front the address that it names as its own, where something stands before it
 * @returns its address as STORAGE_EMULATOR_HOST has it, and what ends it
 */
async function startStorage(startService, folder, front) {
  const port = await freePort();
  const host = `http://127.0.0.1:${port}`;
  const address = ["-scheme", "http", "-host", "127.0.0.1", "-port", String(port)];
  const names = ["-public-host", `127.0.0.1:${port}`, "-external-url", front ?? host];
  const store = ["-backend", "filesystem", "-filesystem-root", join(folder, "root"), "-data", join(folder, "none")];
  const ready = new RegExp(`server started at .*(?<port>${port})`);
  const running = await startService({ name: "fake-gcs-server", folder, command: server, args: [...address, ...names, ...store], ready });
  return { host, port, stop: () => running.stop() };
}

module.exports = { freePort, startStorage };
