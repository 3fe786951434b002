/** The service that a runner asks for workers (EXTERNAL): each is a process of its own. */
const { spawn } = require("node:child_process");
const { join } = require("node:path");
const { Server, ServerCredentials } = require("@grpc/grpc-js");
const { beamFnExternalWorkerPoolDefinition } = require("apache-beam/proto/beam_fn_api.grpc-server");

async function startPool() {
  const workers = new Map();
  const server = new Server();
  server.addService(beamFnExternalWorkerPoolDefinition, {
    startWorker({ request: { workerId, controlEndpoint } }, callback) {
      const args = [join(__dirname, "child.js"), workerId, controlEndpoint.url];
      workers.set(workerId, spawn(process.execPath, args, { stdio: ["pipe", 2, 2] }));
      callback(null, { error: "" });
    },
    stopWorker({ request: { workerId } }, callback) {
      workers.get(workerId)?.stdin.destroy();
      callback(null, { error: "" });
    },
  });
  const port = await new Promise((resolve, reject) =>
    server.bindAsync("localhost:0", ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port))),
  );
  const living = () => [...workers.values()].filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  const stop = () => {
    for (const worker of living()) worker.kill("SIGKILL");
    server.forceShutdown();
  };
  return { address: `localhost:${port}`, started: () => workers.size, living: () => living().length, stop };
}

module.exports = { startPool };
